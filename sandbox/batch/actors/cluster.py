"""The Ray cluster that a run plays on: joined at an address, or started on this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib import import_module
from typing import Any

import ray

from riskbox.sandbox.errors import InputError


def _reach(address: str) -> None:
    """Ask the port first: Ray itself tries for minutes before it gives up."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError as error:
        raise InputError(
            f"cannot reach Ray at {address}: {error.strerror or error}. Is `ray start --head` running there?"
        ) from None


@asynccontextmanager
async def joined(address: str | None, *, working_dir: str | None = None) -> AsyncIterator[None]:
    """`cluster` for an event loop, which goes on while Ray starts and ends.

    Cancelled while Ray starts, it ends at once; Ray is shut down as soon as it is up.

    Raises:
        InputError: there is no cluster at the address.
    """
    loop, over = asyncio.get_running_loop(), threading.Event()
    up: asyncio.Future[None] = loop.create_future()
    down: asyncio.Future[None] = loop.create_future()

    def tell(future: asyncio.Future[None], error: BaseException | None = None) -> None:
        def settle() -> None:
            if not future.done():
                future.set_exception(error) if error else future.set_result(None)

        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle)

    def own() -> None:
        try:
            with _STARTS, cluster(address, working_dir=working_dir):
                if not over.is_set():
                    _STARTS.release()
                    tell(up)
                    over.wait()
                    _STARTS.acquire()
        except BaseException as error:
            tell(up, error)
        tell(down)

    # the kernel ends Ray's processes with the thread that started them, so one thread keeps them all the time; it is a
    # daemon, so that a process whose run was cancelled can end before Ray has started
    threading.Thread(target=own, name="riskbox-ray", daemon=True).start()
    try:
        await up
    except BaseException:
        over.set()
        raise
    try:
        yield
    finally:
        over.set()
        await down


_STARTS = threading.Lock()
"""Held while Ray starts or ends in this process: a start that was cancelled must be over before the next."""


@contextmanager
def cluster(address: str | None, *, working_dir: str | None = None) -> Iterator[None]:
    """Within it, this process is part of a Ray cluster: the one it already is in, the one at the address, or a new
    one on this machine that ends with it.

    Raises:
        InputError: there is no cluster at the address.
    """
    if ray.is_initialized() and address is None:
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    logging.getLogger("ray").setLevel(logging.ERROR)
    _silence_obituaries()
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": False}
    if working_dir:
        options["runtime_env"] = {"working_dir": working_dir}
    if address is None:
        options |= {"include_dashboard": False, "object_store_memory": 256 * 1024 * 1024}
    if address is not None:
        _reach(address)
    try:
        ray.init(address=address or "local", **options)
    except (ConnectionError, ValueError, RuntimeError) as error:
        at = f"at {address}" if address else "on this machine"
        raise InputError(f"cannot reach Ray {at}: {str(error).splitlines()[0]}") from None
    try:
        yield
    finally:
        ray.shutdown()


def _silence_obituaries() -> None:
    """Keep Ray from printing a paragraph for each worker that dies; the runner reports each death that counts.

    Ray has no switch for it and prints through a private function. Where a later Ray has moved that function, its
    paragraphs come back and nothing else changes.
    """
    with suppress(ImportError):
        worker: Any = import_module("ray._private.worker")
        worker.print_to_stdstream = lambda *_, **__: None
