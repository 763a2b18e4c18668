"""An event loop whose clock is simulated: sleeping takes no time, and waiting for nothing at all is an error."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Deadlock(Exception):
    """Everybody waits and nobody is due."""


class _Selector(selectors.SelectSelector):
    """Waits by moving the clock on."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise Deadlock
        self.now += max(0.0, timeout)
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """The loop; `time` is the simulated clock."""

    def __init__(self) -> None:
        self.waits = _Selector()
        super().__init__(self.waits)

    def time(self) -> float:
        """Seconds since it was made."""
        return self.waits.now


def simulated(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in simulated time.

    Raises:
        Deadlock: it would have waited for ever.
    """
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(work)
