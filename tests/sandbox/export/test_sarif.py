"""SARIF: what the schema's own models take, with a result a finding, on the line of the scenario's risk."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Schema

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.export import sarif
from riskbox.sandbox.export.source import ExportSource

Sources = Callable[..., ExportSource]
PLAYED, HOSTILE = "20260302-090000-aaaa", "20260303-090000-bbbb"


def written(source: ExportSource, places: dict[str, sarif.ScenarioSource] | None = None) -> dict[str, Any]:
    out, again = io.BytesIO(), io.BytesIO()
    assert sarif.write(source, out, places) == sum(1 for _ in source.rows())
    sarif.write(source, again, places)
    assert again.getvalue() == out.getvalue()
    Schema.model_validate_json(out.getvalue())
    made: dict[str, Any] = json.loads(out.getvalue())
    return made


@pytest.mark.parametrize("run", [PLAYED, HOSTILE])
def test_a_finding_is_a_result(source: Sources, run: str) -> None:
    one = source(run)
    [made] = written(one)["runs"]
    found = [
        (played.episode.id, finding) for played in one.played() for finding in played.assessments[0].findings
    ]
    assert found
    rules = made["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result, (id, finding) in zip(made["results"], found, strict=True):
        assert result["ruleId"] == rules[result["ruleIndex"]]["id"] == f"{finding.category[0]}/{finding.risk}"
        assert result["properties"]["episode"] == id
        assert result["properties"]["evidence"] == list(finding.evidence)
        level = "note" if finding.severity <= 3 or finding.status == "averted" else "warning"
        level = "error" if finding.severity >= 7 and finding.status != "averted" else level
        is_suspected = finding.status == "suspected"
        assert result["level"] == ("none" if is_suspected else level)
        assert result.get("kind", "fail") == ("review" if is_suspected else "fail")


def test_rules_say_what_the_risk_is(source: Sources) -> None:
    one = source(PLAYED)
    [made] = written(one)["runs"]
    described = {
        risk.describe for hash in one.manifest.cases.values() for risk in one.case(hash).scenario.risks
    }
    for rule in made["tool"]["driver"]["rules"]:
        assert rule["shortDescription"]["text"] in described
        assert 1 <= float(rule["properties"]["security-severity"]) <= 10
        assert rule["properties"]["tags"][0] == "security"


def test_results_point_to_the_risks_line(
    source: Sources, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(records.parent.parent)
    places = sarif.find([str(records.parent)])
    lines = records.read_text("utf-8").splitlines()
    [made] = written(source(PLAYED), places)["runs"]
    for result in made["results"]:
        at = result["locations"][0]["physicalLocation"]
        assert at["artifactLocation"]["uri"] == f"{records.parent.name}/{records.name}"
        risk = result["ruleId"].partition("/")[2]
        assert f"id: {risk}" in lines[at["region"]["startLine"] - 1]


def test_without_files_results_point_to_the_case(source: Sources) -> None:
    [made] = written(source(PLAYED))["runs"]
    for result in made["results"]:
        case = result["properties"]["case"]
        [at] = result["locations"]
        assert at["physicalLocation"]["artifactLocation"]["uri"] == case
        assert at["logicalLocations"][0]["fullyQualifiedName"] == case


def test_the_same_finding_has_the_same_fingerprint_in_every_run(source: Sources) -> None:
    [made] = written(source(PLAYED))["runs"]
    prints = [one["partialFingerprints"]["riskboxFinding/v1"] for one in made["results"]]
    assert len(set(prints)) == len(prints)


def test_hostile_text_is_no_link_and_no_placeholder(source: Sources) -> None:
    [made] = written(source(HOSTILE))["runs"]
    told = [one["message"]["text"] for one in made["results"]]
    assert any(r"\[click\](http" in text and "{{0}}" in text and "{name}" in text for text in told)
    assert not {"\x1b", "\u202e", "\x00"} & set("".join(told))


def test_files_that_are_no_scenarios_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [")
    (tmp_path / "other.yaml").write_text("gate: [risk_ratio > 0]")
    (tmp_path / "one.yaml").write_text("scenario: one\nrisks:\n  - id: a\n  - {id: b}\n  - nonsense\n")
    found = sarif.find([str(tmp_path)])
    assert found["one"].lines == {"a": 3, "b": 4} and len(found) == 1
    with pytest.raises(InputError, match="there is no such file or folder"):
        sarif.find([str(tmp_path / "none")])
