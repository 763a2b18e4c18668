"""The pool of workers of a run: as many as the cluster has room for, started again when a start fails.

A lost machine is a smaller pool, and a machine that joins a larger one. A worker that no machine has room for yet waits, and
keeps nobody else waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from riskbox.sandbox.batch.work import Attempt, Work, WorkResult
from riskbox.sandbox.errors import Fault
from riskbox.sandbox.log import WARNING, tell

SILENCE = 60.0
"""Seconds a worker may take to answer before it counts as hung."""
STARTS = 5
"""Starts in a row that may fail while no worker lives, before the run ends."""
BACK_OFF = 0.5
"""Seconds between the first start that fails and the next; doubled with each one more."""
LONGEST_BACK_OFF = 30.0
WATCH = 5.0
"""Seconds between two looks at the cluster."""
LOST = 30.0
"""Seconds the cluster may take to answer such a look. After 60, Ray ends this process without a word."""
WAITING = 20.0
"""Seconds a worker may wait for a free core before it is told."""


class Worker(Protocol):
    """What the runner asks of a worker: a `Player` in this process, or the handle of an episode actor.

    Each call may be repeated when its answer was lost: what is known is not queued twice, and a result comes again until it
    is acknowledged.
    """

    async def add(self, work: Sequence[Work]) -> None:
        """Queue episodes to play and to judge."""

    async def take(self, most: int, acknowledged: Sequence[str], wait: float) -> list[WorkResult]:
        """Return results."""

    async def release(self, ids: Sequence[str], most: int) -> None:
        """Hand back some of these episodes that have not started; `take` returns each as `Unstarted`."""

    async def stop(self) -> None:
        """Start nothing more and end what runs."""

    def kill(self) -> None:
        """End the worker at once."""


class WorkerDied(Exception):
    """A worker's process is gone."""

    def __init__(self, told: str) -> None:
        super().__init__(told)
        tell("worker_died", WARNING, reason=told)


class ClusterLost(Fault):
    """The head of the cluster does not answer any more. Nothing of it can be ended or asked."""


class Room(NamedTuple):
    """What a cluster has room for just now."""

    workers: int
    """How many workers play side by side."""
    full: bool = False
    """Whether there is no core left for one more."""


StartWorker = Callable[[int], Awaitable[Worker]]
"""Starts a worker that plays so many episodes at once."""
Look = Callable[[], Awaitable[Room]]
"""Looks at what the cluster has room for."""


async def one_worker() -> Room:
    """Room for one worker: that of this process."""
    return Room(1)


@dataclass(eq=False)
class Slot:
    """The place of one worker, and what it was given and has not handed back."""

    alone: bool = False
    """Whether it plays episodes in quarantine, each alone."""
    attempts: dict[str, Attempt] = field(default_factory=dict)
    """Episodes to play, by id."""
    judging: set[str] = field(default_factory=set)
    """Ids of episodes to judge."""
    worker: Worker | None = None
    """Its worker, once that is up."""
    since: float = field(default_factory=time.monotonic)
    """When it began to wait for its worker, on the monotonic clock."""
    asked_back: bool = False
    """Whether it was asked to hand back episodes and has not answered yet."""
    starting: asyncio.Future[Worker] | None = None
    """Its worker, while that starts."""
    dismissed: bool = False
    """Whether its worker is not wanted any more."""

    @property
    def holds(self) -> bool:
        """Whether it has anything to play or to judge."""
        return bool(self.attempts or self.judging)

    @property
    def waited(self) -> float:
        """Seconds it has waited for its worker; 0 once that is up."""
        return time.monotonic() - self.since if self.worker is None else 0.0

    def dismiss(self) -> None:
        """Wait no more for its worker."""
        self.dismissed = True
        if self.starting is not None:
            self.starting.cancel()

    async def release(self, ids: Sequence[str], most: int) -> None:
        """Ask its worker to hand back episodes; one that does not answer is noticed by whoever feeds it."""
        if self.worker is not None:
            with contextlib.suppress(WorkerDied, TimeoutError):
                async with asyncio.timeout(WATCH):
                    await self.worker.release(ids, most)


class Pool:
    """The workers of a run.

    Args:
        start_worker: Starts a worker.
        look: Looks at what the cluster has room for.
    """

    def __init__(self, start_worker: StartWorker, look: Look) -> None:
        self.start_worker, self.look = start_worker, look
        self.room = Room(1)
        self.slots: list[Slot] = []
        self.news = asyncio.Event()
        """Set once when something has changed for whoever waits; the next change has another event."""
        self._failures = 0
        self._not_before = 0.0

    def of(self, *, alone: bool) -> list[Slot]:
        """The slots that play episodes in quarantine, or the others."""
        return [slot for slot in self.slots if slot.alone == alone]

    @property
    def waiting(self) -> int:
        """How many workers wait for free cores, and have for a while."""
        return sum(slot.waited > WAITING for slot in self.slots) if self.room.full else 0

    def tell(self) -> None:
        """Wake whoever waits for news."""
        self.news.set()
        self.news = asyncio.Event()

    async def wait(self, news: asyncio.Event, seconds: float) -> None:
        """Wait for news, but no longer than so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await news.wait()

    async def watch(self) -> None:
        """Keep `room` true, until this is cancelled.

        Raises:
            ClusterLost: the cluster does not answer any more.
        """
        while True:
            await asyncio.sleep(WATCH)
            await self.measure()

    async def measure(self) -> None:
        """Look once at what the cluster has room for.

        Raises:
            ClusterLost: the cluster does not answer.
        """
        try:
            async with asyncio.timeout(LOST):
                self.room = await self.look()
        except TimeoutError:
            raise ClusterLost(
                f"the head of the Ray cluster has not answered for {LOST:g} s. Start it again, then continue the run."
            ) from None
        self.tell()

    def bring_to(self, count: int, start: Callable[[Slot], object], *, alone: bool) -> None:
        """Have so many slots; those whose workers are up are left alone.

        Args:
            count: How many.
            start: Starts the task of a new slot.
            alone: Whether they are to play episodes in quarantine.
        """
        slots = [slot for slot in self.of(alone=alone) if not slot.dismissed]
        for slot in slots[::-1]:
            if len(slots) > count and slot.worker is None:
                slot.dismiss()
                slots.remove(slot)
        if time.monotonic() < self._not_before:
            return
        for _ in range(count - len(slots)):
            slot = Slot(alone)
            self.slots.append(slot)
            start(slot)

    async def start(self, slot: Slot, concurrency: int) -> Worker | None:
        """A worker for a slot; None where it is not wanted any more, or died while it started.

        Raises:
            Fault: no worker lives, and none can be started.
        """
        if slot.dismissed:
            return None
        slot.starting = asyncio.ensure_future(self.start_worker(concurrency))
        try:
            slot.worker = await slot.starting
        except asyncio.CancelledError:
            if slot.dismissed:
                return None
            raise
        except WorkerDied as death:
            self.failed(death, slot)
            return None
        slot.dismissed = False
        tell("worker_started", alone=slot.alone, seconds=time.monotonic() - slot.since)
        self._failures = 0
        self.tell()
        return slot.worker

    def failed(self, death: WorkerDied, slot: Slot) -> None:
        """Count a worker that died before it did anything.

        Raises:
            Fault: no worker lives, and none can be started.
        """
        now = time.monotonic()
        if now >= self._not_before:  # several that fail at once are one failure
            self._not_before = now + min(BACK_OFF * 2**self._failures, LONGEST_BACK_OFF)
            self._failures += 1
        if self._failures >= STARTS and not any(one.worker for one in self.slots if one is not slot):
            raise Fault(f"no worker could be started, {self._failures} times in a row: {death}")

    def leave(self, slot: Slot) -> None:
        """End the worker of a slot, and give the slot up."""
        if slot.worker is not None:
            slot.worker.kill()
            slot.worker = None
        self.slots.remove(slot)
        self.tell()

    def dismiss_starting(self) -> None:
        """Wait no more for workers that are not up."""
        for slot in self.slots:
            if slot.worker is None:
                slot.dismiss()


async def answered(call: Awaitable[Any]) -> Any:
    """What a worker answers.

    Raises:
        WorkerDied: it has not answered for a minute.
    """
    try:
        async with asyncio.timeout(
            SILENCE
        ):  # `wait_for` may lose the cancellation of a task that has its answer
            return await call
    except TimeoutError:
        raise WorkerDied(f"a worker has not answered for {SILENCE:g} s") from None
