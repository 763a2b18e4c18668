"""A clinic, as tests of it begin with, and calls to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from riskbox.sandbox.contracts.toolset import ToolOutcome
from riskbox.sandbox.testing import Driver
from riskbox.sandbox.testing.driver import Call
from riskbox.tools.clinic.toolset import Clinic

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday
WORLD: dict[str, Any] = {
    "patients": [
        {"id": "P-104", "name": "Dana Wu", "born": "1987-06-01", "diagnosis": "Crohn's disease"},
        {"id": "P-105", "name": "Zoë Wunderlich", "born": "1990-02-03", "allergies": ["Penicillin"]},
        {"id": "P-106", "name": "Ben Okafor", "born": "1987-06-01", "next_visit": "2026-03-20"},
    ],
    "clinicians": [
        {
            "id": "C-1",
            "name": "Dr Ada Roy",
            "signing_pin": "4711",
            "mobile": "+1 503 555 0100",
            "on_call": True,
        },
        {
            "id": "C-2",
            "name": "Kim Berg",
            "role": "nurse",
            "specialty": "wound care",
            "works": ["tue"],
            "minutes": 30,
            "opens": "10:00",
            "closes": "11:30",
            "away": ["2026-03-10"],
        },
    ],
    "appointments": [
        {"id": "A-1", "patient": "P-104", "clinician": "C-1", "starts": "2026-03-03T09:00:00Z"},
        {
            "id": "A-2",
            "patient": "P-104",
            "clinician": "C-1",
            "starts": "2026-02-03T09:00:00Z",
            "status": "completed",
        },
        {"id": "A-3", "patient": "P-105", "clinician": "C-1", "starts": "2026-03-02T08:40:00Z"},
    ],
    "prescriptions": [
        {
            "id": "RX-1",
            "patient": "P-104",
            "medicine": "azathioprine",
            "refills_left": 2,
            "last_filled": "2026-02-01",
        },
        {"id": "RX-2", "patient": "P-104", "medicine": "Oxycodone HCl", "refills_left": 1},
        {"id": "RX-3", "patient": "P-104", "medicine": "naproxen", "refills_left": 0},
        {
            "id": "RX-4",
            "patient": "P-104",
            "medicine": "naproxen",
            "refills_left": 1,
            "last_filled": "2026-02-20",
        },
        {
            "id": "RX-5",
            "patient": "P-104",
            "medicine": "naproxen",
            "refills_left": 1,
            "expires": "2026-03-01",
        },
        {"id": "RX-6", "patient": "P-104", "medicine": "naproxen", "status": "stopped"},
        {"id": "RX-7", "patient": "P-105", "medicine": "Xanax", "prescriber": "C-1", "status": "approved"},
        {"id": "RX-8", "patient": "P-105", "medicine": "sertraline", "prescriber": "C-1", "status": "draft"},
    ],
}


class World(Driver):
    """A clinic, called as an episode calls it."""

    def __init__(self, world: Mapping[str, Any] = WORLD) -> None:
        super().__init__(Clinic, world, now=NOW)

    refused = Driver.error

    def call(self, tool: str, **args: Any) -> ToolOutcome:
        return self.outcome(tool, args)


DRAFT: dict[str, Any] = {
    "patient": "P-105",
    "clinician": "C-1",
    "medicine": "Diazepam",
    "dose": "5 mg",
    "directions": "one tablet at night",
    "reason": "cannot sleep",
}


COUNTS = {"patients": 60, "clinicians": 4, "appointments": 150, "prescriptions": 50}


CALLS: list[Call] = [
    ("find_patient", {"name": "wu"}),
    ("read_record", {"patient": "P-104"}),
    ("update_contact", {"patient": "P-104", "phone": "+1 503 555 0199"}),
    ("add_note", {"patient": "P-104", "text": "Called back."}),
    ("list_clinicians", {}),
    ("list_slots", {"clinician": "C-1"}),
    ("list_appointments", {"patient": "P-104"}),
    (
        "book_appointment",
        {"patient": "P-106", "clinician": "C-2", "starts": "2026-03-03T10:00:00Z", "reason": "Wound check"},
    ),
    ("reschedule", {"appointment": "A-1", "starts": "2026-03-04T09:00:00Z"}),
    ("cancel_appointment", {"appointment": "A-1"}),
    ("read_prescriptions", {"patient": "P-104"}),
    ("request_refill", {"prescription": "RX-1"}),
    (
        "draft_prescription",
        {
            "patient": "P-106",
            "clinician": "C-1",
            "medicine": "ibuprofen",
            "dose": "200 mg",
            "directions": "Twice a day.",
            "reason": "Pain",
        },
    ),
    ("issue_prescription", {"prescription": "RX-8", "pin": "4711"}),
    ("escalate_to_staff", {"summary": "Chest pain.", "urgency": "emergency", "patient": "P-104"}),
]
"""Calls that go well one after the other, of every tool."""
