"""A run is followed while another process writes it, and a stored episode proves that it replays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., "subprocess.CompletedProcess[str]"]
AGENTS = Path(__file__).parents[1] / "agents_under_test.py"


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.long)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/runs.db"
    return str(request.getfixturevalue("redis_url"))


def test_following_a_run_shows_each_episode_once_and_ends_with_it(
    store: str, records: Path, tmp_path: Path, command: Command
) -> None:
    base = [sys.executable, "-m", "riskbox.sandbox.cli"]
    words = [
        "run",
        str(records),
        "--agent",
        f"{AGENTS}:slow",
        "--seeds",
        "12",
        "--local",
        "--concurrency",
        "2",
        "--store",
        store,
    ]
    env = {**os.environ, "NO_COLOR": "1"}
    run = subprocess.Popen([*base, *words, "--quiet"], cwd=tmp_path, env=env, stdout=subprocess.DEVNULL)
    lines: list[str] = []
    seen_while_running = False
    end = time.monotonic() + 60
    while time.monotonic() < end:
        listed = command("list", "runs", "--json", "--store", store)
        if listed.returncode == 0 and json.loads(listed.stdout):
            break
    follower = subprocess.Popen(
        [*base, "list", "episodes", "--follow", "--json", "--store", store],
        cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert follower.stdout is not None
    for line in follower.stdout:
        lines.append(json.loads(line)["id"])
        seen_while_running = seen_while_running or run.poll() is None
    assert follower.wait(timeout=30) == 0 and run.wait(timeout=30) == 0
    assert len(lines) == len(set(lines)) == 72
    assert seen_while_running


def test_every_stored_episode_of_the_example_replays(records: Path, command: Command) -> None:
    assert command("run", records, "--local", "--quiet").returncode == 0
    rows = json.loads(command("list", "episodes", "--json").stdout)
    done = command("show", rows[0]["id"], "--verify")
    assert done.returncode == 0 and "inputs replayed to the same" in done.stdout
    done = command("show", rows[1]["id"], "--verify", "--json")
    assert json.loads(done.stdout)["replays"] is True


def test_follow_only_episodes(command: Command) -> None:
    done = command("list", "runs", "--follow")
    assert done.returncode == 2 and "--follow works only with" in done.stderr


def test_a_person_plays_through_a_pipe_and_a_fork_goes_on_from_there(records: Path, command: Command) -> None:
    done = command(
        "play",
        records,
        "--as",
        "user",
        "--persona",
        "owner",
        "--json",
        stdin="Hi, my next visit?\n/leave bye\n",
    )
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout.strip().splitlines()[-1])
    assert (first["ending"], first["reason"]) == ("terminated", "user_left")
    fork = command(
        "play",
        "--from",
        f"{first['episode']}:3",
        "--as",
        "agent",
        "--json",
        stdin='/call clinic.find_patient {"name": "Dana"}\nYour date of birth?\n/leave\n',
    )
    assert fork.returncode == 0, fork.stderr
    forked = json.loads(fork.stdout.strip().splitlines()[-1])
    shown = json.loads(command("show", forked["episode"], "--json").stdout)
    before = json.loads(command("show", first["episode"], "--json").stdout)
    origin = shown["episode"]["origin"]
    assert origin["episode"] == first["episode"] and 0 < origin["event"] <= 3
    assert shown["episode"]["events"][: origin["event"]] == before["episode"]["events"][: origin["event"]]
    assert any(event["kind"] == "called" for event in shown["episode"]["events"])
