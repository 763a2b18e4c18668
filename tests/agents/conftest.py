"""Episodes in which language models play_episode, answered by a provider on loopback."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from riskbox.sandbox.contracts.model import ModelSession
from riskbox.sandbox.episode.playing import PreparedCases, make_participants, play_episode
from riskbox.sandbox.models.client import Clients
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.run import Spec
from tests.agents.mcp_clients import WriteClient

if TYPE_CHECKING:
    from riskbox.sandbox.stub.server import Stub

Modelled = Callable[..., Played]


@pytest.fixture
def modelled(stub: Stub) -> Modelled:
    """Plays a case with models of the stub: `modelled(case, user="u", agent="text:a")`; names without `:` stay."""

    def one(case: Case, *, user: str = "", agent: str = "", seed: int = 1) -> Played:
        def place(name: str) -> str:
            kind, _, model = name.rpartition(":")
            return f"{kind}:{stub.url}/v1#{model}" if kind else f"{stub.url}/v1#{model}"

        cast = Cast(agent=place(agent) if agent else "idle", user=place(user) if user else "scripted")
        return asyncio.run(_played(case, cast, seed))

    return one


async def _played(case: Case, cast: Cast, seed: int) -> Played:
    models = Clients()
    session = ModelSession(models, seed)
    spec = Spec.of(case.hash, cast, seed)
    try:
        prepared = PreparedCases({case.hash: case}).of(case.hash)
        return await play_episode(
            "test", spec, prepared, make_participants(spec, case, session), [], session=session
        )
    finally:
        await models.close()


@pytest.fixture
def write_client(tmp_path: Path) -> WriteClient:
    """Writes a program in parts and gives the command that runs it."""

    def one(*parts: str) -> str:
        path = tmp_path / "my agent.py"
        path.write_text("\n".join(map(textwrap.dedent, parts)))
        return shlex.join([sys.executable, str(path)])

    return one


def started(one: psutil.Process, folder: Path) -> bool:
    """Whether a process, whoever its parent is now, was started under a path that holds the folder."""
    try:
        return one.pid != os.getpid() and str(folder) in one.environ().get("PATH", "")
    except psutil.Error:
        return False


@pytest.fixture
def leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No process, port or temporary file is left by the test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}{folder}")
    me = psutil.Process()

    def left() -> list[Any]:
        ports = [one for one in me.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
        return [*(one for one in psutil.process_iter() if started(one, folder)), *ports, *folder.iterdir()]

    yield
    deadline = time.monotonic() + 10
    while left() and time.monotonic() < deadline:
        time.sleep(0.05)  # a killed process takes a moment to go
    assert left() == []
