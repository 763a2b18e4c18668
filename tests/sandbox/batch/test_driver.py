"""Who plays a run, as commands see it: a living driver keeps it, a dead one shows, one that lost it stops."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.api.run import run
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.stores import open_store
from tests.command import ENV, environment

Command = Callable[..., subprocess.CompletedProcess[str]]
RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"
SLOW = """
import asyncio, os, pathlib

async def agent(messages, tools):
    pathlib.Path("plays").touch()
    while not os.path.exists("go"):
        await asyncio.sleep(0.05)
    return "I cannot help with that."
"""


@pytest.fixture
def playing(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a run of 6 cases whose agent waits for the file `go`, and waits until it plays."""
    (tmp_path / "slow.py").write_text(SLOW)
    started: list[subprocess.Popen[str]] = []

    def play(*words: str) -> subprocess.Popen[str]:
        (tmp_path / "plays").unlink(missing_ok=True)
        command = [sys.executable, "-m", "riskbox.sandbox.cli", "run", *words, "--local", "--quiet"]
        command += [] if "--resume" in words else [str(RECORDS), "--agent", "slow.py:agent"]
        started.append(
            subprocess.Popen(
                command, cwd=tmp_path, env={**environment(), **ENV}, text=True, stdout=-1, stderr=-1
            )
        )
        while not (tmp_path / "plays").exists():
            assert started[-1].poll() is None, started[-1].communicate()
            time.sleep(0.05)
        return started[-1]

    yield play
    for one in started:
        one.kill()
        one.communicate()


def listed(command: Command) -> dict[str, Any]:
    (one,) = json.loads(command("list", "runs", "--json").stdout)
    return dict(one)


@pytest.mark.long
def test_a_second_driver_is_refused_while_the_first_lives(
    command: Command, playing: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    first = playing()
    assert listed(command)["state"] == "running" and listed(command)["heartbeat"]["pid"] == first.pid
    assert re.search(r"running \(\S+, 0\.0/s, 0%\)", command("list", "runs").stdout)
    again = command("run", "--resume", "latest", "--local")
    assert again.returncode == 2 and again.stdout == ""
    assert re.fullmatch(
        rf"riskbox: run \S+ is being played by process {first.pid} on \S+ since \S+ \(last heartbeat [^)]+\)\. Wait for it "
        r"or stop it; with --take-over \(take_over=True in Python\) this command takes its place, and it stops\.\n",
        again.stderr,
    )
    with pytest.raises(InputError, match=f"is being played by process {first.pid} "):
        run(resume="latest", store=f"sqlite:///{tmp_path}/riskbox.db", local=True)
    (tmp_path / "go").touch()
    assert first.wait() == 0
    assert (listed(command)["state"], listed(command)["heartbeat"]) == ("done", None)


@pytest.mark.long
def test_a_run_whose_driver_was_killed_is_dead_and_goes_on(
    command: Command, playing: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    first = playing()
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert listed(command)["state"] == "dead"
    assert f", process {first.pid})" in command("list", "runs").stdout
    assert "The process that played the run died" in command("report").stdout
    (tmp_path / "go").touch()
    assert command("run", "--resume", "latest", "--local").returncode == 0
    assert listed(command)["state"] == "done" and listed(command)["episodes"] == 6


@pytest.mark.long
def test_a_driver_that_loses_its_run_stops_and_writes_nothing_more(
    command: Command, playing: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    first = playing()
    second = playing("--resume", "latest", "--take-over")
    out, err = first.communicate(timeout=60)
    assert first.returncode == 3 and out == ""
    assert re.fullmatch(
        rf"riskbox: run \S+ was taken over by process {second.pid} on \S+ since \S+ \(last heartbeat [^)]+\), so this "
        r"process stops and writes nothing more to it\.\n",
        err,
    )
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        (made,) = store.runs()
        assert store.count(made.run) == 0 and made.state == "running"
    (tmp_path / "go").touch()
    assert second.wait() == 0
    assert listed(command)["state"] == "done" and listed(command)["episodes"] == 6


def test_taking_over_needs_a_run(command: Command) -> None:
    done = command("run", RECORDS, "--take-over")
    assert done.returncode == 2 and "so it needs resume" in done.stderr
