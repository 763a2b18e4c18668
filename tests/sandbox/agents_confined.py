"""Agents that take more than they may, look where they should not, and leave something behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SLEEPER = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
BETWEEN = (
    f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {SLEEPER!r}], start_new_session=True, "
    "stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={}).pid)"
)
kept: list[Any] = []


def hoarder(messages: list[Any], tools: list[Any]) -> str:
    """Answers once, then takes 800 MB."""
    if sum(one["role"] == "user" for one in messages) > 1:
        kept.append(bytearray(b"x" * 2**20) * 800)
        time.sleep(60)
    return "One moment."


def looker(messages: list[Any], tools: list[Any]) -> str:
    """Says what it sees of the environment: as its process has it, and as the process was started with it."""
    started = Path("/proc/self/environ").read_text().split("\0")
    return json.dumps([sorted(f"{name}={value}" for name, value in os.environ.items()), started])


def orphaner(messages: list[Any], tools: list[Any]) -> str:
    """Starts what is in a session of its own, with an empty environment, and has no parent any more."""
    done = subprocess.run([sys.executable, "-c", BETWEEN], capture_output=True, text=True, check=True)
    with open(os.environ["PIDS"], "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()} {os.getppid()} {done.stdout.strip()}\n")
    if os.environ.get("LASTING"):
        time.sleep(600)
    return "Done."
