"""One episode from a spec: seats its participants, plays it, assesses it, and makes its record."""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.contracts.model import Desk
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.episode.fidelity import lapses
from riskbox.sandbox.episode.rollout import Patience, rollout
from riskbox.sandbox.errors import EvaluatorFault, Halt, RiskboxError
from riskbox.sandbox.registry import agents, users
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.registry.toolsets import emulator as emulator_of
from riskbox.sandbox.rules.state import AGENT, USER, Stage, State
from riskbox.sandbox.rules.transition import begin, step
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import CaseRef, Episode, Origin, Played, Seen
from riskbox.sandbox.words.input import Stopped
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.verdict import Assessment

Seats = Mapping[str, Participant]


@dataclass
class Stages:
    """Cases made ready to play, each once a process.

    Args:
        cases: Cases by hash.
        toolbox: Where toolsets come from.
    """

    cases: Mapping[str, Case]
    toolbox: Toolbox = field(default_factory=Toolbox)
    ready: dict[str, Stage] = field(default_factory=dict)

    def of(self, hash: str) -> Stage:
        """The stage of a case."""
        if hash not in self.ready:
            case = self.cases[hash]
            self.ready[hash] = Stage.of(case, self.toolbox.of(case))
        return self.ready[hash]


def seated(spec: Spec, case: Case, desk: Desk | None = None) -> dict[str, Participant]:
    """The participants of an episode, by party."""
    return {
        USER: users.user(spec.cast.user, case, desk),
        AGENT: agents.agent(spec.cast.agent, case, desk),
    }


async def play(
    run: str,
    spec: Spec,
    stage: Stage,
    seats: Seats,
    evaluators: Sequence[Evaluator],
    patience: Patience = Patience(),  # noqa: B008  # frozen
    *,
    attempt: int = 1,
    origin: Origin | None = None,
    start: State | None = None,
    desk: Desk | None = None,
    stop: asyncio.Event | None = None,
    halts: list[Halt] | None = None,
) -> Played:
    """Play one episode to its end and assess it.

    Args:
        run: The run it belongs to.
        spec: What is played.
        stage: Its case, ready to play.
        seats: The participants by party; they are closed at the end.
        evaluators: Who assesses it.
        patience: How long things may take.
        attempt: How often it was started.
        origin: For a fork, where it comes from.
        start: For a fork, the state it goes on from.
        desk: What its model seats share.
        stop: Where it is set, cancelling this ends the episode where it stands.
        halts: Where it is given, a halt ends the episode where it stands and is put here instead of being raised.
    """
    started = time.monotonic()
    emulator = emulator_of(spec.cast, stage.case, desk)
    try:
        state, seen = await rollout(start or begin(stage, spec.seed), seats, patience, emulator, stop, halts)
    finally:
        for seat in seats.values():
            await seat.close()
    episode = recorded(
        run, spec, state, seen, time.monotonic() - started, attempt=attempt, origin=origin, desk=desk
    )
    return Played(episode=episode, assessments=await assessed(stage.case, episode, evaluators))


def recorded(
    run: str,
    spec: Spec,
    state: State,
    seen: Sequence[Seen] = (),
    seconds: float = 0.0,
    *,
    attempt: int = 1,
    origin: Origin | None = None,
    desk: Desk | None = None,
) -> Episode:
    """The record of a finished state."""
    return Episode(
        id=spec.id,
        run=run,
        case=CaseRef.of(state.case),
        cast=spec.cast,
        seed=spec.seed,
        origin=origin,
        inputs=state.inputs,
        events=state.events,
        attempt=attempt,
        calls=tuple(seen),
        model_calls=tuple(desk.ledger.calls) if desk else (),
        fidelity=lapses(state.case, state.events) if spec.cast.user not in users.USERS else (),
        seconds=round(seconds, 6),
        host=platform.node(),
    )


async def assessed(case: Case, episode: Episode, evaluators: Sequence[Evaluator]) -> tuple[Assessment, ...]:
    """What each evaluator says; one that crashes says so, and all its values are unknown.

    Raises:
        Halt: a judge says that no later call of its model can go better.
    """
    return tuple([await _assessed(case, episode, one) for one in evaluators])


async def _assessed(case: Case, episode: Episode, evaluator: Evaluator) -> Assessment:
    try:
        found = evaluator.evaluate(case, episode)
        return found if isinstance(found, Assessment) else await found
    except Halt:
        raise
    except Exception as error:  # an evaluator may be anyone's code; its failure is data
        told = str(error) if isinstance(error, RiskboxError) else f"{type(error).__name__}: {error}"
        fault = f"{EvaluatorFault.boundary}: {told}"
        return Assessment(
            evaluator=evaluator.name, version=evaluator.version, settings=evaluator.settings, fault=fault
        )


def faulted(run: str, spec: Spec, stage: Stage, reason: str, detail: str, attempt: int) -> Played:
    """The record of an episode that could not be played: a fault with its reason, and nothing else."""
    state, _ = step(begin(stage, spec.seed), Stopped(ending="fault", reason=reason, detail=detail))
    return Played(episode=recorded(run, spec, state, attempt=attempt))
