"""A run in a process of its own, whose agent answers only when the test lets it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.command import ENV

AGENT = '''\
"""Answers the n-th time once there is a file of that number in the folder of the run."""

import asyncio
from pathlib import Path


async def agent(messages, tools):
    turn = sum(one["role"] == "user" for one in messages)
    while not (Path("go") / str(turn)).exists():
        await asyncio.sleep(0.02)
    return f"Answer [bold]{turn}[/] \\x1b[31m."
'''


class Playing:
    """A run that is being played.

    Args:
        folder: Where it plays.
        words: What else `riskbox run` is told.
    """

    def __init__(self, folder: Path, *words: str | Path) -> None:
        self.folder = folder
        (folder / "slow.py").write_text(AGENT, "utf-8")
        (folder / "go").mkdir(exist_ok=True)
        command = [sys.executable, "-m", "riskbox.sandbox.cli", "run", *map(str, words)]
        self.process = subprocess.Popen(
            [*command, "--agent", "slow.py:agent", "--place", "agent=inline"],
            cwd=folder,
            env={**os.environ, **ENV},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def answer(self, *turns: int) -> None:
        """Let the agent answer for the n-th time, in each episode."""
        for turn in turns:
            (self.folder / "go" / str(turn)).touch()

    def finish(self) -> tuple[int, str]:
        """Let it play to its end; the exit code and what it wrote on standard error."""
        self.answer(*range(1, 30))
        _, told = self.process.communicate(timeout=90)
        return self.process.returncode, told


@contextmanager
def playing(folder: Path, *words: str | Path) -> Iterator[Playing]:
    """A run that is over with the test."""
    one = Playing(folder, *words)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.communicate()


def until(true: Callable[[], bool], seconds: float = 40.0) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)
