"""How long an event loop was blocked: by an evaluator, a neighbour's code, a large answer. Nobody who waits can help that."""

from __future__ import annotations

import asyncio
import time
from weakref import WeakKeyDictionary

EVERY = 0.25
"""Seconds between two looks at the clock; of each block up to so much is not noticed."""
SLACK = 0.05
"""Seconds of lateness that are usual."""

_of: WeakKeyDictionary[asyncio.AbstractEventLoop, Lag] = WeakKeyDictionary()


class Lag:
    """How long one event loop was blocked, while somebody asks."""

    def __init__(self) -> None:  # it holds no loop, which could not be freed then
        self._before = self._due = 0.0
        self._asking = 0

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> Lag:
        """That of a loop."""
        if loop not in _of:
            _of[loop] = cls()
        return _of[loop]

    @property
    def seconds(self) -> float:
        """Seconds so far, those of a block that has just ended among them."""
        return self._before + (max(0.0, time.monotonic() - self._due - SLACK) if self._due else 0.0)

    def begin(self) -> None:
        """From now on somebody asks."""
        self._asking += 1
        if not self._due:
            self._arm()

    def end(self) -> None:
        """One asks no more."""
        self._asking -= 1

    def _arm(self) -> None:
        self._due = time.monotonic() + EVERY
        asyncio.get_running_loop().call_later(EVERY, self._look)

    def _look(self) -> None:
        self._before, self._due = self.seconds, 0.0
        if self._asking:
            self._arm()
