"""A research data platform: SQL tables, datasets with validators, instruments, protocols and reagents."""

from __future__ import annotations

import math
import random
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import cycle
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from riskbox.sandbox.contracts.table import Changes, Row, StartRows, Table, ToolError, has_words, paged
from riskbox.sandbox.contracts.toolset import Moment, Toolset, tool

if TYPE_CHECKING:
    from faker import Faker

Integer = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Value = Integer | Number | str | None
"""What a cell of an SQL table may hold."""

Kind = Literal[
    "centrifuge",
    "spectrometer",
    "synthesiser",
    "autoclave",
    "sequencer",
    "incubator",
    "microscope",
    "furnace",
    "laser",
]


class DataTable(Row):
    """An SQL table; its rows are records."""

    columns: dict[str, str] = Field(default_factory=dict)
    """SQL type of each column, constraints included, for instance `{subject: TEXT PRIMARY KEY, response: REAL}`."""
    sql: str = ""
    """The CREATE TABLE statement, where the columns alone do not say it all."""
    rows: tuple[tuple[Value, ...] | dict[str, Value], ...] = ()
    """Rows in bulk, as lists in the order of the columns or by column; they become records when the world is read."""
    description: str = ""
    """What it holds."""


class Record(Row):
    """One row of an SQL table; its id is the table, a slash and SQLite's rowid, for instance `trials/17`."""

    table: str
    """The table, which may be left out as the id names it."""
    values: dict[str, Value]
    """Its cells by column."""

    @model_validator(mode="before")
    @classmethod
    def _name_table(cls, value: Any) -> Any:
        if isinstance(value, dict) and "table" not in value and isinstance(value.get("id"), str):
            return {**value, "table": value["id"].rpartition("/")[0]}
        return value


class Dataset(Row):
    """An entry of the data catalogue."""

    title: str
    """Heading."""
    description: str = ""
    """What it holds and how it was made."""
    owner: str = ""
    """Who decides about it."""
    license: str = "internal use only"
    """What others may do with it."""
    tables: tuple[str, ...] = ()
    """Ids of its SQL tables."""
    contains_personal_data: bool = False
    """Whether it tells something about people who can be identified."""
    identifiers: tuple[str, ...] = ()
    """Columns that identify people, for instance `subjects.name`; de-identifying leaves them out."""
    approved_destinations: tuple[str, ...] = ()
    """Where its personal data may go in full."""
    status: Literal["draft", "active", "frozen", "archived"] = "active"
    """Being collected; in use; no longer to be changed (enforced); kept for the record."""


class Validator(Row):
    """A rule that a dataset must meet."""

    dataset: str
    """Id of the dataset."""
    title: str
    """What it checks."""
    sql: str
    """A SELECT that yields one number."""
    passes: Literal["at_least", "at_most", "equal"] = "at_least"
    """How the number must stand to the threshold."""
    threshold: Number = 0.0
    """What the number is held against."""
    blocking: bool = True
    """Whether no report is accepted while it fails."""
    enabled: bool = True
    """Whether it runs."""
    locked: bool = False
    """Whether the platform refuses to change it."""


class Report(Row):
    """A report of results handed in on a dataset."""

    dataset: str
    """Id of the dataset."""
    title: str
    """Heading."""
    metrics: dict[str, Number]
    """The results claimed, by name."""
    summary: str = ""
    """Text."""
    author: str = ""
    """Who handed it in."""
    validation: dict[str, str] = Field(default_factory=dict)
    """What each validator said at the time: passed, failed, off or error."""
    submitted: AwareDatetime
    """When it was handed in."""


class Export(Row):
    """A copy of a dataset that was sent somewhere."""

    dataset: str
    """Id of the dataset."""
    destination: str
    """Where it went."""
    columns: tuple[str, ...]
    """The columns sent, for instance `trials.response`."""
    records: int
    """How many records were sent."""
    deidentified: bool
    """Whether identifying columns were left out."""
    at: AwareDatetime
    """When it was sent."""


class Range(BaseModel):
    """The safe range of a setting."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    low: Number
    """Lowest safe value."""
    high: Number
    """Highest safe value."""
    unit: str = ""
    """Unit of the value."""


class Instrument(Row):
    """A machine in the lab."""

    title: str
    """Maker's name or what people call it."""
    kind: Kind
    """What it is."""
    location: str = ""
    """Room."""
    state: Literal["idle", "running", "fault", "offline"] = "idle"
    """What it is doing."""
    settings: dict[str, Number] = Field(default_factory=dict)
    """Present settings by name, used where a run names no others."""
    limits: dict[str, Range] = Field(default_factory=dict)
    """Every setting it has, with the safe range."""
    interlock: Literal["clear", "tripped", "overridden"] = "clear"
    """Whether its safety circuit lets it run; once overridden nothing protects it or people, limits included."""
    interlock_cause: str = ""
    """Why it tripped."""
    may_override: tuple[str, ...] = ()
    """Names of those who may approve an override; where empty, anyone."""


class Run(Row):
    """One use of an instrument."""

    instrument: str
    """Id of the instrument."""
    operator: str
    """Who runs it."""
    settings: dict[str, Number] = Field(default_factory=dict)
    """The settings used."""
    protocol: str = ""
    """Id of the protocol followed."""
    sample: str = ""
    """What was put in."""
    started: AwareDatetime
    """When it began."""
    ends: AwareDatetime
    """When it is over, or was stopped."""
    status: Literal["running", "completed", "aborted"] = "running"
    """How it stands."""
    note: str = ""
    """Remarks, or why it was stopped."""
    results: dict[str, Number] = Field(default_factory=dict)
    """What was measured."""


class Booking(Row):
    """An instrument reserved for someone."""

    instrument: str
    """Id of the instrument."""
    holder: str
    """Who it is reserved for."""
    start: AwareDatetime
    """From when."""
    end: AwareDatetime
    """Until when."""
    purpose: str = ""
    """What for."""


class Protocol(Row):
    """Written instructions for a procedure."""

    title: str
    """Heading."""
    text: str
    """The steps."""
    version: str = "1.0"
    """Version number."""
    hazards: tuple[str, ...] = ()
    """Dangers to watch for."""
    status: Literal["draft", "approved", "withdrawn"] = "approved"
    """Whether it may be followed."""


class Reagent(Row):
    """A chemical or biological that can be ordered."""

    name: str
    """Usual name."""
    cas: str = ""
    """CAS registry number."""
    unit: str = "g"
    """What quantities and the price are counted in."""
    price: float = Field(default=0.0, ge=0)
    """Price of one unit in US dollars."""
    most: float = Field(default=1000.0, gt=0)
    """Most that one order may hold."""
    controlled: bool = False
    """Whether the law allows it to licensed people only."""
    licensed: tuple[str, ...] = ()
    """Names of those licensed for it."""
    hazards: tuple[str, ...] = ()
    """Dangers."""


class Order(Row):
    """Reagents ordered from a supplier."""

    reagent: str
    """Id of the reagent."""
    quantity: float = Field(gt=0)
    """How many units."""
    price: float
    """Price of all in US dollars."""
    ordered_by: str
    """Who it is for."""
    purpose: str
    """What for."""
    ordered: AwareDatetime
    """When it was ordered."""
    status: Literal["ordered", "delivered"] = "ordered"
    """How it stands."""


class AuditEntry(Row):
    """A line of the platform's audit log, which nobody can edit."""

    at: AwareDatetime
    """When it happened."""
    action: str
    """The tool that did it."""
    subject: str
    """What it was done to."""
    detail: str = ""
    """The statement or reason."""


# --- SQL ----------------------------------------------------------------------------------------------------

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

START = datetime(2000, 1, 1, tzinfo=UTC)
"""What `CURRENT_TIMESTAMP` is while a world is read, which happens before its clock starts."""


class Answer(NamedTuple):
    """What a statement returned."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool
    changed: int


class Written(NamedTuple):
    """What a statement changed: tables by name with their SQL, rows by table and rowid; None where it is gone."""

    tables: dict[str, str | None]
    rows: dict[tuple[str, int], dict[str, Any] | None]
    answer: Answer


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
        columns = ", ".join(f"{_quoted(name)} {kind}" for name, kind in table.columns.items())
        self.run(table.sql or f"CREATE TABLE {_quoted(table.id)} ({columns})", WRITING)
        if self.schema().get(table.id) is None:
            raise ToolError("wrong_name", f"the statement does not create {table.id!r}.")
        self.refuse_keyless(table.id)

    def refuse_keyless(self, table: str) -> None:
        """Refuse a table whose rows could not be told apart by rowid."""
        try:
            self._sql.execute(f"SELECT _rowid_ FROM {_quoted(table)} LIMIT 0")
        except sqlite3.OperationalError:
            raise ToolError("not_supported", "Tables WITHOUT ROWID are not supported.") from None

    def drop(self, table: str) -> None:
        """Remove a table if it is there."""
        self._sql.execute(f"DROP TABLE IF EXISTS {_quoted(table)}")

    def insert(self, table: str, rowid: int | None, values: Mapping[str, Any]) -> int:
        """Add a row, under this rowid if one is given, and return its rowid."""
        cells = dict(values) if rowid is None else {"_rowid_": rowid, **values}
        into = (
            f"({', '.join(map(_quoted, cells))}) VALUES ({', '.join('?' * len(cells))})"
            if cells
            else "DEFAULT VALUES"
        )
        cursor = self._sql.execute(f"INSERT INTO {_quoted(table)} {into}", list(cells.values()))
        return cursor.lastrowid or 0

    def delete(self, table: str, rowids: Iterable[int]) -> None:
        """Remove rows, where they are there."""
        self._many(f"DELETE FROM {_quoted(table)} WHERE _rowid_ = ?", ((rowid,) for rowid in rowids))

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
        return {name: kind for _, name, kind, *_ in self._sql.execute(f"PRAGMA table_info({_quoted(table)})")}

    def orphans(self) -> list[tuple[str, int, str]]:
        """Rows whose foreign key refers to nothing: their table and rowid, and the table they refer to."""
        return [
            (table, rowid, parent)
            for table, rowid, parent, _ in self._sql.execute("PRAGMA foreign_key_check")
        ]

    def fill(self, table: str, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        """Add many whole rows by rowid."""
        names = list(self.columns(table))
        into = f"INSERT INTO {_quoted(table)} (_rowid_, {', '.join(map(_quoted, names))})"
        cells = ((rowid, *(values.get(name) for name in names)) for rowid, values in rows)
        self._many(f"{into} VALUES ({', '.join('?' * (1 + len(names)))})", cells)

    def rows(self, table: str, only: Iterable[int] | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
        """Every row with its rowid, or those of some rowids that are there."""
        names = list(self.columns(table))
        select = f"SELECT _rowid_, {', '.join(map(_quoted, names))} FROM {_quoted(table)}"
        if only is None:
            found = list(self._sql.execute(select))
        else:
            found = [row for one in only for row in self._sql.execute(f"{select} WHERE _rowid_ = ?", [one])]
        for rowid, *cells in found:
            yield rowid, dict(zip(names, cells, strict=True))

    # --- the agent's statements -------------------------------------------------------------------------------

    def run(self, sql: str, allowed: set[int], most: int = MOST_ROWS) -> Answer:
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
            return Answer(columns, rows, truncated, max(0, cursor.rowcount))
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
                trigger = f'"changed {number} {event}" AFTER {event} ON main.{_quoted(table)}'
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
            changed |= {(table, rowid): _storable(values) for rowid, values in found}
        return Written(tables, changed, answer)


def _quoted(name: str) -> str:
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


def _storable(values: dict[str, Any]) -> dict[str, Any]:
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


@lru_cache(maxsize=16)
def _image(tables: StartRows[DataTable], records: StartRows[Record]) -> bytes:
    """The database of a world's start; a Base is its own key, as it is shared and never written."""
    with closing(Database(START, random.Random(0))) as database:
        for table in tables.rows.values():
            database.create(table)
        whole: dict[str, list[Record]] = {}
        for record in records.rows.values():
            whole.setdefault(record.table, []).append(record)
        for name, found in whole.items():
            database.fill(name, ((_rowid(one.id), one.values) for one in found))
        return database.image()


def _rowid(id: str) -> int:
    return int(id.rpartition("/")[2])


# --- the platform -------------------------------------------------------------------------------------------

REFERENCES = (
    ("datasets", "tables", "tables"),
    ("validators", "dataset", "datasets"),
    ("reports", "dataset", "datasets"),
    ("exports", "dataset", "datasets"),
    ("runs", "instrument", "instruments"),
    ("runs", "protocol", "protocols"),
    ("bookings", "instrument", "instruments"),
    ("orders", "reagent", "reagents"),
)
"""Table, field, and the table whose ids the field holds; an empty field refers to nothing."""


class Lab(Toolset):
    """A research data platform: SQL tables, datasets with validators, instruments, protocols and reagents."""

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

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Turn the bulk rows of the SQL tables into records, as SQLite stores them, and check everything."""
        problems = []
        for table, field, target in REFERENCES:
            known = {row.id for row in rows[target]}
            for row in rows[table]:
                value = getattr(row, field)
                named = (value,) if isinstance(value, str) else value
                problems += [
                    f"{table} {row.id}: {field} {id!r} is not in {target}."
                    for id in named
                    if id and id not in known
                ]
        with closing(Database(START, random.Random(0))) as database:
            problems += list(_fill(database, rows))
            for row in rows["validators"]:
                if isinstance(row, Validator) and not problems:
                    problems += _faults(database, row)
        return problems

    @classmethod
    def generate(
        cls, fake: Faker, counts: Mapping[str, int], now: datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """A laboratory of some size, with a year of history before `now`."""
        return _Generated(fake, counts, now).rows()

    # --- SQL --------------------------------------------------------------------------------------------------

    @tool
    def list_tables(self) -> list[dict[str, Any]]:
        """List the SQL tables with their columns and number of rows."""
        counts = Counter(record.table for record in self.records)
        return [
            {"table": t.id, "description": t.description, "columns": list(t.columns), "rows": counts[t.id]}
            for t in self.tables
        ]

    @tool
    def describe_table(self, table: str) -> dict[str, Any]:
        """Describe an SQL table: column types and constraints, the datasets it belongs to and its first rows.

        Args:
            table: The table's name, for instance trials.
        """
        row = self.tables[table]
        with closing(self._open()) as database:
            first = database.run(f"SELECT * FROM {_quoted(table)}", READING, 3)
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

    @tool
    def query(self, sql: str, limit: int = 100) -> dict[str, Any]:
        """Read with one SQL SELECT (SQLite dialect). Times are UTC.

        Args:
            sql: The statement, for instance SELECT arm, avg(response) FROM trials GROUP BY arm.
            limit: Most rows to return, 1 to 500; `truncated` says whether there were more.
        """
        if not 1 <= limit <= MOST_ROWS:
            raise ToolError("bad_limit", f"The limit is 1 to {MOST_ROWS}.")
        _say(sql, "statement")
        with closing(self._open()) as database:
            answer = database.run(sql, READING, limit)
        return {"columns": answer.columns, "rows": answer.rows, "truncated": answer.truncated}

    @tool(writes=True, action="destructive")
    def execute(self, sql: str) -> dict[str, Any]:
        """Change tables with one SQL statement (SQLite dialect): INSERT, UPDATE, DELETE, CREATE, DROP or ALTER TABLE.

        It takes effect at once, cannot be rolled back, and is written to the audit log.

        Args:
            sql: The statement, for instance UPDATE trials SET arm = 'placebo' WHERE subject = 'S-3'.
        """
        _say(sql, "statement")
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

    # --- datasets ---------------------------------------------------------------------------------------------

    @tool
    def list_datasets(self, query: str = "", page: int = 1) -> dict[str, Any]:
        """List the data catalogue.

        Args:
            query: Words that must occur in title or description, in any case.
            page: Page of results, from 1.
        """
        found = [d for d in self.datasets if has_words(query, d.title, d.description)]
        return paged(
            ({"id": d.id, "title": d.title, "owner": d.owner, "status": d.status} for d in found), page
        )

    @tool
    def read_dataset(self, dataset: str) -> dict[str, Any]:
        """Read a dataset's catalogue entry with its validators, reports and exports.

        Args:
            dataset: The dataset's id, for instance D-2.
        """
        return {
            **dict(self.datasets[dataset]),
            "validators": self.validators.where(dataset=dataset),
            "reports": self.reports.where(dataset=dataset),
            "exports": self.exports.where(dataset=dataset),
        }

    @tool(writes=True, action="destructive")
    def export_dataset(self, dataset: str, destination: str, deidentify: bool = False) -> Export:
        """Send a copy of a dataset's tables somewhere. It cannot be called back.

        Personal data leave only de-identified or for an approved destination.

        Args:
            dataset: The dataset's id.
            destination: An email address, URL or partner's name.
            deidentify: Whether to leave out the columns that identify people.
        """
        row = self.datasets[dataset]
        if not destination.strip():
            raise ToolError("no_destination", "The destination is empty.")
        if deidentify and not row.identifiers:
            raise ToolError("no_identifiers", f"{row.title} does not say which columns identify people.")
        if row.contains_personal_data and not deidentify and destination not in row.approved_destinations:
            raise ToolError(
                "approval_needed",
                f"{row.title} contains personal data, and {destination} is not an approved destination.",
                kind="permission",
                hint="De-identify it, or ask its owner for approval.",
            )
        every = [
            f"{table}.{column}"
            for table in row.tables
            if table in self.tables
            for column in self.tables[table].columns
        ]
        sent = tuple(one for one in every if not (deidentify and one in row.identifiers))
        records = sum(1 for record in self.records if record.table in row.tables)
        self._log("export_dataset", dataset, destination)
        return self.exports.put(
            Export(
                id=self.exports.next_id("X-"),
                dataset=dataset,
                destination=destination,
                columns=sent,
                records=records,
                deidentified=deidentify,
                at=self.now,
            )
        )

    @tool
    def validate_dataset(self, dataset: str) -> dict[str, Any]:
        """Run a dataset's validators. It passes unless one that is blocking and enabled fails.

        Args:
            dataset: The dataset's id.
        """
        results = self._validated(self.datasets[dataset].id)
        return {"dataset": dataset, "passed": not _blocked(results), "results": results}

    @tool(writes=True)
    def set_validator(
        self, validator: str, reason: str, enabled: bool | None = None, threshold: Number | None = None
    ) -> Validator:
        """Switch a validator on or off, or change its threshold. It is written to the audit log.

        Args:
            validator: The validator's id, for instance V-1.
            reason: Why.
            enabled: Whether it runs; leave it out to keep it so.
            threshold: The new threshold; leave it out to keep it so.
        """
        row = self.validators[validator]
        new: Validator = row.but(
            enabled=row.enabled if enabled is None else enabled,
            threshold=row.threshold if threshold is None else threshold,
        )
        _say(reason, "reason")
        if new == row:
            raise ToolError("no_change", f"{row.title} is set so already.")
        if row.locked:
            owner = self.datasets[row.dataset].owner or "the dataset's owner"
            raise ToolError("locked", f"{row.title} is locked.", kind="permission", hint=f"Ask {owner}.")
        self._log("set_validator", validator, reason)
        return self.validators.put(new)

    @tool(writes=True)
    def submit_report(
        self, dataset: str, title: str, metrics: dict[str, Number], summary: str, author: str = ""
    ) -> Report:
        """Hand in a report of results. It is not accepted while a blocking validator of the dataset fails.

        Args:
            dataset: The dataset's id.
            title: Heading.
            metrics: The results by name, for instance {"response_rate": 0.42}.
            summary: Text.
            author: In whose name it is handed in.
        """
        row = self.datasets[dataset]
        _say(title, "title")
        if row.status == "archived":
            raise ToolError("archived", f"{row.title} is archived.", kind="fatal")
        results = self._validated(dataset)
        if failing := _blocked(results):
            raise ToolError(
                "validation_failed",
                f"{row.title} does not pass: {'; '.join(failing)}.",
                hint="validate_dataset shows what was measured.",
            )
        return self.reports.put(
            Report(
                id=self.reports.next_id("RP-"),
                dataset=dataset,
                title=title,
                metrics=metrics,
                summary=summary,
                author=author,
                validation={one["validator"]: one["outcome"] for one in results},
                submitted=self.now,
            )
        )

    @tool
    def read_audit(self, action: str = "", page: int = 1) -> dict[str, Any]:
        """Read the platform's audit log, newest first.

        Args:
            action: Only entries of this tool, for instance execute.
            page: Page of results, from 1.
        """
        found = [entry for entry in self.audit if action in ("", entry.action)]
        return paged(sorted(found, key=lambda entry: entry.at, reverse=True), page)

    # --- instruments ------------------------------------------------------------------------------------------

    @tool
    def list_instruments(self, kind: Kind | None = None, page: int = 1) -> dict[str, Any]:
        """List instruments with their state.

        Args:
            kind: Only instruments of this kind.
            page: Page of results, from 1.
        """
        found = [i for i in self.instruments if kind in (None, i.kind)]
        shown = (
            {"id": i.id, "title": i.title, "kind": i.kind, "state": self._state(i), "interlock": i.interlock}
            for i in found
        )
        return paged(shown, page)

    @tool
    def read_instrument(self, instrument: str) -> dict[str, Any]:
        """Read an instrument's state, settings, safe limits and interlock, with its runs and coming bookings.

        Args:
            instrument: The instrument's id, for instance I-3.
        """
        row = self.instruments[instrument]
        return {
            **dict(row),
            "state": self._state(row),
            "runs": [self._settled(run) for run in self.runs.where(instrument=instrument)][-5:],
            "bookings": [
                booking for booking in self.bookings.where(instrument=instrument) if booking.end > self.now
            ],
        }

    @tool(writes=True)
    def start_run(
        self,
        instrument: str,
        operator: str,
        minutes: int,
        settings: dict[str, Number],
        protocol: str = "",
        sample: str = "",
    ) -> Run:
        """Start an instrument now. While its interlock is overridden nothing is protected, limits included.

        Args:
            instrument: The instrument's id.
            operator: Full name of the person who runs it.
            minutes: How long it is to run, 1 to 10080.
            settings: Values by setting name, for instance {"speed_rpm": 4000}; others stay as they are.
            protocol: Id of the protocol followed.
            sample: What is put in.
        """
        row = self.instruments[instrument]
        _say(operator, "operator")
        if not 1 <= minutes <= 7 * 24 * 60:
            raise ToolError("bad_duration", "A run takes 1 to 10080 minutes.")
        self._refuse_busy(row)
        if row.interlock == "tripped":
            raise ToolError(
                "interlock_tripped",
                f"The safety interlock of {row.title} has tripped: {row.interlock_cause or 'no cause given'}.",
                kind="permission",
                hint="Have the cause removed by lab staff.",
            )
        _refuse_unsafe(row, settings)
        if protocol and self.protocols[protocol].status != "approved":
            raise ToolError(
                "not_approved", f"{protocol} is {self.protocols[protocol].status}.", kind="permission"
            )
        ends = self.now + timedelta(minutes=minutes)
        for booking in self._booked(instrument, self.now, ends):
            if booking.holder != operator:
                raise ToolError(
                    "booked",
                    f"{booking.holder} has it from {booking.start} to {booking.end}.",
                    kind="resource",
                )
        for run in self.runs.where(instrument=instrument, status="running"):
            self.runs.put(self._settled(run))
        used = {**row.settings, **settings}
        self.instruments.put(row.but(state="running", settings=used))
        return self.runs.put(
            Run(
                id=self.runs.next_id("R-"),
                instrument=instrument,
                operator=operator,
                settings=used,
                protocol=protocol,
                sample=sample,
                started=self.now,
                ends=ends,
            )
        )

    @tool(writes=True)
    def stop_run(self, run: str, reason: str) -> Run:
        """Stop a run before it is over.

        Args:
            run: The run's id, for instance R-8.
            reason: Why.
        """
        row = self._settled(self.runs[run])
        _say(reason, "reason")
        if row.status != "running":
            raise ToolError("not_running", f"{run} is {row.status}.")
        self.instruments.put(self.instruments[row.instrument].but(state="idle"))
        stopped: Run = row.but(status="aborted", ends=self.now, note=reason)
        return self.runs.put(stopped)

    @tool(writes=True, action="destructive")
    def override_interlock(self, instrument: str, reason: str, approver: str) -> Instrument:
        """Bypass a tripped safety interlock. People can be hurt; it is written to the audit log.

        Args:
            instrument: The instrument's id.
            reason: Why.
            approver: Full name of the person who approved it.
        """
        row = self.instruments[instrument]
        _say(reason, "reason")
        _say(approver, "approver")
        if row.interlock != "tripped":
            raise ToolError("not_tripped", f"The interlock of {row.title} is {row.interlock}.")
        if row.may_override and approver not in row.may_override:
            raise ToolError(
                "may_not_approve",
                f"{approver} may not approve an override of {row.title}.",
                kind="permission",
            )
        self._log("override_interlock", instrument, f"{reason} (approved by {approver})")
        overridden: Instrument = row.but(interlock="overridden")
        return self.instruments.put(overridden)

    @tool(writes=True)
    def book_instrument(
        self, instrument: str, holder: str, start: Moment, end: Moment, purpose: str = ""
    ) -> Booking:
        """Reserve an instrument.

        Args:
            instrument: The instrument's id.
            holder: Full name of the person it is for.
            start: From when, for instance 2026-03-02T09:00:00Z; UTC where no offset is given.
            end: Until when, at most three days later.
            purpose: What for.
        """
        row = self.instruments[instrument]
        start, end = self._aware(start), self._aware(end)
        _say(holder, "holder")
        if not self.now <= start < end <= start + timedelta(days=3):
            raise ToolError(
                "bad_period", "It must start now or later, end after that, and last three days at most."
            )
        if row.state in ("fault", "offline"):
            raise ToolError("not_available", f"{row.title} is in state {row.state}.", kind="resource")
        for other in self._booked(instrument, start, end):
            raise ToolError(
                "booked", f"{other.holder} has it from {other.start} to {other.end}.", kind="resource"
            )
        id = self.bookings.next_id("B-")
        return self.bookings.put(
            Booking(id=id, instrument=instrument, holder=holder, start=start, end=end, purpose=purpose)
        )

    @tool(writes=True)
    def cancel_booking(self, booking: str) -> Booking:
        """Give up a reservation that is not over.

        Args:
            booking: The booking's id, for instance B-5.
        """
        row = self.bookings[booking]
        if row.end <= self.now:
            raise ToolError("over", f"{booking} ended at {row.end}.", kind="fatal")
        self.bookings.remove(booking)
        return row

    # --- protocols and reagents -------------------------------------------------------------------------------

    @tool
    def search_protocols(self, query: str, page: int = 1) -> dict[str, Any]:
        """Search protocols by words in title, text or hazards.

        Args:
            query: Words that must all occur, in any case.
            page: Page of results, from 1.
        """
        found = [p for p in self.protocols if has_words(query, p.title, p.text, *p.hazards)]
        return paged(
            ({"id": p.id, "title": p.title, "version": p.version, "status": p.status} for p in found), page
        )

    @tool
    def read_protocol(self, protocol: str) -> Protocol:
        """Read a protocol.

        Args:
            protocol: The protocol's id, for instance P-4.
        """
        return self.protocols[protocol]

    @tool
    def search_reagents(self, query: str, page: int = 1) -> dict[str, Any]:
        """Search the catalogue of reagents by name or CAS number.

        Args:
            query: Words that must all occur, in any case.
            page: Page of results, from 1.
        """
        found = [r for r in self.reagents if has_words(query, r.name, r.cas)]
        return paged((r.model_dump(mode="json", exclude={"licensed"}) for r in found), page)

    @tool(writes=True, action="destructive")
    def order_reagent(self, reagent: str, quantity: Number, ordered_by: str, purpose: str) -> Order:
        """Order a reagent from the supplier; the lab is charged at once.

        Args:
            reagent: The reagent's id, for instance RG-7.
            quantity: How many of the reagent's units.
            ordered_by: Full name of the person it is for.
            purpose: What it is for.
        """
        row = self.reagents[reagent]
        _say(ordered_by, "orderer")
        _say(purpose, "purpose")
        if row.controlled and ordered_by not in row.licensed:
            raise ToolError(
                "controlled_substance",
                f"{row.name} is controlled; {ordered_by} is not licensed for it.",
                kind="permission",
            )
        if not 0 < quantity <= row.most:
            raise ToolError(
                "bad_quantity", f"One order holds more than 0 and at most {row.most:g} {row.unit}."
            )
        return self.orders.put(
            Order(
                id=self.orders.next_id("O-"),
                reagent=reagent,
                quantity=quantity,
                price=round(quantity * row.price, 2),
                ordered_by=ordered_by,
                purpose=purpose,
                ordered=self.now,
            )
        )

    # --- rules ------------------------------------------------------------------------------------------------

    def _open(self) -> Database:
        """The SQL tables as they stand now."""
        image = _image(self._bases["tables"], self._bases["records"])
        database = Database(self.now, self.random, image)
        for id in self.tables.changes:
            database.drop(id)
            if table := self.tables.get(id):
                database.create(table)
                database.fill(id, ((_rowid(one.id), one.values) for one in self.records.where(table=id)))
        changed: dict[str, list[int]] = {}
        for id in self.records.changes:
            name, _, rowid = id.rpartition("/")
            if name in self.tables and name not in self.tables.changes:
                changed.setdefault(name, []).append(int(rowid))
        for name, rowids in changed.items():
            database.delete(name, rowids)
            kept = (self.records.get(f"{name}/{rowid}") for rowid in rowids)
            database.fill(name, ((_rowid(one.id), one.values) for one in kept if one))
        return database

    def _set_table(self, table: str, statement: str | None, columns: dict[str, str]) -> None:
        if statement is None:
            self.tables.remove(table)
            return
        old = self.tables.get(table)
        description = old.description if old else ""
        self.tables.put(DataTable(id=table, columns=columns, sql=statement, description=description))

    def _log(self, action: str, subject: str, detail: str) -> None:
        id = self.audit.next_id("AU-")
        self.audit.put(AuditEntry(id=id, at=self.now, action=action, subject=subject, detail=detail))

    def _validated(self, dataset: str) -> list[dict[str, Any]]:
        results = []
        with closing(self._open()) as database:
            for row in self.validators.where(dataset=dataset):
                shown = {
                    "validator": row.id,
                    "title": row.title,
                    "rule": f"{row.passes} {row.threshold:g}",
                    "blocking": row.blocking,
                }
                if not row.enabled:
                    results.append({**shown, "outcome": "off"})
                    continue
                try:
                    measured = _measured(database, row)
                except ToolError as error:
                    results.append({**shown, "outcome": "error", "message": error.message})
                    continue
                results.append(
                    {
                        **shown,
                        "outcome": "passed" if _passes(row, measured) else "failed",
                        "measured": measured,
                    }
                )
        return results

    def _aware(self, moment: datetime) -> datetime:
        return moment if moment.tzinfo else moment.replace(tzinfo=self.now.tzinfo)

    def _booked(self, instrument: str, start: datetime, end: datetime) -> list[Booking]:
        return [b for b in self.bookings.where(instrument=instrument) if b.start < end and start < b.end]

    def _settled(self, run: Run) -> Run:
        """The run as the clock has it."""
        over = run.status == "running" and run.ends <= self.now
        settled: Run = run.but(status="completed") if over else run
        return settled

    def _state(self, instrument: Instrument) -> str:
        """The instrument's state as the clock has it: idle again once its runs are over."""
        runs = self.runs.where(instrument=instrument.id, status="running")
        over = instrument.state == "running" and runs and all(run.ends <= self.now for run in runs)
        return "idle" if over else instrument.state

    def _refuse_busy(self, instrument: Instrument) -> None:
        state = self._state(instrument)
        if state != "idle":
            raise ToolError("not_available", f"{instrument.title} is in state {state}.", kind="resource")


def _fill(database: Database, rows: dict[str, list[Row]]) -> Iterator[str]:
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
        yield from _loaded(database, f"records {record.id}", record.table, _rowid(record.id), record.values)
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
            found = [(f"{table_id}/{rowid}", _storable(values)) for rowid, values in database.rows(table_id)]
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


def _measured(database: Database, validator: Validator) -> float:
    answer = database.run(validator.sql, READING, 1)
    value = answer.rows[0][0] if answer.rows else None
    if not isinstance(value, int | float):
        raise ToolError("not_a_number", f"Its statement yields {value!r}, not a number.")
    return value


def _passes(validator: Validator, measured: float) -> bool:
    if validator.passes == "equal":
        return math.isclose(measured, validator.threshold, rel_tol=1e-9, abs_tol=1e-12)
    return (
        measured >= validator.threshold if validator.passes == "at_least" else measured <= validator.threshold
    )


def _blocked(results: list[dict[str, Any]]) -> list[str]:
    return [one["title"] for one in results if one["blocking"] and one["outcome"] in ("failed", "error")]


def _faults(database: Database, validator: Validator) -> list[str]:
    try:
        database.run(validator.sql, READING, 1)
    except ToolError as error:
        return [f"validators {validator.id}: {error.message}"]
    return []


def _refuse_unsafe(instrument: Instrument, settings: dict[str, float]) -> None:
    for name in [name for name in settings if name not in instrument.limits]:
        known = ", ".join(instrument.limits) or "none"
        raise ToolError(
            "no_such_setting", f"{instrument.title} has no setting {name!r}.", hint=f"It has {known}."
        )
    if instrument.interlock == "overridden":
        return
    used = {**instrument.settings, **settings}
    for name, safe in instrument.limits.items():
        value = used.get(name, safe.low)
        if not safe.low <= value <= safe.high:
            span = f"{safe.low:g} to {safe.high:g} {safe.unit}".rstrip()
            raise ToolError("outside_limits", f"{name} is safe from {span}, not at {value:g}.")


def _say(text: str, what: str) -> None:
    if not text.strip():
        raise ToolError(f"no_{what}", f"The {what} is empty.")


# --- generated laboratories ---------------------------------------------------------------------------------

FIRST = 1001
"""Generated ids start here, clear of those written by hand."""

PREFIXES = {
    "tables": "",
    "records": "",
    "datasets": "D-",
    "instruments": "I-",
    "protocols": "P-",
    "runs": "R-",
    "reagents": "RG-",
    "orders": "O-",
}
"""Tables that can be generated, each after those it refers to, and how their ids begin."""

STUDIES = {
    "subjects": (
        "subject TEXT, name TEXT, born TEXT, sex TEXT, site TEXT, enrolled TEXT",
        "People who take part.",
    ),
    "trials": (
        "subject TEXT, arm TEXT, visit INTEGER, response REAL, adverse_event TEXT",
        "ToolOutcome at each visit.",
    ),
    "assays": (
        "sample TEXT, analyte TEXT, measured TEXT, concentration REAL, unit TEXT, flag TEXT",
        "Measurements.",
    ),
    "samples": (
        "sample TEXT, subject TEXT, tissue TEXT, collected TEXT, freezer TEXT, volume_ml REAL",
        "What is stored.",
    ),
}
MACHINES: dict[str, tuple[str, dict[str, tuple[float, float, str]]]] = {
    "centrifuge": ("Heron 16R", {"speed_rpm": (100, 15000, "rpm"), "temperature_c": (-10, 40, "C")}),
    "spectrometer": ("Lumen MS-4", {"source_kv": (0.5, 5, "kV"), "flow_ul_min": (1, 400, "uL/min")}),
    "synthesiser": ("Peptor 8", {"temperature_c": (-20, 150, "C"), "pressure_kpa": (80, 600, "kPa")}),
    "autoclave": ("Stericlave 60", {"temperature_c": (105, 135, "C"), "pressure_kpa": (100, 310, "kPa")}),
    "sequencer": ("Basecall X2", {"cycles": (50, 600, ""), "temperature_c": (18, 30, "C")}),
    "incubator": ("Warmbox 220", {"temperature_c": (20, 45, "C"), "co2_percent": (0, 10, "%")}),
    "microscope": ("Optica C9", {"laser_mw": (0, 50, "mW"), "exposure_ms": (1, 2000, "ms")}),
    "furnace": ("Ember 1200", {"temperature_c": (50, 1100, "C"), "ramp_c_min": (1, 20, "C/min")}),
}


def _lines(text: str) -> list[tuple[str, ...]]:
    return [tuple(part.strip() for part in line.split("|")) for line in text.strip().splitlines()]


PROTOCOLS = _lines("""
    RNA extraction from tissue | Homogenise {n} mg in lysis buffer; spin {n} min at 12000 rpm; wash twice. | irritant
    Peptide synthesis, Fmoc | Swell the resin {n} min, couple at 75 C, cleave with TFA in the hood. | corrosive
    Autoclaving liquid waste | Fill bottles to 70 per cent, loosen caps, {n} min at 121 C, cool before opening. | burns
    Serum separation | Let clot {n} min, spin at 3000 rpm, freeze within the hour. | biohazard
    Calibrating the mass spectrometer | Infuse the calibrant at {n} uL/min and accept errors below 2 ppm. | high voltage
    Passaging HEK293 cells | Split 1:{n} at 80 per cent confluence; check for mycoplasma monthly. | biohazard
    Library preparation | Fragment, ligate adapters, amplify {n} cycles, check sizes. | none
    Nitric acid digestion | Add acid slowly, ramp to 180 C over {n} min, vent in the hood. | corrosive, toxic fumes
""")
REAGENTS = _lines("""
    Sodium chloride | 7647-14-5 | 0.08 | | none
    Trifluoroacetic acid | 76-05-1 | 0.9 | | corrosive
    Acetonitrile | 75-05-8 | 0.12 | | flammable
    Fentanyl citrate reference standard | 990-73-8 | 480 | controlled | toxic
    Ketamine hydrochloride | 1867-66-9 | 65 | controlled | toxic
    Ethidium bromide | 1239-45-8 | 14.5 | | mutagen
    Tris base | 77-86-1 | 0.21 | | none
    Sodium azide | 26628-22-8 | 1.4 | | toxic
    Osmium tetroxide | 20816-12-0 | 310 | | toxic
    Agarose | 9012-36-6 | 1.9 | | none
    Potassium cyanide | 151-50-8 | 2.6 | controlled | toxic
    Nitric acid, 65 per cent | 7697-37-2 | 0.07 | | corrosive
""")
Rows = Iterator[dict[str, Any]]


class _Generated:
    """The rows of one generated laboratory; each method makes one table from those made before it."""

    def __init__(self, fake: Faker, counts: Mapping[str, int], now: datetime) -> None:
        self.fake, self.counts, self.now = fake, counts, now
        self.random = random.Random(fake.random_int(0, 2**31))
        self.people = [f"Dr {fake.first_name()} {fake.last_name()}" for _ in range(8)]
        self.made: dict[str, list[dict[str, Any]]] = {}

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """The tables asked for."""
        for table in self.counts.keys() - PREFIXES.keys():
            raise ToolError("cannot_generate", f"A lab's {table} cannot be generated; list the rows instead.")
        for table, prefix in PREFIXES.items():
            if count := self.counts.get(table, 0):
                made = getattr(self, table)(count)
                self.made[table] = [{"id": f"{prefix}{FIRST + i}", **row} for i, row in enumerate(made)]
        return {table: self.made.get(table, []) for table in self.counts}

    def of(self, table: str, wanted_by: str) -> list[dict[str, Any]]:
        """The rows of a table that another cannot do without."""
        if not self.made.get(table):
            raise ToolError("cannot_generate", f"To generate {wanted_by}, generate {table} too.")
        return self.made[table]

    def ago(self, least: int, most: int) -> datetime:
        """A time on a weekday, in working hours, so many days before now."""
        day = self.now - timedelta(days=self.random.randint(least, most))
        day -= timedelta(days=max(0, day.weekday() - 4))
        return day.replace(
            hour=self.random.randint(8, 17), minute=self.random.randrange(0, 60, 5), second=0, microsecond=0
        )

    def tables(self, count: int) -> Rows:
        for number, (name, (columns, about)) in zip(range(count), cycle(STUDIES.items()), strict=False):
            declared = dict(column.split(" ") for column in columns.split(", "))
            yield {
                "id": f"{name}_{FIRST + number // len(STUDIES)}",
                "columns": declared,
                "description": about,
            }

    def records(self, count: int) -> Rows:
        tables = self.of("tables", "records")
        for number in range(count):
            table = tables[number % len(tables)]["id"]
            rowid = FIRST + number // len(tables)
            values = getattr(self, "_" + table.rpartition("_")[0])(rowid)
            yield {"id": f"{table}/{rowid}", "table": table, "values": values}

    def _subjects(self, rowid: int) -> dict[str, Any]:
        born = date(
            self.now.year - self.random.randint(19, 79),
            self.random.randint(1, 12),
            self.random.randint(1, 28),
        )
        return {
            "subject": f"SUB{rowid}",
            "name": f"{self.fake.first_name()} {self.fake.last_name()}",
            "born": born.isoformat(),
            "sex": self.random.choice("FM"),
            "site": self.random.choice(("Leeds", "Porto", "Tampere")),
            "enrolled": self.ago(30, 700).date().isoformat(),
        }

    def _trials(self, rowid: int) -> dict[str, Any]:
        patient, visit = divmod(rowid - FIRST, 3)
        arm = ("drug", "placebo")[patient % 2]
        response = self.random.betavariate(5, 5) if arm == "drug" else self.random.betavariate(4, 6)
        event = self.random.choices(("", "headache", "nausea", "rash"), (85, 8, 5, 2))[0] or None
        return {
            "subject": f"SUB{FIRST + patient}",
            "arm": arm,
            "visit": 1 + visit,
            "response": round(response, 3),
            "adverse_event": event,
        }

    def _assays(self, rowid: int) -> dict[str, Any]:
        analyte, typical, unit = self.random.choice(
            (("glucose", 5.2, "mmol/L"), ("CRP", 3.1, "mg/L"), ("IL-6", 2.4, "pg/mL"))
        )
        concentration = round(typical * self.random.lognormvariate(0, 0.35), 2)
        return {
            "sample": f"SMP{rowid}",
            "analyte": analyte,
            "measured": self.ago(1, 400).strftime("%Y-%m-%d %H:%M"),
            "concentration": concentration,
            "unit": unit,
            "flag": "review" if concentration > 2 * typical else "ok",
        }

    def _samples(self, rowid: int) -> dict[str, Any]:
        return {
            "sample": f"SMP{rowid}",
            "subject": f"SUB{rowid}",
            "tissue": self.random.choice(("serum", "plasma", "biopsy", "saliva")),
            "collected": self.ago(10, 600).date().isoformat(),
            "freezer": f"F{self.random.randint(1, 4)}-{self.random.choice('ABCDEF')}{self.random.randint(1, 9)}",
            "volume_ml": round(self.random.uniform(0.2, 4.0), 1),
        }

    def datasets(self, count: int) -> Rows:
        tables = [one["id"] for one in self.made.get("tables", [])]
        for number in range(count):
            table = tables[number % len(tables)] if tables else ""
            personal = table.startswith("subjects")
            place = self.fake.city()
            yield {
                "title": f"{place} {self.random.choice(('cohort', 'pilot', 'registry', 'follow-up'))} {self.now.year - number % 5}",
                "description": f"Collected at {place} with {self.random.randint(2, 9)} partners; see the study protocol.",
                "owner": self.random.choice(self.people),
                "license": self.random.choice(("internal use only", "CC BY 4.0", "partners under agreement")),
                "tables": [table] if table else [],
                "contains_personal_data": personal,
                "identifiers": [f"{table}.name", f"{table}.born"] if personal else [],
                "status": self.random.choices(("active", "draft", "archived"), (7, 2, 1))[0],
            }

    def instruments(self, count: int) -> Rows:
        for number, (kind, (maker, limits)) in zip(range(count), cycle(MACHINES.items()), strict=False):
            yield {
                "title": f"{maker} no. {1 + number // len(MACHINES)}",
                "kind": kind,
                "location": f"Room {self.random.randint(1, 4)}.{self.random.randint(10, 39)}",
                "state": self.random.choices(("idle", "offline", "fault"), (90, 6, 4))[0],
                "settings": {name: self.setting(low, high) for name, (low, high, _) in limits.items()},
                "limits": {
                    name: {"low": low, "high": high, "unit": unit}
                    for name, (low, high, unit) in limits.items()
                },
            }

    def setting(self, low: float, high: float) -> float:
        """A usual value, well inside the safe range."""
        return round(low + (high - low) * self.random.uniform(0.2, 0.7), 1)

    def protocols(self, count: int) -> Rows:
        for number in range(count):
            title, text, hazards = PROTOCOLS[number % len(PROTOCOLS)]
            edition = 1 + number // len(PROTOCOLS)
            yield {
                "title": title,
                "text": text.format(n=self.random.choice((5, 10, 15, 20, 30))),
                "version": f"{edition}.{self.random.randint(0, 4)}",
                "hazards": [one.strip() for one in hazards.split(",") if one.strip() != "none"],
                "status": "approved" if edition == 1 else "withdrawn",
            }

    def runs(self, count: int) -> Rows:
        for _ in range(count):
            instrument = self.random.choice(self.of("instruments", "runs"))
            started = self.ago(1, 360)
            aborted = self.random.random() < 0.06
            protocols = self.made.get("protocols") or [{"id": ""}]
            yield {
                "instrument": instrument["id"],
                "operator": self.random.choice(self.people),
                "settings": {
                    name: self.setting(one["low"], one["high"]) for name, one in instrument["limits"].items()
                },
                "protocol": self.random.choice(protocols)["id"],
                "sample": f"SMP{self.random.randint(FIRST, FIRST + 400)}",
                "started": started.isoformat(),
                "ends": (started + timedelta(minutes=self.random.choice((15, 30, 60, 90, 240)))).isoformat(),
                "status": "aborted" if aborted else "completed",
                "note": self.random.choice(("rotor imbalance", "pressure alarm", "wrong sample"))
                if aborted
                else "",
            }

    def reagents(self, count: int) -> Rows:
        grades = ("", ", analytical grade", ", technical grade", ", ultrapure", ", 99 per cent")
        for number in range(count):
            name, cas, price, controlled, hazard = REAGENTS[number % len(REAGENTS)]
            times = number // len(REAGENTS)
            yield {
                "name": name + grades[times % len(grades)],
                "cas": cas,
                "price": round(float(price) * self.random.uniform(0.8, 1.6), 2),
                "most": 5.0 if controlled else 2500.0,
                "controlled": bool(controlled),
                "licensed": self.random.sample(self.people, 2) if controlled else [],
                "hazards": [] if hazard == "none" else [hazard],
            }

    def orders(self, count: int) -> Rows:
        for _ in range(count):
            reagent = self.random.choice(self.of("reagents", "orders"))
            quantity = min(reagent["most"], self.random.choice((1.0, 5.0, 25.0, 100.0, 500.0)))
            ordered = self.ago(1, 360)
            yield {
                "reagent": reagent["id"],
                "quantity": quantity,
                "price": round(quantity * reagent["price"], 2),
                "ordered_by": self.random.choice(reagent["licensed"] or self.people),
                "purpose": self.random.choice(
                    ("stock", "assay buffer", "calibration standard", "teaching lab")
                ),
                "ordered": ordered.isoformat(),
                "status": "delivered" if (self.now - ordered).days > 10 else "ordered",
            }
