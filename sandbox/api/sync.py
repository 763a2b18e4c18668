"""Async work for callers that are not async, in a script and in a notebook alike."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar, get_type_hints

from riskbox.sandbox.errors import is_interrupt

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


GRACE = 1.0
"""Seconds that a task has to end after it was cancelled, each time."""
CANCELS = 3
"""How often a task is cancelled before it is left behind."""


class Executable(Protocol[T_co]):
    """What a function planned, ready to be carried out."""

    async def execute(self) -> T_co:
        """Carry it out."""


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """What async work returns.

    A thread that runs an event loop already, as a notebook's does, cannot run another; there the work gets a thread and
    a loop of its own. ctrl-C cancels the work, waits until it has stored what is finished, and raises
    `KeyboardInterrupt`.
    """
    if not _is_in_loop():
        return _run(_whole(work))

    started: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def run() -> T:
        task = asyncio.current_task()
        assert task is not None
        started.append((asyncio.get_running_loop(), task))
        return await _whole(work)

    with ThreadPoolExecutor(1, thread_name_prefix="riskbox") as pool:
        done = pool.submit(contextvars.copy_context().run, _run, run())
        try:
            return done.result()
        except KeyboardInterrupt:
            for loop, task in started:
                loop.call_soon_threadsafe(task.cancel)
            raise  # once the pool has waited for its thread


class _SteadyLoop(asyncio.SelectorEventLoop):
    """An event loop that only its own work ends.

    asyncio lets `SystemExit` and `KeyboardInterrupt` out of any task or callback, and anybody may stop a loop. Code of
    the user's that shares the loop with a run would so end the run, with an exit code of its choice.
    """

    def run_until_complete(self, future: Any) -> Any:
        """What the work returns; a person's ctrl-C still ends it."""
        task = asyncio.ensure_future(future, loop=self)
        while True:
            try:
                return super().run_until_complete(task)
            except (SystemExit, KeyboardInterrupt, RuntimeError) as error:
                if task.done() or is_interrupt(error):
                    raise
                told = "stopped the event loop" if isinstance(error, RuntimeError) else f"raised {error!r}"
                logging.getLogger("riskbox").warning(
                    "code of an agent, user, toolset or evaluator %s outside of its answer; the run goes on",
                    told,
                )


def _run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=_SteadyLoop) as runner:
        return runner.run(work)


async def _whole(work: Coroutine[Any, Any, T]) -> T:
    """What work returns, once every task that it has left behind has ended, or has had the time to.

    asyncio waits at the end of a loop for every task. One of a user's that ignores its cancellation would keep the
    process from ending, though everything is stored.
    """
    try:
        return await work
    finally:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for _ in range(CANCELS):
            for one in left:
                one.cancel()
            if left:
                done, left = await asyncio.wait(left, timeout=GRACE)
                for one in done:
                    if not one.cancelled():
                        one.exception()  # whose it was is gone; asyncio would print it
        for one in left:
            logging.getLogger("riskbox").warning(
                "a task ignores its cancellation and is left behind: %s", one
            )
            asyncio.tasks._unregister_task(one)
            one._log_destroy_pending = False  # type: ignore[attr-defined]  # it is told already


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


def plan_twins(
    planned: Callable[P, Executable[T]], name: str, *about: str
) -> tuple[Callable[P, T], Callable[P, Coroutine[Any, Any, T]]]:
    """The functions `name` and `name_async`, which plan and carry out at once.

    Args:
        planned: The function that plans. Theirs are its arguments, and what its docstring says of them.
        name: The name of the one that is not async.
        about: The paragraphs of their docstring.
    """

    async def work(*args: P.args, **options: P.kwargs) -> T:
        return await planned(*args, **options).execute()

    _, _, arguments = (planned.__doc__ or "").partition("\n\n")
    result = get_type_hints(get_type_hints(planned)["return"].execute)["return"]
    signature = inspect.signature(planned).replace(return_annotation=result)
    twin = sync_twin(work)
    for function, named in ((twin, name), (work, f"{name}_async")):
        function.__name__ = function.__qualname__ = named
        function.__module__ = planned.__module__
        function.__doc__ = "\n\n    ".join((*about, arguments.strip()))
        vars(function).update(__signature__=signature)  # what help() and notebooks show
    return twin, work
