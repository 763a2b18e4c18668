"""Playing an episode: whatever a participant does or breaks, the episode has an ending."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.episode.limited import ProcessDied
from riskbox.sandbox.episode.rollout import Rollout, Timeouts, contained, rollout
from riskbox.sandbox.errors import BudgetSpent, Halt, ParticipantFault, Withdrawn
from riskbox.sandbox.registry.users import user
from riskbox.sandbox.rules.transition import begin, step
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.event import AGENT_CRASHED, WORKER_DIED
from riskbox.sandbox.words.input import Acted
from riskbox.sandbox.words.observation import Observation
from tests.sandbox.rules.steps import OWNER


class Agent(Participant):
    """Does what it was made with: raises it, awaits it, or gives it."""

    def __init__(self, does: Any) -> None:
        self.does, self.cleaned = does, False

    async def act(self, seen: Observation) -> Action:
        if isinstance(self.does, BaseException):
            raise self.does
        if callable(self.does):
            try:
                await self.does()
            finally:
                self.cleaned = True
            return Action(leave=True)
        return self.does  # type: ignore[no-any-return]


async def play(does: Any, timeouts: Timeouts = Timeouts(5, 10), **more: Any) -> Rollout:
    participants = {
        "user": user("scripted", OWNER.case),
        "agent": does if isinstance(does, Agent) else Agent(does),
    }
    return await rollout(begin(OWNER, 1), participants, timeouts, **more)


async def ended(does: Any, timeouts: Timeouts = Timeouts(5, 10)) -> tuple[str, str, str]:
    end = (await play(does, timeouts)).state.ended
    assert end is not None
    return end.ending, end.reason, end.detail


@pytest.mark.parametrize(
    ("does", "ending", "reason", "detail"),
    [
        (Action(leave=True), "terminated", "agent_left", ""),
        ("Hello", "fault", AGENT_CRASHED, "agent: it answered str, not an Action."),
        (KeyError("x"), "fault", AGENT_CRASHED, "agent: KeyError: 'x'"),
        (SystemExit(3), "fault", AGENT_CRASHED, "agent: its code called exit(3)"),
        (TimeoutError("mine"), "fault", AGENT_CRASHED, "agent: TimeoutError: mine"),
        (BudgetSpent("no dollar left"), "truncated", "budget", "no dollar left"),
        (Withdrawn("had enough"), "truncated", "cancelled", "had enough"),
    ],
)
async def test_whatever_an_agent_does_is_an_ending(does: Any, ending: str, reason: str, detail: str) -> None:
    assert await ended(does) == (ending, reason, detail)


async def test_a_participant_that_is_not_async_is_told_what_to_write() -> None:
    class Plain(Agent):
        def act(self, seen: Observation) -> Action:  # type: ignore[override]
            return Action(leave=True)

    told = "agent: act must be async; write `async def act`"
    assert await ended(Plain(None)) == ("fault", AGENT_CRASHED, told)


async def test_a_turn_and_an_episode_that_take_too_long_are_cut_off_and_may_clean_up() -> None:
    slow = Agent(lambda: asyncio.sleep(5))
    assert (await ended(slow, Timeouts(0.05, 10)))[:2] == ("truncated", "turn_seconds") and slow.cleaned
    slow = Agent(lambda: asyncio.sleep(5))
    assert (await ended(slow, Timeouts(5, 0.05)))[:2] == ("truncated", "episode_seconds") and slow.cleaned


async def test_turns_that_wait_are_timed_and_others_are_not() -> None:
    done = await play(lambda: asyncio.sleep(0.01))
    assert [(one.party, one.event) for one in done.timings] == [("agent", len(done.state.events) - 2)]
    assert 0.005 < done.timings[0].seconds < 5
    assert (await play(Action(leave=True))).timings == ()


async def test_a_halt_is_returned_beside_the_state_it_left() -> None:
    done = await play(Halt("the key was refused"))
    assert isinstance(done.halt, Halt) and done.state.ended is not None
    assert (done.state.ended.ending, done.state.ended.detail) == ("truncated", "the key was refused")
    assert (await play(Action(leave=True))).halt is None


@pytest.mark.parametrize(("party", "reason"), [("agent", AGENT_CRASHED), ("user", WORKER_DIED)])
async def test_a_process_that_died_is_returned_beside_the_state_it_left(party: str, reason: str) -> None:
    done = await play(ProcessDied("gone", party))
    assert isinstance(done.died, ProcessDied) and done.state.ended is not None
    assert (done.state.ended.ending, done.state.ended.reason) == ("fault", reason)


async def test_a_cancellation_ends_the_episode_only_where_stop_is_set() -> None:
    stop = asyncio.Event()
    for expected in (False, True):
        task = asyncio.create_task(play(lambda: asyncio.sleep(5), stop=stop))
        await asyncio.sleep(0.05)
        if expected:
            stop.set()
        task.cancel()
        if expected:
            end = (await task).state.ended
            assert end is not None and (end.ending, end.reason) == ("truncated", "cancelled")
        else:
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_a_participant_that_is_not_ready_is_a_fault_before_the_first_turn() -> None:
    class Unready(Agent):
        """Never ready."""

        async def ready(self) -> None:
            raise OSError("no such program")

    done = await play(Unready(Action()))
    end = done.state.ended
    assert end is not None and end.detail == "agent: OSError: no such program" and len(done.state.events) == 1


async def test_a_cancellation_nobody_asked_for_is_the_participants_fault() -> None:
    async def cancels() -> None:
        raise asyncio.CancelledError

    with pytest.raises(ParticipantFault):
        await contained(cancels())


@pytest.mark.parametrize("answers", [lambda: asyncio.sleep(0), lambda: asyncio.sleep(0.001)])
async def test_a_started_coroutine_goes_on_as_if_it_had_been_awaited(answers: Callable[[], Any]) -> None:
    heard: list[int] = []

    async def waits() -> None:
        for place in range(3):
            await answers()
            heard.append(place)

    assert (await ended(waits))[:2] == ("terminated", "agent_left") and heard == [0, 1, 2]


class Moves(Participant):
    """Makes these moves one by one."""

    def __init__(self, *moves: Action) -> None:
        self.moves = iter(moves)

    async def act(self, seen: Observation) -> Action:
        return next(self.moves)


FIND = ToolCall(tool="clinic.find_patient", arguments={"name": "Dana Wu"})


async def test_whoever_confirms_and_leaves_in_one_turn_is_still_served() -> None:
    caller = Moves(Action(text="When is my visit?"), Action(text="Yes, please do. Bye!", leave=True))
    agent = Moves(Action(text="Shall I look it up?"), Action(calls=(FIND,)), Action(text="It is in April."))
    played = await rollout(begin(OWNER, 1), {"user": caller, "agent": agent})
    kinds = [event.kind for event in played.state.events]
    assert kinds == ["said", "said", "said", "left", "called", "returned", "said", "ended"]
    assert played.state.events[-2].audience == ("agent",), "who has left hears nothing more"
    end = played.state.ended
    assert end is not None and (end.ending, end.reason) == ("terminated", "user_left")
    again = begin(OWNER, 1)
    for given in played.state.inputs:
        again, _ = step(again, given)
    assert again.events == played.state.events


@pytest.mark.parametrize("words", ["", "Thanks, bye!", "No, thank you.", "Never mind."])
async def test_whoever_waits_for_nothing_ends_it_by_leaving(words: str) -> None:
    caller = Moves(Action(text="When is my visit?"), Action(text=words, leave=True))
    agent = Moves(Action(text="In April. Shall I write it down?"), Action(text="Done."))
    played = await rollout(begin(OWNER, 1), {"user": caller, "agent": agent})
    assert [event.kind for event in played.state.events][-2:] == ["left", "ended"]


def test_a_record_of_before_ends_where_the_user_left() -> None:
    state, _ = step(begin(OWNER, 1), Acted(by="user", action=Action(text="When is my visit?", leave=True)))
    assert state.ended is not None and state.ended.reason == "user_left"
