"""The tables of a world, and which worlds are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from riskbox.sandbox.errors import ScenarioError
from riskbox.tools.lab.toolset import Lab
from tests.tools.lab.world import Episode


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
