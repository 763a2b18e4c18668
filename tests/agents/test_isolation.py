"""What an isolated command can do: real bubblewrap, skipped where the platform forbids it."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.processes.confinement import Confinement, Isolation
from riskbox.sandbox.processes.isolation import check_isolation
from tests.agents import mcp_clients
from tests.agents.test_confinement import ANSWERS, Write, played, said
from tests.agents.test_confinement import write as write  # a fixture


def forbidden() -> str:
    """Why nothing can be isolated here; empty where it can."""
    try:
        check_isolation(Confinement(isolation="full"))
    except InputError as error:
        return str(error)
    return ""


isolating = pytest.mark.skipif(bool(WHY := forbidden()), reason=WHY or "isolation is possible")

TRIES = """
import socket, tempfile
def tried(deed):
    try:
        return deed() or "done"
    except OSError as error:
        return type(error).__name__

def unix(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(path)

def tcp(port):
    socket.create_connection(("127.0.0.1", port), 2).close()

def scratch():
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x")

found = {{
    "write": tried(lambda: open({file!r}, "w").close()),
    "scratch": tried(scratch),
    "tcp": tried(lambda: tcp({port})),
    "unix": tried(lambda: unix({unix!r})),
    "pair": tried(lambda: socket.socketpair()[0].close()),
    "others": len([one for one in os.listdir("/proc") if one.isdigit()]) > 5,
}}
"""


def tries(write: Write, folder: Path, isolation: Isolation) -> dict[str, Any]:
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(folder / "s"))
        unix.listen()
        code = TRIES.format(file=str(folder / "made"), port=tcp.getsockname()[1], unix=str(folder / "s"))
        command = write(code + ANSWERS.format(deed="pass", answer="json.dumps(found)"))
        found: dict[str, Any] = json.loads(
            said(played(f"process:{command}", Confinement(isolation=isolation)))[0]
        )
    return found


FREE = {"write": "done", "scratch": "done", "tcp": "done", "unix": "done", "pair": "done"}
KEPT: list[tuple[Isolation, dict[str, Any]]] = [
    ("none", {**FREE, "others": True}),
    ("files", {**FREE, "write": "OSError", "others": False}),
    ("network", {**FREE, "tcp": "ConnectionRefusedError", "unix": "PermissionError", "others": False}),
    ("full", {"write": "OSError", "scratch": "done", "tcp": "ConnectionRefusedError", "unix": "PermissionError", "pair": "done", "others": False}),
]  # fmt: skip


@isolating
@pytest.mark.parametrize(("isolation", "found"), KEPT)
def test_what_it_can_do(write: Write, tmp_path: Path, isolation: Isolation, found: dict[str, Any]) -> None:
    assert tries(write, tmp_path, isolation) == found
    assert (tmp_path / "made").exists() == (found["write"] == "done")


@isolating
def test_its_memory_is_limited_too(write: Write) -> None:
    command = write("kept = bytearray(b'x' * 2**20) * 400; time.sleep(60)")
    one = played(f"process:{command}", Confinement(memory=200 * 2**20, isolation="full"))
    assert "more than --agent-memory 0.195, and was ended" in one.episode.ended.detail


def test_where_it_is_not_possible_the_run_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        InputError, match="not possible on this machine: there is no bwrap; install bubblewrap"
    ):
        check_isolation(Confinement(isolation="files"))
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho No permissions to create new namespace >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(
        InputError, match=r"this machine forbids it \(No permissions to create new namespace\)"
    ):
        check_isolation(Confinement(isolation="files"))


REFUSED = [
    ("mine.py:agent", "files", "plays in a process of Ray's or of Riskbox's"),
    (
        f"mcp:{shlex.quote(sys.executable)}",
        "network",
        "reaches its tools over the network. Write files instead",
    ),
    ("service:http://127.0.0.1:9/act", "full", "runs elsewhere; isolate it there"),
]


@pytest.mark.parametrize(("agent", "isolation", "told"), REFUSED)
def test_what_cannot_be_isolated_is_refused(
    command: Callable[..., subprocess.CompletedProcess[str]],
    records: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    agent: str,
    isolation: str,
    told: str,
) -> None:
    (tmp_path / "mine.py").write_text("def agent(messages, tools):\n    return 'Hm.'\n")
    agent = agent.replace("mine.py", str(tmp_path / "mine.py"))
    done = command("run", records, "--agent", agent, "--local", "--agent-isolation", isolation)
    assert done.returncode == 2 and told in done.stderr
    assert not os.path.exists(tmp_path / "riskbox.db")


@isolating
def test_an_mcp_client_that_may_not_write_reaches_its_tools(write_client: Callable[..., str]) -> None:
    confinement = Confinement(values={"VIA": "http", "MODE": "auto"}, isolation="files")
    one = mcp_clients.played(write_client(mcp_clients.SDK, mcp_clients.LASTING), confinement=confinement)
    assert one.episode.ended.reason == "user_left"
