"""A command that is run in the test's own process gives what a process gives, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]

AGENT = "import os\n\ndef agent(messages, tools):\n    os.environ['LEFT'] = 'behind'\n    return '{}'\n"


@pytest.mark.parametrize(
    "words", [["--help"], ["list", "categories"], ["list", "categoris"], ["show", "--as"]]
)
def test_it_gives_what_a_process_gives(command: Command, riskbox: Command, words: list[str]) -> None:
    here, there = command(*words), riskbox(*words)
    assert (here.returncode, here.stdout, here.stderr) == (there.returncode, there.stdout, there.stderr)


def test_it_leaves_nothing_behind(command: Command, records: Path, tmp_path: Path) -> None:
    before = dict(os.environ), Path.cwd(), list(sys.path), sys.stdin, sys.stdout, sys.stderr
    for text in ("No.", "No, and again no."):
        (tmp_path / "mine.py").write_text(AGENT.format(text))
        for agent in ("mine.py:agent", "mine:agent"):
            done = command("run", records, "--local", "--quiet", "--agent", agent)
            assert done.returncode == 0, done.stderr
            assert text in command("show", "--full").stdout
    assert (dict(os.environ), Path.cwd(), list(sys.path), sys.stdin, sys.stdout, sys.stderr) == before


def test_it_reads_standard_input(command: Command) -> None:
    done = command("import", "jsonl", "-", stdin="not a line of ours\n")
    assert done.returncode == 2
    assert ":1: is not JSON" in done.stderr
