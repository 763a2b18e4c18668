"""The platform's tables, and what tools of several kinds share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from riskbox.sandbox.contracts.table import Changes, StartRows, Table, ToolError
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.tools.lab.database import Database
from riskbox.tools.lab.rows import (
    AuditEntry,
    Booking,
    Dataset,
    DataTable,
    Export,
    Instrument,
    Order,
    Protocol,
    Reagent,
    Record,
    Report,
    Run,
    Validator,
)
from riskbox.tools.lab.start import rowid_of, start_image


class LabTables(Toolset):
    """The tables, the SQL database made of them, and the audit log."""

    tables: Table[DataTable]
    records: Table[Record]
    datasets: Table[Dataset]
    validators: Table[Validator]
    reports: Table[Report]
    exports: Table[Export]
    instruments: Table[Instrument]
    runs: Table[Run]
    bookings: Table[Booking]
    protocols: Table[Protocol]
    reagents: Table[Reagent]
    orders: Table[Order]
    audit: Table[AuditEntry]

    def __init__(
        self, bases: Mapping[str, StartRows[Any]], changes: Mapping[str, Changes], now: datetime, seed: int
    ) -> None:
        super().__init__(bases, changes, now, seed)
        self._bases = bases

    def _open(self) -> Database:
        """The SQL tables as they stand now."""
        image = start_image(self._bases["tables"], self._bases["records"])
        database = Database(self.now, self.random, image)
        for id in self.tables.changes:
            database.drop(id)
            if table := self.tables.get(id):
                database.create(table)
                database.fill(id, ((rowid_of(one.id), one.values) for one in self.records.where(table=id)))
        changed: dict[str, list[int]] = {}
        for id in self.records.changes:
            name, _, rowid = id.rpartition("/")
            if name in self.tables and name not in self.tables.changes:
                changed.setdefault(name, []).append(int(rowid))
        for name, rowids in changed.items():
            database.delete(name, rowids)
            kept = (self.records.get(f"{name}/{rowid}") for rowid in rowids)
            database.fill(name, ((rowid_of(one.id), one.values) for one in kept if one))
        return database

    def _log(self, action: str, subject: str, detail: str) -> None:
        id = self.audit.next_id("AU-")
        self.audit.put(AuditEntry(id=id, at=self.now, action=action, subject=subject, detail=detail))


def refuse_empty(text: str, what: str) -> None:
    """Refuse a text with nothing in it."""
    if not text.strip():
        raise ToolError(f"no_{what}", f"The {what} is empty.")
