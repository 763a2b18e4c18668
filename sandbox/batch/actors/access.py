"""Who may reach Ray's ports, and which of its processes are ours."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil
import ray
from ray.exceptions import AuthenticationError

MODE, TOKEN, TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
"""Ray's settings for token authentication, all in the environment."""
LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Ray's setting that, at 0, keeps a cluster to the loopback interface; in spite of its name it works on Linux too."""


@contextmanager
def alone() -> Iterator[None]:
    """Within it, a cluster that this process starts listens on loopback only and has a fresh token of its own.

    A token or a mode that the environment names is left as it is. No token is written to the home folder, so that
    clusters of the user's own start as they did.
    """
    given = {LOOPBACK: "0", MODE: os.environ.get(MODE, "token")}
    if given[MODE] == "token" and not (os.environ.get(TOKEN) or os.environ.get(TOKEN_PATH)):
        given[TOKEN] = secrets.token_hex(32)
    constants: Any = import_module("ray._private.ray_constants")
    before = constants.ENABLE_RAY_CLUSTER  # read from the environment when Ray was imported
    constants.ENABLE_RAY_CLUSTER = False
    try:
        with _environment(given):
            yield
    finally:
        constants.ENABLE_RAY_CLUSTER = before


@contextmanager
def shared(lets_in: Callable[[], bool]) -> Iterator[None]:
    """Within it, a cluster is joined with the user's token where it asks for one, unless RAY_AUTH_MODE says otherwise.

    Args:
        lets_in: Whether the cluster lets this process in as it is now. A token that a cluster does not ask for would end
            its workers, because they do not show one in turn.
    """
    if os.environ.get(MODE) or not _has_token():
        with _environment({}):
            yield
        return
    with _environment({MODE: "disabled"}):
        mode = "disabled" if lets_in() else "token"
    with _environment({MODE: mode}):
        yield


def _has_token() -> bool:
    """Whether Ray would find a token in the environment or in the home folder."""
    path = os.environ.get(TOKEN_PATH)
    return bool(os.environ.get(TOKEN)) or Path(path or Path.home() / ".ray" / "auth_token").is_file()


@contextmanager
def _environment(given: dict[str, str]) -> Iterator[None]:
    """Set variables for a while, and have Ray read them, which it otherwise does once."""
    before = {name: os.environ.get(name) for name in (MODE, *given)}
    os.environ.update(given)
    _read_again()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        _read_again()


def _read_again() -> None:
    with suppress(ImportError, AttributeError):
        raylet: Any = import_module("ray._raylet")
        raylet.Config.initialize("")
        raylet.AuthenticationTokenLoader.instance().reset_cache()


def missing_token() -> str:
    """What to do where a token is asked for and there is none, which would end the process; else empty."""
    if os.environ.get(MODE) != "token" or _has_token():
        return ""
    if os.environ.get(TOKEN_PATH):
        return "RAY_AUTH_TOKEN_PATH names a file that is not there."
    return f"RAY_AUTH_MODE=token is set and there is no token. {_COPY}."


_COPY = "Copy the cluster's token to ~/.ray/auth_token, or name its file in RAY_AUTH_TOKEN_PATH"


def advice(error: BaseException) -> str:
    """What to do where a cluster did not let this process in; empty where the error is another."""
    causes: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in causes:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    if not any(isinstance(one, AuthenticationError) or "nauthenticated" in str(one) for one in causes):
        return ""
    if os.environ.get(MODE) == "token":
        return f"it does not take this machine's token. {_COPY}."
    if _has_token():
        return "it asks for a token, and RAY_AUTH_MODE=disabled is set. Leave RAY_AUTH_MODE out."
    return f"it asks for a token. {_COPY}."


def descendants() -> set[psutil.Process]:
    """Ray's processes that descend from this one, and all that descend from those."""
    home = str(Path(ray.__file__).parent)
    found: set[psutil.Process] = set()
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if any(home in word for word in one.cmdline()):
                found |= {one, *one.children(recursive=True)}
    return found


def end(processes: set[psutil.Process]) -> None:
    """Kill processes and wait until they are gone."""
    for one in processes:
        with suppress(psutil.Error):
            one.kill()
    psutil.wait_procs(list(processes), timeout=10)
