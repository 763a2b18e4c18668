"""The store is gone or full in mid run: what was finished waits in a file, and the next command puts it back."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.stores import open_store
from tests.command import ENV, environment, invoke

Command = Callable[..., subprocess.CompletedProcess[str]]
RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"
STEPS = """
import asyncio, os

asked = 0

async def agent(messages, tools):
    global asked
    asked += 1
    number = asked
    open(f"asked{number}", "w").close()
    while not os.path.exists(f"go{number}") and not os.path.exists("go"):
        await asyncio.sleep(0.02)
    return "I cannot help with that."
"""


class Playing:
    """A run of 12 episodes, one after the other; the agent waits before each of its answers."""

    def __init__(self, folder: Path, *words: str, **env: str) -> None:
        self.folder = folder
        (folder / "steps.py").write_text(STEPS)
        self.env = {**environment(), **ENV, "XDG_STATE_HOME": str(folder / "state"), **env}
        command = [sys.executable, "-m", "riskbox.sandbox.cli", "run"]
        if "--resume" not in words:
            command += [str(RECORDS), "--agent", "steps.py:agent", "--seeds", "2"]
        command += ["--local", "--concurrency", "1", "--quiet", *words]
        self.process = subprocess.Popen(command, cwd=folder, env=self.env, text=True, stdout=-1, stderr=-1)

    def asked(self, number: int) -> None:
        """Let the agent answer so many times less one, and wait until it is asked again."""
        for one in range(1, number):
            (self.folder / f"go{one}").touch()
        while not (self.folder / f"asked{number}").exists():
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.02)

    def go(self) -> tuple[int, str]:
        """Let it go on; its exit code and what it said."""
        (self.folder / "go").touch()
        _, told = self.process.communicate(timeout=120)
        # that nobody can watch it meanwhile is said of Redis
        lines = [one for one in told.splitlines(True) if not one.startswith("episodes cannot be shown")]
        return self.process.returncode, "".join(lines)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[..., Playing]]:
    """Starts a run in a fresh folder."""
    started: list[Playing] = []

    def start(*words: str, **env: str) -> Playing:
        started.append(Playing(tmp_path, *words, **env))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def runs(folder: Path, *words: str) -> tuple[Any, str]:
    done = invoke("list", "runs", "--json", *words, cwd=folder, env={"XDG_STATE_HOME": str(folder / "state")})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def resumed(folder: Path, *words: str) -> list[dict[str, Any]]:
    """The episodes of the run once it has gone on to its end."""
    env = {"XDG_STATE_HOME": str(folder / "state")}
    done = invoke("run", "--resume", "latest", "--local", *words, cwd=folder, env=env)
    assert done.returncode == 0, done.stderr
    listed = invoke("list", "episodes", "--json", *words, cwd=folder, env=env)
    return list(json.loads(listed.stdout))


def gone(code: int, told: str, folder: Path, why: str, least: int = 2) -> Path:
    """The spill file that a run left, and spoke of."""
    assert code == 3, told
    found = re.fullmatch(
        rf"riskbox: .*{why}.* The run was stopped\. (\d+) episodes of run \S+ that it does not hold are in (\S+), and the next "
        r"command that opens the store puts them back: riskbox list\n",
        told,
    )
    assert found and int(found[1]) >= least, told
    return Path(found[2])


@pytest.mark.long
@pytest.mark.parametrize(
    "how", ["removed", "removed with its log", "replaced", "moved", "log removed", "cut to nothing"]
)
def test_a_file_that_goes_away_in_mid_run_loses_nothing(
    play: Callable[..., Playing], tmp_path: Path, how: str
) -> None:
    store = tmp_path / "riskbox.db"
    if how == "replaced":
        with open_store(f"sqlite:///{tmp_path}/other.db"):
            pass
    running = play()
    running.asked(8)  # some are stored
    with open_store(f"sqlite:///{store}") as opened:
        (made,) = opened.runs()
        assert (before := opened.count(made.run)) >= 2
    if how == "replaced":
        shutil.move(tmp_path / "other.db", store)
    elif how == "moved":
        shutil.move(store, tmp_path / "elsewhere.db")
    elif how == "log removed":
        (tmp_path / "riskbox.db-wal").unlink()
    elif how == "cut to nothing":
        os.truncate(store, 0)
    else:
        for one in tmp_path.glob("riskbox.db*" if "log" in how else "riskbox.db"):
            one.unlink()
    file = gone(*running.go(), tmp_path, "riskbox.db")
    assert file.parent == tmp_path and file.stat().st_mode & 0o077 == 0
    found, told = runs(tmp_path)
    assert re.fullmatch(rf"riskbox: {file} held what run {made.run} had finished .*\n", told)
    assert not file.exists() and runs(tmp_path) == (found, "")
    assert [(one["run"], one["state"], one["planned"]) for one in found] == [(made.run, "stopped", 12)]
    if how != "cut to nothing":
        assert found[0]["episodes"] > before
    episodes = resumed(tmp_path)
    assert len({one["id"] for one in episodes}) == len(episodes) == 12
    if how == "moved":
        with open_store(f"sqlite:///{tmp_path}/elsewhere.db") as moved:
            assert moved.count(made.run) >= before
