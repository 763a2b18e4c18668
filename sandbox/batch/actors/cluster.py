"""The Ray cluster that a run plays on: joined at an address, or started on this machine."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import socket
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import AuthenticationError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from riskbox.sandbox.batch.actors import access
from riskbox.sandbox.batch.pool import ClusterLost
from riskbox.sandbox.batch.shipping import Shipment
from riskbox.sandbox.errors import Fault, InputError

ATTEMPTS = 2
"""How often Ray is started on this machine before that counts as a fault."""


def check(address: str) -> None:
    """Make sure that there is a cluster at an address and that it lets this process in, without joining it.

    Raises:
        InputError: there is none, or it does not.
    """
    with access.shared(partial(_lets_in, address)):
        _reach(address)


def _reach(address: str) -> None:
    """Ask the port and the token first: Ray itself tries for minutes before it gives up."""
    if "://" in address and not address.startswith("ray://"):
        raise InputError(f"{address} is not an address of Ray; write auto, or the head's host:port.")
    if told := access.missing_token():
        raise InputError(f"cannot join Ray at {address}: {told}")
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except OSError as error:
            raise InputError(
                f"cannot reach Ray at {address}: {error.strerror or error}. Is `ray start --head` running there?"
            ) from None
    if address.startswith("ray://"):
        return
    try:
        services: Any = import_module("ray._private.services")
        raylet: Any = import_module("ray._raylet")
        found, client = services.canonicalize_bootstrap_address, raylet.GcsClient
    except (ImportError, AttributeError):
        return  # private parts of Ray: where a later one has none of them, joining finds out
    try:
        client(address=found(address, None))
    except Exception as error:
        raise _refused(address, error) from error


def _lets_in(address: str) -> bool:
    """Whether a cluster does not refuse this process; one that cannot be reached refuses nobody."""
    try:
        _reach(address)
    except InputError as error:
        return not isinstance(error.__cause__, AuthenticationError)
    return True


def _refused(address: str, error: BaseException) -> InputError:
    told = access.advice(error) or _first_line(error)
    return InputError(f"cannot join Ray at {address}: {told}")


@asynccontextmanager
async def joined(address: str | None, *, shipment: Shipment | None = None) -> AsyncIterator[None]:
    """`cluster` for an event loop, which goes on while Ray starts and ends.

    Cancelled while Ray starts, it ends at once; Ray is shut down as soon as it is up.

    Raises:
        InputError: there is no cluster at the address, or it does not let this process in.
        Fault: Ray does not start on this machine.
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
            with _STARTS, cluster(address, shipment=shipment):
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
    except ClusterLost:
        # shutting down waits for the head as well, here and at the end of the process
        atexit.unregister(ray.shutdown)
        over.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(down), FAREWELL)
        raise
    except BaseException:
        over.set()
        await down
        raise
    over.set()
    await down


FAREWELL = 3.0
"""Seconds that leaving a cluster may take that has lost its head."""
_STARTS = threading.Lock()
"""Held while Ray starts or ends in this process: a start that was cancelled must be over before the next."""


@contextmanager
def cluster(address: str | None, *, shipment: Shipment | None = None) -> Iterator[None]:
    """Within it, this process is part of a Ray cluster: the one it already is in, the one at the address, or a new
    one on this machine that ends with it.

    A new one listens on the loopback interface only and takes commands only with a token of its own.

    Args:
        address: Where the cluster is: `auto`, or the head's `host:port`; None for this machine.
        shipment: What its workers need besides Riskbox.

    Raises:
        InputError: there is no cluster at the address, it does not let this process in, or its machines have other
            versions.
        Fault: Ray does not start on this machine.
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
    with ExitStack() as stack:
        if shipment:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="riskbox-"))
            options["runtime_env"] = {"working_dir": str(shipment.pack(Path(folder)))}
        if address is None:
            stack.enter_context(access.alone())
            options |= {"include_dashboard": False, "object_store_memory": 256 * 1024 * 1024}
            _start(options)
        else:
            stack.enter_context(access.shared(partial(_lets_in, address)))
            _reach(address)
            _join(address, options)
        try:
            if address is not None:
                _refuse_other_versions()
            yield
        finally:
            ray.shutdown()


def _start(options: dict[str, Any]) -> None:
    """Start Ray on this machine; on a machine that is busy it may need a second attempt.

    Raises:
        Fault: it does not start.
    """
    for attempt in range(1, ATTEMPTS + 1):
        before = access.descendants()
        try:
            ray.init(address="local", **options)
            return
        except Exception as error:
            ray.shutdown()
            access.end(access.descendants() - before)
            if attempt == ATTEMPTS:
                raise Fault(
                    f"Ray did not start on this machine, tried {ATTEMPTS} times: {_first_line(error)} Close programs that "
                    "take memory, processor time or space in /dev/shm and /tmp, or play without Ray: --local."
                ) from None
            print(
                f"riskbox: Ray did not start: {_first_line(error)} Trying once more.",
                file=sys.stderr,
                flush=True,
            )


def _join(address: str, options: dict[str, Any]) -> None:
    """Join the cluster at an address.

    Raises:
        InputError: there is none, or it does not let this process in.
    """
    try:
        ray.init(address=address, **options)
    except Exception as error:
        ray.shutdown()
        raise InputError(
            f"cannot reach Ray at {address}: {access.advice(error) or _first_line(error)}"
        ) from None


def _first_line(error: BaseException) -> str:
    """The first line of an error, as a sentence."""
    told = str(error).strip() or type(error).__name__
    return f"{told.splitlines()[0].rstrip(' .:')}."


def _refuse_other_versions() -> None:
    """Ask each machine which versions it has: what one pickles, another could not read.

    Raises:
        InputError: a machine has another version than this one, or no Riskbox.
    """
    wanted = _versions()
    # sent by value, since a machine without Riskbox could not import it
    ask = ray.remote(num_cpus=0)(_by_value())
    asked = {
        one["NodeManagerAddress"]: ask.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(one["NodeID"], soft=False)
        ).remote(_PACKAGES)
        for one in ray.nodes()
        if one["Alive"]
    }
    for where, reference in asked.items():
        try:
            found = ray.get(reference, timeout=120)
        except RayTaskError as error:
            raise InputError(
                f"{where} cannot run this command's code: {_first_line(error.cause or error)}"
            ) from None
        except RayError:
            continue  # the machine left; the run goes on with the others
        for name, mine in wanted.items():
            if found[name] != mine:
                theirs = f"has {name} {found[name]}" if found[name] else f"has no {name}"
                raise InputError(
                    f"the machine {where} {theirs}, this one has {name} {mine}; install the same on all machines of the "
                    "cluster."
                )


_PACKAGES = ("riskbox", "ray")


def _versions() -> dict[str, str]:
    found: dict[str, str] = _by_value()(_PACKAGES)
    return found


def _by_value() -> Callable[[Sequence[str]], dict[str, str]]:
    """What tells the versions on a machine; a function in a function travels as code and not as a name."""

    def versions(packages: Sequence[str]) -> dict[str, str]:
        import platform
        from importlib.metadata import PackageNotFoundError, version

        found = {"Python": platform.python_version()}
        for one in packages:
            try:
                found[one] = version(one)
            except PackageNotFoundError:
                found[one] = ""
        return found

    return versions


def _silence_obituaries() -> None:
    """Keep Ray from printing a paragraph for each worker that dies; the runner reports each death that counts.

    Ray has no switch for it and prints through a private function. Where a later Ray has moved that function, its
    paragraphs come back and nothing else changes.
    """
    with suppress(ImportError):
        worker: Any = import_module("ray._private.worker")
        worker.print_to_stdstream = lambda *_, **__: None
