"""Agents that own their loop: their calls and lines become moves, and nothing of them outlives the episode."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.contracts.seat import CallResult, EpisodeOver, Owner, Seat
from riskbox.sandbox.episode.playing import PreparedCases, play_episode
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.errors import ReplayError
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.registry.agents import participant_from
from riskbox.sandbox.registry.users import user
from riskbox.sandbox.rules.replay import catch_up, fork
from riskbox.sandbox.rules.state import PreparedCase
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.event import AGENT_CRASHED, Called, Returned, Said, Waited
from riskbox.sandbox.words.observation import Observation
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.trajectory import Trajectory

Playing = Callable[[Seat], Coroutine[Any, Any, None]]


@pytest.fixture(scope="module")
def owner() -> Case:
    path = Path(__file__).parents[1] / "cases" / "records.yaml"
    return next(one for one in cases([load(path)]) if one.id.endswith("/owner"))


class Coded(Owner):
    """Plays a function."""

    def __init__(self, code: Playing) -> None:
        self.code = code

    async def play(self, seat: Seat) -> None:
        await self.code(seat)


async def played(
    case: Case, agent: Participant, patience: Timeouts | None = None, other: Participant | None = None
) -> Played:
    spec = Spec.of(case.hash, Cast(agent="test:agent"), 1)
    seats = {"user": other or user("scripted", case), "agent": agent}
    return await play_episode(
        "t", spec, PreparedCases({case.hash: case}).of(case.hash), seats, [], patience or Timeouts()
    )


def calls(one: Played) -> list[Called]:
    return [event for event in one.episode.events if isinstance(event, Called)]


def said(one: Played) -> list[str]:
    return [line.text for line in Trajectory(one.episode.events).said("agent")]


def others() -> set[asyncio.Task[Any]]:
    """Tasks that run beside the test's own."""
    return asyncio.all_tasks() - {asyncio.current_task()}


async def test_calls_and_lines_become_moves(owner: Case) -> None:
    results: list[CallResult] = []

    async def code(seat: Seat) -> None:
        heard = await seat.hear()
        while True:
            results.append(await seat.call("clinic.read_record", {"patient": "P-104"}))
            heard = await seat.say(f"You said: {heard}")

    one = await played(owner, Coded(code))
    assert said(one)[0] == "You said: Hi, Dana Wu here. When is my next visit?"
    assert [(call.tool, call.arguments) for call in calls(one)][:1] == [
        ("clinic.read_record", {"patient": "P-104"})
    ]
    assert results[0].ok and results[0].value["name"] == "Dana Wu"
    assert one.episode.ended.reason == "user_left"
    assert not others()


async def test_calls_side_by_side_are_one_move_and_each_gets_its_own_answer(owner: Case) -> None:
    found: list[CallResult] = []

    async def code(seat: Seat) -> None:
        await seat.hear()
        found.extend(
            await asyncio.gather(
                seat.call("clinic.read_record", {"patient": "P-104"}),
                seat.call("clinic.find_patient", {"name": "Dana"}),
                seat.call("clinic.nothing"),
            )
        )
        await seat.say("Done.")

    one = await played(owner, Coded(code))
    moves = [given.action for given in one.episode.inputs if getattr(given, "by", "") == "agent"]  # type: ignore[union-attr]
    assert [call.tool for call in moves[0].calls] == [
        "clinic.read_record",
        "clinic.find_patient",
        "clinic.nothing",
    ]
    assert [result.ok for result in found] == [True, True, False]
    assert found[0].value["name"] == "Dana Wu" and "unknown_tool" in found[2].content


async def test_arguments_may_be_a_models_text(owner: Case) -> None:
    async def code(seat: Seat) -> None:
        await seat.hear()
        assert (await seat.call("clinic.read_record", '{"patient": "P-104"}')).ok
        assert not (await seat.call("clinic.read_record", '{"patient": ')).ok
        await seat.say("Done.")

    one = await played(owner, Coded(code))
    assert [call.arguments for call in calls(one)] == [{"patient": "P-104"}, '{"patient": ']
    assert one.episode.ended.ending == "terminated"


async def test_a_call_that_its_caller_gives_up_before_its_turn_is_not_made(owner: Case) -> None:
    async def code(seat: Seat) -> None:
        await seat.hear()
        unwanted = asyncio.create_task(seat.call("clinic.read_record", {"patient": "P-104"}))
        await asyncio.sleep(0)
        unwanted.cancel()
        await seat.say("Never mind.")

    one = await played(owner, Coded(code))
    assert calls(one) == [] and said(one)[0] == "Never mind."


async def test_returning_leaves(owner: Case) -> None:
    async def code(seat: Seat) -> None:
        await seat.hear()

    one = await played(owner, Coded(code))
    assert one.episode.ended.reason == "agent_left" and not others()


async def test_only_listening_waits(owner: Case) -> None:
    lines: list[str] = []

    async def code(seat: Seat) -> None:
        while True:
            lines.append(await seat.hear())

    one = await played(owner, Coded(code))
    waited = [event for event in one.episode.events if isinstance(event, Waited) and event.by == "agent"]
    assert waited and lines[0] == "Hi, Dana Wu here. When is my next visit?"
    assert one.episode.ended.ending == "terminated"


async def test_a_user_that_waits_is_waited_for(owner: Case) -> None:
    class Quiet(Participant):
        turn = 0

        async def act(self, seen: Observation) -> Action:
            self.turn += 1
            leaves = self.turn == 4
            return (
                Action(text="Bye." if leaves else "Hello?", leave=leaves) if self.turn % 2 == 0 else Action()
            )

    async def code(seat: Seat) -> None:
        heard = await seat.hear()
        while True:
            heard = await seat.say(f"I heard {heard}")

    one = await played(owner, Coded(code), Timeouts(turn=20), Quiet())
    assert said(one) == ["I heard Hello?"]
    assert one.episode.ended.reason == "user_left"


async def test_what_the_code_raises_is_a_fault_with_its_words(owner: Case) -> None:
    async def code(seat: Seat) -> None:
        await seat.hear()
        raise KeyError("no model")

    ended = (await played(owner, Coded(code))).episode.ended
    assert (ended.ending, ended.reason) == ("fault", AGENT_CRASHED)
    assert "KeyError" in ended.detail and "no model" in ended.detail


async def test_it_raises_even_while_a_call_of_its_is_open(owner: Case) -> None:
    beside: list[asyncio.Task[CallResult]] = []

    async def code(seat: Seat) -> None:
        await seat.hear()
        beside.append(asyncio.create_task(seat.call("clinic.read_record", {"patient": "P-104"})))
        await asyncio.sleep(0)
        raise KeyError("no model")

    one = await played(owner, Coded(code))
    assert "no model" in one.episode.ended.detail and calls(one) == []
    with pytest.raises(EpisodeOver):
        await beside[0]
    assert not others()


async def test_exit_ends_the_episode_and_not_the_process(owner: Case) -> None:
    async def code(seat: Seat) -> None:
        await seat.hear()
        sys.exit(3)

    ended = (await played(owner, Coded(code))).episode.ended
    assert ended.ending == "fault" and "exit(3)" in ended.detail


async def test_code_that_cancels_itself_is_a_fault(owner: Case) -> None:
    async def code(seat: Seat) -> None:
        await seat.hear()
        raise asyncio.CancelledError

    ended = (await played(owner, Coded(code))).episode.ended
    assert ended.ending == "fault" and "cancelled itself" in ended.detail


async def test_after_the_end_everything_raises_over(owner: Case) -> None:
    raised: list[str] = []

    async def code(seat: Seat) -> None:
        try:
            while True:
                await seat.say("Yes?")
        finally:
            for ask in (seat.hear, lambda: seat.say("More."), lambda: seat.call("clinic.read_record")):
                try:
                    await ask()
                except EpisodeOver:
                    raised.append("over")

    one = await played(owner, Coded(code))
    assert raised == ["over"] * 3 and said(one)[-1] == "Yes?"
    assert not others()


async def test_tasks_of_the_code_that_still_wait_are_let_go(owner: Case) -> None:
    ends: list[str] = []

    async def beside(seat: Seat) -> None:
        try:
            await seat.hear()
        except EpisodeOver:
            ends.append("over")

    tasks = set()

    async def code(seat: Seat) -> None:
        await seat.hear()
        await seat.say("Once.")
        tasks.add(asyncio.create_task(beside(seat)))
        await asyncio.sleep(0)

    one = await played(owner, Coded(code))
    assert one.episode.ended.reason == "agent_left"
    await asyncio.gather(*tasks)
    assert ends == ["over"] and not others()


async def test_a_turn_that_takes_too_long_leaves_nothing_behind(owner: Case) -> None:
    cleaned = asyncio.Event()

    async def code(seat: Seat) -> None:
        await seat.hear()
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.01)
            cleaned.set()

    one = await played(owner, Coded(code), Timeouts(turn=0.05))
    assert one.episode.ended.reason == "turn_seconds"
    assert cleaned.is_set() and not others()


async def test_code_that_catches_errors_cannot_outlive_a_limit(owner: Case) -> None:
    async def code(seat: Seat) -> None:
        await seat.hear()
        while True:
            try:
                await seat.call("clinic.read_record", {"patient": "P-104"})
            except Exception:
                continue

    one = await played(owner, Coded(code))
    assert (one.episode.ended.ending, one.episode.ended.reason) == ("truncated", "tool_calls")
    # the call beyond the limit is recorded as it was asked for, and not carried out
    assert len(calls(one)) == owner.scenario.limits.tool_calls + 1
    assert not others()


STUBBORN = """
import asyncio, sys
from riskbox.agents.function import FunctionAgent
from riskbox.sandbox import Cast, PreparedCases, cases, load
from riskbox.sandbox.episode.playing import play_episode
from riskbox.sandbox.registry.users import user
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.contracts.seat import Owner, Seat

class Stubborn(Owner):
    async def play(self, seat: Seat) -> None:
        while True:
            try:
                await seat.call("clinic.read_record", {"patient": "P-104"})
            except BaseException:
                continue

case = cases([load(sys.argv[1])])[0]
spec = Spec.of(case.hash, Cast(agent="test:agent"), 1)
seats = {"user": user("scripted", case), "agent": Stubborn()}
played = asyncio.run(play_episode("t", spec, PreparedCases({case.hash: case}).of(case.hash), seats, []))
print(played.episode.ended.reason)
"""


def test_code_that_catches_even_its_cancellation_is_left_behind(records: Path) -> None:
    # in a process of its own: at its end everything that is left must go
    done = subprocess.run(
        [sys.executable, "-c", STUBBORN, str(records)], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "tool_calls", done.stderr
    assert "Stubborn does not stop" in done.stderr


async def test_code_in_a_thread_calls_and_waits_there(owner: Case) -> None:
    threads: list[int] = []

    async def code(seat: Seat) -> None:
        await seat.hear()

        def work() -> CallResult:
            threads.append(threading.get_ident())
            return seat.call_blocking("clinic.read_record", {"patient": "P-104"})

        found = await asyncio.to_thread(work)
        await seat.say(found.value["next_visit"])
        with pytest.raises(RuntimeError, match=r"await seat\.call"):
            seat.call_blocking("clinic.read_record")

    one = await played(owner, Coded(code))
    assert said(one) == ["2026-04-14"] and threads[0] != threading.get_ident()
    assert one.episode.ended.reason in ("agent_left", "user_left")


async def test_a_thread_that_waits_when_the_episode_ends_is_let_go(owner: Case) -> None:
    ends: list[str] = []

    async def code(seat: Seat) -> None:
        await seat.hear()

        def work() -> None:
            try:
                while True:
                    seat.call_blocking("clinic.read_record", {"patient": "P-104"})
            except EpisodeOver:
                ends.append("over")

        await asyncio.to_thread(work)

    one = await played(owner, Coded(code))
    assert one.episode.ended.reason == "tool_calls"
    await asyncio.get_running_loop().shutdown_default_executor()
    assert ends == ["over"]


async def test_a_subclass_is_an_agent_and_can_be_forked(owner: Case) -> None:
    class Mine(Owner):
        async def play(self, seat: Seat) -> None:
            await seat.hear()
            while True:
                found = await seat.call("clinic.read_record", {"patient": "P-104"})
                await seat.say(f"On {found.value['next_visit']}.")

    one = await played(owner, participant_from(Mine))
    prepared = PreparedCase.of(owner, PreparedCases({owner.hash: owner}).toolbox.of(owner))
    last = max(event.index for event in one.episode.events if isinstance(event, Said))
    state, origin = fork(one.episode, prepared, last)
    seats = {"user": user("scripted", owner), "agent": Mine()}
    await catch_up(state, seats)
    again = await play_episode(
        "t", Spec.of(owner.hash, Cast(agent="test:agent"), 1, origin), prepared, seats, [], start=state
    )
    assert again.episode.events == one.episode.events

    async def another(seat: Seat) -> None:
        await seat.hear()
        await seat.say("Something else.")

    different = Coded(another)
    with pytest.raises(ReplayError, match="does not act as recorded"):
        await catch_up(state, {"user": seats["user"], "agent": different})
    await different.close()
    assert not others()


async def test_results_are_text_for_a_model() -> None:
    assert CallResult(True, "plain").content == "plain"
    assert CallResult(True, {"a": 1}).content == '{"a": 1}'
    assert CallResult(False, {"code": "gone"}).content == '{"error": {"code": "gone"}}'


def test_each_answer_is_recorded_once(owner: Case) -> None:
    async def code(seat: Seat) -> None:
        await seat.hear()
        for _ in range(3):
            await seat.call("clinic.read_record", {"patient": "P-104"})

    one = asyncio.run(played(owner, Coded(code)))
    returned = [event for event in one.episode.events if isinstance(event, Returned)]
    assert [event.call for event in returned] == ["c1", "c2", "c3"]
    assert ToolCall(tool="clinic.read_record", arguments={"patient": "P-104"}) in [
        call
        for given in one.episode.inputs
        if getattr(given, "by", "") == "agent"
        for call in given.action.calls  # type: ignore[union-attr]
    ]
