"""A batch: plans become episodes in a store, through a pool of actors or in this process.

The runner feeds a pool of workers (`EpisodeActor`s on Ray, or one `Player` here), writes what they finish, and
acknowledges it once the store has it. When a worker dies, its unfinished episodes are suspects and are played again,
each alone in a fresh worker; only a death while alone is a strike, and three strikes are a fault.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from riskbox.sandbox.batch.player import Interrupted, Result, Task, packed
from riskbox.sandbox.contracts.store import Packed, Store
from riskbox.sandbox.episode.playing import PreparedCases, faulted_episode
from riskbox.sandbox.errors import Fault, Halt, RiskboxError
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.words.case import Case
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
class Tally:
    """How far a run is: what progress shows and callers are told."""

    planned: int
    done: int = 0
    faults: int = 0
    deaths: int = 0
    risky: int = 0
    unknown: int = 0
    safe: int = 0
    realised: dict[str, int] = field(default_factory=dict)
    """Episodes with realised harm, by dimension."""
    by_domain: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Episodes done and risky, by domain."""
    tokens: int = 0
    """Tokens that language models sent and received."""
    cost: float = 0.0
    """US dollars, as far as prices are known."""
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float | None:
        """Seconds until the run is done, if it goes on as so far; None before the first episode."""
        return self.seconds / self.done * (self.planned - self.done) if self.done else None

    def add(self, row: EpisodeRow) -> None:
        """Count a finished episode."""
        self.done += 1
        self.faults += row.ending == "fault"
        self.tokens += row.tokens
        self.cost += row.cost
        summary = row.summary()
        risky = summary is not None and summary.targeted == "risky"
        if summary is not None and row.ending != "fault":
            setattr(self, summary.targeted, getattr(self, summary.targeted) + 1)
            for dimension, value in summary.values.items():
                if value is not None and value < 0:
                    self.realised[dimension] = self.realised.get(dimension, 0) + 1
        done, bad = self.by_domain.get(row.domain, (0, 0))
        self.by_domain[row.domain] = (done + 1, bad + risky)


class Worker(Protocol):
    """What the runner asks of a worker: a `Player` here, or an actor's handle there."""

    async def add(self, tasks: Sequence[Task]) -> None:
        """Queue episodes."""

    async def take(self, most: int, acknowledged: Sequence[str], wait: float) -> list[Result]:
        """Finished episodes."""

    async def stop(self) -> None:
        """Start nothing more and end what runs."""

    def kill(self) -> None:
        """End the worker at once."""


class WorkerDied(Exception):
    """A worker's process is gone."""


Hire = Callable[[int], Awaitable[Worker]]
"""Makes a worker that plays so many episodes at once."""


@dataclass
class Runner:
    """Plays the specs of a run.

    Args:
        run: The run's id; its manifest, cases and specs are already in the store.
        specs: What is left to play.
        store: Where episodes go.
        hire: Makes workers.
        workers: How many.
        concurrency: Episodes in flight in each.
        tell: Called with the tally after each batch.
    """

    run: str
    specs: Sequence[Spec]
    cases: Mapping[str, Case]
    store: Store
    hire: Hire
    workers: int = 1
    concurrency: int = 200
    toolbox: Toolbox = field(default_factory=Toolbox)
    tell: Callable[[Tally], None] = lambda tally: None

    def __post_init__(self) -> None:
        self.tally = Tally(planned=len(self.specs))
        self.queue: deque[Task] = deque(Task(spec) for spec in self.specs)
        self.suspects: deque[Task] = deque()
        self.strikes: dict[str, int] = {}
        self.stopping = False
        self.halted: Halt | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="riskbox-store")

    async def play(self) -> RunState:
        """Play everything; the state the run ended in.

        Raises:
            StoreError: the store cannot be written; what it has is kept.
            Halt: a model said that no later call can go better; what was finished is stored.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(max(1, min(self.workers, len(self.queue)))):
                    group.create_task(self._employ())
            while self.suspects and not self.stopping:
                # as many side by side as there are workers, but each alone in a worker of its own
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(self.workers, len(self.suspects))):
                        group.create_task(self._interrogate())
        except* RiskboxError as errors:
            raise _first(errors) from None
        finally:
            self._writer.shutdown()
        if self.halted is not None:
            raise self.halted
        return "stopped" if self.stopping else "done"

    def stop(self) -> None:
        """Start nothing more; `play` returns once what is finished is stored."""
        self.stopping = True
        self.queue.clear()

    def _halt(self, halt: Halt) -> None:
        self.halted = self.halted or halt
        self.stop()

    # --- the pool -------------------------------------------------------------------------------------------

    async def _employ(self) -> None:
        """Keep one worker busy until the queue is empty; a dead one is replaced."""
        while self.queue and not self.stopping:
            open_tasks: dict[str, Task] = {}
            worker: Worker | None = None
            try:
                worker = await self.hire(self.concurrency)
                await self._feed(worker, open_tasks)
                return
            except WorkerDied as death:
                self.tally.deaths += 1
                if not open_tasks and worker is None:
                    raise Fault(f"a worker could not be started: {death}") from None
                self.suspects.extend(Task(task.spec, task.attempt + 1) for task in open_tasks.values())
            except Halt as halt:
                self._halt(halt)
                await _stopped(worker)
            finally:
                if worker is not None:
                    worker.kill()

    async def _feed(self, worker: Worker, open_tasks: dict[str, Task]) -> None:
        acknowledged: list[str] = []
        while (self.queue or open_tasks) and not self.stopping:
            # twice what it plays at once: it never waits for us, and little is lost when it dies
            more = [
                self.queue.popleft()
                for _ in range(min(len(self.queue), 2 * self.concurrency - len(open_tasks)))
            ]
            open_tasks.update((task.spec.id, task) for task in more)
            if more:
                await _answered(worker.add(more))
            results = await _answered(worker.take(TAKE, acknowledged, POLL))
            acknowledged = await self._keep(results, open_tasks)
        await self._wind_up(worker, acknowledged, open_tasks)

    async def _wind_up(self, worker: Worker, acknowledged: list[str], open_tasks: dict[str, Task]) -> None:
        """Take what is finished already, and end the rest."""
        if self.stopping and open_tasks:
            with contextlib.suppress(WorkerDied, Halt):
                results = await _answered(worker.take(10 * TAKE, acknowledged, 0.05))
                await self._keep(results, open_tasks)
        with contextlib.suppress(WorkerDied):
            await _answered(worker.stop())

    async def _keep(self, results: Sequence[Result], open_tasks: dict[str, Task]) -> list[str]:
        """Store results; the ids that are safe now."""
        done = [one for one in results if isinstance(one, Packed)]
        for one in results:
            if isinstance(one, Interrupted):
                task = open_tasks.pop(one.id)
                self.suspects.append(Task(task.spec, task.attempt + 1))
        if done:
            await asyncio.get_running_loop().run_in_executor(self._writer, self.store.write, self.run, done)
            for result in done:
                self.tally.add(result.row)
                open_tasks.pop(result.row.id, None)
            self.tell(self.tally)
        return [one.id if isinstance(one, Interrupted) else one.row.id for one in results]

    # --- suspects -------------------------------------------------------------------------------------------

    async def _interrogate(self) -> None:
        """Play suspects one at a time, each alone."""
        worker: Worker | None = None
        try:
            while self.suspects and not self.stopping:
                task = self.suspects.popleft()
                try:
                    worker = worker or await self.hire(1)
                    await _answered(worker.add([task]))
                    died = await self._wait_for(worker, task)
                except WorkerDied as death:
                    died, worker = str(death), None
                except Halt as halt:
                    self._halt(halt)
                    await _stopped(worker)
                    return
                if died:
                    await self._strike(task, died)
        finally:
            if worker is not None:
                worker.kill()

    async def _wait_for(self, worker: Worker, task: Task) -> str:
        """Why the episode was interrupted; empty once its result is stored."""
        while not self.stopping:
            for result in await _answered(worker.take(1, (), POLL)):
                if isinstance(result, Interrupted):
                    return result.reason
                await self._keep([result], {})
                await _answered(worker.take(0, [task.spec.id], 0.0))
                return ""
        return ""

    async def _strike(self, task: Task, reason: str) -> None:
        self.tally.deaths += 1
        strikes = self.strikes[task.spec.id] = self.strikes.get(task.spec.id, 0) + 1
        if strikes < STRIKES:
            self.suspects.append(Task(task.spec, task.attempt + 1))
            return
        prepared = PreparedCases(self.cases, self.toolbox).of(task.spec.case)
        detail = f"Its worker died {strikes} times while it was playing alone: {reason}"
        await self._keep(
            [packed(faulted_episode(self.run, task.spec, prepared, "worker_died", detail, task.attempt))], {}
        )


async def _stopped(worker: Worker | None) -> None:
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


@contextlib.contextmanager
def interruptible(runner: Runner, told: Callable[[], None]) -> Iterator[None]:
    """While it lasts, the first ctrl-C (or SIGTERM) stops the runner cleanly and the second ends the process."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if runner.stopping:
            os._exit(130)
        told()
        runner.stop()

    signals = (signal.SIGINT, signal.SIGTERM)
    for one in signals:
        loop.add_signal_handler(one, stop)
    try:
        yield
    finally:
        for one in signals:
            loop.remove_signal_handler(one)
