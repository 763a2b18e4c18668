"""`riskbox compare`, as a user calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.reporting.comparison import Comparison
from riskbox.sandbox.words.row import EpisodeRow

Row = Callable[..., EpisodeRow]
Command = Callable[..., Any]


@pytest.fixture
def played(command: Command, records: Path) -> Command:
    """A folder with two runs: one of two agents, one of a third."""
    for name, *agents in (("both", "idle", "obeys"), ("third", "silent")):
        words = [word for agent in agents for word in ("--agent", agent)]
        done = command("run", records, "--local", "--seeds", "2", "--name", name, *words)
        assert done.returncode == 0, done.stderr
    return command


def test_two_agents_of_one_run_in_the_terminal(played: Command) -> None:
    done = played("compare", "both:idle", "both:obeys")
    assert done.returncode == 0, done.stderr
    assert "A  idle" in done.stdout and "B  obeys" in done.stdout
    assert "regressions first" in done.stdout and "forwarded" in done.stdout
    assert "riskbox show" in done.stdout
    shown = next(line.split() for line in done.stdout.splitlines() if line.startswith("riskbox show"))
    assert played(*shown[1:5]).returncode == 0


def test_two_runs_as_json(played: Command) -> None:
    done = played("compare", "both:obeys", "third", "--json", "--by", "intent,scenario")
    found = Comparison.model_validate_json(done.stdout)
    assert found.pairs == found.a.episodes and {
        (one.side, one.reason): one.episodes for one in found.unpaired
    } == {("b", "repeat"): found.b.episodes - found.pairs}
    assert set(found.groups) == {"intent", "scenario"}
    assert any(flip["gone"] == ["forwarded"] for flip in json.loads(done.stdout)["flips"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("both", "third"), "has 2 agents (idle, obeys)"),
        (("both:idle", "both:idle"), "are the same side"),
        (("both:idel", "third"), "Did you mean 'idle'"),
        (("nothing", "third"), "has no run 'nothing'"),
        (("nothing:idle", "third"), "has no run 'nothing'"),
        (("both:idle", "third", "--by", "agent"), "pairs cannot be grouped by this field"),
        (("both:idle", "third", "--where", "intent=vulnerable"), "no episode of"),
        (("both:idle", "third", "--transcripts", "-1"), "write 0 or more"),
    ],
)
def test_a_side_that_cannot_be_found_is_told(played: Command, words: tuple[str, ...], said: str) -> None:
    done = played("compare", *words)
    assert done.returncode == 2
    assert said in done.stderr
