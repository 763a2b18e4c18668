"""Plays many episodes at once on one event loop. A plain class: Ray's `EpisodeActor` is a thin shell around it.

Attempts go in with `add`, results come out with `take`. A result is kept until it is acknowledged, and no new episode
starts while too many are unacknowledged, so that a slow store slows the players instead of filling memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.contracts.model import ModelSession
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.contracts.store import Packed
from riskbox.sandbox.episode.limited import ProcessDied
from riskbox.sandbox.episode.playing import PreparedCases, faulted_episode, make_participants, play_episode
from riskbox.sandbox.errors import Fault, Halt, RiskboxError
from riskbox.sandbox.models.client import Clients
from riskbox.sandbox.models.quota import Lease, UsageReport
from riskbox.sandbox.registry.evaluators import evaluators
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.stores.record import pack
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Spec


@dataclass(frozen=True, slots=True)
class Attempt:
    """One episode to play."""

    spec: Spec
    """What is played."""
    number: int = 1
    """How often it was started, this time included."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An episode that could not go on because a process it needed died; the cause may be another episode."""

    id: str
    """The episode's id."""
    reason: str
    """One sentence."""


AttemptResult = Packed | Interrupted
"""What came of an attempt: an episode ready for the store, or an interruption."""
MakeParticipants = Callable[[Spec, Case, ModelSession | None], Mapping[str, Participant]]
"""Makes the participants of an episode, by party."""
RenewLease = Callable[[UsageReport], Awaitable[Lease]]
"""Asks the quota of a run, which all its workers share, for the next lease."""


class Player:
    """Plays episodes of one run.

    Args:
        run: The run's id.
        cases: Its cases by hash.
        settings: How it is played.
        participants: Makes the participants of an episode.
        renew: Renews the lease on the limits that all workers share; without it this player keeps the limits alone.
    """

    def __init__(
        self,
        run: str,
        cases: Mapping[str, Case],
        settings: RunSettings = RunSettings(),
        *,
        participants: MakeParticipants = make_participants,
        renew: RenewLease | None = None,
    ) -> None:
        self.run, self.settings, self.participants = run, settings, participants
        self.concurrency = settings.concurrency
        self.prepared = PreparedCases(cases, Toolbox(settings.toolsets))
        self.models = Clients(settings.models, renew)
        self.evaluators = evaluators(settings.evaluators, self.models, settings.judging)
        self._queue: deque[Attempt] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._finished: dict[str, AttemptResult] = {}
        self._untaken: deque[str] = deque()
        self._changed = asyncio.Event()
        self._broken: RiskboxError | None = None
        self._most_unacknowledged = max(2 * self.concurrency, 64)

    async def add(self, attempts: Sequence[Attempt]) -> None:
        """Queue episodes."""
        self._queue.extend(attempts)
        self._refill()

    async def take(
        self, most: int, acknowledged: Sequence[str] = (), wait: float = 1.0
    ) -> list[AttemptResult]:
        """Return finished episodes; wait for one if there is none.

        Args:
            most: How many at most.
            acknowledged: Ids of earlier results that are safe in the store.
            wait: How many seconds to wait; then the list is empty.

        Raises:
            RiskboxError: an episode could not be made ready or recorded at all: a toolset is missing, say.
        """
        for id in acknowledged:
            self._finished.pop(id, None)
        self._refill()
        if not self._untaken and self._broken is None:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                return []
        if not self._untaken and self._broken is not None:
            raise self._broken
        return [self._finished[self._untaken.popleft()] for _ in range(min(most, len(self._untaken)))]

    async def stop(self) -> None:
        """Start nothing more, end what is running, and close what the models hold open."""
        self._cancel_all()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.models.close()

    def kill(self) -> None:
        """Do nothing: a player in this process has no process of its own to end."""

    def _cancel_all(self) -> None:
        self._queue.clear()
        self.models.stopping = True
        for task in self._running - {asyncio.current_task()}:
            task.cancel()

    def _refill(self) -> None:
        while (
            self._queue
            and self._broken is None
            and len(self._running) < self.concurrency
            and len(self._running) + len(self._finished) < self._most_unacknowledged
        ):
            task = asyncio.create_task(self._play(self._queue.popleft()))
            self._running.add(task)
            task.add_done_callback(self._done)

    async def _play(self, attempt: Attempt) -> None:
        try:
            result = await self._result(attempt)
        except Exception as error:  # an episode without a result would be waited for forever
            self._broken = (
                error if isinstance(error, RiskboxError) else Fault(f"{type(error).__name__}: {error}")
            )
            if isinstance(error, Halt):
                self._cancel_all()  # the other episodes would only be told the same
            self._changed.set()
            return
        self._finished[attempt.spec.id] = result
        self._untaken.append(attempt.spec.id)
        self._changed.set()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._refill()

    async def _result(self, attempt: Attempt) -> AttemptResult:
        spec = attempt.spec
        prepared = self.prepared.of(spec.case)
        session = ModelSession(self.models, spec.seed, spec.cast.settings)
        try:
            participants = self.participants(spec, prepared.case, session)
            played = await play_episode(
                self.run,
                spec,
                prepared,
                participants,
                self.evaluators,
                self.settings.timeouts,
                attempt=attempt.number,
                session=session,
            )
        except ProcessDied as error:
            return Interrupted(spec.id, str(error))
        except Halt:
            raise
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and self.models.stopping:
                raise
            # a participant is anyone's code, and what it raises is the fault of this episode alone
            boundary = error.boundary if isinstance(error, Fault) else "participant"
            told = str(error) if isinstance(error, RiskboxError) else f"{type(error).__name__}: {error}"
            return packed(faulted_episode(self.run, spec, prepared, boundary, told, attempt.number))
        return packed(played)


def packed(played: Played) -> Packed:
    """A finished episode, ready for the store."""
    return Packed(EpisodeRow.of(played), pack(played))
