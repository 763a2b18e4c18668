"""SARIF 2.1.0: a result a finding, for code scanning.

A rule is a category and a risk, a location the scenario's file, on the line of the risk where the files are at hand, else
the case's id. Levels go by severity: note up to 3, warning up to 6, error from 7 on; what the user averted is a note.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from riskbox.sandbox.errors import InputError, ScenarioError
from riskbox.sandbox.escape import inert
from riskbox.sandbox.export.frames import encodable
from riskbox.sandbox.export.source import ExportSource
from riskbox.sandbox.reporting.health import HealthReport
from riskbox.sandbox.words.case import digest
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.verdict import Assessment, Finding
from riskbox.sandbox.yamlfile import marks, parse, text_of

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


@dataclass(frozen=True, slots=True)
class ScenarioSource:
    """Where a scenario is written."""

    file: str
    """Its path, with forward slashes."""
    lines: Mapping[str, int]
    """The line of each risk."""


def write(source: ExportSource, out: BinaryIO, places: Mapping[str, ScenarioSource] | None = None) -> int:
    """Write the findings of the chosen episodes; how many episodes were looked at is returned.

    Args:
        source: The episodes.
        out: Where to.
        places: By scenario, where it is written; see `find`.
    """
    rules = SarifRules(source)
    made = source.manifest
    out.write(b'{\n"version": "2.1.0",\n"$schema": ' + _json(SCHEMA) + b',\n"runs": [{\n"results": [')
    many, first = 0, True
    for played in source.played():
        many += 1
        for assessment in source.assessments(played):
            for result in _results(played, assessment, rules, places or {}):
                out.write((b"\n" if first else b",\n") + _json(result))
                first = False
    properties = {"run": made.run, "name": made.name, "created": made.created, "episodes": many}
    out.write(
        b'\n],\n"tool": '
        + _json({"driver": rules.driver()})
        + b',\n"invocations": '
        + _json([_invocation(source)])
        + b',\n"columnKind": "unicodeCodePoints",\n"properties": '
        + _json(properties)
        + b"\n}]\n}\n"
    )
    return many


@dataclass
class SarifRules:
    """The rules that results refer to, as they are met."""

    source: ExportSource
    """What is exported."""
    met: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Rules by id."""
    places: dict[str, int] = field(default_factory=dict)
    """The index of each, by id."""

    def place(self, id: str, one: Finding, played: Played) -> int:
        """The index of a finding's rule."""
        if id not in self.met:
            self.places[id] = len(self.met)
            self.met[id] = self._rule(id, one, played)
        return self.places[id]

    def _rule(self, id: str, one: Finding, played: Played) -> dict[str, Any]:
        scenario = self.source.case(played.episode.case.hash).scenario
        asked = next((risk for risk in scenario.risks if risk.id == one.risk), None)
        about = (asked.describe if asked else "") or one.risk
        return {
            "id": id,
            "name": re.sub(r"\W", "", one.risk.title()) or "Risk",
            "shortDescription": {"text": _text(about)},
            "fullDescription": {"text": _text(f"{about} ({scenario.title})")},
            "help": {"text": f"Categories: {', '.join(one.category)}. Read an episode: riskbox show EPISODE"},
            "defaultConfiguration": {"level": _level(one.severity)},
            "properties": {
                "tags": ["security", *one.category],
                "security-severity": f"{one.severity:.1f}",
                "precision": "high" if one.source == "check" else "medium",
            },
        }

    def driver(self) -> dict[str, Any]:
        """The tool, with every rule met."""
        return {"name": "Riskbox", "version": version("riskbox"), "rules": list(self.met.values())}


def _invocation(source: ExportSource) -> dict[str, Any]:
    """Whether the run's instrument was well: a notification for each thing that was wrong with it."""
    health = HealthReport.of_rows(source.rows())
    told = [
        {
            "level": "error" if one.broken else "warning",
            "message": {"text": _text(f"{one.told} {one.mend}".strip())},
            "descriptor": {"id": f"health/{one.mark}"},
        }
        for one in health.symptoms
    ]
    return {"executionSuccessful": not health.broken, "toolExecutionNotifications": told}


def _results(
    played: Played, assessment: Assessment, rules: SarifRules, places: Mapping[str, ScenarioSource]
) -> Iterator[dict[str, Any]]:
    one = played.episode
    for found in assessment.findings:
        id = f"{found.category[0]}/{found.risk}"
        seat = f"{one.cast.agent}, seed {one.seed}"
        told = found.reason or f"{found.risk} was {found.status}."
        yield {
            "ruleId": id,
            "ruleIndex": rules.place(id, found, played),
            # what only wording suggests waits for somebody to look at it; such a result has no level
            **(
                {"kind": "review", "level": "none"}
                if found.status == "suspected"
                else {"level": _found(found)}
            ),
            "message": {"text": _text(f"{told} ({found.status}, severity {found.severity}; {seat})")},
            "locations": [_location(played, found, places.get(one.case.scenario))],
            "partialFingerprints": {
                "riskboxFinding/v1": digest(
                    [one.case.id, found.risk, one.cast.agent, one.cast.user, one.seed]
                )
            },
            "properties": {
                "episode": one.id,
                "run": one.run,
                "case": one.case.id,
                "agent": one.cast.agent,
                "seed": one.seed,
                "intent": one.case.intent,
                "status": found.status,
                "severity": found.severity,
                "categories": list(found.category),
                "evidence": list(found.evidence),
                "source": found.source,
                "evaluator": f"{assessment.evaluator} {assessment.version}",
            },
        }


def _location(played: Played, found: Finding, place: ScenarioSource | None) -> dict[str, Any]:
    case = played.episode.case.id
    uri = place.file if place else case
    line = place.lines.get(found.risk, 1) if place else 1
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(encodable(uri), safe="/+=")},
            "region": {"startLine": line},
        },
        "logicalLocations": [{"fullyQualifiedName": case, "kind": "module"}],
    }


def _found(one: Finding) -> str:
    return "note" if one.status == "averted" else _level(one.severity)


def _level(severity: int) -> str:
    return "note" if severity <= 3 else "warning" if severity <= 6 else "error"


def _text(text: str) -> str:
    """Plain text: no control characters, no links and no placeholders, which SARIF's messages may hold."""
    return re.sub(r"\{(\d+)\}", r"{{\1}}", re.sub(r"([\[\]\\])", r"\\\1", inert(text)))


def _json(value: Any) -> bytes:
    return json.dumps(encodable(value)).encode()


def find(paths: list[str]) -> dict[str, ScenarioSource]:
    """Where the scenarios of some files and folders are written, by name; files that hold none are left out.

    Raises:
        InputError: there is no such file or folder.
    """
    found: dict[str, ScenarioSource] = {}
    for given in paths:
        path = Path(given)
        if not path.exists():
            raise InputError(f"--scenarios {given}: there is no such file or folder.")
        for file in sorted(path.rglob("*.yaml")) if path.is_dir() else [path]:
            found.update(_placed(file))
    return found


def _placed(file: Path) -> dict[str, ScenarioSource]:
    try:
        text = text_of(file)
        value, where = parse(text), marks(text)
    except ScenarioError:
        return {}  # whatever it is, no episode was played from it
    if not isinstance(value, dict) or not isinstance(value.get("scenario"), str):
        return {}
    risks = value.get("risks")
    lines = {
        str(risk["id"]): where.get(("risks", place), (1, 1))[0]
        for place, risk in enumerate(risks if isinstance(risks, list) else [])
        if isinstance(risk, dict) and "id" in risk
    }
    shown = file.resolve()
    here = Path.cwd()
    return {
        value["scenario"]: ScenarioSource(
            (shown.relative_to(here) if shown.is_relative_to(here) else shown).as_posix(), lines
        )
    }
