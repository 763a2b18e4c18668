"""Answers without end, in every seat: what fits is recorded and counts, and the rest is a fault with a sentence."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.contracts.toolset import Toolset, tool
from riskbox.sandbox.episode import playing
from riskbox.sandbox.episode.bounds import within
from riskbox.sandbox.episode.playing import PreparedCases, make_participants, play_episode
from riskbox.sandbox.errors import ToolFault
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.event import AGENT_CRASHED, Called, Said
from riskbox.sandbox.words.observation import Observation
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.size import LONGEST, is_larger
from riskbox.sandbox.words.verdict import Assessment
from tests.sandbox.rules.steps import CASES

CASE = CASES["owner"]
SPEC = Spec.of(CASE.hash, Cast(agent="idle"), 7)


class Endless(Participant):
    """Does one thing, however large."""

    def __init__(self, does: Action) -> None:
        self.does = does

    async def act(self, seen: Observation) -> Action:
        return self.does


async def played(evaluators: list[Evaluator] | None = None, **seats: Participant) -> Played:
    prepared = PreparedCases({CASE.hash: CASE}).of(CASE.hash)
    return await play_episode(
        "r", SPEC, prepared, {**make_participants(SPEC, CASE), **seats}, evaluators or []
    )


async def test_the_beginning_of_a_long_answer_is_recorded_and_the_episode_ends_as_a_fault() -> None:
    done = await played(agent=Endless(Action(text="Harm. " + "x" * (5 * LONGEST))))
    (said,) = (one for one in done.episode.events if isinstance(one, Said) and one.by == "agent")
    assert said.text.startswith("Harm. ") and len(said.text) == LONGEST
    ended = done.episode.ended
    assert (ended.ending, ended.reason) == ("fault", AGENT_CRASHED)
    assert ended.detail == (
        "agent: its answer holds more than 1,048,576 characters; it was cut after 1,048,576 of 5,242,886 characters of its text."
    )
    assert EpisodeRow.of(done).left_out is None, "it counts, and is not safe"


async def test_the_answer_of_a_user_is_bounded_like_the_agents() -> None:
    done = await played(user=Endless(Action(text="x" * (LONGEST + 1))))
    assert (done.episode.ended.reason, done.episode.ended.detail[:6]) == ("participant", "user: ")
    fits = await played(agent=Endless(Action(text="x" * LONGEST, leave=True)))
    assert fits.episode.ended.reason == "agent_left"


async def test_the_calls_that_fit_are_made() -> None:
    small, large = ToolCall(tool="mail.list"), ToolCall(tool="mail.send", arguments={"body": ["y" * LONGEST]})
    done = await played(agent=Endless(Action(text="Now.", calls=(small, large, small))))
    assert [one.tool for one in done.episode.events if isinstance(one, Called)] == ["mail.list"]
    assert done.episode.ended.detail.endswith("it was cut before call 2 of 3, mail.send.")


@pytest.mark.parametrize(
    "action",
    [
        Action(note="x" * (LONGEST + 1)),
        Action(carried={"thought": "x" * (LONGEST + 1)}, text="a"),
        Action(calls=(ToolCall(tool="a.b", arguments="x" * (LONGEST + 1)),)),
        Action(calls=(ToolCall(tool="a.b", arguments={"a": list(range(LONGEST))}),)),
    ],
    ids=["note", "carried", "text for arguments", "many numbers"],
)
def test_everything_in_an_action_counts(action: Action) -> None:
    cut, told = within(action)
    assert told and not is_larger([cut.text, cut.note, cut.carried, [one.arguments for one in cut.calls]])


def test_an_action_that_fits_is_what_it_was() -> None:
    action = Action(text="a", note="b", calls=(ToolCall(tool="a.b", arguments={"a": [1, {"b": None}]}),))
    assert within(action) == (action, "")


def test_a_value_that_holds_itself_is_too_large() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert is_larger(endless)


class Scroll(Toolset):
    """A scroll."""

    @tool
    def unroll(self) -> str:
        """Unroll it."""
        return "x" * (LONGEST + 1)


def test_the_result_of_a_toolset_is_bounded() -> None:
    from datetime import UTC, datetime

    with pytest.raises(ToolFault, match=r"scroll.unroll answered more than 1,048,576 characters"):
        Scroll.call("unroll", {}, {}, {}, datetime.now(UTC), 1)


class Waiting(Evaluator):
    """Computes until the event loop has gone on."""

    name, version = "waiting", "1"

    def __init__(self) -> None:
        self.went_on = threading.Event()

    def evaluate(self, case: Any, episode: Any) -> Assessment:
        assert self.went_on.wait(20), "nothing else went on"
        return Assessment(evaluator=self.name, version=self.version)


async def test_a_long_episode_is_assessed_while_the_others_go_on() -> None:
    long, short = Waiting(), Waiting()
    asyncio.get_running_loop().call_later(0.2, long.went_on.set)
    done = await played([long], agent=Endless(Action(text="x" * (playing.LONG + 1), leave=True)))
    assert done.assessments[0].fault == ""
    short.went_on.set()  # a short one is assessed at once
    assert (await played([short], agent=Endless(Action(leave=True)))).assessments[0].fault == ""


def test_a_process_that_writes_without_end(tmp_path: Path, command: Any) -> None:
    (tmp_path / "endless.py").write_text("while True: print('x' * 1_000_000, end='')\n")
    records = Path(__file__).parents[1] / "cases" / "records.yaml"
    which = ("--persona", "owner", "--variant", "none", "--local", "--json")
    done = command("run", records, "--agent", "process:python3 endless.py", *which)
    assert '"crashes": 1' in done.stdout and "more than 4,194,304 bytes" in done.stdout


def test_where_a_million_calls_are_cut_is_found_in_a_few_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []

    def counting(value: Any, most: int = LONGEST) -> bool:
        counted.append(1)
        return is_larger(value, most)

    monkeypatch.setattr("riskbox.sandbox.episode.bounds.is_larger", counting)
    call = ToolCall(tool="clinic.read_record", arguments={"patient": "P-104"})
    kept, told = within(Action(calls=(call,) * 1_000_000))
    assert 0 < len(kept.calls) < 1_000_000 and "it was cut before call" in told
    assert not is_larger([[one.tool, one.arguments] for one in kept.calls])
    assert is_larger([[one.tool, one.arguments] for one in (*kept.calls, call)])
    assert len(counted) < 50
