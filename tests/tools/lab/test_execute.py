"""Changing with SQL."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.lab.world import WORLD, Episode


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
