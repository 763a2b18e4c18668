"""Watches how much memory the processes of the user's take, in one thread for all that this process started."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from riskbox.sandbox.processes.keeper import below, families, kill, memory, pause


@dataclass(frozen=True)
class _Watched:
    limit: int
    exceeded: Callable[[int], None]


class MemoryWatch:
    """Kills what grows beyond its limit. Its thread runs while there is anything to watch."""

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, keeper: int, limit: int, exceeded: Callable[[int], None]) -> None:
        """Watch everything below a keeper.

        Args:
            keeper: Its process id.
            limit: The bytes that all below it may use together.
            exceeded: Called from the thread with the bytes in use, before everything is killed.
        """
        with self._changed:
            self._watched[keeper] = _Watched(limit, exceeded)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="riskbox-memory", daemon=True)
                self._thread.start()
            self._changed.notify()

    def remove(self, keeper: int) -> None:
        """Watch it no longer."""
        with self._changed:
            self._watched.pop(keeper, None)

    def _watch(self) -> None:
        while True:
            with self._changed:
                if not self._watched:
                    self._thread = None
                    return
                watched = dict(self._watched)
            found, least = families(), sys.maxsize
            for keeper, one in watched.items():
                used = memory(below(keeper, found), one.limit)
                if used > one.limit:
                    self.remove(keeper)
                    one.exceeded(used)
                    kill(keeper)
                else:
                    least = min(least, one.limit - used)
            with self._changed:
                self._changed.wait(pause(least))


WATCH = MemoryWatch()
"""The one of this process."""
