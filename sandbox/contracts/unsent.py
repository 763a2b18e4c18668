"""Time in which the model calls of an episode waited to be sent: nobody whose turn it is can help that.

A call waits for the run's own limits, for a provider that answered 429, and between retries. The client counts such
time here, and the limit of a turn leaves it out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Unsent:
    """How long calls waited to be sent. Calls that wait at the same time count once."""

    def __init__(self) -> None:
        self._waiting, self._since, self._before = 0, 0.0, 0.0

    @property
    def waits(self) -> bool:
        """Whether a call waits now."""
        return self._waiting > 0

    @property
    def seconds(self) -> float:
        """For how long calls have waited so far."""
        return self._before + (time.monotonic() - self._since if self._waiting else 0.0)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Within it, a call waits."""
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._before += time.monotonic() - self._since


UNSENT: ContextVar[Unsent | None] = ContextVar("UNSENT", default=None)
"""Where the calls that are made from here are counted. Tasks that are started within an episode inherit it."""


@contextmanager
def counting() -> Iterator[Unsent]:
    """Within it, calls are counted in a new `Unsent`."""
    unsent = Unsent()
    before = UNSENT.set(unsent)
    try:
        yield unsent
    finally:
        UNSENT.reset(before)


@contextmanager
def waiting() -> Iterator[None]:
    """Within it, a call waits to be sent."""
    unsent = UNSENT.get()
    if unsent is None:
        yield
        return
    with unsent.counted():
        yield
