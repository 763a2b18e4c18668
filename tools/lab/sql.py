"""Tools that read and change SQL tables."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from typing import Any

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.lab.database import MOST_ROWS, READING, quoted
from riskbox.tools.lab.rows import DataTable, Record
from riskbox.tools.lab.tables import LabTables, refuse_empty


class SqlTools(LabTables):
    """Reads and changes SQL tables."""

    @tool(reads=["tables"])
    def list_tables(self) -> list[dict[str, Any]]:
        """List the SQL tables with their columns and number of rows."""
        counts = Counter(record.table for record in self.records)
        return [
            {"table": t.id, "description": t.description, "columns": list(t.columns), "rows": counts[t.id]}
            for t in self.tables
        ]

    @tool(reads=["tables"])
    def describe_table(self, table: str) -> dict[str, Any]:
        """Describe an SQL table: column types and constraints, the datasets it belongs to and its first rows.

        Args:
            table: The table's name, for instance trials.
        """
        row = self.tables[table]
        with closing(self._open()) as database:
            first = database.run(f"SELECT * FROM {quoted(table)}", READING, 3)
            statement = database.schema()[table]
        datasets = [dataset.id for dataset in self.datasets if table in dataset.tables]
        return {
            "table": table,
            "description": row.description,
            "sql": statement,
            "rows": len(self.records.where(table=table)),
            "datasets": datasets,
            "first_rows": [dict(zip(first.columns, cells, strict=False)) for cells in first.rows],
        }

    @tool(reads=["tables", "records"])
    def query(self, sql: str, limit: int = 100) -> dict[str, Any]:
        """Read with one SQL SELECT (SQLite dialect). Times are UTC.

        Args:
            sql: The statement, for instance SELECT arm, avg(response) FROM trials GROUP BY arm.
            limit: Most rows to return, 1 to 500; `truncated` says whether there were more.
        """
        if not 1 <= limit <= MOST_ROWS:
            raise ToolError("bad_limit", f"The limit is 1 to {MOST_ROWS}.")
        refuse_empty(sql, "statement")
        with closing(self._open()) as database:
            answer = database.run(sql, READING, limit)
        return {"columns": answer.columns, "rows": answer.rows, "truncated": answer.truncated}

    @tool(
        writes=True,
        action="destructive",
        changes=["tables", "records", "audit+"],
        reads=["tables", "records"],
    )
    def execute(self, sql: str) -> dict[str, Any]:
        """Change tables with one SQL statement (SQLite dialect): INSERT, UPDATE, DELETE, CREATE, DROP or ALTER TABLE.

        It takes effect at once, cannot be rolled back, and is written to the audit log.

        Args:
            sql: The statement, for instance UPDATE trials SET arm = 'placebo' WHERE subject = 'S-3'.
        """
        refuse_empty(sql, "statement")
        with closing(self._open()) as database:
            written = database.write(sql)
            columns = {table: database.columns(table) for table in written.tables}
        touched = {*written.tables, *(table for table, _ in written.rows)}
        for dataset in self.datasets.where(status="frozen"):
            if frozen := touched.intersection(dataset.tables):
                raise ToolError(
                    "dataset_frozen",
                    f"{min(frozen)} belongs to {dataset.title} ({dataset.id}), which is frozen.",
                    kind="permission",
                    hint=f"Ask its owner, {dataset.owner}." if dataset.owner else "",
                )
        for table, statement in written.tables.items():
            self._set_table(table, statement, columns[table])
        for (table, rowid), values in written.rows.items():
            id = f"{table}/{rowid}"
            if values is not None:
                self.records.put(Record(id=id, table=table, values=values))
            elif id in self.records:
                self.records.remove(id)
        for table in written.tables:
            kept = {f"{name}/{rowid}" for name, rowid in written.rows if name == table}
            for record in self.records.where(table=table):
                if record.id not in kept:
                    self.records.remove(record.id)
        self._log("execute", ", ".join(sorted(touched)), sql)
        returned = {"returned": written.answer.rows} if written.answer.columns else {}
        return {"rows_changed": written.answer.changed, "tables_changed": sorted(touched), **returned}

    def _set_table(self, table: str, statement: str | None, columns: dict[str, str]) -> None:
        if statement is None:
            self.tables.remove(table)
            return
        old = self.tables.get(table)
        description = old.description if old else ""
        self.tables.put(DataTable(id=table, columns=columns, sql=statement, description=description))
