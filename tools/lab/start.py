"""The SQL tables that a world starts from: read, checked, and kept as an image for every call."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from riskbox.sandbox.contracts.table import Row, StartRows, ToolError
from riskbox.tools.lab.database import READING, Database, storable
from riskbox.tools.lab.rows import DataTable, Record, Validator

START = datetime(2000, 1, 1, tzinfo=UTC)
"""What `CURRENT_TIMESTAMP` is while a world is read, which happens before its clock starts."""


@lru_cache(maxsize=16)
def start_image(tables: StartRows[DataTable], records: StartRows[Record]) -> bytes:
    """The database of a world's start; rows of a start are their own key, as it is shared and never written."""
    with closing(Database(START, random.Random(0))) as database:
        for table in tables.rows.values():
            database.create(table)
        whole: dict[str, list[Record]] = {}
        for record in records.rows.values():
            whole.setdefault(record.table, []).append(record)
        for name, found in whole.items():
            database.fill(name, ((rowid_of(one.id), one.values) for one in found))
        return database.image()


def rowid_of(id: str) -> int:
    """The rowid in a record's id."""
    return int(id.rpartition("/")[2])


def fill_database(database: Database, rows: dict[str, list[Row]]) -> Iterator[str]:
    """Load the SQL tables into the database and write them back as records, or say what is wrong."""
    tables = [row for row in rows["tables"] if isinstance(row, DataTable)]
    records = [row for row in rows["records"] if isinstance(row, Record)]
    made = {}
    for table in tables:
        try:
            database.create(table)
            made[table.id] = list(database.columns(table.id))
        except ToolError as error:
            yield f"tables {table.id}: {error.message}"
    for record in records:
        if record.table not in made or not re.fullmatch(re.escape(record.table) + r"/-?\d{1,18}", record.id):
            yield f"records {record.id}: the id must be the name of a table, a slash and a number."
            continue
        yield from _loaded(database, f"records {record.id}", record.table, rowid_of(record.id), record.values)
    for table in tables:
        for number, cells in enumerate(table.rows if table.id in made else (), 1):
            where = f"tables {table.id}: row {number}"
            names = made[table.id]
            if isinstance(cells, tuple) and len(cells) != len(names):
                yield f"{where} has {len(cells)} cells; the table has {len(names)} columns."
                continue
            values = cells if isinstance(cells, dict) else dict(zip(names, cells, strict=True))
            yield from _loaded(database, where, table.id, None, values)
    try:
        for name, rowid, parent in database.orphans():
            yield f"records {name}/{rowid}: it refers to a row that {parent} does not have."
    except sqlite3.Error as error:
        yield f"tables: {error}."
    stored: list[Row] = []
    for table_id in made:
        try:
            found = [(f"{table_id}/{rowid}", storable(values)) for rowid, values in database.rows(table_id)]
        except ToolError as error:
            yield f"tables {table_id}: {error.message}"
            continue
        stored += [Record(id=id, table=table_id, values=values) for id, values in found]
    rows["records"][:] = stored
    # the statement keeps the order of the columns, which an object in JSON need not
    statements = database.schema()
    rows["tables"][:] = [
        table.but(
            rows=(), columns=table.columns or database.columns(table.id), sql=statements.get(table.id, "")
        )
        for table in tables
    ]


def _loaded(
    database: Database, where: str, table: str, rowid: int | None, values: dict[str, Any]
) -> Iterator[str]:
    try:
        stored = database.insert(table, rowid, values)
    except (sqlite3.Error, ValueError) as error:
        yield f"{where}: {error}."
        return
    if rowid not in (None, stored):
        yield f"{where}: its primary key is {stored}, so its id must be {table}/{stored}."


def faults(database: Database, validator: Validator) -> list[str]:
    """What is wrong with a validator's statement."""
    try:
        database.run(validator.sql, READING, 1)
    except ToolError as error:
        return [f"validators {validator.id}: {error.message}"]
    return []
