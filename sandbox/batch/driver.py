"""Whoever plays a run holds it: a thread beats for as long as it does, so that nobody else plays the same meanwhile."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from riskbox.sandbox.batch.progress import RunProgress
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import InputError, RiskboxError, TakenOver
from riskbox.sandbox.stores import liveness
from riskbox.sandbox.words.heartbeat import EVERY, Heartbeat

WINDOW = 60.0
"""Seconds over which the rate is taken."""


class Driver:
    """Holds a run. It beats from a thread, because an event loop that is blocked is not dead.

    Args:
        store: Holds the run.
        run: Its id.
        log: The file of the run's log.
    """

    def __init__(self, store: Store, run: str, log: str = "") -> None:
        self.store, self.run = store, run
        self.progress = RunProgress(0)
        """How far the run is; whoever plays puts it here."""
        self.lost: TakenOver | None = None
        """That another has taken the run over."""
        self._first = Heartbeat(
            driver=secrets.token_hex(8),
            host=liveness.host(),
            pid=os.getpid(),
            born=liveness.born(os.getpid()),
            boot=liveness.boot(),
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            every=EVERY,
            log=log,
        )
        self._stored: deque[tuple[float, int]] = deque()
        self._on_lost: Callable[[], object] = lambda: None
        self._on_asked: Callable[[], object] = lambda: None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="riskbox-heartbeat", daemon=True)

    def start(self, *, take_over: bool = False) -> None:
        """Take the run and begin to beat.

        Raises:
            InputError: a living driver holds the run, and is not to lose it.
        """
        if other := self.store.beat(self.run, self._now(), take=take_over):
            raise _driven(self.run, other, self.store.now())
        self._thread.start()

    def stop(self) -> None:
        """Beat no more. The run is still held until it is finished."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()

    def when_lost(self, call: Callable[[], object]) -> None:
        """Call this from the thread that beats when another takes the run over; at once where that has happened."""
        self._on_lost = call
        if self.lost is not None:
            call()

    def when_asked(self, call: Callable[[], object]) -> None:
        """Call this from the thread that beats when another process asks the run to stop."""
        self._on_asked = call

    def _beat(self) -> None:
        feed = self.store.live()
        while not self._ending.wait(EVERY):
            try:
                self.store.beat(self.run, self._now())
                if feed is not None and feed.stop_asked(self.run):
                    self._on_asked()
            except TakenOver as lost:
                self.lost = lost
                self._on_lost()
                return
            except RiskboxError:
                continue  # whoever writes episodes says what is wrong with the store

    def _now(self) -> Heartbeat:
        progress, clock = self.progress, time.monotonic()
        self._stored.append((clock, progress.done))
        while clock - self._stored[0][0] > WINDOW:
            self._stored.popleft()
        since, before = self._stored[0]
        return self._first.model_copy(
            update={
                "planned": progress.planned,
                "done": progress.done,
                "faults": progress.faults,
                "rate": round((progress.done - before) / (clock - since), 3) if clock > since else 0.0,
                "cost": round(progress.cost, 8),
                "tokens": progress.tokens,
                "unjudged": progress.unjudged,
                "workers": self.progress.workers,
                "extra": progress.more(),
            }
        )


@contextmanager
def driving(
    store: Store, run: str, progress: RunProgress, *, take_over: bool = False, log: str = ""
) -> Iterator[Driver]:
    """Hold a run within this; whoever finishes the run lets it go.

    Args:
        store: Holds the run.
        run: Its id.
        progress: How far it is; the driver's `progress` may be replaced later.
        take_over: Whether a living driver loses the run.
        log: The file of the run's log.

    Raises:
        InputError: a living driver holds the run, and is not to lose it.
    """
    driver = Driver(store, run, log)
    driver.progress = progress
    driver.start(take_over=take_over)
    try:
        yield driver
    finally:
        driver.stop()


def refuse_driven(store: Store, run: str) -> None:
    """Refuse to play or judge a run that a living driver holds, before anything is planned.

    Raises:
        InputError: there is one.
    """
    beat, now = store.heartbeat(run), store.now()
    if beat is not None and liveness.is_living(beat, now):
        raise _driven(run, beat, now)


def _driven(run: str, by: Heartbeat, now: float) -> InputError:
    return InputError(
        f"run {run} is being played by {liveness.who(by, now)}. Wait for it or stop it; with --take-over "
        "(take_over=True in Python) this command takes its place, and it stops."
    )
