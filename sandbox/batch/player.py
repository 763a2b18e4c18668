"""Playing many episodes at once on one event loop. A plain class: Ray's `EpisodeActor` is a thin shell around it.

Specs go in with `add`, finished episodes come out with `take`. A result is kept until it is acknowledged, and no
new episode starts while too many are unacknowledged, so that a slow store slows the players instead of filling
memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.contracts.model import Desk, Models
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.contracts.store import Packed
from riskbox.sandbox.episode.playing import PreparedCases, faulted_episode, make_participants, play_episode
from riskbox.sandbox.episode.rollout import ProcessDied, Timeouts
from riskbox.sandbox.errors import Fault, Halt, RiskboxError
from riskbox.sandbox.stores.record import pack
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Spec


@dataclass(frozen=True, slots=True)
class Task:
    """One episode to play_episode, and how often it was started, this time included."""

    spec: Spec
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An episode that could not go on because a process it needed died; it may not be its own doing."""

    id: str
    reason: str


Result = Packed | Interrupted
Seat = Callable[[Spec, Case, Desk | None], Mapping[str, Participant]]


@dataclass
class Player:
    """Plays episodes of one run.

    Args:
        run: The run.
        prepared: Its cases.
        evaluators: Who assesses the episodes.
        patience: How long things may take.
        concurrency: Episodes in flight.
        seat: Makes the participants of an episode.
        models: The language models that seats may ask; None where none plays.
    """

    run: str
    prepared: PreparedCases
    evaluators: Sequence[Evaluator]
    patience: Timeouts = field(default_factory=Timeouts)
    concurrency: int = 200
    seat: Seat = make_participants
    models: Models | None = None

    def __post_init__(self) -> None:
        self._queue: deque[Task] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._finished: dict[str, Result] = {}
        self._fresh: deque[str] = deque()
        self._news = asyncio.Event()
        self._broken: RiskboxError | None = None
        self._most_unacknowledged = max(2 * self.concurrency, 64)

    async def add(self, tasks: Sequence[Task]) -> None:
        """Queue episodes."""
        self._queue.extend(tasks)
        self._refill()

    async def take(self, most: int, acknowledged: Sequence[str] = (), wait: float = 1.0) -> list[Result]:
        """Finished episodes, at most so many; waits for one if there is none.

        Args:
            most: How many at most.
            acknowledged: Ids of earlier results that are safe in the store.
            wait: How long to wait, in seconds; then the list is empty.

        Raises:
            RiskboxError: an episode could not be made ready or recorded at all: a toolset is missing, say.
        """
        for id in acknowledged:
            self._finished.pop(id, None)
        self._refill()
        if not self._fresh and self._broken is None:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), wait)
            except TimeoutError:
                return []
        if not self._fresh and self._broken is not None:
            raise self._broken
        return [self._finished[self._fresh.popleft()] for _ in range(min(most, len(self._fresh)))]

    async def stop(self) -> None:
        """Start nothing more, and end what is running."""
        self._end()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self.models is not None:
            await self.models.close()

    def _end(self) -> None:
        self._queue.clear()
        if self.models is not None:
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
            task.add_done_callback(self._over)

    async def _play(self, task: Task) -> None:
        try:
            result = await self._result(task)
        except Exception as error:  # an episode without a result would be waited for forever
            self._broken = (
                error if isinstance(error, RiskboxError) else Fault(f"{type(error).__name__}: {error}")
            )
            if isinstance(error, Halt):
                self._end()  # the others could only be told the same
            self._news.set()
            return
        self._finished[task.spec.id] = result
        self._fresh.append(task.spec.id)
        self._news.set()

    def _over(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._refill()

    async def _result(self, task: Task) -> Result:
        spec = task.spec
        prepared = self.prepared.of(spec.case)
        desk = Desk(self.models, spec.seed, spec.cast.settings) if self.models else None
        try:
            seats = self.seat(spec, prepared.case, desk)
            played = await play_episode(
                self.run,
                spec,
                prepared,
                seats,
                self.evaluators,
                self.patience,
                attempt=task.attempt,
                desk=desk,
            )
        except ProcessDied as error:
            return Interrupted(spec.id, str(error))
        except Halt:
            raise
        except (
            Exception,
            SystemExit,
        ) as error:  # seats are anyone's code; what they raise is this episode's fault
            boundary = error.boundary if isinstance(error, Fault) else "participant"
            told = str(error) if isinstance(error, RiskboxError) else f"{type(error).__name__}: {error}"
            return packed(faulted_episode(self.run, spec, prepared, boundary, told, task.attempt))
        return packed(played)


def packed(played: Played) -> Packed:
    """A finished episode, ready for the store."""
    return Packed(EpisodeRow.of(played), pack(played))
