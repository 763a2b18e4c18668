"""Changes of files that are written to their table at the end of a command line, so that only what is left of them counts."""

from __future__ import annotations

from collections.abc import Iterator

from riskbox.sandbox.contracts.table import Table
from riskbox.tools.files.rows import File


class Draft:
    """Reads as the table with the changes made so far. A file that was made and removed again leaves no trace."""

    def __init__(self, table: Table[File]) -> None:
        self._table = table
        self._changes: dict[str, File | None] = {}

    def get(self, id: str) -> File | None:
        """The row with this id, or None."""
        return self._changes[id] if id in self._changes else self._table.get(id)

    def __iter__(self) -> Iterator[File]:
        for row in self._table:
            now = self._changes.get(row.id, row)
            if now is not None:
                yield now
        for id, added in self._changes.items():
            if added is not None and self._table.get(id) is None:
                yield added

    def put(self, row: File) -> File:
        """Add the row, or replace the one with its id."""
        self._changes[row.id] = row
        return row

    def remove(self, id: str) -> None:
        """Remove the row with this id."""
        self._changes[id] = None

    def settle(self) -> None:
        """Write what is left of the changes to the table: what is gone first, each in the order of the paths."""
        left = sorted((id, row) for id, row in self._changes.items() if row is None and self._table.get(id))
        for id, _ in left:
            self._table.remove(id)
        for id in sorted(self._changes):
            row = self._changes[id]
            if row is not None and row != self._table.get(id):
                self._table.put(row)
        self._changes.clear()
