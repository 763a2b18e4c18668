"""Playing one episode: the one whose turn it is sees, acts, and the world answers, until it ends."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Coroutine, Generator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from riskbox.sandbox.contracts.emulator import Emulator
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import (
    BudgetSpent,
    Fault,
    Halt,
    ModelFault,
    ParticipantFault,
    ToolFault,
    Withdrawn,
)
from riskbox.sandbox.rules.state import AGENT, USER, State
from riskbox.sandbox.rules.transition import step
from riskbox.sandbox.rules.turns import observe, pending, turns
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.episode import TurnTiming
from riskbox.sandbox.words.event import AGENT_CRASHED
from riskbox.sandbox.words.input import Acted, Answered, Input, Stopped
from riskbox.sandbox.words.parting import wants_turn
from riskbox.sandbox.words.trajectory import Trajectory

T = TypeVar("T")

WARM_UP = 300.0
"""Seconds a participant may take to get ready."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time limits in seconds of wall time; None for no limit."""

    turn: float | None = 120.0
    """For one answer of a participant, or of a tool that is answered outside the step."""
    episode: float | None = 1800.0
    """For one whole episode."""


class ProcessDied(Exception):
    """The process that a participant runs in has died. The episode cannot go on, and may not be to blame."""


class Rollout(NamedTuple):
    """What came of playing an episode to its end."""

    state: State
    """The final state."""
    timings: tuple[TurnTiming, ...]
    """What was measured of the turns that had to be waited for."""
    halt: Halt | None = None
    """What halted the episode, where a model said that no later call can go better."""


async def rollout(
    state: State,
    participants: Mapping[str, Participant],
    timeouts: Timeouts = Timeouts(),  # frozen
    emulator: Emulator | None = None,
    stop: asyncio.Event | None = None,
) -> Rollout:
    """Play an episode to its end, from wherever it stands.

    Whatever breaks becomes the episode's ending. So does a halt, which is returned beside the state, and a
    cancellation where `stop` is set.

    Args:
        state: Where the episode stands.
        participants: Who plays, by party.
        timeouts: How long things may take.
        emulator: Answers emulated tools.
        stop: Where it is set, a cancellation ends the episode as truncated instead of being raised.

    Raises:
        ProcessDied: a participant's process died.
        Halt: a participant says while it gets ready that no later call of its model can go better.
    """
    timings: list[TurnTiming] = []
    halt: Halt | None = None
    deadline = None if timeouts.episode is None else time.monotonic() + timeouts.episode
    unready = await _made_ready(participants)
    if unready is not None:
        state, _ = step(state, unready)
    while not state.ended:
        try:
            given, timing = await next_input(state, participants, timeouts.turn, deadline, emulator)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if stop is None or not stop.is_set() or task is None:
                raise
            task.uncancel()
            given, timing = _cancelled("It was stopped from outside."), None
        except Halt as error:
            halt, given, timing = error, _cancelled(str(error)), None
        if timing is not None:
            timings.append(timing)
        try:
            state, _ = step(state, given)
        except Fault as fault:
            state, _ = step(state, Stopped(ending="fault", reason=fault.boundary, detail=str(fault)))
    return Rollout(state, tuple(timings), halt)


def _cancelled(detail: str) -> Stopped:
    return Stopped(ending="truncated", reason="cancelled", detail=detail)


async def _made_ready(participants: Mapping[str, Participant]) -> Stopped | None:
    """Why the episode cannot begin; None if everyone is ready."""
    for party, participant in participants.items():
        try:
            await _limited(contained(participant.ready()), WARM_UP)
        except (ProcessDied, Halt):
            raise
        except Exception as error:  # anyone's code again
            told = "was not ready in time" if isinstance(error, TimeoutError) else _told(error)
            return Stopped(ending="fault", reason=ParticipantFault.boundary, detail=f"{party}: {told}")
    return None


async def next_input(
    state: State,
    participants: Mapping[str, Participant],
    timeout: float | None,
    deadline: float | None,
    emulator: Emulator | None = None,
) -> tuple[Input, TurnTiming | None]:
    """The next input of an episode that has not ended: a party's move, a tool's answer, or the stop that came instead.

    Args:
        state: Where the episode stands.
        participants: Who plays, by party.
        timeout: Seconds that this answer may take; None for no limit.
        deadline: When the episode must be over, on the monotonic clock.
        emulator: Answers emulated tools.

    Returns:
        The input, and what was measured of a party's turn that had to be waited for.

    Raises:
        ProcessDied: a participant's process died.
        Halt: a model says that no later call can go better.
    """
    started = time.monotonic()
    if deadline is not None:
        left = deadline - started
        if left <= 0:
            stopped = Stopped(
                ending="truncated", reason="episode_seconds", detail="The episode took too long."
            )
            return stopped, None
        timeout = left if timeout is None else min(timeout, left)
    party = turns(state)
    try:
        if party is None:
            return (await _limited(_answer(state, emulator), timeout))[0], None
        acting = contained(participants[party].act(observe(state, party)))
        action, waited = await _limited(acting, timeout)
    except (ProcessDied, Halt):
        raise
    except Exception as error:  # a participant may be anyone's code; what it raises is data, not a crash
        late = deadline is not None and time.monotonic() >= deadline
        return _stopped_by(error, party, timeout, late), None
    if not isinstance(action, Action):
        detail = f"{party}: it answered {type(action).__name__}, not an Action."
        return _broken(party, detail), None
    timing = None
    if waited:
        seconds = round(time.monotonic() - started, 6)
        timing = TurnTiming(party=party, event=len(state.events), seconds=seconds)
    return acted(state, party, action), timing


def acted(state: State, party: str, action: Action) -> Acted:
    """A party's move as an input: a user who leaves while it waits for something leaves the agent its turn.

    Args:
        state: Where the episode stood before the move.
        party: Who moved.
        action: What it did.
    """
    if party != USER or not action.leave or action.calls or action.out_of_part:
        return Acted(by=party, action=action)
    heard = "\n".join(one.text for one in Trajectory(state.events).latest(AGENT))
    return Acted(by=party, action=action, turn_after=wants_turn(action.text, heard, action.why or ""))


def _stopped_by(error: Exception, party: str | None, timeout: float | None, late: bool) -> Stopped:
    """The ending that an error of a participant or of a tool is."""
    match error:
        case TimeoutError():
            reason, who = ("episode_seconds" if late else "turn_seconds"), (party or "a tool")
            detail = f"{who} took longer than {timeout:g} s."
            return Stopped(ending="truncated", reason=reason, detail=detail)
        case BudgetSpent():
            return Stopped(ending="truncated", reason="budget", detail=str(error))
        case Withdrawn():
            return _cancelled(str(error))
        case ParticipantFault() | ModelFault() if party is not None:
            told = str(error).removeprefix(f"{party}: ")
            if isinstance(error, ParticipantFault):
                return _broken(party, f"{party}: {told}")
            return Stopped(ending="fault", reason=error.boundary, detail=f"{party}: {told}")
        case Fault():
            return Stopped(ending="fault", reason=error.boundary, detail=str(error))
    return _broken(party, f"{party}: {_told(error)}")


def _broken(party: str | None, detail: str) -> Stopped:
    """The ending of a party whose code went wrong; the agent's own is told apart, for it is what is tested."""
    reason = AGENT_CRASHED if party == "agent" else ParticipantFault.boundary
    return Stopped(ending="fault", reason=reason, detail=detail)


async def _answer(state: State, emulator: Emulator | None) -> Answered:
    """The answer of a tool that is answered outside the step."""
    waiting = state.waiting
    if waiting is None:
        raise ParticipantFault("nobody is next and no tool is waited for")
    toolset, _, name = waiting.tool.partition(".")
    if state.case.toolsets[toolset].emulated:
        if emulator is None:
            raise ToolFault(f"{waiting.tool} must be played by a model. Name one with --tools-model.")
        return await emulator.answer(pending(state, harms=emulator.adversarial))
    outcome = await state.prepared.toolsets[toolset].answer(
        name,
        waiting.arguments,
        state.prepared.bases[toolset],
        state.changes.get(toolset, {}),
        state.now,
        waiting.seed,
    )
    return Answered(call=waiting.call, result=outcome.result, error=outcome.error)


async def contained(work: Awaitable[T]) -> T:
    """What a participant's code comes to, which must not end more than its episode.

    Raises:
        ParticipantFault: it is not async, wants the interpreter to exit, or let out a cancellation that nobody asked for.
    """
    if not inspect.isawaitable(work):
        raise ParticipantFault("act must be async; write `async def act`")
    try:
        return await work
    except SystemExit as error:
        raise ParticipantFault(f"its code called exit({error.code})") from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise ParticipantFault(_told(error)) from error


async def _limited(work: Coroutine[Any, Any, T], seconds: float | None) -> tuple[T, bool]:
    """What the work comes to, and whether it had to be waited for.

    Most turns of scripted participants are answered without waiting; they are spared the timer and the measuring,
    which would cost more than the turn.
    """
    try:
        first = work.send(None)
    except StopIteration as done:
        return done.value, False
    try:
        async with asyncio.timeout(seconds) as limit:
            return await _StartedCoroutine(work, first), True
    except TimeoutError as error:
        if limit.expired():
            raise
        raise ParticipantFault(_told(error)) from error  # its own time-out, not ours


class _StartedCoroutine:
    """A coroutine that has run to its first wait, to be awaited from there.

    `_limited` runs a participant's coroutine by hand until it first waits. A coroutine that was started by hand can
    no longer be awaited as it is: the first thing that it waits for (a future of the event loop) has already come out
    of `send`, and the loop never saw it. So `__await__` does what `await` would have done from there. It yields that
    first future to the loop, sends each answer back into the coroutine, and throws what the loop throws. Cancellation
    and time-outs come in as exceptions at the `yield`; they must reach the coroutine, so that its `finally` blocks run
    and it may still answer. A new task for the coroutine would be shorter. It would cost more than a scripted turn, and
    a cancellation would have to be handed on to it.
    """

    def __init__(self, work: Coroutine[Any, Any, Any], waits_for: Any) -> None:
        self.work, self.waits_for = work, waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        waits_for = self.waits_for
        while True:
            thrown: BaseException | None = None
            given = None
            try:
                given = yield waits_for
            except BaseException as error:  # cancellation comes in here and belongs to the coroutine
                thrown = error
            try:
                waits_for = self.work.send(given) if thrown is None else self.work.throw(thrown)
            except StopIteration as done:
                return done.value


def _told(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    return text if len(text) <= 500 else text[:497] + "..."
