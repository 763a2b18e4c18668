"""One episode from a spec: make its participants, play it, assess it, and make its record."""

from __future__ import annotations

import asyncio
import inspect
import logging
import platform
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.contracts.model import ModelSession
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.contracts.unsent import counting
from riskbox.sandbox.episode.answered import checked
from riskbox.sandbox.episode.fidelity import lapses
from riskbox.sandbox.episode.limited import ProcessDied, TooLong, limited
from riskbox.sandbox.episode.rollout import OnStep, Timeouts, contained, described, rollout
from riskbox.sandbox.errors import EvaluatorFault, Halt
from riskbox.sandbox.processes.confinement import UNCONFINED, Confinement
from riskbox.sandbox.registry import agents, users
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.registry.toolsets import emulator as emulator_of
from riskbox.sandbox.rules.state import AGENT, USER, PreparedCase, State
from riskbox.sandbox.rules.transition import begin, step
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import CaseRef, Episode, Origin, Played, TurnTiming
from riskbox.sandbox.words.event import Said
from riskbox.sandbox.words.input import Stopped
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.secrets import redact
from riskbox.sandbox.words.verdict import Assessment

CLOSING = 30.0
"""Seconds that a participant may take to close when the episode is over."""
LONG = 2**17
"""Characters said in an episode from which on it is assessed in a thread; shorter ones take a few milliseconds."""
ASSESSING = 3600.0
"""Seconds that an evaluator may take over one episode. Time in which its model calls wait to be sent is not counted."""


@dataclass
class PreparedCases:
    """Cases made ready to play. Each is prepared once a process, when it is first played."""

    cases: Mapping[str, Case]
    """Cases by hash."""
    toolbox: Toolbox = field(default_factory=Toolbox)
    """Where toolsets come from."""
    ready: dict[str, PreparedCase] = field(default_factory=dict)
    """Those prepared so far, by hash."""

    def of(self, hash: str) -> PreparedCase:
        """The case with this hash, ready to play.

        Raises:
            ScenarioError: its world holds rows that its toolsets do not accept.
        """
        if hash not in self.ready:
            case = self.cases[hash]
            self.ready[hash] = PreparedCase.of(case, self.toolbox.of(case))
        return self.ready[hash]


def make_participants(
    spec: Spec, case: Case, session: ModelSession | None = None, confinement: Confinement = UNCONFINED
) -> dict[str, Participant]:
    """The participants of an episode, by party."""
    return {
        USER: users.user(spec.cast.user, case, session),
        AGENT: agents.agent(spec.cast.agent, case, session, confinement),
    }


class EpisodeHalted(Halt):
    """A model said that no later call can go better, and the episode is kept as far as it was played."""

    def __init__(self, halt: Halt, played: Played) -> None:
        super().__init__(str(halt), halt.exit_code)
        self.halt, self.played = halt, played


class EpisodeDied(Exception):
    """A participant's process died while the episode was played; another episode in it may be to blame."""

    def __init__(self, death: ProcessDied, played: Played) -> None:
        super().__init__(str(death))
        self.played = played


async def play_episode(
    run: str,
    spec: Spec,
    prepared: PreparedCase,
    participants: Mapping[str, Participant],
    evaluators: Sequence[Evaluator],
    timeouts: Timeouts = Timeouts(),
    *,
    attempt: int = 1,
    origin: Origin | None = None,
    start: State | None = None,
    session: ModelSession | None = None,
    stop: asyncio.Event | None = None,
    keep_halted: bool = False,
    on_step: OnStep | None = None,
) -> Played:
    """Play one episode to its end and assess it.

    Args:
        run: The run it belongs to.
        spec: What is played.
        prepared: Its case, ready to play.
        participants: Who plays, by party; they are closed at the end.
        evaluators: Who assesses it.
        timeouts: How long things may take.
        attempt: How often it was started.
        origin: For a fork, where it comes from.
        start: For a fork, the state it goes on from.
        session: What its models share.
        stop: Where it is set, cancelling this ends the episode where it stands.
        keep_halted: Whether a halted episode is recorded and assessed as far as it was played.
        on_step: Called with the state at the beginning and after each step.

    Raises:
        EpisodeDied: a participant's process died; it holds the episode so far.
        Halt: a model says that no later call can go better.
        EpisodeHalted: the same with `keep_halted`; it holds the episode.
    """
    started = time.monotonic()
    emulator = emulator_of(spec.cast, prepared.case, session)
    try:
        state, timings, halt, died = await rollout(
            start or begin(prepared, spec.seed), participants, timeouts, emulator, stop, on_step
        )
        took = time.monotonic() - started
        episode = episode_record(
            run, spec, state, timings, took, attempt=attempt, origin=origin, session=session
        )
    finally:
        await _closed(participants)
    if halt and not keep_halted:
        raise halt
    played = Played(episode=episode, assessments=await assess(prepared.case, episode, evaluators))
    if halt:
        raise EpisodeHalted(halt, played)
    if died:
        raise EpisodeDied(died, played)
    return played


async def _closed(participants: Mapping[str, Participant]) -> None:
    """Close the participants; one that fails or hangs costs a line in the log, and never the episode."""
    for party, participant in participants.items():
        try:
            await limited(contained(participant.close()), CLOSING)
        except Exception as error:
            told = f"took longer than {CLOSING:g} s" if isinstance(error, TooLong) else described(error)
            logging.getLogger("riskbox").warning("%s: close() failed: %s", party, told)


def episode_record(
    run: str,
    spec: Spec,
    state: State,
    timings: Sequence[TurnTiming] = (),
    seconds: float = 0.0,
    *,
    attempt: int = 1,
    origin: Origin | None = None,
    session: ModelSession | None = None,
) -> Episode:
    """The record of a finished state."""
    return Episode(
        id=spec.id,
        run=run,
        case=CaseRef.of(state.case),
        cast=spec.cast,
        seed=spec.seed,
        retake=spec.retake,
        origin=origin,
        inputs=state.inputs,
        events=state.events,
        attempt=attempt,
        timings=tuple(timings),
        model_calls=tuple(session.ledger.calls) if session else (),
        fidelity=lapses(state.case, state.events) if spec.cast.user not in users.USERS else (),
        seconds=round(seconds, 6),
        host=platform.node(),
    )


async def assess(case: Case, episode: Episode, evaluators: Sequence[Evaluator]) -> tuple[Assessment, ...]:
    """What each evaluator says; one that crashes or answers nonsense says so, and all its values are unknown.

    The lapses that one found who judges the user are known to the others.

    Raises:
        Halt: a judge says that no later call of its model can go better.
    """
    found: dict[Evaluator, Assessment] = {}
    for one in sorted(evaluators, key=lambda one: not one.about_user):
        found[one] = await _assessed(case, episode, one)
        episode = episode.model_copy(update={"fidelity": (*episode.fidelity, *found[one].lapses)})
    return tuple(found[one] for one in evaluators)


def pending(evaluator: Evaluator) -> Assessment:
    """What stands in the place of an assessment that is still to be made."""
    return Assessment(
        evaluator=evaluator.name, version=evaluator.version, settings=evaluator.settings, pending=True
    )


async def assess_pending(
    case: Case, played: Played, evaluators: Sequence[Evaluator]
) -> tuple[Assessment, ...]:
    """What those evaluators say whose assessments of an episode are pending, and what changes with them.

    Args:
        case: The case that was played.
        played: The stored episode.
        evaluators: All who assess the run.

    Raises:
        Halt: a judge says that no later call of its model can go better.
    """
    waiting = {one.evaluator for one in played.assessments if one.pending}
    known = played.episode.model_copy(update={"fidelity": played.lapses})
    found = await assess(case, known, [one for one in evaluators if one.asks and one.name in waiting])
    lapses = tuple(lapse for one in found for lapse in one.lapses)
    if not lapses:
        return found
    # whoever assessed it at once did not know that the user had not played its part
    known = known.model_copy(update={"fidelity": (*known.fidelity, *lapses)})
    return (*found, *await assess(case, known, [one for one in evaluators if not one.asks]))


async def _assessed(case: Case, episode: Episode, evaluator: Evaluator) -> Assessment:
    # whoever writes an evaluator may forget to say which one it is, or what its settings are; assessments are kept apart by that
    who: dict[str, Any] = {
        "evaluator": evaluator.name,
        "version": evaluator.version,
        "settings": getattr(evaluator, "settings", {}),
    }
    try:
        with counting():
            found, _ = await limited(contained(_evaluated(case, episode, evaluator)), ASSESSING)
        said = checked(found, evaluator, episode)
        return said.model_copy(update=who)
    except Halt:
        raise
    except Exception as error:  # an evaluator may be anyone's code, and may exit; its failure is data
        told = f"it took longer than {ASSESSING:g} s" if isinstance(error, TooLong) else described(error)
        fault = f"{EvaluatorFault.boundary}: {told}"
        return Assessment(**who, fault=fault)


async def _evaluated(case: Case, episode: Episode, evaluator: Evaluator) -> Any:
    """What an evaluator answers. One that computes over a long episode does so in a thread, so that the others go on."""
    computes = not inspect.iscoroutinefunction(evaluator.evaluate)
    loop = asyncio._get_running_loop()  # none where a step of an environment assesses
    if loop is not None and computes and _length(episode) > LONG:
        found: Any = await loop.run_in_executor(_assessor(), evaluator.evaluate, case, episode)
    else:
        found = evaluator.evaluate(case, episode)
    return await found if inspect.isawaitable(found) else found


def _length(episode: Episode) -> int:
    """Characters that were said."""
    return sum(len(one.text) for one in episode.events if isinstance(one, Said))


@cache
def _assessor() -> ThreadPoolExecutor:
    """One thread: what computes holds the interpreter, so that two would be no quicker."""
    return ThreadPoolExecutor(1, thread_name_prefix="riskbox-assessor")


def died_alone(played: Played, detail: str, attempt: int) -> Played:
    """An episode whose process died in every attempt: as far as it was played in one of them.

    Args:
        played: That attempt.
        detail: What to say of its end.
        attempt: How often it was started.
    """
    episode = played.episode
    told = {"detail": redact(detail)}
    end, last = episode.ended.model_copy(update=told), episode.inputs[-1].model_copy(update=told)
    kept = {"inputs": (*episode.inputs[:-1], last), "events": (*episode.events[:-1], end)}
    return played.model_copy(update={"episode": episode.model_copy(update={**kept, "attempt": attempt})})


def faulted_episode(
    run: str, spec: Spec, prepared: PreparedCase, reason: str, detail: str, attempt: int
) -> Played:
    """The record of an episode that could not be played: a fault with its reason, and nothing else."""
    state, _ = step(begin(prepared, spec.seed), Stopped(ending="fault", reason=reason, detail=redact(detail)))
    return Played(episode=episode_record(run, spec, state, attempt=attempt))
