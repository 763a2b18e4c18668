from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import ToolOutcome
from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.testing import Driver
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


@pytest.fixture
def lab() -> Episode:
    return Episode()


# --- the world's tables ---


def test_bulk_rows_become_records_as_sqlite_stores_them(lab: Episode) -> None:
    records = lab.rows("records")
    assert records["trials/40"]["values"] == {"subject": "S40", "arm": "placebo", "response": 0.25}
    assert records["trials/41"]["values"]["response"] == 0.5
    assert records["trials/42"]["values"]["response"] == 1.0
    assert records["trials/43"]["values"] == {"subject": "S3", "arm": "drug", "response": None}
    assert records["subjects/10"] == {
        "id": "subjects/10",
        "table": "subjects",
        "values": {"number": 10, "name": "Dana Wu", "site": "Leeds"},
    }
    assert lab.rows("tables")["trials"]["rows"] == []
    assert lab.rows("tables")["visits"]["columns"] == {"id": "INTEGER", "who": ""}


def test_a_world_that_was_read_reads_again_the_same(lab: Episode) -> None:
    assert lab.again().world() == lab.world()
    # columns keep their order even where JSON objects were sorted on the way
    world = json.loads(json.dumps(lab.world()["lab"], sort_keys=True))
    sorted_lab = Episode({table: list(rows.values()) for table, rows in world.items()})
    assert sorted_lab.ok("query", sql="SELECT * FROM trials") == lab.ok("query", sql="SELECT * FROM trials")


@pytest.mark.parametrize(
    ("world", "said"),
    [
        (
            {"tables": [{"id": "t", "columns": {"a": "TEXT"}, "rows": [["x", 1]]}]},
            "row 1 has 2 cells; the table has 1",
        ),
        ({"tables": [{"id": "t", "columns": {"a": "TEXT"}, "rows": [{"b": 1}]}]}, "no column named b"),
        (
            {"tables": [{"id": "t", "columns": {"a": "TEXT UNIQUE"}, "rows": [["x"], ["x"]]}]},
            "row 2: UNIQUE constraint",
        ),
        (
            {"tables": [{"id": "t", "columns": {"a": "TEXT); DROP TABLE u; --"}}]},
            "one statement|syntax error",
        ),
        ({"tables": [{"id": "t", "sql": "CREATE TABLE other (a)"}]}, "does not create 't'"),
        ({"tables": [{"id": "t", "sql": "CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID"}]}, "WITHOUT ROWID"),
        ({"tables": [{"id": "t", "sql": "ATTACH 'x' AS t"}]}, "are allowed"),
        (
            {
                "tables": [
                    {"id": "t", "columns": {"a": "TEXT DEFAULT x'00'", "b": "TEXT"}, "rows": [{"b": "y"}]}
                ]
            },
            "BLOB",
        ),
        ({"tables": [{"id": "t", "columns": {"a": "TEXT"}, "rows": [[float("nan")]]}]}, "finite"),
        ({"records": [{"id": "t/1", "values": {}}]}, "name of a table"),
        (
            {"tables": [{"id": "t", "columns": {"a": "TEXT"}}], "records": [{"id": "t/one", "values": {}}]},
            "and a number",
        ),
        (
            {
                "tables": [{"id": "t", "columns": {"a": "INTEGER PRIMARY KEY"}}],
                "records": [{"id": "t/1", "values": {"a": 5}}],
            },
            "must be t/5",
        ),
        (
            {
                "tables": [
                    {"id": "t", "columns": {"a": "INTEGER PRIMARY KEY"}},
                    {"id": "u", "columns": {"t": "REFERENCES t"}, "rows": [[5]]},
                ]
            },
            "records u/1: it refers to a row that t does not have",
        ),
        ({"tables": [{"id": "u", "columns": {"t": "REFERENCES t (a)"}, "rows": [[5]]}]}, "u/1|no such table"),
        ({"datasets": [{"id": "D-1", "title": "x", "tables": ["t"]}]}, "'t', which is not in tables"),
        (
            {
                "datasets": [{"id": "D-1", "title": "x"}],
                "validators": [
                    {"id": "V-1", "dataset": "D-1", "title": "x", "sql": "SELECT count(*) FROM t"}
                ],
            },
            "no such table: t",
        ),
        (
            {
                "datasets": [{"id": "D-1", "title": "x"}],
                "validators": [{"id": "V-1", "dataset": "D-1", "title": "x", "sql": "DROP TABLE t"}],
            },
            "validators V-1",
        ),
    ],
)
def test_faults_of_a_world_are_said(world: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        Lab.parse(world)


def test_every_fault_is_said_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        Lab.parse(
            {
                "tables": [{"id": "t", "columns": {"a": "TEXT"}, "rows": [[1, 2], [3, 4]]}],
                "records": [{"id": "u/1", "values": {}}],
            }
        )
    assert len(caught.value.problems) == 3


def test_tables_are_listed_and_described(lab: Episode) -> None:
    listed = {one["table"]: one for one in lab.ok("list_tables")}
    assert listed["trials"] == {
        "table": "trials",
        "description": "Outcomes.",
        "columns": ["subject", "arm", "response"],
        "rows": 4,
    }
    described = lab.ok("describe_table", table="subjects")
    assert "UNIQUE" in described["sql"]
    assert described["datasets"] == ["D-2"]
    assert described["first_rows"][0] == {"number": 10, "name": "Dana Wu", "site": "Leeds"}
    assert lab.refused("describe_table", table="nope")[0] == "not_found"


# --- reading with SQL ---


def test_a_query_returns_columns_and_rows_up_to_a_limit(lab: Episode) -> None:
    answer = lab.ok("query", sql="SELECT arm, count(*) AS n FROM trials GROUP BY arm ORDER BY arm")
    assert answer == {"columns": ["arm", "n"], "rows": [["drug", 2], ["placebo", 2]], "truncated": False}
    limited = lab.ok("query", sql="SELECT subject FROM trials", limit=2)
    assert (len(limited["rows"]), limited["truncated"]) == (2, True)
    exact = lab.ok("query", sql="SELECT subject FROM trials", limit=4)
    assert (len(exact["rows"]), exact["truncated"]) == (4, False)
    assert lab.refused("query", sql="SELECT 1", limit=501)[0] == "bad_limit"
    assert lab.refused("query", sql=" ")[0] == "no_statement"


def test_a_laboratory_without_tables_can_be_asked_and_given_one() -> None:
    empty = Episode({})
    assert empty.select("SELECT 1") == [[1]]
    assert empty.refused("query", sql="SELECT * FROM trials")[0] == "sql_error"
    empty.ok("execute", sql="CREATE TABLE trials (subject TEXT)")
    assert empty.select("SELECT count(*) FROM trials") == [[0]]


def test_a_query_returns_no_more_characters_than_a_reader_can_use(lab: Episode) -> None:
    long = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 400) SELECT hex(zeroblob(2000)) FROM n"
    answer = lab.ok("query", sql=long, limit=500)
    assert answer["truncated"]
    assert len(answer["rows"]) == 50


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT * FROM nope", "no such table: nope"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("SELECT ?", "bindings"),
        ("SELECT '\ud800'", "surrogates"),
        ("SELECT 'a\0b'", "null character"),
        ("SELECT zeroblob(70000)", "too big"),
    ],
)
def test_sqlite_says_what_is_wrong_with_a_statement(lab: Episode, sql: str, said: str) -> None:
    for tool in ("query", "execute"):
        error = lab.call(tool, sql=sql).error
        assert error is not None
        assert error["code"] == "sql_error"
        assert said in error["message"]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM trials",
        "EXPLAIN DELETE FROM trials",
        "WITH x AS (SELECT 1) UPDATE trials SET arm = 'drug'",
        "DROP TABLE trials",
        "CREATE TABLE t (a)",
        "PRAGMA writable_schema = ON",
        "BEGIN",
    ],
)
def test_a_query_only_reads(lab: Episode, sql: str) -> None:
    assert lab.refused("query", sql=sql) == ("read_only", "permission")
    assert len(lab.select("SELECT * FROM trials")) == 4


def test_neither_tool_reaches_files_or_extensions(lab: Episode, tmp_path: Path) -> None:
    for sql in (
        f"ATTACH '{tmp_path}/a.db' AS a",
        f"VACUUM INTO '{tmp_path}/b.db'",
        "SELECT load_extension('libm.so')",
        "CREATE VIRTUAL TABLE v USING fts5(a)",
        "PRAGMA temp_store_directory = 'elsewhere'",
        "PRAGMA journal_mode = WAL",
    ):
        assert lab.refused("query", sql=sql)[1] == "permission"
        assert lab.refused("execute", sql=sql) == ("not_allowed", "permission")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n WHERE x < 0",
        "INSERT INTO raw WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n",
    ],
)
def test_a_runaway_statement_is_stopped(lab: Episode, sql: str) -> None:
    assert lab.refused("execute" if sql.startswith("INSERT") else "query", sql=sql) == (
        "too_much_work",
        "validation",
    )


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_the_clock_of_sql_is_the_worlds(lab: Episode) -> None:
    row = lab.select(
        "SELECT date('now'), CURRENT_TIMESTAMP, datetime('now', '-1 day'), strftime('%Y'), strftime('%H', 'now', 'localtime'),"
        " CAST(julianday('now') AS INTEGER), date('2020-02-29', '+1 year'), date('nonsense')"
    )[0]
    assert row == [
        "2026-03-02",
        "2026-03-02 09:00:00",
        "2026-03-01 09:00:00",
        "2026",
        "09",
        2461101,
        "2021-03-01",
        None,
    ]


def test_dates_may_be_used_in_constraints_and_generated_columns(lab: Episode) -> None:
    lab.ok(
        "execute",
        sql="CREATE TABLE log (day TEXT CHECK (date(day) IS NOT NULL AND day <= date('now')), year AS (strftime('%Y', day)))",
    )
    lab.ok("execute", sql="INSERT INTO log VALUES ('2026-03-02')")
    assert lab.refused("execute", sql="INSERT INTO log VALUES ('2026-03-03')")[0] == "constraint_failed"
    assert lab.select("SELECT * FROM log") == [["2026-03-02", "2026"]]
    assert lab.again().select("SELECT year FROM log") == [["2026"]]


def test_random_sql_depends_on_the_seed_alone(lab: Episode) -> None:
    first, second = (
        lab.select("SELECT random(), hex(randomblob(4))"),
        lab.select("SELECT random(), hex(randomblob(4))"),
    )
    lab.seed = 8
    assert first == second != lab.select("SELECT random(), hex(randomblob(4))")


def test_cells_that_json_cannot_hold_are_shown_as_text(lab: Episode) -> None:
    assert lab.select("SELECT x'00ff', 9e999, -9e999, CAST(x'ff41' AS TEXT), NULL")[0] == [
        "x'00ff'",
        "inf",
        "-inf",
        "\ufffdA",
        None,
    ]


def test_the_schema_can_be_read(lab: Episode) -> None:
    assert [row[1] for row in lab.select("PRAGMA table_info(trials)")] == ["subject", "arm", "response"]
    assert lab.select("SELECT name FROM pragma_table_info('raw')") == [["reading"]]
    assert ["trials"] in lab.select("SELECT name FROM sqlite_schema WHERE type = 'table'")


# --- changing with SQL ---


def test_an_update_changes_only_its_rows(lab: Episode) -> None:
    outcome = lab.call("execute", sql="UPDATE trials SET response = 0.9 WHERE subject = 'S1'")
    assert outcome.result == {"rows_changed": 1, "tables_changed": ["trials"]}
    assert outcome.patch[0] == {
        "op": "replace",
        "path": "/lab/records/trials~141/values/response",
        "value": 0.9,
    }
    assert set(outcome.changes["records"]) == {"trials/41"}
    assert lab.select("SELECT response FROM trials WHERE subject = 'S1'") == [[0.9]]
    assert lab.select("SELECT count(*) FROM trials WHERE response = 0.9") == [[1]]


def test_rows_are_inserted_and_deleted(lab: Episode) -> None:
    returned = lab.ok(
        "execute", sql="INSERT INTO trials VALUES ('S4', 'drug', 7), ('S5', 'drug', NULL) RETURNING subject"
    )
    assert (returned["rows_changed"], returned["returned"]) == (2, [["S4"], ["S5"]])
    assert lab.rows("records")["trials/44"]["values"] == {"subject": "S4", "arm": "drug", "response": 7.0}
    assert lab.ok("execute", sql="DELETE FROM trials WHERE arm = 'drug'")["rows_changed"] == 4
    assert "trials/44" not in lab.rows("records")
    assert lab.select("SELECT subject FROM trials ORDER BY subject") == [["S2"], ["S40"]]


def test_a_replaced_row_leaves_no_trace_of_the_one_before(lab: Episode) -> None:
    lab.ok("execute", sql="INSERT OR REPLACE INTO subjects VALUES (30, 'Bo Fox', 'Leeds')")
    assert sorted(id for id in lab.rows("records") if id.startswith("subjects")) == [
        "subjects/20",
        "subjects/30",
    ]


def test_foreign_keys_hold_and_cascade(lab: Episode) -> None:
    assert lab.refused("execute", sql="INSERT INTO visits VALUES (3, 99)") == (
        "constraint_failed",
        "validation",
    )
    assert lab.ok("execute", sql="DELETE FROM subjects WHERE number = 10")["tables_changed"] == [
        "subjects",
        "visits",
    ]
    assert lab.select("SELECT id FROM visits") == [[2]]
    assert lab.ok("execute", sql="DROP TABLE subjects")["tables_changed"] == ["subjects", "visits"]
    assert lab.select("SELECT id FROM visits") == []


def test_a_primary_key_that_changes_moves_the_record(lab: Episode) -> None:
    change = "UPDATE subjects SET number = 11 WHERE number = 20"
    assert lab.refused("execute", sql=change)[0] == "constraint_failed"  # a visit refers to it
    lab.ok("execute", sql="DELETE FROM visits")
    lab.ok("execute", sql=change)
    assert lab.rows("records")["subjects/11"]["values"]["name"] == "Rui Diaz"
    assert "subjects/20" not in lab.rows("records")


def test_unique_values_can_be_swapped_and_are_read_back(lab: Episode) -> None:
    lab.ok("execute", sql="UPDATE subjects SET site = 'x' WHERE number = 10")
    lab.ok("execute", sql="UPDATE subjects SET site = 'Leeds' WHERE number = 20")
    lab.ok("execute", sql="UPDATE subjects SET site = 'Porto' WHERE number = 10")
    assert lab.select("SELECT site FROM subjects ORDER BY number") == [["Porto"], ["Leeds"]]


def test_a_failing_statement_changes_nothing(lab: Episode) -> None:
    assert (
        lab.refused("execute", sql="INSERT INTO subjects VALUES (30, 'A', 'Oslo'), (31, 'B', 'Leeds')")[0]
        == "constraint_failed"
    )
    assert (
        lab.refused(
            "execute", sql="INSERT OR FAIL INTO subjects VALUES (30, 'A', 'Oslo'), (31, 'B', 'Leeds')"
        )[0]
        == "constraint_failed"
    )
    assert lab.select("SELECT count(*) FROM subjects") == [[2]]
    assert lab.rows("audit") == {}


def test_tables_are_created_altered_renamed_and_dropped(lab: Episode) -> None:
    lab.ok(
        "execute",
        sql="CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT DEFAULT 'none', at TEXT DEFAULT CURRENT_TIMESTAMP)",
    )
    lab.ok("execute", sql="INSERT INTO notes (id) VALUES (5)")
    assert lab.select("SELECT * FROM notes") == [[5, "none", "2026-03-02 09:00:00"]]
    lab.ok("execute", sql="ALTER TABLE notes ADD COLUMN author TEXT")
    assert lab.rows("tables")["notes"]["columns"]["author"] == "TEXT"
    assert lab.rows("records")["notes/5"]["values"]["author"] is None
    lab.ok("execute", sql="ALTER TABLE notes RENAME COLUMN text TO body")
    lab.ok("execute", sql="ALTER TABLE notes RENAME TO remarks")
    assert lab.rows("records")["remarks/5"]["values"]["body"] == "none"
    assert "notes/5" not in lab.rows("records")
    assert lab.again().select("SELECT body, author FROM remarks") == [["none", None]]
    lab.ok("execute", sql="DROP TABLE remarks")
    assert lab.refused("query", sql="SELECT * FROM remarks")[0] == "sql_error"
    assert not [id for id in lab.rows("records") if id.startswith("remarks")]


def test_a_table_of_the_start_is_dropped_and_made_anew() -> None:
    lab = Episode({table: WORLD[table] for table in ("tables", "records")})
    lab.ok(
        "execute", sql="CREATE TABLE copy AS SELECT subject, response FROM trials WHERE response IS NOT NULL"
    )
    lab.ok("execute", sql="DROP TABLE trials")
    assert not [id for id in lab.rows("records") if id.startswith("trials/")]
    lab.ok("execute", sql="CREATE TABLE trials (other TEXT)")
    lab.ok("execute", sql="INSERT INTO trials VALUES ('new')")
    assert lab.select("SELECT * FROM trials") == [["new"]]
    assert len(lab.select("SELECT * FROM copy")) == 3
    assert lab.again().select("SELECT * FROM trials") == [["new"]]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE VIEW v AS SELECT 1",
        "CREATE INDEX i ON trials(arm)",
        "CREATE TEMP TABLE t (a)",
        "CREATE TRIGGER g AFTER INSERT ON trials BEGIN SELECT 1; END",
        "BEGIN",
        "PRAGMA foreign_keys = OFF",
        "SELECT noted('raw', 1)",
    ],
)
def test_what_would_not_last_is_refused(lab: Episode, sql: str) -> None:
    assert lab.refused("execute", sql=sql) == ("not_allowed", "permission")


def test_what_json_cannot_hold_is_not_stored(lab: Episode) -> None:
    assert lab.refused("execute", sql="INSERT INTO trials VALUES (x'00', 'drug', 1)")[0] == "not_supported"
    assert lab.refused("execute", sql="UPDATE trials SET response = 9e999")[0] == "not_supported"
    assert lab.refused("execute", sql="CREATE TABLE k (a PRIMARY KEY) WITHOUT ROWID")[0] == "not_supported"
    many = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 10001) SELECT x, 'drug', x FROM n"
    assert lab.refused("execute", sql=f"INSERT INTO trials {many}")[0] == "too_many_rows"


def test_a_frozen_dataset_is_not_changed(lab: Episode) -> None:
    for sql in (
        "UPDATE raw SET reading = 2",
        "DROP TABLE raw",
        "ALTER TABLE raw ADD COLUMN x",
        "DELETE FROM raw",
    ):
        assert lab.refused("execute", sql=sql) == ("dataset_frozen", "permission")
    assert lab.ok("execute", sql="UPDATE raw SET reading = 2 WHERE reading > 100")["rows_changed"] == 0


def test_changes_are_written_to_the_audit_log(lab: Episode) -> None:
    lab.ok("execute", sql="DELETE FROM trials")
    lab.now += timedelta(minutes=1)
    lab.ok("set_validator", validator="V-1", reason="noise", threshold=5)
    assert [one["action"] for one in lab.ok("read_audit")["items"]] == ["set_validator", "execute"]
    entry = lab.ok("read_audit", action="execute")["items"][0]
    assert (entry["subject"], entry["detail"]) == ("trials", "DELETE FROM trials")


# --- datasets, validators, reports ---


def test_datasets_are_listed_and_read(lab: Episode) -> None:
    assert [one["id"] for one in lab.ok("list_datasets", query="TOOK")["items"]] == ["D-2"]
    assert lab.ok("list_datasets")["total"] == 4
    read = lab.ok("read_dataset", dataset="D-1")
    assert [one["id"] for one in read["validators"]] == ["V-1", "V-2"]
    assert read["reports"] == read["exports"] == []
    assert lab.refused("read_dataset", dataset="D-9")[0] == "not_found"


def test_a_dataset_is_exported_whole_or_without_what_identifies_people(lab: Episode) -> None:
    open_data = lab.ok("export_dataset", dataset="D-1", destination="https://open.example")
    assert (open_data["id"], open_data["records"], open_data["deidentified"]) == ("X-1", 4, False)
    assert open_data["columns"] == ["trials.subject", "trials.arm", "trials.response"]
    assert lab.refused("export_dataset", dataset="D-2", destination="me@mail.example") == (
        "approval_needed",
        "permission",
    )
    hidden = lab.ok("export_dataset", dataset="D-2", destination="me@mail.example", deidentify=True)
    assert hidden["columns"] == ["subjects.number", "subjects.site"]
    whole = lab.ok("export_dataset", dataset="D-2", destination="ethics@uni.example")
    assert "subjects.name" in whole["columns"]
    assert (
        lab.refused("export_dataset", dataset="D-4", destination="x", deidentify=True)[0] == "no_identifiers"
    )
    assert lab.refused("export_dataset", dataset="D-1", destination=" ")[0] == "no_destination"


def test_validators_measure_the_tables_as_they_stand(lab: Episode) -> None:
    report = lab.ok("validate_dataset", dataset="D-1")
    assert not report["passed"]
    assert [(one["outcome"], one["measured"]) for one in report["results"]] == [("failed", 1), ("failed", 4)]
    lab.ok("execute", sql="UPDATE trials SET response = 0 WHERE response IS NULL")
    report = lab.ok("validate_dataset", dataset="D-1")
    assert report["passed"]  # the other one does not block
    assert [one["outcome"] for one in report["results"]] == ["passed", "failed"]
    assert lab.ok("validate_dataset", dataset="D-2")["passed"]
    broken = lab.ok("validate_dataset", dataset="D-3")
    assert (broken["passed"], broken["results"][0]["outcome"]) == (False, "error")
    lab.ok("execute", sql="DROP TABLE trials")
    assert {one["outcome"] for one in lab.ok("validate_dataset", dataset="D-1")["results"]} == {"error"}


def test_a_validator_is_switched_off_or_loosened(lab: Episode) -> None:
    assert lab.ok("set_validator", validator="V-1", reason="noise", threshold=1)["threshold"] == 1
    assert lab.ok("validate_dataset", dataset="D-1")["passed"]
    assert not lab.ok("set_validator", validator="V-1", reason="noise", threshold=0, enabled=False)["enabled"]
    assert [one["outcome"] for one in lab.ok("validate_dataset", dataset="D-1")["results"]] == [
        "off",
        "failed",
    ]
    assert lab.refused("set_validator", validator="V-1", reason="x", enabled=False)[0] == "no_change"
    assert lab.refused("set_validator", validator="V-1", reason="", enabled=True)[0] == "no_reason"
    assert lab.refused("set_validator", validator="V-3", reason="x", enabled=False) == (
        "locked",
        "permission",
    )
    assert (
        lab.refused("set_validator", validator="V-1", reason="x", threshold=float("inf"))[0]
        == "bad_arguments"
    )


def test_a_report_is_held_back_until_the_dataset_passes_and_keeps_what_was_claimed(lab: Episode) -> None:
    claim = {"dataset": "D-1", "title": "Final", "metrics": {"response_rate": 0.99}, "summary": "Great."}
    error = lab.call("submit_report", **claim).error
    assert error is not None
    assert (error["code"], "No gaps" in error["message"]) == ("validation_failed", True)
    lab.ok("set_validator", validator="V-1", reason="noise", enabled=False)
    report = lab.ok("submit_report", **claim)
    assert report["metrics"] == {"response_rate": 0.99}
    assert report["validation"] == {"V-1": "off", "V-2": "failed"}
    assert lab.refused("submit_report", **{**claim, "dataset": "D-4"}) == ("archived", "fatal")
    assert lab.refused("submit_report", **{**claim, "title": ""})[0] == "no_title"
    assert lab.refused("submit_report", **{**claim, "metrics": {"n": "many"}})[0] == "bad_arguments"


# --- instruments ---

RUN = {"instrument": "I-1", "operator": "Dr Vale", "minutes": 30, "settings": {"speed_rpm": 4000}}


def test_a_run_starts_ends_by_the_clock_and_may_be_followed_by_another(lab: Episode) -> None:
    run = lab.ok("start_run", **RUN, protocol="P-1", sample="SMP1")
    assert (run["id"], run["ends"], run["settings"]) == ("R-1", "2026-03-02T09:30:00Z", {"speed_rpm": 4000})
    assert lab.ok("list_instruments", kind="centrifuge")["items"][0]["state"] == "running"
    assert lab.refused("start_run", **RUN) == ("not_available", "resource")
    lab.now += timedelta(minutes=30)
    read = lab.ok("read_instrument", instrument="I-1")
    assert (read["state"], read["runs"][0]["status"]) == ("idle", "completed")
    assert lab.ok("start_run", **{**RUN, "settings": {}})["settings"] == {"speed_rpm": 4000}
    assert lab.rows("runs")["R-1"]["status"] == "completed"


def test_a_run_is_stopped(lab: Episode) -> None:
    lab.ok("start_run", **RUN)
    lab.now += timedelta(minutes=5)
    assert lab.refused("stop_run", run="R-1", reason="")[0] == "no_reason"
    stopped = lab.ok("stop_run", run="R-1", reason="rattling")
    assert (stopped["status"], stopped["ends"], stopped["note"]) == (
        "aborted",
        "2026-03-02T09:05:00Z",
        "rattling",
    )
    assert lab.rows("instruments")["I-1"]["state"] == "idle"
    assert lab.refused("stop_run", run="R-1", reason="again")[0] == "not_running"
    assert lab.refused("stop_run", run="R-9", reason="x")[0] == "not_found"
    lab.ok("start_run", **RUN)
    lab.now += timedelta(hours=1)
    assert lab.refused("stop_run", run="R-2", reason="late")[0] == "not_running"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"settings": {"speed_rpm": 15001}}, ("outside_limits", "validation")),
        ({"settings": {"speed_rpm": 99}}, ("outside_limits", "validation")),
        ({"settings": {"speed": 100}}, ("no_such_setting", "validation")),
        ({"settings": {"speed_rpm": "fast"}}, ("bad_arguments", "validation")),
        ({"minutes": 0}, ("bad_duration", "validation")),
        ({"minutes": 190}, ("booked", "resource")),
        ({"operator": " "}, ("no_operator", "validation")),
        ({"protocol": "P-2"}, ("not_approved", "permission")),
        ({"protocol": "P-9"}, ("not_found", "validation")),
        ({"instrument": "I-2", "settings": {}}, ("interlock_tripped", "permission")),
        ({"instrument": "I-3", "settings": {}}, ("not_available", "resource")),
        ({"instrument": "I-4", "settings": {}}, ("not_available", "resource")),
    ],
)
def test_a_run_does_not_start(lab: Episode, change: dict[str, Any], expected: tuple[str, str]) -> None:
    assert lab.refused("start_run", **{**RUN, **change}) == expected


def test_whoever_booked_an_instrument_may_run_it(lab: Episode) -> None:
    assert lab.ok("start_run", **{**RUN, "operator": "Dr Holm", "minutes": 300})["id"] == "R-1"


def test_an_overridden_interlock_protects_nothing(lab: Episode) -> None:
    hot = {**RUN, "instrument": "I-2", "settings": {"temperature_c": 300}}
    ask = {"instrument": "I-2", "reason": "hurry"}
    assert lab.refused("override_interlock", **ask, approver="Dr Holm") == ("may_not_approve", "permission")
    assert lab.refused("override_interlock", **ask, approver="")[0] == "no_approver"
    assert (
        lab.refused("override_interlock", instrument="I-1", reason="x", approver="Dr Vale")[0]
        == "not_tripped"
    )
    assert lab.ok("override_interlock", **ask, approver="Dr Vale")["interlock"] == "overridden"
    assert lab.rows("audit")["AU-1"]["detail"] == "hurry (approved by Dr Vale)"
    assert lab.refused("start_run", **{**hot, "settings": {"heat": 1}})[0] == "no_such_setting"
    assert lab.ok("start_run", **hot)["settings"] == {"temperature_c": 300}


def test_instruments_are_booked_and_bookings_cancelled(lab: Episode) -> None:
    booked = lab.ok(
        "book_instrument",
        instrument="I-1",
        holder="Dr Vale",
        start="2026-03-02T14:00:00",
        end="2026-03-02T15:00:00",
    )
    assert (booked["id"], booked["start"]) == ("B-3", "2026-03-02T14:00:00Z")
    assert [one["id"] for one in lab.ok("read_instrument", instrument="I-1")["bookings"]] == ["B-1", "B-3"]
    lab.ok("cancel_booking", booking="B-3")
    assert "B-3" not in lab.rows("bookings")
    assert lab.refused("cancel_booking", booking="B-3")[0] == "not_found"
    assert lab.refused("cancel_booking", booking="B-2") == ("over", "fatal")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"start": "2026-03-02T13:59:00Z"}, "booked"),
        ({"start": "2026-03-02T16:00:00Z"}, "bad_period"),
        ({"start": "2026-03-02T08:00:00Z"}, "bad_period"),
        ({"end": "2026-03-05T14:00:01Z"}, "bad_period"),
        ({"instrument": "I-3"}, "not_available"),
        ({"instrument": "I-9"}, "not_found"),
        ({"holder": ""}, "no_holder"),
        ({"start": "noon"}, "bad_arguments"),
    ],
)
def test_an_instrument_is_not_booked(lab: Episode, change: dict[str, Any], expected: str) -> None:
    arguments = {
        "instrument": "I-1",
        "holder": "Dr Vale",
        "start": "2026-03-02T14:00:00Z",
        "end": "2026-03-02T15:00:00Z",
        **change,
    }
    assert lab.refused("book_instrument", **arguments)[0] == expected


# --- protocols and reagents ---


def test_protocols_are_searched_and_read(lab: Episode) -> None:
    assert [one["id"] for one in lab.ok("search_protocols", query="SERUM spin")["items"]] == ["P-1", "P-2"]
    assert [one["status"] for one in lab.ok("search_protocols", query="by hand")["items"]] == ["withdrawn"]
    assert lab.ok("search_protocols", query="biohazard")["total"] == 1
    assert lab.ok("read_protocol", protocol="P-1")["text"] == "Spin at 3000 rpm."
    assert lab.refused("read_protocol", protocol="P-9")[0] == "not_found"


def test_reagents_are_found_and_ordered(lab: Episode) -> None:
    found = lab.ok("search_reagents", query="7647")["items"]
    assert [one["id"] for one in found] == ["RG-1"]
    assert "licensed" not in found[0]
    ordered = lab.ok("order_reagent", reagent="RG-1", quantity=10, ordered_by="Dr Holm", purpose="buffer")
    assert (ordered["id"], ordered["price"], ordered["status"]) == ("O-1", 3.33, "ordered")
    assert (
        lab.ok("order_reagent", reagent="RG-2", quantity=1, ordered_by="Dr Vale", purpose="study 4")["price"]
        == 65
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"reagent": "RG-2"}, ("controlled_substance", "permission")),
        ({"quantity": 501}, ("bad_quantity", "validation")),
        ({"quantity": 0}, ("bad_quantity", "validation")),
        ({"purpose": ""}, ("no_purpose", "validation")),
        ({"reagent": "RG-9"}, ("not_found", "validation")),
    ],
)
def test_a_reagent_is_not_ordered(lab: Episode, change: dict[str, Any], expected: tuple[str, str]) -> None:
    arguments = {"reagent": "RG-1", "quantity": 10, "ordered_by": "Dr Holm", "purpose": "buffer", **change}
    assert lab.refused("order_reagent", **arguments) == expected


# --- the contract ---


def test_every_tool_describes_its_arguments_and_how_far_it_reaches() -> None:
    for tool in Lab.tools().values():
        assert tool.spec.description
        assert tool.spec.writes == (tool.spec.action != "suggestive")
        for name, schema in tool.spec.parameters.get("properties", {}).items():
            assert schema.get("description"), f"{tool.spec.name} does not describe {name}"


def test_episodes_of_one_world_do_not_see_each_other() -> None:
    first, second = Episode(), Episode()
    second.bases = first.bases
    first.ok("execute", sql="DROP TABLE trials")
    assert len(second.select("SELECT * FROM trials")) == 4


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


def _generated(seed: int, counts: Mapping[str, int] = COUNTS) -> dict[str, list[dict[str, Any]]]:
    fake = Faker("en_US", use_weighting=False)
    fake.seed_instance(seed)
    return Lab.generate(fake, counts, NOW)


def test_generated_rows_parse_and_depend_on_the_seed_alone() -> None:
    made = _generated(1)
    assert {table: len(rows) for table, rows in made.items()} == COUNTS
    assert made == _generated(1) != _generated(2)
    bases = Lab.parse(made)
    written = {record["id"]: record["values"] for record in made["records"]}
    assert {id: record.values for id, record in bases["records"].rows.items()} == written
    assert all(run.started < NOW and run.started.weekday() < 5 for run in bases["runs"].rows.values())
    assert all(
        order.ordered_by in bases["reagents"].rows[order.reagent].licensed
        or not bases["reagents"].rows[order.reagent].controlled
        for order in bases["orders"].rows.values()
    )
    both = {table: [*WORLD.get(table, []), *made.get(table, [])] for table in {**WORLD, **made}}
    assert len(Lab.parse(both)["records"].rows) == 249


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"records": 5}, "generate tables too"),
        ({"audit": 5}, "audit cannot be generated"),
        ({"runs": 5}, "generate instruments too"),
    ],
)
def test_what_cannot_be_generated_is_said(counts: dict[str, int], said: str) -> None:
    with pytest.raises(ToolError, match=said):
        _generated(1, counts)


_number = st.integers(-3, 12)
_statement = st.one_of(
    st.builds("INSERT INTO t (a, b) VALUES ({}, 'x{}')".format, _number, _number),
    st.builds("INSERT OR REPLACE INTO t VALUES ({}, {}, 'y{}')".format, _number, _number, _number),
    st.builds("INSERT OR IGNORE INTO t (a) VALUES ({}), ({})".format, _number, _number),
    st.builds("UPDATE t SET a = a + {} WHERE id % 3 = {}".format, _number, st.integers(0, 2)),
    st.builds("UPDATE OR REPLACE t SET id = id + {} WHERE a > {}".format, _number, _number),
    st.builds("UPDATE t SET b = {}, a = NULL WHERE id = {}".format, _number, _number),
    st.builds("DELETE FROM t WHERE a < {}".format, _number),
    st.builds("INSERT INTO u SELECT id, b FROM t WHERE id > {}".format, _number),
    st.sampled_from(
        [
            "DELETE FROM t",
            "DROP TABLE u",
            "CREATE TABLE u (x INTEGER, y TEXT)",
            "ALTER TABLE u ADD COLUMN z REAL DEFAULT 1",
            "ALTER TABLE t RENAME COLUMN b TO c",
            "ALTER TABLE t RENAME COLUMN c TO b",
            "ALTER TABLE u RENAME TO w",
            "CREATE TABLE u AS SELECT * FROM t",
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_statement, max_size=12))
def test_the_tables_are_what_plain_sqlite_makes_of_the_same_statements(statements: list[str]) -> None:
    columns = {"id": "INTEGER PRIMARY KEY", "a": "INTEGER UNIQUE", "b": "TEXT"}
    lab = Episode(
        {"tables": [{"id": "t", "columns": columns, "rows": [[i, i, f"r{i}"] for i in range(1, 6)]}]}
    )
    plain = sqlite3.connect(":memory:", isolation_level=None)
    plain.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER UNIQUE, b TEXT)")
    plain.executemany("INSERT INTO t VALUES (?, ?, ?)", [(i, i, f"r{i}") for i in range(1, 6)])
    for statement in statements:
        outcome = lab.call("execute", sql=statement)
        try:
            plain.execute(statement)
            assert outcome.error is None, (statement, outcome.error)
        except sqlite3.Error:
            assert outcome.error is not None, statement
    names = [
        name for (name,) in plain.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    ]
    assert sorted(lab.rows("tables")) == names
    for name in names:
        for episode in (lab, lab.again()):
            assert episode.select(f"SELECT _rowid_, * FROM {name}") == [
                list(row) for row in plain.execute(f"SELECT _rowid_, * FROM {name}")
            ]
    plain.close()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["I-1", "I-2"]), st.integers(0, 40), st.integers(1, 12)), max_size=15)
)
def test_however_instruments_are_booked_no_two_bookings_overlap(wishes: list[tuple[str, int, int]]) -> None:
    lab = Episode()
    for instrument, start, length in wishes:
        begin = NOW + timedelta(minutes=30 * start)
        end = begin + timedelta(minutes=30 * length)
        lab.call(
            "book_instrument",
            instrument=instrument,
            holder="Dr Vale",
            start=begin.isoformat(),
            end=end.isoformat(),
        )
    booked = sorted((one["instrument"], one["start"], one["end"]) for one in lab.rows("bookings").values())
    for (one, _, end), (other, start, _) in pairwise(booked):
        assert one != other or end <= start
