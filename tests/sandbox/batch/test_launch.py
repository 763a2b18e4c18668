"""From a plan to a run: one budget for a run, however often it goes on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

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
