"""Runs that are played by a process of their own: begun, looked at from others, stopped, killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from riskbox.sandbox.stores import liveness, open_store
from riskbox.sandbox.words.heartbeat import Heartbeat
from tests.command import ENV
from tests.sandbox.playing import AGENT, until
from tests.sandbox.stores.conftest import Server
from tests.terminal import Open, Terminal

Command = Callable[..., subprocess.CompletedProcess[str]]


class Folder:
    """A folder in which runs are begun, with an agent that waits until the test lets it answer."""

    def __init__(self, path: Path, records: Path) -> None:
        self.path, self.state = path, path / "state"
        self.store = f"sqlite:///{path}/riskbox.db"
        (path / "slow.py").write_text(AGENT, "utf-8")
        (path / "go").mkdir()
        self.words = [str(records), "--agent", "slow.py:agent", "--local", "--persona", "neighbour"]
        self.words += ["--variant", "none", "--place", "agent=inline", "--detach"]
        self.env = {"XDG_STATE_HOME": str(self.state)}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "riskbox.sandbox.cli", *words],
            cwd=self.path,
            env={**os.environ, **ENV, **self.env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
        )

    def answer(self) -> None:
        for turn in range(1, 30):
            (self.path / "go" / str(turn)).touch()

    def beat(self) -> Heartbeat:
        with open_store(self.store) as store:
            beat = store.heartbeat(store.run().run)
        assert beat is not None
        return beat

    def end(self) -> None:
        """Kill what a failed test has left."""
        try:
            beat = self.beat()
        except Exception:
            return
        if liveness.born(beat.pid) == beat.born:
            os.kill(beat.pid, signal.SIGKILL)


@pytest.fixture
def folder(tmp_path: Path, records: Path) -> Iterator[Folder]:
    one = Folder(tmp_path, records)
    yield one
    one.end()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A Redis server."""
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


def test_what_keeps_a_run_from_beginning_is_told_by_the_command(folder: Folder) -> None:
    wrong = folder.run("run", *folder.words, "--agent", "gone.py:Agent")
    assert wrong.returncode == 2 and "gone.py" in wrong.stderr and not wrong.stdout
    assert list(folder.state.rglob("*.log")) == []
    both = folder.run("run", *folder.words, "--dry-run")
    assert both.returncode == 2 and "--detach" in both.stderr


@pytest.mark.long
def test_a_run_outlives_its_terminal_and_its_end_is_told_as_the_run_would(folder: Folder) -> None:
    at = Terminal(
        folder.path, "run", *folder.words, "--fail-if", "unplayed < 1", XDG_STATE_HOME=str(folder.state)
    )
    at.wait_for("It goes on when this terminal is closed")
    beat = folder.beat()
    assert os.getsid(beat.pid) == beat.pid
    at.close()  # the kernel sends SIGHUP to the terminal's session
    os.kill(beat.pid, signal.SIGHUP)
    follower = subprocess.Popen(
        [sys.executable, "-m", "riskbox.sandbox.cli", "attach"],
        cwd=folder.path,
        env={**os.environ, **ENV},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert follower.stderr is not None
    assert "1 episode, agents: slow.py:agent" in follower.stderr.readline()
    folder.answer()
    out, told = follower.communicate(timeout=60)
    with open_store(folder.store) as store:
        run = store.run()
    assert run.state == "done" and f"riskbox report {run.run}" in out, told
    assert "gate FAILED" in out and follower.returncode == 1
    assert "1/1 episodes" in told
    # the same for who comes later, and as JSON
    later = folder.run("attach", run.run, "--json")
    assert later.returncode == 1 and json.loads(later.stdout)["state"] == "done"
    (log,) = folder.state.rglob("*.log")
    assert beat.log == str(log) and "gate FAILED" in log.read_text()


@pytest.mark.long
def test_who_detaches_leaves_it_running_and_who_stops_it_ends_it(folder: Folder, terminal: Open) -> None:
    begun = folder.run("run", *folder.words, "--json")
    assert begun.returncode == 0, begun.stderr
    run = json.loads(begun.stdout)["run"]
    at = terminal("attach", run)
    at.wait_for("0/1")
    at.type("\x03")
    at.wait_for("Detached. The run goes on")
    until(lambda: at.process.poll() == 0)
    assert liveness.born(folder.beat().pid) == folder.beat().born
    stopped = folder.run("attach", run, "--stop")
    assert stopped.returncode == 0, stopped.stderr
    assert "Stopped: 0 of 1" in stopped.stdout and f"--resume {run}" in stopped.stdout
    again = folder.run("attach", run, "--stop")
    assert again.returncode == 2 and "is not being played: it is stopped" in again.stderr
    assert folder.run("attach", run).returncode == 130


@pytest.mark.long
def test_a_driver_that_was_killed_is_dead_and_it_is_said_how_to_go_on(folder: Folder) -> None:
    assert folder.run("run", *folder.words).returncode == 0
    os.kill(folder.beat().pid, signal.SIGKILL)
    until(lambda: not liveness.born(folder.beat().pid))
    dead = folder.run("attach")
    assert dead.returncode == 3 and "is dead" in dead.stderr and "riskbox run --resume" in dead.stderr
    assert str(folder.beat().pid) in dead.stderr and ".log" in dead.stderr


@pytest.mark.long
def test_a_run_on_another_machine_is_stopped_through_redis(folder: Folder, server: Server) -> None:
    folder.store = server.url
    begun = folder.run("run", *folder.words, "--store", server.url)
    assert begun.returncode == 0 and server.password not in begun.stdout
    with open_store(server.url) as store:
        run, feed = store.run().run, store.live()
        assert feed is not None
        feed.ask_stop(run)  # what `attach --stop` does on a machine where the process is not
        until(lambda: store.run(run).state == "stopped")
        time.sleep(0.2)
        assert not feed.stop_asked(run)
