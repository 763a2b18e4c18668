"""Playing one episode: the one whose turn it is sees, acts, and the world answers, until it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Coroutine, Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from riskbox.sandbox.contracts.emulator import Emulator
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import BudgetSpent, Fault, Halt, ParticipantFault, ToolFault, Withdrawn
from riskbox.sandbox.rules.state import State
from riskbox.sandbox.rules.transition import step
from riskbox.sandbox.rules.turns import observe, pending, turns
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.episode import Seen
from riskbox.sandbox.words.input import Acted, Answered, Input, Stopped

T = TypeVar("T")

WARM_UP = 300.0
"""Seconds a participant may take to get ready."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take, in seconds of wall time; None for as long as it takes."""

    turn: float | None = 120.0
    """One answer of a participant or of a tool that is answered outside."""
    episode: float | None = 1800.0
    """One episode."""


class Lost(Exception):
    """A process that a participant lives in has died; the episode cannot go on and may not be to blame."""


async def rollout(
    state: State,
    participants: Mapping[str, Participant],
    patience: Patience = Patience(),  # frozen
    emulator: Emulator | None = None,
    stop: asyncio.Event | None = None,
    halts: list[Halt] | None = None,
) -> tuple[State, tuple[Seen, ...]]:
    """Play an episode to its end, from wherever it stands.

    Whatever breaks becomes the episode's ending; so does a cancellation, if `stop` is set, and a halt, if there is a
    list to put it in.

    Returns:
        The final state, and what was measured of the turns that had to be waited for.

    Raises:
        Lost: a participant's process died.
        Halt: a model says that no later call can go better.
    """
    seen: list[Seen] = []
    deadline = None if patience.episode is None else time.monotonic() + patience.episode
    unready = await _made_ready(participants)
    if unready is not None:
        state, _ = step(state, unready)
    while not state.ended:
        try:
            given = await next_input(state, participants, patience.turn, deadline, seen, emulator)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if stop is None or not stop.is_set() or task is None:
                raise
            task.uncancel()
            given = Stopped(ending="truncated", reason="cancelled", detail="It was stopped from outside.")
        except Halt as halt:
            if halts is None:
                raise
            halts.append(halt)
            given = Stopped(ending="truncated", reason="cancelled", detail=str(halt))
        try:
            state, _ = step(state, given)
        except Fault as fault:
            state, _ = step(state, Stopped(ending="fault", reason=fault.boundary, detail=str(fault)))
    return state, tuple(seen)


async def _made_ready(participants: Mapping[str, Participant]) -> Stopped | None:
    """Why the episode cannot begin; None if everyone is ready."""
    for party, participant in participants.items():
        try:
            await _limited(contained(participant.ready()), WARM_UP)
        except (Lost, Halt):
            raise
        except Exception as error:  # anyone's code again
            told = "was not ready in time" if isinstance(error, TimeoutError) else _told(error)
            return Stopped(ending="fault", reason=ParticipantFault.boundary, detail=f"{party}: {told}")
    return None


async def next_input(
    state: State,
    participants: Mapping[str, Participant],
    patience: float | None,
    deadline: float | None,
    seen: list[Seen],
    emulator: Emulator | None = None,
) -> Input:
    """The next input of an episode that has not ended: a party's move, a tool's answer, or the stop that came instead.

    Args:
        state: Where the episode stands.
        participants: Who plays.
        patience: Seconds for this answer; None for as long as it takes.
        deadline: When the episode must be over, on the monotonic clock.
        seen: What was measured of a turn that had to be waited for is added here.
        emulator: Who answers emulated tools.
    """
    started = time.monotonic()
    if deadline is not None:
        left = deadline - started
        if left <= 0:
            return Stopped(ending="truncated", reason="episode_seconds", detail="The episode took too long.")
        patience = left if patience is None else min(patience, left)
    party = turns(state)
    try:
        if party is None:
            return (await _limited(_answer(state, emulator), patience))[0]
        acting = contained(participants[party].act(observe(state, party)))
        action, waited = await _limited(acting, patience)
    except TimeoutError:
        late = deadline is not None and time.monotonic() >= deadline
        reason, who = ("episode_seconds" if late else "turn_seconds"), (party or "a tool")
        return Stopped(ending="truncated", reason=reason, detail=f"{who} took longer than {patience:g} s.")
    except (Lost, Halt):
        raise
    except BudgetSpent as spent:
        return Stopped(ending="truncated", reason="budget", detail=str(spent))
    except Withdrawn as gone:
        return Stopped(ending="truncated", reason="cancelled", detail=str(gone))
    except Fault as fault:
        return Stopped(ending="fault", reason=fault.boundary, detail=str(fault))
    except Exception as error:  # a participant may be anyone's code; what it raises is data, not a crash
        return Stopped(ending="fault", reason=ParticipantFault.boundary, detail=f"{party}: {_told(error)}")
    if not isinstance(action, Action):
        kind = type(action).__name__
        return Stopped(
            ending="fault",
            reason=ParticipantFault.boundary,
            detail=f"{party} answered {kind}, not an Action.",
        )
    if waited:
        seconds = round(time.monotonic() - started, 6)
        seen.append(Seen(party=party, event=len(state.events), seconds=seconds))
    return Acted(by=party, action=action)


async def _answer(state: State, emulator: Emulator | None) -> Answered:
    """The answer of a tool that is answered outside the step."""
    waiting = state.waiting
    if waiting is None:
        raise ParticipantFault("nobody is next and no tool is waited for")
    toolset, _, name = waiting.tool.partition(".")
    if state.case.toolsets[toolset].emulated:
        if emulator is None:
            raise ToolFault(
                f"{waiting.tool} is played by a model, and none plays it. Name one with --tools-model."
            )
        return await emulator.answer(pending(state, harms=emulator.adversarial))
    outcome = await state.stage.toolsets[toolset].answer(
        name,
        waiting.arguments,
        state.stage.bases[toolset],
        state.changes.get(toolset, {}),
        state.now,
        waiting.seed,
    )
    return Answered(call=waiting.call, result=outcome.result, error=outcome.error)


async def contained(work: Awaitable[T]) -> T:
    """What a participant's code comes to, which must not end more than its episode.

    Raises:
        ParticipantFault: it wants the interpreter to exit, or let out a cancellation that nobody asked for.
    """
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
            return await _Begun(work, first), True
    except TimeoutError as error:
        if limit.expired():
            raise
        raise ParticipantFault(_told(error)) from error  # its own time-out, not ours


class _Begun:
    """A coroutine that has run to its first wait, to be awaited from there."""

    def __init__(self, work: Coroutine[Any, Any, Any], waits_for: Any) -> None:
        self.work, self.waits_for = work, waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        waits_for = self.waits_for
        while True:
            given = None
            try:
                given = yield waits_for
            except BaseException as error:  # cancellation comes in here and belongs to the coroutine
                thrown: BaseException | None = error
            else:
                thrown = None
            try:
                waits_for = self.work.send(given) if thrown is None else self.work.throw(thrown)
            except StopIteration as done:
                return done.value


def _told(error: BaseException) -> str:
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    return text if len(text) <= 500 else text[:497] + "..."
