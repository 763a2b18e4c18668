"""Plays many episodes at once on one event loop. A plain class: Ray's `EpisodeActor` is a thin shell around it.

Attempts go in with `add`, results come out with `take`. A result is kept, and handed out again, until it is acknowledged, and
what is known already is not queued twice: a call whose answer was lost on its way may be repeated. No new episode starts while
too many are unacknowledged, so that a slow store slows the players instead of filling memory.

An episode comes out as soon as it is played. What costs nothing to assess is assessed then; assessments that ask models are
pending. Whoever has stored the episode gives it back to be judged, which has its own concurrency: playing goes on meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import TypeVar

from riskbox.sandbox.batch.live import LivePublisher
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.batch.work import (
    Attempt,
    Interrupted,
    Judged,
    Judging,
    Unstarted,
    Work,
    WorkResult,
    result_key,
)
from riskbox.sandbox.contracts.model import ModelSession
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.contracts.store import Packed
from riskbox.sandbox.episode.limited import ProcessDied
from riskbox.sandbox.episode.ownership import owned
from riskbox.sandbox.episode.playing import (
    EpisodeDied,
    PreparedCases,
    assess_pending,
    faulted_episode,
    make_participants,
    pending,
    play_episode,
)
from riskbox.sandbox.errors import Fault, Halt, RiskboxError, is_interrupt
from riskbox.sandbox.log import DEBUG, tell
from riskbox.sandbox.models.client import Clients
from riskbox.sandbox.models.quota import Lease, UsageReport
from riskbox.sandbox.registry.evaluators import evaluators
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.stores.record import pack, unpack
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.modelcall import figures_of
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.secrets import reveal

W = TypeVar("W", Attempt, Judging)
MakeParticipants = Callable[[Attempt, Case, ModelSession | None], Mapping[str, Participant]]
"""Makes the participants of an attempt at an episode, by party."""
RenewLease = Callable[[UsageReport], Awaitable[Lease]]
"""Asks the quota of a run, which all its workers share, for the next lease."""


class Player:
    """Plays episodes of one run.

    Args:
        run: The run's id.
        cases: Its cases by hash.
        settings: How it is played.
        participants: Makes the participants of an episode; in this process where it is not given.
        renew: Renews the lease on the limits that all workers share; without it this player keeps the limits alone.
    """

    def __init__(
        self,
        run: str,
        cases: Mapping[str, Case],
        settings: RunSettings = RunSettings(),
        *,
        participants: MakeParticipants | None = None,
        renew: RenewLease | None = None,
    ) -> None:
        self.run, self.settings = run, settings
        self.participants = participants
        self.concurrency = settings.concurrency
        reveal(settings.names)
        self.prepared = PreparedCases(cases, Toolbox(settings.toolsets))
        self.models = Clients(settings.models, renew)
        self.evaluators = evaluators(settings.evaluators, self.models, settings.judging)
        self.at_once = [one for one in self.evaluators if not one.asks]
        """The evaluators that cost nothing."""
        self._queue: dict[str, Attempt] = {}
        self._to_judge: dict[str, Judging] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._judging: dict[str, asyncio.Task[None]] = {}
        self._finished: dict[str, WorkResult] = {}
        """Results that are not acknowledged, the oldest first."""
        self._changed = asyncio.Event()
        self._broken: RiskboxError | None = None
        self._most_unacknowledged = max(2 * self.concurrency, 64)
        self.live = LivePublisher(run, settings.live) if settings.live else None

    async def add(self, work: Sequence[Work]) -> None:
        """Queue episodes to play and to judge; what it has already is left as it is."""
        for one in work:
            if one.key in self._running or one.key in self._judging:
                continue
            if isinstance(self._finished.get(one.key), Packed | Judged):
                continue
            # an episode that was handed back or interrupted, and comes again
            self._finished.pop(one.key, None)
            if isinstance(one, Attempt):
                self._queue[one.key] = one
            else:
                self._to_judge[one.key] = one
        self._refill()

    async def take(self, most: int, acknowledged: Sequence[str] = (), wait: float = 1.0) -> list[WorkResult]:
        """Return results; wait for one if there is none. A result comes again until it is acknowledged.

        Args:
            most: How many at most.
            acknowledged: Keys of earlier results that are safe in the store.
            wait: How many seconds to wait; then the list is empty.

        Raises:
            RiskboxError: an episode could not be made ready or recorded at all: a toolset is missing, say.
        """
        for key in acknowledged:
            self._finished.pop(key, None)
        if self.live is not None:
            self.live.over(acknowledged)
        self._refill()
        if not self._finished and self._broken is None:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                return []
        if not self._finished and self._broken is not None:
            raise self._broken
        return list(islice(self._finished.values(), most))

    async def release(self, ids: Sequence[str], most: int) -> None:
        """Hand back some of these episodes, the latest first, that have not started; `take` returns each as `Unstarted`."""
        wanted = set(ids)
        for id in [id for id in reversed(self._queue) if id in wanted][:most]:
            del self._queue[id]
            self._finished[id] = Unstarted(id)
            self._changed.set()

    async def stop(self) -> None:
        """Start nothing more, end what is running, and close what the models hold open."""
        self._cancel_all()
        await asyncio.gather(*self._running.values(), *self._judging.values(), return_exceptions=True)
        await self.models.close()
        if self.live is not None:
            await asyncio.to_thread(self.live.close)

    def kill(self) -> None:
        """Do nothing: a player in this process has no process of its own to end."""

    def _cancel_all(self) -> None:
        self._queue.clear()
        self._to_judge.clear()
        self.models.stopping = True
        for task in {*self._running.values(), *self._judging.values()} - {asyncio.current_task()}:
            task.cancel()

    def _refill(self) -> None:
        self._start_waiting(self._queue, self._result, self._running)
        self._start_waiting(self._to_judge, self._judged, self._judging)

    def _start_waiting(
        self,
        waiting: dict[str, W],
        do: Callable[[W], Awaitable[WorkResult]],
        tasks: dict[str, asyncio.Task[None]],
    ) -> None:
        while (
            waiting
            and self._broken is None
            and len(tasks) < self.concurrency
            and len(tasks) + len(self._finished) < self._most_unacknowledged
        ):
            self._start(do, waiting.pop(next(iter(waiting))), tasks)

    def _start(
        self, do: Callable[[W], Awaitable[WorkResult]], work: W, tasks: dict[str, asyncio.Task[None]]
    ) -> None:
        task = tasks[work.key] = asyncio.create_task(self._do(do, work))
        task.add_done_callback(partial(self._done, tasks, do, work))

    async def _do(self, do: Callable[[W], Awaitable[WorkResult]], work: W) -> None:
        try:
            with owned(lambda: self.models.stopping):
                result = await do(work)
        except BaseException as error:
            if is_interrupt(error) or (isinstance(error, asyncio.CancelledError) and self.models.stopping):
                raise
            # work without a result would be waited for forever
            self._broken = (
                error if isinstance(error, RiskboxError) else Fault(f"{type(error).__name__}: {error}")
            )
            if isinstance(error, Halt):
                self._cancel_all()  # the other episodes would only be told the same
            self._changed.set()
            return
        self._finished[result_key(result)] = result
        self._changed.set()

    def _done(
        self,
        tasks: dict[str, asyncio.Task[None]],
        do: Callable[[W], Awaitable[WorkResult]],
        work: W,
        task: asyncio.Task[None],
    ) -> None:
        del tasks[work.key]
        if task.cancelled() and not self.models.stopping and self._broken is None:
            self._start(do, work, tasks)  # somebody's code cancelled it before it began
        self._refill()

    async def _result(self, attempt: Attempt) -> Packed | Interrupted:
        spec = attempt.spec
        prepared = self.prepared.of(spec.case)
        tell("episode_started", DEBUG, episode=spec.id, case=prepared.case.id, attempt=attempt.number)
        session = ModelSession(self.models, spec.seed, spec.cast.settings)
        participants: Mapping[str, Participant]
        try:
            if self.participants is None:
                participants = make_participants(spec, prepared.case, session, self.settings.confinement)
            else:
                participants = self.participants(attempt, prepared.case, session)
            played = await play_episode(
                self.run,
                spec,
                prepared,
                participants,
                self.at_once,
                self.settings.timeouts,
                attempt=attempt.number,
                session=session,
                on_step=self.live.watcher(spec, attempt.number) if self.live is not None else None,
            )
        except EpisodeDied as error:
            return Interrupted(spec.id, str(error), packed(self._with_pending(error.played)))
        except ProcessDied as error:
            return Interrupted(spec.id, str(error))
        except Halt:
            raise
        except BaseException as error:
            if is_interrupt(error) or (isinstance(error, asyncio.CancelledError) and self.models.stopping):
                raise
            # a participant is anyone's code, and what it raises is the fault of this episode alone
            boundary = error.boundary if isinstance(error, Fault) else "participant"
            told = str(error) if isinstance(error, RiskboxError) else f"{type(error).__name__}: {error}"
            return packed(faulted_episode(self.run, spec, prepared, boundary, told, attempt.number))
        return packed(self._with_pending(played))

    def _with_pending(self, played: Played) -> Played:
        """An episode with a place for each assessment that is still to be made, in the order of the evaluators."""
        if len(self.at_once) == len(self.evaluators):
            return played
        made = dict(zip(self.at_once, played.assessments, strict=True))
        places = tuple(made.get(one) or pending(one) for one in self.evaluators)
        return played.model_copy(update={"assessments": places})

    async def _judged(self, work: Judging) -> Judged:
        """What the evaluators say that have not assessed a stored episode yet."""
        played = unpack(Played, work.blob)
        case = self.prepared.cases[played.episode.case.hash]
        return Judged(work.id, await assess_pending(case, played, self.evaluators))


def packed(played: Played) -> Packed:
    """A finished episode, ready for the store."""
    return Packed(EpisodeRow.of(played), pack(played), figures_of(played.asked))
