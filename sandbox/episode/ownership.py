"""Whose cancellation it was.

Code that plays in an episode runs in the task that plays it, and can cancel that task: on purpose, from a thread, or by
a client library that goes wrong. Whoever owns the task says whether it wants it to end. Any other cancellation is taken
back, so that it costs no more than a turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

_IS_ENDING: ContextVar[Callable[[], bool] | None] = ContextVar("_IS_ENDING", default=None)


@contextmanager
def owned(is_ending: Callable[[], bool]) -> Iterator[None]:
    """Within it, the current task is the caller's own.

    Args:
        is_ending: Whether the caller wants the task to end.
    """
    before = _IS_ENDING.set(is_ending)
    try:
        yield
    finally:
        _IS_ENDING.reset(before)


def taken_back() -> bool:
    """Take back the cancellation of the current task, if it is owned and its owner does not want it to end.

    Returns:
        Whether it was taken back; if not, it must go on.
    """
    is_ending, task = _IS_ENDING.get(), asyncio.current_task()
    if is_ending is None or is_ending() or task is None:
        return False
    while task.cancelling():
        task.uncancel()
    return True


async def settled() -> None:
    """Take back a cancellation that is still on its way, so that it does not strike whoever waits next."""
    is_ending = _IS_ENDING.get()
    if is_ending is None:  # then there may be no event loop at all
        return
    task = asyncio.current_task()
    if task is None or not task.cancelling() or is_ending():
        return
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(0)
    taken_back()
