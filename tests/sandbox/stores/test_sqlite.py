"""What is particular to the store in one file: its schema, its speed, and a disk that fails."""

from __future__ import annotations

import ctypes
import errno
import os
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from riskbox.sandbox.contracts.store import Packed, Where
from riskbox.sandbox.errors import InputError, StoreError, StoreVersion
from riskbox.sandbox.stores import record
from riskbox.sandbox.stores.shared import FIELDS
from riskbox.sandbox.stores.sqlite import clause
from riskbox.sandbox.stores.sqlite import schema as sqlite_schema
from riskbox.sandbox.stores.sqlite import store as sqlite
from riskbox.sandbox.stores.sqlite.store import SqliteStore
from riskbox.sandbox.testing.filters import sifted
from riskbox.sandbox.testing.samples import (
    packed,
    sample_case,
    sample_played,
    sample_run,
    sample_specs,
)
from riskbox.sandbox.words.facet import HARM, Order, Term


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(path) as store:
        yield store


def begun(store: SqliteStore, episodes: int = 0) -> str:
    case = sample_case()
    manifest = sample_run([case])
    store.begin(manifest, [case], sample_specs([case]))
    store.write(manifest.run, several(manifest.run, 0, episodes))
    return manifest.run


def several(run: str, first: int, last: int, size: int = 0) -> list[Packed]:
    """Episodes whose blobs cannot be compressed."""
    made = [packed(sample_played(run, sample_case(), seed)) for seed in range(first, last)]
    return [Packed(row=one.row, blob=one.blob + os.urandom(size)) for one in made] if size else made


def altered(path: Path, *statements: str) -> None:
    file = sqlite3.connect(path)
    for statement in statements:
        file.execute(statement)
    file.commit()
    file.close()


def schema(path: Path) -> tuple[int, list[str]]:
    file = sqlite3.connect(path)
    (version,) = file.execute("PRAGMA user_version").fetchone()
    names = [
        name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    ]
    file.close()
    return version, names


# The schema.


def test_a_new_file_has_the_current_schema(store: SqliteStore, path: Path) -> None:
    assert schema(path) == (
        len(sqlite_schema.MIGRATIONS),
        ["assessments", "blobs", "cases", "episodes", "heartbeats", "runs", "specs"],
    )


def test_an_earlier_schema_is_upgraded_step_by_step(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SqliteStore(path) as store:
        run = begun(store, 3)
    monkeypatch.setattr(
        sqlite_schema,
        "MIGRATIONS",
        (
            *sqlite_schema.MIGRATIONS,
            (
                "CREATE TABLE stars (run TEXT)",
                "ALTER TABLE episodes ADD COLUMN stars INTEGER NOT NULL DEFAULT 0",
            ),
            ("ALTER TABLE stars ADD COLUMN id TEXT", "UPDATE episodes SET stars = 5"),
        ),
    )
    with SqliteStore(path, create=False) as store:
        assert store.count(run) == len(list(store.rows(run))) == 3
        assert store.write(run, several(run, 2, 5)) == 2
    version, tables = schema(path)
    assert version == len(sqlite_schema.MIGRATIONS) and "stars" in tables


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SqliteStore(path) as store:
        run = begun(store, 3)
    before = schema(path)
    with monkeypatch.context() as later:
        later.setattr(
            sqlite_schema,
            "MIGRATIONS",
            (*sqlite_schema.MIGRATIONS, ("CREATE TABLE stars (run TEXT)", "no such statement")),
        )
        with pytest.raises(StoreError, match="syntax error"):
            SqliteStore(path)
    assert schema(path) == before
    with SqliteStore(path) as store:
        assert store.count(run) == 3


def test_a_store_of_a_later_release_is_refused_untouched(path: Path) -> None:
    SqliteStore(path).close()
    altered(path, "PRAGMA user_version = 7")
    before = path.read_bytes()
    with pytest.raises(
        StoreVersion, match=r"runs\.db has schema version 7, .* up to 4\. Upgrade riskbox"
    ) as refused:
        SqliteStore(path)
    assert refused.value.exit_code == 2
    assert path.read_bytes() == before


# Files that are no store.


@pytest.mark.parametrize("content", [b"scenario: none\n" * 200, b"\0" * 5000, b"x"])
def test_a_file_that_is_not_sqlite(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"runs\.db is not a store, nor any SQLite file\. Name a file"):
        SqliteStore(path)
    assert path.read_bytes() == content


def test_the_file_of_another_program(path: Path) -> None:
    altered(path, "CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"runs\.db is an SQLite file of another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be opened. Check that it is a file"):
        SqliteStore(tmp_path)


def test_a_folder_that_cannot_be_made(path: Path) -> None:
    path.write_text("a file")
    with pytest.raises(InputError, match=r"runs\.db/under/it\.db cannot be made: .* Name another file"):
        SqliteStore(path / "under" / "it.db")


def test_a_file_system_without_links(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    with SqliteStore(path) as store:
        run = begun(store, 3)
    with SqliteStore(path, create=False) as store:
        assert store.count(run) == 3
    assert [file.name for file in path.parent.iterdir()] == ["runs.db"]


def test_a_link_to_a_file_that_is_not_there_yet(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere.db")
    SqliteStore(path).close()
    assert path.is_symlink() and schema(path.parent / "elsewhere.db")[0] == len(sqlite_schema.MIGRATIONS)


def test_a_full_disk_leaves_no_half_of_a_new_file(path: Path) -> None:
    said = in_process(
        """
        import resource, sys
        from riskbox.sandbox.errors import StoreError
        from riskbox.sandbox.stores.sqlite.store import SqliteStore
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            SqliteStore(sys.argv[1])
        except StoreError as error:
            print(error)
        """,
        path,
    )
    assert said.startswith(f"{path} could not be read or written: the disk refused.")
    assert not list(path.parent.iterdir())


def test_a_place_where_nobody_may_write() -> None:
    with pytest.raises(InputError, match=r"/proc/runs\.db cannot be opened\. .* you may write"):
        SqliteStore("/proc/runs.db")


def test_a_closed_store_says_so(path: Path) -> None:
    store = SqliteStore(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match=r"runs\.db: .*closed"):
        store.runs()


# What is read-only.


def mortal() -> None:
    """Takes from root the right to write where the permissions forbid it."""
    libc = ctypes.CDLL(None)
    for override_permissions in (1, 2):
        libc.prctl(24, override_permissions, 0, 0, 0)


def in_process(script: str, *args: object, setup: Callable[[], None] | None = None) -> str:
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, args)]
    return subprocess.run(command, preexec_fn=setup, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("folder", [0o755, 0o555], ids=["open folder", "closed folder"])
def test_a_read_only_file_is_read_and_not_written(path: Path, folder: int) -> None:
    with SqliteStore(path) as store:
        run = begun(store, 3)
    path.chmod(0o444)
    path.parent.chmod(folder)
    try:
        found = in_process(
            """
            import sys
            from riskbox.sandbox.errors import StoreError
            from riskbox.sandbox.stores.sqlite.store import SqliteStore
            store = SqliteStore(sys.argv[1], create=False)
            print(store.count(sys.argv[2]), len(list(store.rows(sys.argv[2]))))
            try:
                store.finish(sys.argv[2], "done")
            except StoreError as error:
                print(error)
            """,
            path,
            run,
            setup=mortal,
        )
    finally:
        path.parent.chmod(0o755)
    assert found.startswith(f"3 3\n{path} is read-only. Make the file and its folder writable")


# A disk that is full or breaks.


def test_a_full_disk_loses_nothing_and_can_be_gone_on_from(store: SqliteStore) -> None:
    run = begun(store, 20)
    (pages,) = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count = {pages + 3}")
    with pytest.raises(
        StoreError, match=r"runs\.db could not grow: the disk is full\. All stored before is intact"
    ):
        store.write(run, several(run, 20, 40, size=20_000))
    assert store.count(run) == len(store.follow(run)[0]) == 20
    assert store.write(run, several(run, 20, 21)) == 1
    store._db.execute("PRAGMA max_page_count = 1000000")
    assert store.write(run, several(run, 20, 40, size=20_000)) == 19
    assert store.count(run) == 40


def test_a_disk_quota_loses_nothing(path: Path) -> None:
    with SqliteStore(path) as store:
        run = begun(store, 20)
    script = """
        import os, resource, sys
        from riskbox.sandbox.errors import StoreError
        from riskbox.sandbox.contracts.store import Packed
        from riskbox.sandbox.stores.sqlite.store import SqliteStore
        from riskbox.sandbox.testing.samples import packed, sample_case, sample_played
        path, run = sys.argv[1:]
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
        store = SqliteStore(path)
        for seed in range(20, 1000):
            one = packed(sample_played(run, sample_case(), seed))
            try:
                store.write(run, [Packed(row=one.row, blob=one.blob + os.urandom(20_000))])
            except StoreError as error:
                print(seed - 1, error)
                break
        """
    last, _, error = in_process(script, path, run).partition(" ")
    assert error.startswith(
        f"{path} could not be read or written: the disk refused. Check its space, quota and health"
    )
    with SqliteStore(path) as store:
        assert store.count(run) == int(last) + 1 > 21
        assert store.write(run, several(run, 500, 600, size=20_000)) == 100


def test_a_damaged_file_is_told_from_the_rest(path: Path) -> None:
    with SqliteStore(path) as store:
        run = begun(store, 100)
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + os.urandom(len(whole) - 4096))
    with (
        pytest.raises(StoreError, match=r"runs\.db is damaged. Restore a copy, or .*\.recover"),
        SqliteStore(path) as store,
    ):
        store.count(run)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match=r"runs\.db is damaged"), SqliteStore(path) as store:
        list(store.rows(run))


def test_a_locked_file_is_told_with_what_to_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.05)
    with SqliteStore(path) as store:
        run = begun(store, 2)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another process"):
            store.write(run, several(run, 2, 3))
        assert store.count(run) == 2
        other.close()
        assert store.write(run, several(run, 2, 3)) == 1


# Speed.


def test_rows_and_counts_open_no_blob(store: SqliteStore, path: Path) -> None:
    run = begun(store, 30)
    store._db.execute("UPDATE blobs SET blob = x'00'")
    assert (
        len(list(store.rows(run))) == len(store.follow(run)[0]) == store.count(run, Where(text="owner")) == 30
    )
    with pytest.raises(StoreError, match="damaged"):
        store.episode(run, next(iter(store.done(run))))


@pytest.mark.parametrize("name", [*FIELDS, "label"])
def test_counting_by_a_field_reads_only_an_index(store: SqliteStore, name: str) -> None:
    where = Where(label=("safe",)) if name == "label" else Where(fields={name: ("a", "b")})
    condition, values = sqlite._condition("a run", where)
    plan = store._db.execute(
        f"EXPLAIN QUERY PLAN SELECT count(*) FROM episodes WHERE {condition}", values
    ).fetchall()
    assert [step[3] for step in plan] == ["SEARCH episodes USING COVERING INDEX by_harm (run=?)"]


def test_the_worst_come_first_by_an_index(store: SqliteStore) -> None:
    order = clause.ordering(Order(HARM))
    for statement in (f"ORDER BY {order}", f"ORDER BY {clause.ordering(Order(HARM, reverse=True))}"):
        plan = store._db.execute(
            f"EXPLAIN QUERY PLAN SELECT id FROM episodes WHERE run = 'a' {statement}"
        ).fetchall()
        assert [step[3] for step in plan] == ["SEARCH episodes USING COVERING INDEX by_harm (run=?)"]


def test_what_is_unjudged_is_counted_by_an_index(store: SqliteStore) -> None:
    condition, values = sqlite._condition("a run", Where(terms=(Term("unjudged", "=", (1,)),)))
    plan = store._db.execute(
        f"EXPLAIN QUERY PLAN SELECT count(*) FROM episodes WHERE {condition}", values
    ).fetchall()
    assert [step[3] for step in plan] == [
        "SEARCH episodes USING COVERING INDEX by_unjudged (run=? AND unjudged=?)"
    ]


def test_the_rows_of_an_earlier_schema_get_the_columns_of_the_present_one(path: Path) -> None:
    with SqliteStore(path) as store:
        run = begun(store, 0)
        first = next(one for one in sifted(store, run) if one.summaries)
        pending = tuple(one.model_copy(update={"pending": True}) for one in first.summaries)
        late = first.model_copy(update={"attempt": 9, "summaries": pending})
        store.write(run, [Packed(row=late, blob=b"")])
        rows = list(store.rows(run))
        written = store._db.execute("SELECT id, harm, unjudged FROM episodes ORDER BY place").fetchall()
        assert len({harm for _, harm, _ in written}) > 3 and {1, None} == {one for *_, one in written}
        # as schema 3 had them
        for index in ("by_harm", "by_unjudged"):
            store._db.execute(f"DROP INDEX {index}")
        for column in ("harm", "unjudged"):
            store._db.execute(f"ALTER TABLE episodes DROP COLUMN {column}")
        for statement in (*sqlite_schema.MIGRATIONS[1], *sqlite_schema.MIGRATIONS[0]):
            if (
                statement.startswith("CREATE INDEX")
                and "by_cursor" not in statement
                and "by_id" not in statement
            ):
                store._db.execute(statement)
        for one in rows:
            text = record.text(one)
            store._db.execute("UPDATE episodes SET row = ? WHERE id = ?", (text, one.id))
        store._db.execute("PRAGMA user_version = 3")
    with SqliteStore(path) as store:
        assert list(store.rows(run)) == rows
        assert (
            store._db.execute("SELECT id, harm, unjudged FROM episodes ORDER BY place").fetchall() == written
        )


def test_finding_and_following_use_an_index(store: SqliteStore) -> None:
    seen: list[str] = []
    run = begun(store, 1)
    store._db.set_trace_callback(seen.append)
    store.find("abc")
    store.follow(run, 5)
    store.done(run)
    store._db.set_trace_callback(None)
    for statement in seen:
        if "FROM episodes" in statement:
            plan = [step[3] for step in store._db.execute(f"EXPLAIN QUERY PLAN {statement}")]
            assert "INDEX" in plan[0], (statement, plan)
