"""One event loop in a thread of its own, on which a synchronous caller awaits participants."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_starting = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def run_without_waiting(work: Coroutine[Any, Any, T]) -> T | None:
    """What a coroutine that never waits comes to; None if it fails, to be asked again where failures are told."""
    try:
        work.send(None)
    except StopIteration as done:
        found: T = done.value
        return found
    except Exception:
        return None
    return None


def run_in_background(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine comes to on the background loop, which also serves callers that run in a loop of their own."""
    running = asyncio.run_coroutine_threadsafe(work, _background())
    try:
        return running.result()
    except BaseException:
        running.cancel()
        raise


def _background() -> asyncio.AbstractEventLoop:
    """The loop of this process, in a daemon thread."""
    global _loop
    with _starting:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="riskbox-env", daemon=True).start()
        return _loop


def _forget() -> None:
    """Threads do not survive a fork: a forked process starts a loop of its own."""
    global _loop, _starting
    _loop, _starting = None, threading.Lock()


os.register_at_fork(after_in_child=_forget)
