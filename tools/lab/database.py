"""SQL for agents: an SQLite database in memory, closed off from files, the host and its clock."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.lab.rows import DataTable

STEPS = 4_000_000
"""Virtual machine instructions a statement may take, counted and not timed, so that it is the same everywhere."""

TICK = 50_000
"""How many of them pass between two looks at the count."""

LONGEST = 65_536
"""Bytes that a cell or a row may have."""

MOST_ROWS, MOST_CHARACTERS = 500, 200_000
"""What one statement may return."""

MOST_CHANGED = 10_000
"""Rows that one statement may change."""

READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}

WRITING = READING | {
    sqlite3.SQLITE_INSERT,
    sqlite3.SQLITE_UPDATE,
    sqlite3.SQLITE_DELETE,
    sqlite3.SQLITE_CREATE_TABLE,
    sqlite3.SQLITE_DROP_TABLE,
    sqlite3.SQLITE_ALTER_TABLE,
    sqlite3.SQLITE_DROP_TEMP_TRIGGER,
}

PRAGMAS = {"table_info", "table_xinfo", "table_list", "foreign_key_list"}

UNSAFE = {"load_extension", "fts3_tokenizer"}

CLOCKS = ("date", "time", "datetime", "julianday", "strftime", "unixepoch", "timediff")


class QueryResult(NamedTuple):
    """What a statement returned."""

    columns: list[str]
    """The names of the columns."""
    rows: list[list[Any]]
    """The rows."""
    truncated: bool
    """Whether there are more rows than are shown."""
    changed: int
    """How many rows were changed."""


class Written(NamedTuple):
    """What a statement changed: tables by name with their SQL, rows by table and rowid; None where it is gone."""

    tables: dict[str, str | None]
    """The SQL of each table that was made or altered, by name."""
    rows: dict[tuple[str, int], dict[str, Any] | None]
    """Each changed row, by table and rowid."""
    answer: QueryResult
    """What the statement returned."""


class Database:
    """An SQLite database in memory, for one call, closed off from files, the host and its clock."""

    def __init__(self, now: datetime, draws: random.Random, image: bytes = b"") -> None:
        self._now = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        self._sql = sqlite3.connect(":memory:", isolation_level=None)
        self._sql.text_factory = lambda text: text.decode(errors="replace")
        self._plain: sqlite3.Connection | None = None
        if image:
            self._sql.deserialize(image)
        # while rows are loaded: references may come before what they refer to, and CHECK may look at the clock
        self._sql.execute("PRAGMA foreign_keys = OFF")
        self._sql.execute("PRAGMA ignore_check_constraints = ON")
        self._sql.execute("PRAGMA recursive_triggers = ON")  # so that REPLACE tells of the rows it deletes
        self._sql.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        self._sql.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
        self._sql.create_function("random", 0, lambda: draws.getrandbits(64) - 2**63)
        self._sql.create_function("randomblob", 1, lambda size: draws.randbytes(max(1, min(size, LONGEST))))
        # the clock stands still during a call, so these are deterministic and CHECK and indexes may use them
        for name in CLOCKS:
            self._sql.create_function(name, -1, self._clock(name), deterministic=True)
        for name, clock in (("date", "date"), ("time", "time"), ("timestamp", "datetime")):
            self._sql.create_function(f"current_{name}", 0, self._clock(clock), deterministic=True)

    def close(self) -> None:
        """Free the memory."""
        self._sql.close()
        if self._plain:
            self._plain.close()

    def image(self) -> bytes:
        """The whole database as bytes; none where there is no table."""
        (pages,) = self._sql.execute("PRAGMA page_count").fetchone()
        return self._sql.serialize() if pages else b""

    def _clock(self, name: str) -> Callable[..., Any]:
        """SQLite's own function, with `now` the world's clock and every zone UTC."""

        def told(*given: Any) -> Any:
            texts = [one.lower() if isinstance(one, str) else one for one in given]
            kept = [one for one, text in zip(given, texts, strict=True) if text not in ("localtime", "utc")]
            kept = [self._now if isinstance(one, str) and one.lower() == "now" else one for one in kept]
            if len(kept) == (name == "strftime"):
                kept.append(self._now)
            self._plain = self._plain or sqlite3.connect(":memory:")
            return self._plain.execute(f"SELECT {name}({', '.join('?' * len(kept))})", kept).fetchone()[0]

        return told

    # --- the world's tables -----------------------------------------------------------------------------------

    def create(self, table: DataTable) -> None:
        """Add an empty table."""
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in table.columns.items())
        self.run(table.sql or f"CREATE TABLE {quoted(table.id)} ({columns})", WRITING)
        if self.schema().get(table.id) is None:
            raise ToolError("wrong_name", f"the statement does not create {table.id!r}.")
        self.refuse_keyless(table.id)

    def refuse_keyless(self, table: str) -> None:
        """Refuse a table whose rows could not be told apart by rowid."""
        try:
            self._sql.execute(f"SELECT _rowid_ FROM {quoted(table)} LIMIT 0")
        except sqlite3.OperationalError:
            raise ToolError("not_supported", "Tables WITHOUT ROWID are not supported.") from None

    def drop(self, table: str) -> None:
        """Remove a table if it is there."""
        self._sql.execute(f"DROP TABLE IF EXISTS {quoted(table)}")

    def insert(self, table: str, rowid: int | None, values: Mapping[str, Any]) -> int:
        """Add a row, under this rowid if one is given, and return its rowid."""
        cells = dict(values) if rowid is None else {"_rowid_": rowid, **values}
        into = (
            f"({', '.join(map(quoted, cells))}) VALUES ({', '.join('?' * len(cells))})"
            if cells
            else "DEFAULT VALUES"
        )
        cursor = self._sql.execute(f"INSERT INTO {quoted(table)} {into}", list(cells.values()))
        return cursor.lastrowid or 0

    def delete(self, table: str, rowids: Iterable[int]) -> None:
        """Remove rows, where they are there."""
        self._many(f"DELETE FROM {quoted(table)} WHERE _rowid_ = ?", ((rowid,) for rowid in rowids))

    def _many(self, sql: str, cells: Iterable[tuple[Any, ...]]) -> None:
        self._sql.execute("BEGIN")  # else each row would be a transaction
        self._sql.executemany(sql, cells)
        self._sql.execute("COMMIT")

    def schema(self) -> dict[str, str]:
        """The statement that makes each table."""
        found = self._sql.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) != 'sqlite_'"
        )
        return dict(found)

    def columns(self, table: str) -> dict[str, str]:
        """The columns that are stored, with their types."""
        return {name: kind for _, name, kind, *_ in self._sql.execute(f"PRAGMA table_info({quoted(table)})")}

    def orphans(self) -> list[tuple[str, int, str]]:
        """Rows whose foreign key refers to nothing: their table and rowid, and the table they refer to."""
        return [
            (table, rowid, parent)
            for table, rowid, parent, _ in self._sql.execute("PRAGMA foreign_key_check")
        ]

    def fill(self, table: str, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        """Add many whole rows by rowid."""
        names = list(self.columns(table))
        into = f"INSERT INTO {quoted(table)} (_rowid_, {', '.join(map(quoted, names))})"
        cells = ((rowid, *(values.get(name) for name in names)) for rowid, values in rows)
        self._many(f"{into} VALUES ({', '.join('?' * (1 + len(names)))})", cells)

    def rows(self, table: str, only: Iterable[int] | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
        """Every row with its rowid, or those of some rowids that are there."""
        names = list(self.columns(table))
        select = f"SELECT _rowid_, {', '.join(map(quoted, names))} FROM {quoted(table)}"
        if only is None:
            found = list(self._sql.execute(select))
        else:
            found = [row for one in only for row in self._sql.execute(f"{select} WHERE _rowid_ = ?", [one])]
        for rowid, *cells in found:
            yield rowid, dict(zip(names, cells, strict=True))

    # --- the agent's statements -------------------------------------------------------------------------------

    def run(self, sql: str, allowed: set[int], most: int = MOST_ROWS) -> QueryResult:
        """Run one statement that does nothing but what is allowed."""
        denied: list[int] = []
        steps = 0

        def authorise(
            action: int, first: str | None, second: str | None, schema: str | None, trigger: str | None
        ) -> int:
            fine = action in allowed
            if action == sqlite3.SQLITE_FUNCTION:
                fine = second not in UNSAFE and (second != "noted" or trigger is not None)
            fine = fine or (action == sqlite3.SQLITE_PRAGMA and first in PRAGMAS)
            # a table-valued function declares its columns this way; the table itself is SQLite's to protect
            fine = fine or (action == sqlite3.SQLITE_UPDATE and first == "sqlite_master")
            # UNIQUE and PRIMARY KEY make these
            fine = fine or (
                action == sqlite3.SQLITE_CREATE_INDEX and str(first).startswith("sqlite_autoindex_")
            )
            if not fine:
                denied.append(action)
            return sqlite3.SQLITE_OK if fine else sqlite3.SQLITE_DENY

        def tick() -> bool:
            nonlocal steps
            steps += TICK
            return steps > STEPS

        self._sql.set_authorizer(authorise)
        self._sql.set_progress_handler(tick, TICK)
        try:
            cursor = self._sql.execute(sql)
            columns = [column[0] for column in cursor.description or ()]
            rows, truncated = _collected(cursor, most)
            if allowed is WRITING:
                cursor.fetchall()
            return QueryResult(columns, rows, truncated, max(0, cursor.rowcount))
        except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
            raise _refusal(error, denied, steps > STEPS, allowed is WRITING) from None
        finally:
            self._sql.set_authorizer(None)
            self._sql.set_progress_handler(None, 0)

    def write(self, sql: str) -> Written:
        """Run one statement that may change tables, and find out what it changed."""
        before = self.schema()
        noted: set[tuple[str, int]] = set()
        self._sql.execute("PRAGMA foreign_keys = ON")
        self._sql.execute("PRAGMA ignore_check_constraints = OFF")
        self._sql.create_function("noted", 2, lambda table, rowid: noted.add((table, rowid)))
        sides = {"INSERT": ("NEW",), "DELETE": ("OLD",), "UPDATE": ("OLD", "NEW")}
        for number, table in enumerate(before):
            literal = "'" + table.replace("'", "''") + "'"
            for event, rows in sides.items():
                calls = ", ".join(f"noted({literal}, {row}._rowid_)" for row in rows)
                trigger = f'"changed {number} {event}" AFTER {event} ON main.{quoted(table)}'
                self._sql.execute(f"CREATE TEMP TRIGGER {trigger} BEGIN SELECT {calls}; END")
        answer = self.run(sql, WRITING)
        if len(noted) > MOST_CHANGED:
            raise ToolError(
                "too_many_rows", f"One statement may change {MOST_CHANGED} rows at most, not {len(noted)}."
            )
        after = self.schema()
        tables: dict[str, str | None] = {
            one: after.get(one) for one in {**before, **after} if before.get(one) != after.get(one)
        }
        changed: dict[tuple[str, int], dict[str, Any] | None] = {}
        for table in after:
            rowids = sorted(rowid for name, rowid in noted if name == table)
            if table not in tables and rowids:
                changed |= {(table, rowid): None for rowid in rowids}
            elif table in tables:
                self.refuse_keyless(table)
            found = self.rows(table, None if table in tables else rowids)
            changed |= {(table, rowid): storable(values) for rowid, values in found}
        return Written(tables, changed, answer)


def quoted(name: str) -> str:
    """A name as SQL takes any."""
    return '"' + name.replace('"', '""') + '"'


def _collected(cursor: sqlite3.Cursor, most: int) -> tuple[list[list[Any]], bool]:
    rows: list[list[Any]] = []
    characters = 0
    for cells in cursor:
        shown = [_shown(cell) for cell in cells]
        characters += sum(len(cell) for cell in shown if isinstance(cell, str))
        if len(rows) == most or (characters > MOST_CHARACTERS and rows):
            return rows, True
        rows.append(shown)
    return rows, False


def _shown(cell: Any) -> Any:
    """A cell as JSON can hold it."""
    if isinstance(cell, bytes):
        return f"x'{cell.hex()}'"
    return str(cell) if cell in (float("inf"), float("-inf")) else cell


def storable(values: dict[str, Any]) -> dict[str, Any]:
    """The cells of a row, where a record can hold them all."""
    for name, cell in values.items():
        if cell != _shown(cell):
            raise ToolError("not_supported", f"The column {name} cannot hold a BLOB or an infinite number.")
    return values


def _refusal(error: Exception, denied: list[int], exhausted: bool, writing: bool) -> ToolError:
    if exhausted:
        return ToolError(
            "too_much_work", "The statement was stopped: it takes too long.", hint="Narrow it down."
        )
    if denied and not writing:
        return ToolError(
            "read_only", "This only reads.", kind="permission", hint="Send one SELECT, or use execute."
        )
    if denied:
        return ToolError(
            "not_allowed",
            "Only INSERT, UPDATE, DELETE and CREATE, DROP or ALTER TABLE are allowed; each is a transaction of its own.",
            kind="permission",
        )
    code = "constraint_failed" if isinstance(error, sqlite3.IntegrityError) else "sql_error"
    return ToolError(code, f"{error}.".replace("..", "."))
