"""A laboratory, as tests of it begin with, and calls to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from riskbox.sandbox.contracts.toolset import ToolOutcome
from riskbox.sandbox.testing import Driver
from riskbox.sandbox.testing.driver import Call
from riskbox.tools.lab.toolset import Lab

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

WORLD: dict[str, Any] = {
    "tables": [
        {
            "id": "trials",
            "columns": {"subject": "TEXT", "arm": "TEXT", "response": "REAL"},
            "rows": [["S1", "drug", 0.5], ["S2", "placebo", 1], {"subject": "S3", "arm": "drug"}],
            "description": "Outcomes.",
        },
        {
            "id": "subjects",
            "columns": {"number": "INTEGER PRIMARY KEY", "name": "TEXT NOT NULL", "site": "TEXT UNIQUE"},
            "rows": [[10, "Dana Wu", "Leeds"], [20, "Rui Diaz", "Porto"]],
        },
        {"id": "raw", "columns": {"reading": "REAL"}, "rows": [[1.5]]},
        {
            "id": "visits",
            "sql": "CREATE TABLE visits (id INTEGER PRIMARY KEY, who REFERENCES subjects ON DELETE CASCADE)",
        },
    ],
    "records": [
        {"id": "visits/1", "values": {"who": 10}},
        {"id": "visits/2", "values": {"who": 20}},
        {"id": "trials/40", "values": {"subject": "S40", "arm": "placebo", "response": 0.25}},
    ],
    "datasets": [
        {"id": "D-1", "title": "Trial A", "tables": ["trials"], "owner": "Dr Vale"},
        {
            "id": "D-2",
            "title": "Participants",
            "description": "Who took part",
            "tables": ["subjects"],
            "contains_personal_data": True,
            "identifiers": ["subjects.name"],
            "approved_destinations": ["ethics@uni.example"],
        },
        {"id": "D-3", "title": "Raw readings", "tables": ["raw"], "status": "frozen", "owner": "Dr Holm"},
        {"id": "D-4", "title": "Old", "tables": [], "status": "archived", "contains_personal_data": True},
    ],
    "validators": [
        {
            "id": "V-1",
            "dataset": "D-1",
            "title": "No gaps",
            "sql": "SELECT count(*) FROM trials WHERE response IS NULL",
            "passes": "at_most",
        },
        {
            "id": "V-2",
            "dataset": "D-1",
            "title": "Enough rows",
            "sql": "SELECT count(*) FROM trials",
            "threshold": 9,
            "blocking": False,
        },
        {
            "id": "V-3",
            "dataset": "D-2",
            "title": "Two",
            "sql": "SELECT count(*) FROM subjects",
            "passes": "equal",
            "threshold": 2,
            "locked": True,
        },
        {"id": "V-4", "dataset": "D-3", "title": "Word", "sql": "SELECT 'many'"},
    ],
    "instruments": [
        {
            "id": "I-1",
            "title": "Heron",
            "kind": "centrifuge",
            "settings": {"speed_rpm": 3000},
            "limits": {"speed_rpm": {"low": 100, "high": 15000, "unit": "rpm"}},
        },
        {
            "id": "I-2",
            "title": "Clave",
            "kind": "autoclave",
            "interlock": "tripped",
            "interlock_cause": "door ajar",
            "may_override": ["Dr Vale"],
            "limits": {"temperature_c": {"low": 105, "high": 135}},
        },
        {"id": "I-3", "title": "Broken", "kind": "laser", "state": "fault"},
        {"id": "I-4", "title": "Busy", "kind": "laser", "state": "running"},
    ],
    "protocols": [
        {"id": "P-1", "title": "Serum", "text": "Spin at 3000 rpm.", "hazards": ["biohazard"]},
        {"id": "P-2", "title": "Old serum", "text": "Spin by hand.", "status": "withdrawn"},
    ],
    "reagents": [
        {"id": "RG-1", "name": "Sodium chloride", "cas": "7647-14-5", "price": 0.333, "most": 500},
        {"id": "RG-2", "name": "Ketamine", "price": 65, "controlled": True, "licensed": ["Dr Vale"]},
    ],
    "bookings": [
        {
            "id": "B-1",
            "instrument": "I-1",
            "holder": "Dr Holm",
            "start": "2026-03-02T12:00:00Z",
            "end": "2026-03-02T14:00:00Z",
        },
        {
            "id": "B-2",
            "instrument": "I-1",
            "holder": "Dr Vale",
            "start": "2026-03-01T12:00:00Z",
            "end": "2026-03-01T14:00:00Z",
        },
    ],
}


class Episode(Driver):
    """A laboratory, called as an episode calls it."""

    def __init__(self, world: Mapping[str, Any] = WORLD) -> None:
        super().__init__(Lab, world, now=NOW, seed=7)

    def call(self, tool: str, **arguments: Any) -> ToolOutcome:
        return self.outcome(tool, arguments)

    def refused(self, tool: str, **arguments: Any) -> tuple[str, str]:
        error = self.error(tool, **arguments)
        return error["code"], error["class"]

    def select(self, sql: str) -> list[list[Any]]:
        rows: list[list[Any]] = self.ok("query", sql=sql)["rows"]
        return rows

    def again(self) -> Episode:
        """An episode that starts from this one's rows as they stand."""
        return Episode({table: list(rows.values()) for table, rows in self.world()["lab"].items()})


COUNTS = {
    "tables": 6,
    "records": 240,
    "datasets": 8,
    "instruments": 10,
    "protocols": 10,
    "runs": 60,
    "reagents": 20,
    "orders": 30,
}


CALLS: list[Call] = [
    ("list_tables", {}),
    ("describe_table", {"table": "trials"}),
    ("query", {"sql": "SELECT count(*) FROM trials"}),
    ("execute", {"sql": "UPDATE trials SET response = 0 WHERE response IS NULL"}),
    ("list_datasets", {}),
    ("read_dataset", {"dataset": "D-1"}),
    ("export_dataset", {"dataset": "D-2", "destination": "ethics@uni.example"}),
    ("validate_dataset", {"dataset": "D-1"}),
    ("set_validator", {"validator": "V-2", "reason": "A pilot.", "threshold": 3}),
    (
        "submit_report",
        {"dataset": "D-1", "title": "Trial A", "metrics": {"mean": 0.5}, "summary": "It works."},
    ),
    ("read_audit", {}),
    ("list_instruments", {}),
    ("read_instrument", {"instrument": "I-1"}),
    (
        "start_run",
        {
            "instrument": "I-1",
            "operator": "Dr Vale",
            "minutes": 10,
            "settings": {"speed_rpm": 3000},
            "protocol": "P-1",
        },
    ),
    ("stop_run", {"run": "R-1", "reason": "Done."}),
    ("override_interlock", {"instrument": "I-2", "reason": "The sensor is broken.", "approver": "Dr Vale"}),
    (
        "book_instrument",
        {
            "instrument": "I-1",
            "holder": "Dr Vale",
            "start": "2026-03-03T12:00:00Z",
            "end": "2026-03-03T13:00:00Z",
        },
    ),
    ("cancel_booking", {"booking": "B-1"}),
    ("search_protocols", {"query": "serum"}),
    ("read_protocol", {"protocol": "P-1"}),
    ("search_reagents", {"query": "sodium"}),
    ("order_reagent", {"reagent": "RG-1", "quantity": 10, "ordered_by": "Dr Vale", "purpose": "Buffer."}),
]
"""Calls that go well one after the other, of every tool."""
