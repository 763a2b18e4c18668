"""Async work for callers that are not async, in a script and in a notebook alike."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """What async work returns.

    A thread that runs an event loop already, as a notebook's does, cannot run another; there the work gets a thread and
    a loop of its own. ctrl-C cancels the work, waits until it has stored what is finished, and raises
    `KeyboardInterrupt`.
    """
    if not _is_in_loop():
        return asyncio.run(work)

    started: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def run() -> T:
        task = asyncio.current_task()
        assert task is not None
        started.append((asyncio.get_running_loop(), task))
        return await work

    with ThreadPoolExecutor(1, thread_name_prefix="riskbox") as pool:
        done = pool.submit(contextvars.copy_context().run, asyncio.run, run())
        try:
            return done.result()
        except KeyboardInterrupt:
            for loop, task in started:
                loop.call_soon_threadsafe(task.cancel)
            raise  # once the pool has waited for its thread


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def sync_twin(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """The function `name` to an async function `name_async`: it waits for the work, in a notebook too."""

    @wraps(function)
    def twin(*args: P.args, **options: P.kwargs) -> T:
        return wait_for(function(*args, **options))

    twin.__name__ = twin.__qualname__ = function.__name__.removesuffix("_async")
    return twin


def async_twin(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """The async function `name_async` to a function `name`: it works in a thread, so that the event loop goes on."""

    @wraps(function)
    async def twin(*args: P.args, **options: P.kwargs) -> T:
        return await asyncio.to_thread(function, *args, **options)

    twin.__name__ = twin.__qualname__ = f"{function.__name__}_async"
    return twin
