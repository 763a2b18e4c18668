"""One episode from a spec: its record, its assessments, and what is kept where a model halts it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.episode import limited, playing
from riskbox.sandbox.episode.playing import (
    EpisodeHalted,
    PreparedCases,
    assess,
    faulted_episode,
    make_participants,
    play_episode,
)
from riskbox.sandbox.errors import Halt
from riskbox.sandbox.registry.evaluators import evaluator
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.observation import Observation
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.verdict import Assessment
from tests.sandbox.rules.steps import CASES

CASE = CASES["owner"]
SPEC = Spec.of(CASE.hash, Cast(agent="idle"), 7)


class Halting(Participant):
    """Its model's key is refused at the first turn."""

    closed = 0

    async def act(self, seen: Observation) -> Action:
        raise Halt("the key was refused", 2)

    async def close(self) -> None:
        self.closed += 1


class Unclosed(Participant):
    """Leaves at once, and does not close well."""

    def __init__(self, fails: Any) -> None:
        self.fails = fails

    async def act(self, seen: Observation) -> Action:
        return Action(leave=True)

    async def close(self) -> None:
        if isinstance(self.fails, BaseException):
            raise self.fails
        await asyncio.sleep(60)


class Hanging(Evaluator):
    """An evaluator that never answers, and swallows its cancellation."""

    name, version = "hanging", "1"

    async def evaluate(self, case: Case, episode: Any) -> Assessment:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(60)


class Crashing(Evaluator):
    """An evaluator that crashes."""

    name, version, settings = "crashing", "3", {"strict": True}

    def __init__(self, error: Exception) -> None:
        self.error = error

    def evaluate(self, case: Case, episode: Any) -> Assessment:
        raise self.error


@pytest.mark.parametrize("fails", [OSError("no such program"), SystemExit(3), "hangs"], ids=str)
async def test_what_happens_while_participants_close_does_not_lose_the_episode(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fails: Any
) -> None:
    monkeypatch.setattr(playing, "CLOSING", 0.05)
    prepared = PreparedCases({CASE.hash: CASE}).of(CASE.hash)
    other = Halting()
    participants = {**make_participants(SPEC, CASE), "agent": Unclosed(fails), "more": other}
    played = await play_episode("r", SPEC, prepared, participants, [evaluator("checks")])
    assert played.episode.ended.reason == "agent_left" and len(played.assessments) == 1
    assert other.closed == 1, "the others are closed as well"
    assert "agent: close() failed: " in caplog.text


async def test_an_evaluator_that_hangs_fails_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "ASSESSING", 0.05)
    monkeypatch.setattr(limited, "GRACE", 0.05)
    prepared = PreparedCases({CASE.hash: CASE}).of(CASE.hash)
    one, checks = (
        await play_episode(
            "r", SPEC, prepared, make_participants(SPEC, CASE), [Hanging(), evaluator("checks")]
        )
    ).assessments
    assert (one.fault, checks.fault) == ("evaluator: it took longer than 0.05 s", "")


def test_a_case_is_prepared_once() -> None:
    prepared = PreparedCases({CASE.hash: CASE})
    assert prepared.of(CASE.hash) is prepared.of(CASE.hash)


async def test_the_record_names_what_was_played() -> None:
    prepared = PreparedCases({CASE.hash: CASE}).of(CASE.hash)
    played = await play_episode(
        "r", SPEC, prepared, make_participants(SPEC, CASE), [evaluator("checks")], attempt=2
    )
    episode = played.episode
    assert (episode.id, episode.run, episode.seed, episode.attempt) == (SPEC.id, "r", 7, 2)
    assert (
        episode.case.id == CASE.id
        and episode.cast == SPEC.cast
        and episode.ended.index == len(episode.events) - 1
    )
    assert [one.evaluator for one in played.assessments] == ["checks"]


@pytest.mark.parametrize("keep", [False, True])
async def test_a_halt_is_raised_with_the_episode_where_it_is_kept(keep: bool) -> None:
    prepared = PreparedCases({CASE.hash: CASE}).of(CASE.hash)
    agent = Halting()
    participants = {**make_participants(SPEC, CASE), "agent": agent}
    with pytest.raises(Halt, match="the key was refused") as raised:
        await play_episode("r", SPEC, prepared, participants, [evaluator("checks")], keep_halted=keep)
    assert raised.value.exit_code == 2 and agent.closed == 1
    assert isinstance(raised.value, EpisodeHalted) is keep
    if isinstance(raised.value, EpisodeHalted):
        played = raised.value.played
        assert played.episode.ended.reason == "cancelled" and len(played.assessments) == 1


async def test_an_evaluator_that_crashes_says_so_and_one_that_halts_ends_it() -> None:
    prepared = PreparedCases({CASE.hash: CASE}).of(CASE.hash)
    episode = faulted_episode("r", SPEC, prepared, "worker_died", "Its worker died.", 3).episode
    assert (episode.ending, episode.ended.reason, episode.attempt) == ("fault", "worker_died", 3)
    crashing: Any = Crashing(KeyError("x"))
    (one,) = await assess(CASE, episode, [crashing])
    assert (one.evaluator, one.version, one.settings) == ("crashing", "3", {"strict": True})
    assert one.fault == "evaluator: KeyError: 'x'" and one.verdicts == ()
    halting: Any = Crashing(Halt("no quota"))
    with pytest.raises(Halt):
        await assess(CASE, episode, [halting])
