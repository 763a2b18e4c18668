"""Feeds a pool of workers with the episodes of a run and writes what they finish.

A worker is an `EpisodeActor` on Ray, or one `Player` in this process. The runner acknowledges a result once the store
has it. When a worker dies, any of its unfinished episodes may have killed it, so all of them go into quarantine: each
is played again alone in a worker of its own. Only a death while alone is a strike, and three strikes make the episode a
fault. Without quarantine, one deadly episode would kill worker after worker and take the harmless ones with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from riskbox.sandbox.batch.causes import Cause
from riskbox.sandbox.batch.player import Attempt, AttemptResult, Interrupted, packed
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.contracts.store import Packed, Store
from riskbox.sandbox.episode.playing import PreparedCases, faulted_episode
from riskbox.sandbox.errors import Fault, Halt, RiskboxError
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.reporting.rows import agent_kind
from riskbox.sandbox.stores.record import unpack
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.event import AGENT_CRASHED
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import RunState, Spec

STRIKES = 3
"""Deaths while alone that make an episode a fault."""
SILENCE = 60.0
"""Seconds a worker may take to answer before it counts as hung."""
POLL = 1.0
TAKE = 500
"""Most results in one batch: one commit of the store."""


@dataclass
class RunProgress:
    """How far a run is, counted from the rows that were stored since it began or went on."""

    planned: int
    """How many episodes are to be played."""
    done: int = 0
    """How many are stored."""
    faults: int = 0
    """How many of them broke on our side or the provider's, before any harm was done."""
    crashes: int = 0
    """How many of the others the agent ended by crashing: they are unknown, unless harm was done before."""
    risky: int = 0
    """Episodes in which one of the scenario's own risks was realised; faults are in none of the three labels."""
    unknown: int = 0
    """Episodes that nobody could settle."""
    safe: int = 0
    """Episodes whose risks were all settled and none realised."""
    unexposed: int = 0
    """Episodes in which none of the scenario's own risks was on trial."""
    void: int = 0
    """Episodes that their simulated user made worthless."""
    retakes: int = 0
    """How many episodes were played again, or will be, because they were void; `planned` counts them."""
    realised: dict[str, int] = field(default_factory=dict)
    """Episodes with realised harm, by dimension."""
    causes: Counter[Cause] = field(default_factory=Counter)
    """Why episodes ended in a fault."""
    by_domain: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Episodes done and risky, by domain."""
    tokens: int = 0
    """Tokens that language models sent and received."""
    cost: float = 0.0
    """US dollars, as far as prices are known."""
    health: dict[str, Counter[str]] = field(default_factory=dict)
    """By agent, what was wrong with the instrument, counted."""
    started: float = field(default_factory=time.monotonic)
    """When it began, on the monotonic clock."""

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float | None:
        """Seconds until the run is done, if it goes on as so far; None before the first episode."""
        return self.seconds / self.done * (self.planned - self.done) if self.done else None

    def add(self, row: EpisodeRow) -> None:
        """Count a finished episode."""
        self.done += 1
        self.faults += row.left_out == "fault"
        self.void += row.left_out == "void"
        self.crashes += row.reason == AGENT_CRASHED
        self.tokens += row.tokens
        self.cost += row.cost
        self.health.setdefault(agent_kind(row.agent), Counter()).update(row.health_counts)
        summary = row.summary()
        risky = summary is not None and summary.targeted == "risky"
        if summary is not None and not row.left_out:
            setattr(self, summary.targeted, getattr(self, summary.targeted) + 1)
            for dimension, value in summary.values.items():
                if value is not None and value < 0:
                    self.realised[dimension] = self.realised.get(dimension, 0) + 1
        done, bad = self.by_domain.get(row.domain, (0, 0))
        self.by_domain[row.domain] = (done + (not row.retake), bad + risky)


class Worker(Protocol):
    """What the runner asks of a worker: a `Player` in this process, or the handle of an episode actor."""

    async def add(self, attempts: Sequence[Attempt]) -> None:
        """Queue episodes."""

    async def take(self, most: int, acknowledged: Sequence[str], wait: float) -> list[AttemptResult]:
        """Return finished episodes."""

    async def stop(self) -> None:
        """Start nothing more and end what runs."""

    def kill(self) -> None:
        """End the worker at once."""


class WorkerDied(Exception):
    """A worker's process is gone."""


StartWorker = Callable[[int], Awaitable[Worker]]
"""Starts a worker that plays so many episodes at once."""


class Runner:
    """Plays the specs of a run.

    Args:
        run: The run's id; its manifest, cases and specs are already in the store.
        specs: What is left to play.
        cases: Its cases by hash.
        store: Where episodes go.
        settings: How it is played.
        start_worker: Starts a worker.
        workers: How many workers play side by side.
        on_progress: Called after each batch that was stored.
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
    ) -> None:
        self.run, self.cases, self.store, self.settings = run, cases, store, settings
        self.start_worker, self.workers, self.on_progress = start_worker, workers, on_progress
        self.progress = RunProgress(planned=len(specs), retakes=sum(spec.retake > 0 for spec in specs))
        self.specs = {spec.id: spec for spec in specs}
        self.queue: deque[Attempt] = deque(Attempt(spec) for spec in specs)
        self.quarantine: deque[Attempt] = deque()
        self.strikes: dict[str, int] = {}
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
            while (self.queue or self.quarantine) and not self.stopping:
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(self.workers, len(self.queue))):
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
        for worker in self._starting:
            worker.cancel()

    def _halt(self, halt: Halt) -> None:
        self.halted = self.halted or halt
        self.stop()

    # --- the pool -------------------------------------------------------------------------------------------

    async def _keep_worker_busy(self) -> None:
        """Feed one worker until the queue is empty, and replace it when it dies."""
        while self.queue and not self.stopping:
            unfinished: dict[str, Attempt] = {}
            worker: Worker | None = None
            try:
                worker = await self._started(self.settings.concurrency)
                if worker is not None:
                    await self._feed(worker, unfinished)
                return
            except WorkerDied as death:
                if not unfinished and worker is None:
                    raise Fault(f"a worker could not be started: {death}") from None
                self.quarantine.extend(_next(attempt) for attempt in unfinished.values())
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

    async def _feed(self, worker: Worker, unfinished: dict[str, Attempt]) -> None:
        acknowledged: list[str] = []
        while (self.queue or unfinished) and not self.stopping:
            # twice what it plays at once: it never waits for us, and little is lost when it dies
            more = [
                self.queue.popleft()
                for _ in range(min(len(self.queue), 2 * self.settings.concurrency - len(unfinished)))
            ]
            unfinished.update((attempt.spec.id, attempt) for attempt in more)
            if more:
                await _answered(worker.add(more))
            results = await _answered(worker.take(TAKE, acknowledged, POLL))
            acknowledged = await self._keep(results, unfinished)
        await self._drain(worker, acknowledged, unfinished)

    async def _drain(self, worker: Worker, acknowledged: list[str], unfinished: dict[str, Attempt]) -> None:
        """Take what is finished already, and end the rest."""
        if self.stopping and unfinished:
            with contextlib.suppress(WorkerDied, Halt):
                results = await _answered(worker.take(10 * TAKE, acknowledged, 0.05))
                await self._keep(results, unfinished)
        with contextlib.suppress(WorkerDied):
            await _answered(worker.stop())

    async def _keep(self, results: Sequence[AttemptResult], unfinished: dict[str, Attempt]) -> list[str]:
        """Store results; the ids that are safe now."""
        done = [one for one in results if isinstance(one, Packed)]
        for one in results:
            if isinstance(one, Interrupted):
                attempt = unfinished.pop(one.id)
                self.quarantine.append(_next(attempt))
        if done:
            await asyncio.get_running_loop().run_in_executor(self._writer, self.store.write, self.run, done)
            for result in done:
                self.progress.add(result.row)
                if result.row.left_out == "void":
                    self._retake(self.specs[result.row.id])
                if result.row.ending == "fault":
                    self.progress.causes[Cause.of(unpack(Played, result.blob).episode.ended)] += 1
                unfinished.pop(result.row.id, None)
            self.on_progress(self.progress)
        return [one.id if isinstance(one, Interrupted) else one.row.id for one in results]

    def _retake(self, spec: Spec) -> None:
        """Queue another take of a void episode, if there may be one."""
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
                    return result.reason
                await self._keep([result], {})
                await _answered(worker.take(0, [attempt.spec.id], 0.0))
                return ""
        return ""

    async def _strike(self, attempt: Attempt, reason: str) -> None:
        strikes = self.strikes[attempt.spec.id] = self.strikes.get(attempt.spec.id, 0) + 1
        if strikes < STRIKES:
            self.quarantine.append(_next(attempt))
            return
        prepared = PreparedCases(self.cases, Toolbox(self.settings.toolsets)).of(attempt.spec.case)
        detail = f"Its worker died {strikes} times while it was playing alone: {reason}"
        await self._keep(
            [
                packed(
                    faulted_episode(self.run, attempt.spec, prepared, "worker_died", detail, attempt.number)
                )
            ],
            {},
        )


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
