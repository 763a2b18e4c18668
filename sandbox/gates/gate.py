"""Gates: conditions under which a run's results do not pass, and files of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from riskbox.sandbox.errors import InputError, Problem, ScenarioError, did_you_mean
from riskbox.sandbox.gates.metric import GateCondition
from riskbox.sandbox.yamlfile import marks, parse, text_of


@dataclass(frozen=True)
class Gate:
    """A condition with a name and a reason."""

    condition: str
    """As it was written."""
    name: str = ""
    """What it is called; its condition if left out."""
    reason: str = ""
    """Why it is there, for whoever sees it fail."""

    @cached_property
    def parsed(self) -> GateCondition:
        """The condition.

        Raises:
            InputError: it is none.
        """
        return GateCondition.parse(self.condition)


def read(path: Path) -> list[Gate]:
    """The gates of a YAML file: `gate:` with a list of conditions, or of name, fail_if and reason.

    Raises:
        ScenarioError: it is no such file; every problem at once, with line and column.
    """
    text = text_of(path)
    value, places = parse(text, str(path)), marks(text, str(path))
    problems: list[Problem] = []

    def wrong(message: str, *at: str | int) -> None:
        line, column = places.get(at, (1, 1))
        problems.append(Problem(message, str(path), line, column))

    if not isinstance(value, dict) or set(value) != {"gate"} or not isinstance(value["gate"], list):
        wrong('is not a gate file; write `gate:` and below it a list, for example `- "risk_ratio > 0.05"`.')
        raise ScenarioError(problems)
    gates = []
    for place, item in enumerate(value["gate"]):
        try:
            gates.append(_listed(item))
        except InputError as error:
            wrong(f"gate[{place}]: {error}", "gate", place)
    if not value["gate"]:
        wrong("gate: contains no condition, so nothing could fail.", "gate")
    if problems:
        raise ScenarioError(problems)
    return gates


def _listed(item: object) -> Gate:
    if isinstance(item, str):
        item = {"fail_if": item}
    known = ("name", "fail_if", "reason")
    if not isinstance(item, dict) or "fail_if" not in item:
        raise InputError(
            "write a condition, or a mapping with `fail_if: CONDITION` and optionally `name` and `reason`."
        )
    for key, text in item.items():
        if key not in known:
            raise InputError(f"there is no key {key!r}. {did_you_mean(str(key), known)}")
        if not isinstance(text, str):
            raise InputError(f"{key} is not text.")
    gate = Gate(item["fail_if"], item.get("name", ""), item.get("reason", ""))
    gate.parsed  # noqa: B018  # raises if it is no condition
    return gate
