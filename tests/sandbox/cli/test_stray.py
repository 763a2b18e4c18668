"""What the user's code prints never reaches the command's own output."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]
LOUD = '''\
import os
import subprocess
import sys

from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.words.verdict import Assessment

print("loaded")


def agent(messages, tools):
    """Print in every way there is."""
    print("printed")
    sys.stdout.write("written\\n")
    os.write(1, b"raw \\x1b[31m\\n")
    subprocess.run(["echo", "by a child"], check=True)
    subprocess.Popen(["sleep", "20"])  # holds what it inherits open
    return "Fine."


def talker(messages, tools):
    """Print without end."""
    for _ in range(200):
        print("x" * 10_000)
    return "Fine."


class Judge(Evaluator):
    """Print while it assesses."""

    name, version = "loud", "1"

    def evaluate(self, case, episode):
        print("assessed")
        return Assessment(evaluator="loud", version="1")
'''
WHICH = ("--persona", "owner", "--variant", "none")


@pytest.fixture
def loud(tmp_path: Path) -> Path:
    file = tmp_path / "loud.py"
    file.write_text(LOUD)
    return file


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("--local",), id="local", marks=pytest.mark.long),
        pytest.param(("--place", "agent=inline"), id="inline", marks=pytest.mark.long),
        pytest.param((), id="actor", marks=pytest.mark.long),
    ],
)
def test_json_is_all_that_a_run_prints(
    riskbox: Command, records: Path, loud: Path, words: tuple[str, ...]
) -> None:
    more = ("--evaluator", f"{loud}:Judge", "--json", *WHICH, *words)
    done = riskbox("run", records, "--agent", f"{loud}:agent", *more)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["done"] == 1 and done.stdout.count("\n") == 1
    assert "loaded" in done.stderr and "\x1b" not in done.stderr
    if "--local" in words:
        for told in ("printed", "written", "raw", "by a child", "assessed"):
            assert told in done.stderr, told
    scored = riskbox("score", "--evaluator", f"{loud}:Judge", "--again", "--json")
    assert json.loads(scored.stdout) and "assessed" in scored.stderr


def test_what_is_printed_is_bounded(riskbox: Command, records: Path, loud: Path) -> None:
    done = riskbox("run", records, "--agent", f"{loud}:talker", "--local", "--json", *WHICH)
    assert json.loads(done.stdout)["done"] == 1
    assert len(done.stderr) < 80_000 and "your code has printed more than 65,536 bytes" in done.stderr
