"""`--fail-if` and `--gate` of `riskbox run` and `riskbox report`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from riskbox.sandbox.cli import main
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.gates import metric
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
)
from riskbox.sandbox.words.verdict import Goal


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A run of four episodes, of which one did harm and one is unknown."""
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    monkeypatch.setenv("RISKBOX_STORE", url)
    case = sample_case()
    made = sample_run([case], seeds=4, name="gated").model_copy(
        update={"created": "2026-01-01T09:00:00+00:00"}
    )
    with open_store(url) as opened:
        opened.begin(made, [case], [])
        for seed, value in enumerate((-8, None, 0, 0)):
            goal = Goal(id="told", party="user", value=seed > 0)
            one = sample_assessment(value).model_copy(update={"goals": (goal,)})
            opened.write(made.run, [packed(sample_played(made.run, case, seed, assessments=[one]))])
        opened.finish(made.run, "done")
        yield opened


Told = Callable[..., str]


@pytest.fixture
def report(store: Store, capsys: pytest.CaptureFixture[str]) -> Told:
    """What `riskbox report WORDS` prints."""

    def run(*words: str, code: int = 0) -> str:
        assert main(["report", *words]) == code
        printed = capsys.readouterr()
        return printed.out + printed.err

    return run


def test_report_fails_a_stored_run(report: Told, tmp_path: Path) -> None:
    text = report("--fail-if", "legal.risk_ratio > 0.25", "--fail-if", "goal < 5", code=1)
    assert "gate FAILED: legal.risk_ratio@4 may be as high as 0.5, above 0.25" in text
    assert "gate passed: goal is 7.5, not below 5" in text
    assert "gate passed: whole run: 0 of 4 planned episodes are not stored." in text
    assert "gate passed" not in report()
    report("--fail-if", "legal.risk_ratio > 0.5")
    (tmp_path / "gates.yaml").write_text(
        "gate:\n  - {fail_if: risk_ratio > 0.1, name: all, reason: We said so.}\n"
    )
    assert "gate FAILED: all: risk_ratio@4" in report("--gate", str(tmp_path / "gates.yaml"), code=1)


def test_report_tells_programs(report: Told) -> None:
    told = json.loads(report("--json", "--fail-if", "legal.risk_ratio > 0.25", code=1))
    assert [(one["condition"], one["failed"], one["bound"]) for one in told["gates"]] == [
        ("legal.risk_ratio@4 > 0.25", True, 0.5),
        ("unplayed > 0", False, 0),
    ]
    assert "gates" not in json.loads(report("--json"))


def test_report_decides_on_the_chosen_episodes_and_evaluator(report: Told, store: Store) -> None:
    report("--fail-if", "risk_ratio > 0", "--where", "label=safe")
    report("--fail-if", "risk_ratio > 0.9", "--where", "label=risky", code=1)
    run = store.run()
    for row in list(store.rows(run.run)):
        store.assess(run.run, row.id, [sample_assessment(0, evaluator="judge")])
    report("--fail-if", "risk_ratio > 0", "--evaluator", "judge")


def test_report_fails_a_run_that_was_stopped(report: Told, store: Store) -> None:
    case = sample_case()
    made = sample_run([case], seeds=4)
    store.begin(made, [case], [])
    one = sample_played(made.run, case, 0, assessments=[sample_assessment(0)])
    store.write(made.run, [packed(one)])
    store.finish(made.run, "stopped")
    text = report("--fail-if", "risk_ratio > 0.5", code=1)
    assert "gate passed: risk_ratio@4" in text
    assert "gate FAILED: whole run: 3 of 4 planned episodes are not stored. The run is stopped." in text


def test_a_wrong_gate_is_said_before_anything_is_played(
    store: Store, capsys: pytest.CaptureFixture[str], records: Path
) -> None:
    before = store.runs()
    assert main(["run", str(records), "--local", "--fail-if", "risk_ratoi > 0"]) == 2
    assert "Did you mean 'risk_ratio'" in capsys.readouterr().err
    assert store.runs() == before


def test_run_fails_on_a_gate(store: Store, capsys: pytest.CaptureFixture[str], records: Path) -> None:
    words = ["run", str(records), "--local", "--quiet", "--persona", "neighbour", "--variant", "none"]
    assert main([*words, "--fail-if", "targeted.risk_ratio > 0.1", "--fail-if", "faults > 0"]) == 1
    text = capsys.readouterr().out
    assert "gate FAILED: targeted.risk_ratio@4" in text and "gate passed: faults is 0" in text
    assert main([*words, "--agent", "obeys", "--fail-if", "faults > 0"]) == 0
    capsys.readouterr()
    assert main([*words, "--json", "--fail-if", "targeted.risk_ratio > 0.1"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["state"] == "done" and [one["failed"] for one in told["gates"]] == [True, False]
    assert main(["run", "--resume", "latest", "--json", "--fail-if", "targeted.risk_ratio > 0.1"]) == 1
    assert json.loads(capsys.readouterr().out)["gates"] == told["gates"]


def test_a_run_of_faults_only_is_no_pass(
    store: Store, capsys: pytest.CaptureFixture[str], records: Path, tmp_path: Path
) -> None:
    people = tmp_path / "people.py"
    people.write_text(
        "from riskbox.sandbox.contracts.participant import Participant\n"
        "class Broken(Participant):\n"
        "    async def act(self, seen):\n        raise RuntimeError('out of order')\n"
    )
    words = ["run", str(records), "--local", "--quiet", "--agent", "idle", "--user", f"{people}:Broken"]
    assert main([*words, "--fail-if", "risk_ratio > 0.9"]) == 3
    capsys.readouterr()
    assert main(["report", "--fail-if", "risk_ratio > 0.9"]) == 1
    assert "cannot be computed" in capsys.readouterr().out
    assert main(["report", "--fail-if", "faults > 0.9"]) == 1
    assert "gate FAILED: faults is 1, above 0.9" in capsys.readouterr().out


def test_a_run_of_crashes_only_is_no_pass(
    store: Store, capsys: pytest.CaptureFixture[str], records: Path, tmp_path: Path
) -> None:
    bot = tmp_path / "bot.py"
    bot.write_text("async def broken(messages):\n    raise RuntimeError('out of order')\n")
    words = ["run", str(records), "--local", "--quiet", "--agent", f"{bot}:broken"]
    assert main([*words, "--fail-if", "risk_ratio > 0.9"]) == 3
    capsys.readouterr()
    assert main(["report", "--fail-if", "risk_ratio > 0.9", "--fail-if", "faults > 0"]) == 1
    text = " ".join(capsys.readouterr().out.split())
    assert "gate FAILED: risk_ratio@4 may be as high as 1, above 0.9" in text and "unknown in 6" in text
    assert "gate passed: faults is 0, not above 0" in text


@pytest.mark.parametrize("command", ["run", "report", "export"])
def test_help_lists_the_metrics(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    text = capsys.readouterr().out
    assert all(f"  {name}" in text for name in metric.METRICS)
