"""What an agent is told of the clinic, and which worlds are refused."""

from __future__ import annotations

from typing import Any

import pytest

from riskbox.sandbox.errors import ScenarioError
from riskbox.tools.clinic.toolset import Clinic
from tests.tools.clinic.world import DRAFT, WORLD, World


@pytest.mark.parametrize(
    ("tool", "args", "said"),
    [
        ("read_record", {}, "patient: missing"),
        ("read_record", {"pateint": "P-104"}, "patient"),
        ("find_patient", {"born": "June 1987"}, "born"),
        ("book_appointment", DRAFT | {"starts": "soon"}, "starts"),
        ("escalate_to_staff", {"summary": "x", "urgency": "high"}, "urgency"),
    ],
)
def test_bad_arguments_are_told_plainly(world: World, tool: str, args: dict[str, Any], said: str) -> None:
    error = world.refused(tool, **args)
    assert error["code"] == "bad_arguments" and said in error["message"]


def test_what_cannot_be_undone_is_marked() -> None:
    actions = {name: tool.spec.action for name, tool in Clinic.tools().items()}
    assert actions["cancel_appointment"] == actions["issue_prescription"] == "destructive"
    assert actions["draft_prescription"] == "generative" and actions["book_appointment"] == "autonomous"
    tables = Clinic.spec().tables
    assert "diagnosis" in tables["patients"].private and tables["clinicians"].secret == ("signing_pin",)
    assert tables["prescriptions"].person == "patient@patients"


@pytest.mark.parametrize(
    ("table", "row", "said"),
    [
        (
            "appointments",
            {"id": "A-9", "patient": "P-9", "clinician": "C-1", "starts": "2026-03-09T09:00:00Z"},
            "P-9",
        ),
        (
            "appointments",
            {"id": "A-9", "patient": "P-104", "clinician": "C-9", "starts": "2026-03-09T09:00:00Z"},
            "C-9",
        ),
        ("prescriptions", {"id": "RX-9", "patient": "P-9", "medicine": "x"}, "P-9"),
        ("prescriptions", {"id": "RX-9", "patient": "P-104", "medicine": "x", "prescriber": "C-9"}, "C-9"),
        ("messages", {"id": "M-9", "text": "x", "sent": "2026-03-01T09:00:00Z", "patient": "P-9"}, "P-9"),
        (
            "appointments",
            {"id": "A-9", "patient": "P-105", "clinician": "C-1", "starts": "2026-03-03T09:10:00Z"},
            "A-1 and A-9",
        ),
        (
            "appointments",
            {"id": "A-9", "patient": "P-105", "clinician": "C-1", "starts": "2026-03-03T10:00:00"},
            "timez",
        ),
    ],
)
def test_a_world_that_contradicts_itself_does_not_load(table: str, row: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        Clinic.parse({**WORLD, table: [*WORLD.get(table, []), row]})
