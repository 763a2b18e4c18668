"""The rows that a toolset starts from: bulk rows of a file, and generated ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.loading.loader import load, loads
from tests.sandbox.loading.records import edited


def test_bulk_rows_come_from_a_file_inside_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(edited("  clinic:\n", "  clinic:\n    rows: people.json\n"))
    (tmp_path / "people.json").write_text(
        '{"patients": [{"id": "P-900", "name": "Al Day", "born": "1990-01-01"}]}'
    )
    from riskbox.sandbox.batch.plan import cases

    (case, *_) = cases([load(path)])
    assert {"P-104", "P-900"} <= set(case.rows["clinic"]["patients"])
    path.write_text(edited("  clinic:\n", "  clinic:\n    rows: ../people.json\n"))
    with pytest.raises(ScenarioError, match="outside the scenario's folder"):
        load(path)
    path.write_text(edited("  clinic:\n", "  clinic:\n    rows: gone.json\n"))
    with pytest.raises(ScenarioError, match=r"world.clinic.rows: 'gone.json' cannot be read"):
        load(path)


def test_generated_rows_are_part_of_the_case_and_seeded(tmp_path: Path) -> None:
    from riskbox.sandbox.batch.plan import cases

    def hashes(seed: int) -> list[str]:
        text = edited("  clinic:\n", f"  clinic:\n    generate: {{seed: {seed}, patients: 30}}\n")
        return [case.hash for case in cases([loads(text, tmp_path / "s.yaml")])]

    assert hashes(1) == hashes(1)
    assert hashes(1) != hashes(2)


def test_rows_are_generated_once_for_a_scenario_and_all_its_cases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from riskbox.sandbox.batch.plan import cases
    from riskbox.tools.clinic.toolset import Clinic

    asked: list[Any] = []
    generate = Clinic.generate

    def counted(fake: Any, counts: Any, now: Any) -> Any:
        asked.append(counts)
        return generate(fake, counts, now)

    monkeypatch.setattr(Clinic, "generate", counted)
    text = edited("  clinic:\n", "  clinic:\n    generate: {seed: 4711, patients: 31}\n")
    made = cases([loads(text, tmp_path / "s.yaml")])
    assert len(made) > 1 and {len(case.world["clinic"]["patients"]) for case in made} == {32}
    assert asked == [{"patients": 31}]
