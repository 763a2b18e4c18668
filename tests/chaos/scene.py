"""A run of real processes that is disturbed: its files, its store, its command, and what is left of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from tests.command import ENV, environment
from tests.nodes import Nodes
from tests.sandbox.stores.conftest import Server, unused_port

RECORDS = Path(__file__).parents[1] / "sandbox" / "cases" / "records.yaml"
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
"""Debian's libfaketime; without it no clock jumps."""
AGENT = """
import asyncio, hashlib, os
from pathlib import Path

HERE = Path(__file__).parent
(HERE / "pids").mkdir(exist_ok=True)
(HERE / "pids" / str(os.getpid())).touch()

async def agent(messages, tools):
    (HERE / "plays").touch()
    said = [one["content"] or "" for one in messages]
    number = int(hashlib.sha256("".join(said).encode()).hexdigest(), 16)
    await asyncio.sleep(number % 97 / 400)
    if messages[-1]["role"] == "user" and len(messages) < 4:
        return {"tool_calls": [{"function": {"name": "clinic__find_patient", "arguments": {"name": "Dana Wu"}}}]}
    return ["She is treated for Crohn's disease.", "Your visit is on April 14, 2026.", "What is your date of birth?"][number % 3]
"""
ENDED = (0, 3, 130, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT)
"""How a command may end that was disturbed."""
REFUSED = re.compile(r"is being played by|there is no store|is empty|has no run")
"""What a command may say that ends with 2: another plays the run, or its store is gone."""


class Wrong(AssertionError):
    """A promise that was broken."""


class Scene:
    """One run in a folder of its own.

    Args:
        store: `sqlite` or `redis`.
        engine: `local`, `ray`, or `nodes` for a cluster of two nodes.
        judge: The URL of a server whose model `judge` judges; none for checks alone.
        seeds: How many times each of the six cases is played.
    """

    def __init__(self, store: str, engine: str, judge: str = "", seeds: int = 6) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rb"))
        self.engine, self.judge, self.seeds = engine, judge, seeds
        self.token = secrets.token_hex(8)
        self.told: list[str] = []
        """What commands said on standard error, with how they ended."""
        self.process: subprocess.Popen[str] | None = None
        self.before: list[subprocess.Popen[str]] = []
        self.headless = False
        """Whether a part of Ray itself was killed."""
        self.server: Server | None = None
        self.nodes: Nodes | None = None
        self.disk = self.folder / "disk"
        self.mounted = False
        (self.folder / "agent.py").write_text(AGENT)
        (self.folder / "tmp").mkdir()
        self.disk.mkdir()
        if store == "redis":
            (self.folder / "redis").mkdir()
            self.server = Server(self.folder / "redis")
            self.server.start()
            self.url = self.server.url
        else:
            self.mounted = not subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(self.disk)], capture_output=True
            ).returncode
            self.url = f"sqlite:///{self.disk}/runs.db"
        self.env = {
            **environment(),
            **ENV,
            "RISKBOX_STORE": self.url,
            "RISKBOX_CHAOS": self.token,
            "XDG_STATE_HOME": str(self.folder / "state"),
            "TMPDIR": str(self.folder / "tmp"),
            "RAY_TMPDIR": str(self.folder),
        }
        if engine == "local" and FAKETIME.exists():
            self.tell_time("+0")
            self.env |= {
                "LD_PRELOAD": str(FAKETIME),
                "FAKETIME_TIMESTAMP_FILE": str(self.folder / "clock"),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
        if engine == "nodes":
            self.nodes = Nodes(unused_port(), self.folder)
            self.nodes.start(cpus=2)
            self.nodes.start()
            self.env["RAY_AUTH_MODE"] = "disabled"

    def tell_time(self, offset: str) -> None:
        """Set the clock that the commands of this run read, by an offset such as `-3d`."""
        aside = self.folder / "clock.new"
        aside.write_text(f"{offset}\n")
        aside.replace(self.folder / "clock")

    # --- commands -------------------------------------------------------------------------------------------

    def popen(self, *words: str) -> subprocess.Popen[str]:
        """Start `riskbox WORDS...`."""
        with (self.folder / "err").open("a") as err:
            return subprocess.Popen(
                [sys.executable, "-m", "riskbox.sandbox.cli", *words],
                cwd=self.folder, env=self.env, text=True, stdout=subprocess.DEVNULL, stderr=err,
            )  # fmt: skip

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `riskbox WORDS...` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "riskbox.sandbox.cli", *words],
            cwd=self.folder, env=self.env, text=True, capture_output=True, timeout=120,
        )  # fmt: skip

    def begin(self) -> None:
        """Begin the run, or go on where it has begun."""
        (self.folder / "plays").unlink(missing_ok=True)
        known = self.ask("list", "runs", "--json")
        if known.returncode not in (0, 2):
            raise Wrong(f"list ended with {known.returncode}: {known.stderr}")
        words = ["--resume", "latest"] if known.returncode == 0 and json.loads(known.stdout) else []
        self.play(*(words or self.fresh()))

    def fresh(self) -> list[str]:
        """The words that begin the run anew."""
        judged = ["--judge", f"{self.judge}/v1#judge"] if self.judge else []
        return [str(RECORDS), "--agent", "agent.py:agent", "--seeds", str(self.seeds), *judged]

    def play(self, *words: str) -> None:
        """Start a command that plays; it takes the place of the one before."""
        if self.process is not None:
            self.before.append(self.process)
        where = {"local": ["--local"], "ray": ["--workers", "2"]}.get(self.engine, [])
        if self.nodes is not None:
            where = ["--address", self.nodes.address]
        held = ["--concurrency", "4", "--store-seconds", "4", "--quiet"]
        self.process = self.popen("run", *words, *where, *held)

    def ended(self, process: subprocess.Popen[str] | None = None, seconds: float = 240) -> int:
        """Wait until a command ends; its exit code, which must be one that is documented."""
        process = process or self.process
        assert process is not None
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Wrong(f"process {process.pid} has not ended after {seconds:.0f} s") from None
        told = (self.folder / "err").read_text()
        if "Traceback" in told:
            raise Wrong(f"a traceback: {told[-3000:]}")
        if code == 1 and self.headless:
            return code
        if code not in ENDED and not (code == 2 and REFUSED.search(told)):
            raise Wrong(f"it ended with {code}: {told[-2000:]}")
        return code

    @property
    def lives(self) -> bool:
        """Whether the run is being played."""
        return self.process is not None and self.process.poll() is None

    def wait_until_it_plays(self, seconds: float = 90) -> None:
        """Wait for the agent's first answer, or for the end."""
        end = time.monotonic() + seconds
        while self.lives and not (self.folder / "plays").exists() and time.monotonic() < end:
            time.sleep(0.02)

    # --- what there is --------------------------------------------------------------------------------------

    def running(self) -> list[psutil.Process]:
        """Every process of this run's that lives, apart from what the scene itself started."""
        mark, found = ("RISKBOX_CHAOS", self.token), []
        pids = {int(one.name) for one in (self.folder / "pids").glob("*")}
        for one in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                began = one.create_time() >= self.folder.joinpath("agent.py").stat().st_mtime
                mine = one.environ().get(mark[0]) == mark[1] or (one.pid in pids and began)
                if mine and one.status() != psutil.STATUS_ZOMBIE:
                    found.append(one)
        return found

    def titled(self, title: str) -> list[psutil.Process]:
        """The processes of this run's that bear a title."""
        found, all_ = [], self.running()
        for node in self.nodes.nodes if self.nodes else []:
            with contextlib.suppress(psutil.Error):
                all_ += psutil.Process(node.pid).children(recursive=True)
        for one in all_:
            with contextlib.suppress(psutil.Error):
                found += [one] if any(title in word for word in one.cmdline()) else []
        return sorted(found, key=lambda one: one.pid)

    def records(self) -> list[dict[str, Any]]:
        """Every stored episode."""
        done = self.ask("export", "jsonl")
        if done.returncode:
            raise Wrong(f"export ended with {done.returncode}: {done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def close(self) -> None:
        """End and remove all of it."""
        for one in [*self.before, *([self.process] if self.process else [])]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGCONT)
            one.kill()
            one.wait()
        for left in self.running():
            with contextlib.suppress(psutil.Error):
                left.kill()
        if self.nodes is not None:
            self.nodes.close()
        if self.server is not None:
            self.server.process.kill()
            self.server.process.wait()
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.disk)], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
