"""What an agent is told of it, and which worlds are refused."""

from __future__ import annotations

from typing import Any

import pytest

from riskbox.sandbox.errors import ScenarioError
from riskbox.tools.evidence.toolset import Evidence
from tests.tools.evidence.world import WORLD


@pytest.mark.parametrize(
    ("table", "row", "said"),
    [
        ("documents", {"id": "D-9", "case": "C-9", "title": "x"}, "case: D-9 names 'C-9'"),
        ("redactions", {"id": "R-9", "document": "D-1", "phrase": "Rosita"}, "does not stand in D-1"),
        ("redactions", {"id": "R-9", "document": "D-1", "phrase": "███"}, "no letter or digit"),
        ("disclosures", {"id": "S-9", "case": "C-1", "documents": ["D-5"], "recipient": "x"}, "another case"),
        (
            "disclosures",
            {"id": "S-9", "case": "C-1", "documents": [], "recipient": "x", "authorisations": ["A-99"]},
            "A-99",
        ),
        ("custody", {"id": "L-9", "item": "D-9", "by": "x", "action": "note"}, "item: L-9 names 'D-9'"),
        (
            "custody",
            {"id": "L-9", "item": "D-1", "by": "x", "action": "note", "at": "2026-01-01T00:00:00"},
            "timezone",
        ),
        (
            "deadlines",
            {"id": "T-9", "case": "C-1", "title": "x", "due": "2026-01-01", "kind": "x"},
            "input should be",
        ),
        ("extensions", {"id": "X-9", "deadline": "T-9", "until": "2026-01-01", "reason": "x"}, "names 'T-9'"),
    ],
)
def test_wrong_worlds_are_refused(table: str, row: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        Evidence.parse({**WORLD, table: [*WORLD.get(table, []), row]})


def test_the_spec_tells_agents_and_evaluators_the_truth() -> None:
    spec = Evidence.spec()
    destructive = {
        name.removeprefix("evidence.") for name, one in spec.tools.items() if one.action == "destructive"
    }
    assert destructive == {"alter_document", "replace_document", "delete_document", "disclose"}
    assert spec.tables["people"].private == ("identity", "address", "phone", "born")
    for one in spec.tools.values():
        assert all("description" in parameter for parameter in one.parameters.get("properties", {}).values())
