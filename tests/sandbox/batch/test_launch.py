"""From a plan to a run: one budget for a run, however often it goes on."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from riskbox.sandbox.api.run import run
from riskbox.sandbox.errors import Halt
from riskbox.sandbox.models.limits import ModelLimits

if TYPE_CHECKING:
    from riskbox.sandbox.stub.server import Stub

Command = Callable[..., subprocess.CompletedProcess[str]]
RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"


def test_what_is_spent_is_taken_off_the_budgets_that_there_are() -> None:
    assert ModelLimits(run_dollars=5.0, run_tokens=100.0).less(2.0, 300.0) == ModelLimits(
        run_dollars=3.0, run_tokens=0.0
    )
    assert ModelLimits(episode_dollars=1.0).less(2.0, 300.0) == ModelLimits(episode_dollars=1.0)


def test_a_run_that_goes_on_has_the_budget_that_it_had(command: Command, stub: Stub) -> None:
    budget = ("--local", "--concurrency", "1", "--budget-tokens")
    first = command("run", RECORDS, "--agent", f"{stub.url}/v1#stub", *budget, "36000")
    assert first.returncode == 3 and "riskbox run --resume" in first.stderr
    asked = len(stub.requests)
    stored = len(json.loads(command("list", "episodes", "--json").stdout))
    assert stored
    again = command("run", "--resume", "latest", *budget, "36000")
    assert again.returncode == 3 and "budget of" in again.stderr
    assert len(stub.requests) - asked < asked / 2
    last = command("run", "--resume", "latest", *budget, "1000000")
    assert last.returncode == 0, last.stderr
    assert len(json.loads(command("list", "episodes", "--json").stdout)) == 6


def test_a_model_that_cannot_be_asked_is_told_before_anything_begins(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        mine = f"http://127.0.0.1:{port}/v1#mine"
        for words, told in (
            (("--agent", "openai/gpt-5-mini"), "there is no key for openai/gpt-5-mini. Set OPENAI_API_KEY."),
            (
                ("--user", "gemini/gemini-2.5-flash"),
                "there is no key for gemini/gemini-2.5-flash. Set GOOGLE_API_KEY or GEMINI_API_KEY.",
            ),
            (
                ("--judge", mine),
                f"the server of {mine} cannot be reached at 127.0.0.1:{port}: Connection refused.",
            ),
        ):
            done = command("run", RECORDS, *words)
            assert (done.returncode, done.stdout) == (2, "")
            # a log is told after ten seconds that scenarios are being read, and a machine may be that busy
            lines = [one for one in done.stderr.splitlines() if not one.startswith("Reading scenarios")]
            assert lines[0].startswith(f"riskbox: {told}") and len(lines) == 1
        with pytest.raises(Halt, match="cannot be reached"):
            run(RECORDS, agent=mine, store=f"sqlite:///{tmp_path}/riskbox.db")
        tried = command("try", "--agent", mine, "--budget-tokens", "9000")
        assert tried.returncode == 2 and "Riskbox cannot call its model: the server of" in tried.stdout
    assert json.loads(command("list", "runs", "--json").stdout) == []


def test_a_key_that_only_the_recording_needs_is_not_asked_for(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stub: Stub
) -> None:
    asked = ("run", RECORDS, "--agent", "openai/stub", "--persona", "owner", "--local", "--quiet")
    there = {"OPENAI_API_BASE": f"{stub.url}/v1", "OPENAI_API_KEY": "k"}
    assert command(*asked, "--record", "kept.calls", **there).returncode == 0
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert command(*asked, "--replay", "kept.calls").returncode == 0
