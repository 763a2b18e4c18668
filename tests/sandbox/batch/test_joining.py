"""Joining a cluster that asks for a token, and one that does not, with the right, a wrong and no token."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from tests.command import ENV
from tests.conftest import Command

TOKEN = "0123456789abcdef" * 4


class Head(NamedTuple):
    address: str
    mode: str


def started(port: int, folder: Path, **env: str) -> subprocess.Popen[bytes]:
    """A head of a cluster that is up; `ray start` gives up after 30 seconds on a busy machine, so it is tried again."""
    words = [
        "--head",
        f"--port={port}",
        "--include-dashboard=false",
        "--num-cpus=1",
        "--object-store-memory=100000000",
    ]
    for _ in range(4):
        with (folder / "head.log").open("w") as log:
            process = subprocess.Popen(
                [Path(sys.executable).parent / "ray", "start", *words, "--block"],
                env={**os.environ, **ENV, **env}, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        while process.poll() is None:
            if "Ray runtime started" in (folder / "head.log").read_text():
                return process
            time.sleep(0.2)
    raise AssertionError((folder / "head.log").read_text()[-3000:])


@pytest.fixture(params=["token", "disabled"])
def head(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Head]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        free_port = listening.getsockname()[1]
    process = started(free_port, tmp_path, RAY_AUTH_MODE=request.param, RAY_AUTH_TOKEN=TOKEN)
    try:
        yield Head(f"127.0.0.1:{free_port}", request.param)
    finally:
        for one in psutil.Process(process.pid).children(recursive=True):
            one.kill()
        process.kill()
        process.wait()


@pytest.mark.long
def test_a_run_joins_with_the_token_or_says_what_to_do_and_leaves_nothing(
    riskbox: Command, records: Path, tmp_path: Path, head: Head
) -> None:
    home = tmp_path / "home"
    (home / ".ray").mkdir(parents=True)
    token, store = home / ".ray" / "auth_token", tmp_path / "riskbox.db"

    def run(**env: str) -> subprocess.CompletedProcess[str]:
        words = ("run", records, "--agent", "idle", "--address", head.address, "--workers", "1")
        return riskbox(*words, HOME=str(home), timeout=240, **env)

    wanted = {
        "it asks for a token. Copy": {},
        "it does not take this machine's token. Copy": {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "wrong"},
    }
    if head.mode == "token":
        for said, env in wanted.items():
            done = run(**env)
            assert done.returncode == 2 and "Traceback" not in done.stderr
            assert f"riskbox: cannot join Ray at {head.address}: {said}" in done.stderr
    for env, said in (
        ({"RAY_AUTH_MODE": "token"}, "RAY_AUTH_MODE=token is set and there is no token. Copy"),
        (
            {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(home / "gone")},
            "RAY_AUTH_TOKEN_PATH names a file that is not there",
        ),
    ):
        done = run(**env)
        assert done.returncode == 2 and said in done.stderr
    token.write_text(TOKEN)  # as Ray writes it; RAY_AUTH_MODE is not set
    if head.mode == "token":
        done = run(RAY_AUTH_MODE="disabled")
        assert done.returncode == 2 and "Leave RAY_AUTH_MODE out." in done.stderr
    assert not store.exists(), "nothing was created"
    done = run()
    assert done.returncode == 0 and "6/6 episodes" in done.stderr + done.stdout, done.stderr
