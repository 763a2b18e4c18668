"""Files of gates, and those of the page on gates."""

from __future__ import annotations

import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.gates.gate import Gate, read


def test_a_file_of_gates(tmp_path: Path) -> None:
    path = tmp_path / "gates.yaml"
    path.write_text(
        "gate:\n  - risk_ratio > 0.1\n  - name: privacy\n    fail_if: legal.risk_ratio > 0.05\n    reason: The law.\n"
    )
    assert read(path) == [
        Gate("risk_ratio > 0.1"), Gate("legal.risk_ratio > 0.05", "privacy", "The law."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("risk_ratio > 0.1", "gates.yaml:1:1 is not a gate file"),
        ("gates: [risk_ratio > 0.1]", "is not a gate file"),
        ("gate: []", "contains no condition"),
        (
            "gate:\n  - risk_ratio > 0.1\n  - legl.risk_ratio > 0.1",
            r"gates.yaml:3:5 gate\[1\]: .*Did you mean 'legal'",
        ),
        ("gate:\n  - {name: a}", "write a condition"),
        ("gate:\n  - {fail_if: faults > 0.1, resaon: b}", "Did you mean 'reason'"),
        ("gate:\n  - {fail_if: faults > 0.1, name: [b]}", "name is not text"),
        ("gate:\n  - 7", "write a condition"),
        ("gate: [", "is not YAML"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "gates.yaml").write_text(text)
    with pytest.raises(ScenarioError, match=told):
        read(tmp_path / "gates.yaml")


def test_every_problem_of_a_file_at_once(tmp_path: Path) -> None:
    (tmp_path / "gates.yaml").write_text("gate:\n  - faluts > 0.1\n  - risk_ratio > 7\n")
    with pytest.raises(ScenarioError) as told:
        read(tmp_path / "gates.yaml")
    assert [problem.line for problem in told.value.problems] == [2, 3]


def blocks() -> list[str]:
    page = (Path(__file__).parents[3] / "docs" / "gates.md").read_text("utf-8")
    return [part.partition("```")[0] for part in page.split("```yaml\n")[1:]]


def test_the_gates_of_the_page_are_read(tmp_path: Path) -> None:
    [gates] = [block for block in blocks() if block.startswith("gate:")]
    (tmp_path / "gates.yaml").write_text(gates)
    assert [gate.name for gate in read(tmp_path / "gates.yaml")] == ["privacy", "useful", ""]


def test_the_workflow_of_the_page_is_one(tmp_path: Path) -> None:
    [workflow] = [block for block in blocks() if "jobs:" in block]
    (tmp_path / "riskbox.yml").write_text(workflow)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            "vendor.github-workflows",
            "riskbox.yml",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    commands = [line.strip().removeprefix("run: ") for line in workflow.splitlines() if "riskbox " in line]
    commands = [line for line in commands if line.startswith("riskbox ")]
    assert len(commands) == 4
    for command in commands:
        _, name, *words = shlex.split(command)
        module: Any = import_module(f"riskbox.sandbox.cli.{name}")
        module.parser().parse_args(words)
