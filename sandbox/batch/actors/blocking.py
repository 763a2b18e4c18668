"""Calls of Ray that block until the head of the cluster answers, which it may never do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """What a call returns, made in a thread that keeps neither the event loop nor the process from ending."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[T] = loop.create_future()

    def settle(answer: T | None, error: BaseException | None) -> None:
        if not answered.done():
            answered.set_exception(error) if error else answered.set_result(answer)  # type: ignore[arg-type]

    def work() -> None:
        answer, raised = None, None
        try:
            answer = call()
        except BaseException as error:  # it is raised again where it is waited for
            raised = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, answer, raised)

    threading.Thread(target=work, name="riskbox-ray-call", daemon=True).start()
    return await answered
