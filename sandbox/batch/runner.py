"""Feeds a pool of workers with the episodes of a run and writes what they finish.

A worker is an `EpisodeActor` on Ray, or one `Player` in this process. The runner acknowledges a result once the store
has it.

An episode is stored when it is played. What asks a model to assess it comes after: its id waits among `to_judge`, it is read
from the store, and any worker judges it, while playing goes on.

When a worker dies, any of its unfinished episodes may have killed it, so all of them go into quarantine: each
is played again alone in a worker of its own. Only a death while alone is a strike, and three strikes make the episode a
fault. Without quarantine, one deadly episode would kill worker after worker and take the harmless ones with it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from riskbox.sandbox.batch.causes import Cause
from riskbox.sandbox.batch.player import packed
from riskbox.sandbox.batch.progress import RunProgress
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.batch.work import (
    Attempt,
    Interrupted,
    Judged,
    Judging,
    Work,
    WorkResult,
    result_key,
)
from riskbox.sandbox.contracts.store import Packed, Store
from riskbox.sandbox.episode.playing import PreparedCases, died_alone, faulted_episode
from riskbox.sandbox.errors import Fault, Halt, RiskboxError
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.stores.record import pack, unpack
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.event import WORKER_DIED
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import RunState, Spec

T = TypeVar("T")

STRIKES = 3
"""Deaths while alone that make an episode a fault."""
SILENCE = 60.0
"""Seconds a worker may take to answer before it counts as hung."""
POLL = 1.0
TAKE = 500
"""Most results in one batch: one commit of the store."""


class Worker(Protocol):
    """What the runner asks of a worker: a `Player` in this process, or the handle of an episode actor."""

    async def add(self, work: Sequence[Work]) -> None:
        """Queue episodes to play and to judge."""

    async def take(self, most: int, acknowledged: Sequence[str], wait: float) -> list[WorkResult]:
        """Return results."""

    async def stop(self) -> None:
        """Start nothing more and end what runs."""

    def kill(self) -> None:
        """End the worker at once."""


class WorkerDied(Exception):
    """A worker's process is gone."""


StartWorker = Callable[[int], Awaitable[Worker]]
"""Starts a worker that plays so many episodes at once."""


@dataclass
class _Given:
    """What a worker was given and has not handed back."""

    attempts: dict[str, Attempt] = field(default_factory=dict)
    """Episodes to play, by id."""
    judging: set[str] = field(default_factory=set)
    """Ids of episodes to judge."""

    def __bool__(self) -> bool:
        return bool(self.attempts or self.judging)


class Runner:
    """Plays the specs of a run, and has judged what is played.

    Args:
        run: The run's id; its manifest, cases and specs are already in the store.
        specs: What is left to play.
        cases: Its cases by hash.
        store: Where episodes go.
        settings: How it is played.
        start_worker: Starts a worker.
        workers: How many workers play side by side.
        on_progress: Called after each batch that was stored.
        unjudged: Episodes that were played before, and that are still to be judged.
    """

    def __init__(
        self,
        run: str,
        specs: Sequence[Spec],
        cases: Mapping[str, Case],
        store: Store,
        settings: RunSettings,
        start_worker: StartWorker,
        workers: int = 1,
        on_progress: Callable[[RunProgress], None] = lambda progress: None,
        unjudged: Sequence[Spec] = (),
    ) -> None:
        self.run, self.cases, self.store, self.settings = run, cases, store, settings
        self.start_worker, self.workers, self.on_progress = start_worker, workers, on_progress
        self.progress = RunProgress(planned=len(specs), retakes=sum(spec.retake > 0 for spec in specs))
        self.progress.unjudged = len(unjudged)
        self.specs = {spec.id: spec for spec in (*specs, *unjudged)}
        self.queue: deque[Attempt] = deque(Attempt(spec) for spec in specs)
        self.quarantine: deque[Attempt] = deque()
        self.to_judge: deque[str] = deque(spec.id for spec in unjudged)
        self.lost_judging: Counter[str] = Counter()
        """By id, how many workers died while they were to judge it."""
        self.strikes: dict[str, int] = {}
        self.parts: dict[str, Packed] = {}
        """By id, the longest attempt at an episode in quarantine; what was done in it is not forgotten."""
        self.stopping = False
        self.halted: Halt | None = None
        self._starting: set[asyncio.Future[Worker]] = set()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="riskbox-store")

    async def play_all(self) -> RunState:
        """Play everything, and return the state in which the run ended.

        Raises:
            StoreError: the store cannot be written; what it has is kept.
            Halt: a model said that no later call can go better; what was finished is stored.
        """
        try:
            # an episode in quarantine may turn out void, and is then queued again
            while (self.queue or self.quarantine or self.to_judge) and not self.stopping:
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(self.workers, len(self.queue) + len(self.to_judge))):
                        group.create_task(self._keep_worker_busy())
                # as many side by side as there are workers, but each alone in a worker of its own
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(self.workers, len(self.quarantine))):
                        group.create_task(self._play_quarantined())
        except* RiskboxError as errors:
            raise _first(errors) from None
        finally:
            self._writer.shutdown()
        if self.halted is not None:
            raise self.halted
        return "stopped" if self.stopping else "done"

    def stop(self) -> None:
        """Start nothing more; `play_all` returns once what is finished is stored."""
        self.stopping = True
        self.queue.clear()
        self.to_judge.clear()
        for worker in self._starting:
            worker.cancel()

    def _halt(self, halt: Halt) -> None:
        self.halted = self.halted or halt
        self.stop()

    # --- the pool -------------------------------------------------------------------------------------------

    async def _keep_worker_busy(self) -> None:
        """Feed one worker until there is nothing to play or to judge, and replace it when it dies."""
        while (self.queue or self.to_judge) and not self.stopping:
            unfinished = _Given()
            worker: Worker | None = None
            try:
                worker = await self._started(self.settings.concurrency)
                if worker is not None:
                    await self._feed(worker, unfinished)
                return
            except WorkerDied as death:
                if not unfinished and worker is None:
                    raise Fault(f"a worker could not be started: {death}") from None
                self.quarantine.extend(_next(attempt) for attempt in unfinished.attempts.values())
                self._judge_again(unfinished.judging)
            except Halt as halt:
                self._halt(halt)
                await _stop(worker)
            finally:
                if worker is not None:
                    worker.kill()

    async def _started(self, concurrency: int) -> Worker | None:
        """A new worker; None where the run was stopped before it was up."""
        starting = asyncio.ensure_future(self.start_worker(concurrency))
        self._starting.add(starting)
        try:
            return await starting
        except asyncio.CancelledError:
            if self.stopping:
                return None
            raise
        finally:
            self._starting.discard(starting)

    def _judge_again(self, ids: Iterable[str]) -> None:
        """Queue again what a worker was to judge when it died. What may have killed several is left for another day."""
        for id in ids:
            self.lost_judging[id] += 1
            if self.lost_judging[id] < STRIKES and not self.stopping:
                self.to_judge.append(id)

    async def _feed(self, worker: Worker, unfinished: _Given) -> None:
        acknowledged: list[str] = []
        while (self.queue or self.to_judge or unfinished) and not self.stopping:
            # twice what it does at once: it never waits for us, and little is lost when it dies
            most = 2 * self.settings.concurrency
            more: list[Work] = []
            for _ in range(min(len(self.queue), most - len(unfinished.attempts))):
                attempt = self.queue.popleft()
                unfinished.attempts[attempt.spec.id] = attempt
                more.append(attempt)
            ids = [
                self.to_judge.popleft()
                for _ in range(min(len(self.to_judge), most - len(unfinished.judging)))
            ]
            unfinished.judging.update(ids)
            more += await self._in_store(self._read, ids)
            if more:
                await _answered(worker.add(more))
            results = await _answered(worker.take(TAKE, acknowledged, POLL))
            acknowledged = await self._keep(results, unfinished)
        await self._drain(worker, acknowledged, unfinished)

    async def _drain(self, worker: Worker, acknowledged: list[str], unfinished: _Given) -> None:
        """Take what is finished already, and end the rest."""
        if self.stopping and unfinished:
            with contextlib.suppress(WorkerDied, Halt):
                results = await _answered(worker.take(10 * TAKE, acknowledged, 0.05))
                await self._keep(results, unfinished)
        with contextlib.suppress(WorkerDied):
            await _answered(worker.stop())

    # --- results ----------------------------------------------------------------------------------------------

    async def _keep(self, results: Sequence[WorkResult], unfinished: _Given) -> list[str]:
        """Store results; the keys of those that are safe now."""
        played = [one for one in results if isinstance(one, Packed)]
        judged = [one for one in results if isinstance(one, Judged)]
        for one in results:
            if isinstance(one, Interrupted):
                self._keep_part(one)
                self.quarantine.append(_next(unfinished.attempts.pop(one.id)))
        if played:
            await self._in_store(self.store.write, self.run, played)
            for result in played:
                self._played(result)
                unfinished.attempts.pop(result.row.id, None)
        for before, after in await self._in_store(self._assess, judged):
            self.progress.judge(before, after)
            unfinished.judging.discard(after.id)
            if after.left_out == "void" != before.left_out:
                self._retake(after.id)
        if played or judged:
            self.on_progress(self.progress)
        return [result_key(one) for one in results]

    def _played(self, result: Packed) -> None:
        row = result.row
        self.progress.add(row)
        if row.unjudged and not self.stopping:
            self.to_judge.append(row.id)
        if row.left_out == "void":
            self._retake(row.id)
        if row.ending == "fault":
            self.progress.causes[Cause.of(unpack(Played, result.blob).episode.ended)] += 1

    async def _in_store(self, work: Callable[..., T], *given: Any) -> T:
        """What work at the store comes to, done in the thread that writes; nothing to do costs no turn of it."""
        if not given[-1]:
            return work(*given)
        return await asyncio.get_running_loop().run_in_executor(self._writer, work, *given)

    def _read(self, ids: Sequence[str]) -> list[Judging]:
        return [Judging(id, pack(self.store.episode(self.run, id))) for id in ids]

    def _assess(self, judged: Sequence[Judged]) -> list[tuple[EpisodeRow, EpisodeRow]]:
        """Store assessments; each row as it was and as it is."""
        found = []
        for one in judged:
            (before,) = self.store.pick(self.run, [one.id])
            self.store.assess(self.run, one.id, one.assessments)
            (after,) = self.store.pick(self.run, [one.id])
            found.append((before, after))
        return found

    def _retake(self, id: str) -> None:
        """Queue another take of a void episode, if there may be one."""
        spec = self.specs[id]
        if self.stopping or spec.retake >= self.settings.retakes:
            return
        again = spec.retaken()
        if again.id not in self.specs:
            self.specs[again.id] = again
            self.queue.append(Attempt(again))
            self.progress.planned += 1
            self.progress.retakes += 1

    # --- quarantine -------------------------------------------------------------------------------------------

    async def _play_quarantined(self) -> None:
        """Play quarantined episodes one at a time, each alone in a worker."""
        worker: Worker | None = None
        try:
            while self.quarantine and not self.stopping:
                attempt = self.quarantine.popleft()
                try:
                    worker = worker or await self._started(1)
                    if worker is None:
                        return
                    await _answered(worker.add([attempt]))
                    died = await self._wait_for(worker, attempt)
                except WorkerDied as death:
                    died, worker = str(death), None
                except Halt as halt:
                    self._halt(halt)
                    await _stop(worker)
                    return
                if died:
                    await self._strike(attempt, died)
        finally:
            if worker is not None:
                worker.kill()

    async def _wait_for(self, worker: Worker, attempt: Attempt) -> str:
        """Why the episode was interrupted; empty once its result is stored."""
        while not self.stopping:
            for result in await _answered(worker.take(1, (), POLL)):
                if isinstance(result, Interrupted):
                    self._keep_part(result)
                    return result.reason
                self.parts.pop(attempt.spec.id, None)
                await self._keep([result], _Given())
                await _answered(worker.take(0, [attempt.spec.id], 0.0))
                return ""
        return ""

    async def _strike(self, attempt: Attempt, reason: str) -> None:
        strikes = self.strikes[attempt.spec.id] = self.strikes.get(attempt.spec.id, 0) + 1
        if strikes < STRIKES:
            self.quarantine.append(_next(attempt))
            return
        detail = f"Its worker died {strikes} times while it was playing alone: {reason}"
        part = self.parts.pop(attempt.spec.id, None)
        if part is not None:
            played = died_alone(unpack(Played, part.blob), detail, attempt.number)
        else:
            prepared = PreparedCases(self.cases, Toolbox(self.settings.toolsets)).of(attempt.spec.case)
            played = faulted_episode(self.run, attempt.spec, prepared, WORKER_DIED, detail, attempt.number)
        await self._keep([packed(played)], _Given())

    def _keep_part(self, one: Interrupted) -> None:
        before = self.parts.get(one.id)
        if one.played and (before is None or one.played.row.events >= before.row.events):
            self.parts[one.id] = one.played


def _next(attempt: Attempt) -> Attempt:
    return Attempt(attempt.spec, attempt.number + 1)


async def _stop(worker: Worker | None) -> None:
    """End what a halted worker still plays, and let it close what it holds."""
    if worker is not None:
        with contextlib.suppress(WorkerDied, RiskboxError):
            await _answered(worker.stop())


async def _answered(call: Awaitable[Any]) -> Any:
    try:
        return await asyncio.wait_for(call, SILENCE)
    except TimeoutError:
        raise WorkerDied(f"a worker has not answered for {SILENCE:g} s") from None


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    for error in errors.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    return errors
