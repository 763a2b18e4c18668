"""Playing one episode: the one whose turn it is sees, acts, and the world answers, until it ends."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, TypeVar

from riskbox.sandbox.contracts.emulator import Emulator
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.contracts.unsent import counting
from riskbox.sandbox.episode.bounds import within
from riskbox.sandbox.episode.limited import ProcessDied, TooLong, limited
from riskbox.sandbox.episode.ownership import settled, taken_back
from riskbox.sandbox.errors import (
    BudgetSpent,
    Fault,
    Halt,
    ModelFault,
    ParticipantFault,
    RiskboxError,
    ToolFault,
    Withdrawn,
    is_interrupt,
)
from riskbox.sandbox.rules.state import AGENT, USER, State
from riskbox.sandbox.rules.transition import step
from riskbox.sandbox.rules.turns import observe, pending, turns
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.episode import TurnTiming
from riskbox.sandbox.words.event import AGENT_CRASHED, WORKER_DIED
from riskbox.sandbox.words.input import Acted, Answered, Input, Stopped
from riskbox.sandbox.words.parting import wants_turn
from riskbox.sandbox.words.secrets import redact
from riskbox.sandbox.words.size import bounded
from riskbox.sandbox.words.trajectory import Trajectory

T = TypeVar("T")
OnStep: TypeAlias = Callable[[State], None]
"""Looks at an episode while it is played."""

CANCELLED = "code cancelled the task that plays the episode"
"""What is said of a cancellation that nobody asked for who may."""
WARM_UP = 300.0
"""Seconds a participant may take to get ready."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time limits in seconds of wall time; None for no limit."""

    turn: float | None = 300.0
    """For one answer of a participant, or of a tool that is answered outside the step. Time in which its model calls wait
    to be sent, or in which somebody else blocks the event loop, is not counted. It has room for two model calls that each take as long as a call may."""
    episode: float | None = 1800.0
    """For one whole episode."""


class Rollout(NamedTuple):
    """What came of playing an episode to its end."""

    state: State
    """The final state."""
    timings: tuple[TurnTiming, ...]
    """What was measured of the turns that had to be waited for."""
    halt: Halt | None = None
    """What halted the episode, where a model said that no later call can go better."""
    died: ProcessDied | None = None
    """What ended it, where a participant's process died. The state then ends in that fault."""


async def rollout(
    state: State,
    participants: Mapping[str, Participant],
    timeouts: Timeouts = Timeouts(),  # frozen
    emulator: Emulator | None = None,
    stop: asyncio.Event | None = None,
    on_step: OnStep | None = None,
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
        on_step: Called with the state at the beginning and after each step. It must be quick and raise nothing.

    Raises:
        Halt: a participant says while it gets ready that no later call of its model can go better.
    """
    with counting():
        return await _rolled_out(state, participants, timeouts, emulator, stop, on_step)


async def _rolled_out(
    state: State,
    participants: Mapping[str, Participant],
    timeouts: Timeouts,
    emulator: Emulator | None,
    stop: asyncio.Event | None,
    on_step: OnStep | None,
) -> Rollout:
    timings: list[TurnTiming] = []
    halt: Halt | None = None
    died: ProcessDied | None = None
    deadline = None if timeouts.episode is None else time.monotonic() + timeouts.episode
    try:
        unready = await _made_ready(participants)
    except ProcessDied as error:
        died, unready = error, _bereft(error)
    if unready is not None:
        state, _ = step(state, unready.model_copy(update={"detail": redact(unready.detail)}))
    if on_step is not None:
        on_step(state)
    while not state.ended:
        try:
            given, timing = await next_input(state, participants, timeouts.turn, deadline, emulator)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if stop is not None and stop.is_set() and task is not None:
                task.uncancel()
                given, timing = _cancelled("It was stopped from outside."), None
            elif taken_back():
                given, timing = _broken(None, f"Somewhere in it, {CANCELLED}."), None
            else:
                raise
        except Halt as error:
            halt, given, timing = error, _cancelled(str(error)), None
        except ProcessDied as error:
            died, given, timing = error, _bereft(error), None
        if timing is not None:
            timings.append(timing)
        cut = ""
        if isinstance(given, Acted):
            action, cut = within(given.action)
            given = given.model_copy(update={"action": action}) if cut else given
        if isinstance(given, Stopped):
            given = given.model_copy(update={"detail": redact(given.detail)})
        try:
            state, _ = step(state, given)
            if cut and isinstance(given, Acted) and not state.ended:
                state, _ = step(state, _broken(given.by, f"{given.by}: {cut}"))
        except Exception as error:  # whatever breaks here, what was played before is kept
            reason = error.boundary if isinstance(error, Fault) else Fault.boundary
            state = _as_far_as_it_goes(state, given)
            if not state.ended:
                state, _ = step(state, Stopped(ending="fault", reason=reason, detail=described(error)))
        await settled()  # a tool may have cancelled the task
        if on_step is not None:
            on_step(state)
    return Rollout(state, tuple(timings), halt, died)


def _as_far_as_it_goes(state: State, given: Input) -> State:
    """The state after a move whose step broke: with what was said, and the calls before the one that broke."""
    if not isinstance(given, Acted):
        return state
    for calls in range(len(given.action.calls) - 1, -1, -1):
        part = given.action.model_copy(update={"calls": given.action.calls[:calls], "leave": False})
        if part.waits:
            break
        with suppress(Exception):
            return step(state, given.model_copy(update={"action": part}))[0]
    return state


def _cancelled(detail: str) -> Stopped:
    return Stopped(ending="truncated", reason="cancelled", detail=detail)


async def _made_ready(participants: Mapping[str, Participant]) -> Stopped | None:
    """Why the episode cannot begin; None if everyone is ready."""
    for party, participant in participants.items():
        try:
            await limited(contained(participant.ready()), WARM_UP)
        except (ProcessDied, Halt):
            raise
        except Exception as error:  # anyone's code again
            told = "was not ready in time" if isinstance(error, TooLong) else described(error)
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
    if deadline is not None and started >= deadline:
        stopped = Stopped(ending="truncated", reason="episode_seconds", detail="The episode took too long.")
        return stopped, None
    party = turns(state)
    try:
        if party is None:
            return (await limited(contained(_bounded(_answer(state, emulator), state)), timeout, deadline))[
                0
            ], None
        acting = contained(participants[party].act(observe(state, party)))
        action, waited = await limited(acting, timeout, deadline)
    except (ProcessDied, Halt):
        raise
    except Exception as error:  # a participant may be anyone's code; what it raises is data, not a crash
        return _stopped_by(error, party, timeout), None
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


def _stopped_by(error: Exception, party: str | None, timeout: float | None) -> Stopped:
    """The ending that an error of a participant or of a tool is."""
    who = party or "a tool"
    match error:
        case TooLong(at_end=True, unsent=True):
            detail = f"{who}: rate limits held its model call back until the episode's time was over."
            return Stopped(ending="fault", reason=ModelFault.boundary, detail=detail)
        case TooLong(at_end=True):
            detail = f"{who} had not answered when the episode's time was over."
            return Stopped(ending="truncated", reason="episode_seconds", detail=detail)
        case TooLong():
            detail = f"{who} took longer than {timeout:g} s."
            return Stopped(ending="truncated", reason="turn_seconds", detail=detail)
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
    return _broken(party, f"{party}: {described(error)}")


def _broken(party: str | None, detail: str) -> Stopped:
    """The ending of a party whose code went wrong; the agent's own is told apart, for it is what is tested."""
    reason = AGENT_CRASHED if party == "agent" else ParticipantFault.boundary
    return Stopped(ending="fault", reason=reason, detail=detail)


def _bereft(death: ProcessDied) -> Stopped:
    """The ending of an episode in which a participant's process died."""
    reason = AGENT_CRASHED if death.party == AGENT else WORKER_DIED
    return Stopped(ending="fault", reason=reason, detail=str(death))


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


async def _bounded(answering: Awaitable[Answered], state: State) -> Answered:
    answer = await answering
    bounded(answer.result, state.waiting.tool if state.waiting else "a tool")
    return answer


async def contained(work: Awaitable[T]) -> T:
    """What a participant's code comes to, which must not end more than its episode.

    Raises:
        ParticipantFault: it is not async, raises what is no `Exception` (`SystemExit`, the panic of a Rust extension), or
            lets out a cancellation that nobody asked for.
    """
    if not inspect.isawaitable(work):
        raise ParticipantFault("act must be async; write `async def act`")
    try:
        answer = await work
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or not task.cancelling():
            raise ParticipantFault(described(error)) from error
        if not taken_back():
            raise
        raise ParticipantFault(CANCELLED) from error
    except (Exception, GeneratorExit):
        raise
    except BaseException as error:
        if is_interrupt(error):
            raise
        raise ParticipantFault(_exited(error)) from error
    await settled()
    return answer


def _exited(error: BaseException) -> str:
    """An exception that would end more than an episode, in words."""
    return f"its code called exit({error.code})" if isinstance(error, SystemExit) else described(error)


def described(error: BaseException) -> str:
    """An error in one line, without secrets: its sentence where it is one of ours, else its kind as well."""
    text = str(error) if isinstance(error, RiskboxError) else f"{type(error).__name__}: {error}"
    text = redact(text).removesuffix(": ")
    return text if len(text) <= 500 else text[:497] + "..."
