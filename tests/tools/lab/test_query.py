"""Reading with SQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.lab.world import Episode


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
