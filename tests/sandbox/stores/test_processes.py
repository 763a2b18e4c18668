"""What holds when several processes use one store, and when one of them is killed."""

from __future__ import annotations

import multiprocessing
import runpy
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing.samples import sample_case, sample_run, sample_specs

Batch: TypeAlias = tuple[int, list[str]]
"""How many were new, and the ids."""


class Writer:
    """A process that runs writing.py."""

    def __init__(self, context: ForkServerContext, **given: Any) -> None:
        self.told, child = context.Pipe()
        script = str(Path(__file__).with_name("writing.py"))
        self.process = context.Process(
            target=runpy.run_path, args=(script,), kwargs={"init_globals": {**given, "parent": child}}
        )
        self.process.start()
        child.close()

    def batches(self) -> Iterator[Batch]:
        """The batches it has stored, until it ends."""
        try:
            while True:
                yield self.told.recv()
        except EOFError:
            return


Start: TypeAlias = Callable[..., Writer]


@pytest.fixture(scope="session")
def context() -> ForkServerContext:
    """Starts processes that begin with everything imported, and nothing else of this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["riskbox.sandbox.testing.stores", "riskbox.sandbox.stores.redis.store"])
    return context


@pytest.fixture
def start(context: ForkServerContext, url: str) -> Iterator[Start]:
    """Starts a writer, which waits for `go`."""
    writers: list[Writer] = []

    def start(run: str, first: int, last: int, size: int, attempt: int = 1) -> Writer:
        writers.append(Writer(context, url=url, run=run, first=first, last=last, size=size, attempt=attempt))
        return writers[-1]

    yield start
    for writer in writers:
        writer.process.kill()
        writer.process.join()


def go(*writers: Writer) -> None:
    for writer in writers:
        assert writer.told.recv() == "ready"
    for writer in writers:
        writer.told.send("go")


def begun(store: Store) -> str:
    case = sample_case()
    manifest = sample_run([case])
    store.begin(manifest, [case], sample_specs([case]))
    return manifest.run


def test_two_writers_neither_lose_nor_double_an_episode_while_a_reader_follows(
    store: Store, start: Start
) -> None:
    run = begun(store)
    early, late = start(run, 0, 400, 7, 1), start(run, 200, 600, 11, 2)
    go(early, late)
    seen: list[tuple[str, int]] = []
    cursor = 0
    while early.process.is_alive() or late.process.is_alive():
        rows, cursor = store.follow(run, cursor)
        seen += [(row.id, row.attempt) for row in rows]
    seen += [(row.id, row.attempt) for row in store.follow(run, cursor)[0]]

    batches = [*early.batches()], [*late.batches()]
    ids = {id for batch in batches[0] + batches[1] for id in batch[1]}
    superseding = {id for batch in batches[1] for id in batch[1]}
    rows = list(store.rows(run))
    assert len(ids) == len(rows) == store.count(run) == 600
    assert {row.id: row.attempt for row in rows} == {id: 2 if id in superseding else 1 for id in ids}
    assert sum(new for new, _ in batches[0] + batches[1]) == 600
    assert all(store.episode(run, row.id).episode.attempt == row.attempt for row in rows[::40])
    assert set(seen) >= {(row.id, row.attempt) for row in rows}
    assert max(Counter(seen).values()) == 1


def test_what_a_killed_writer_was_told_is_there(url: str, store: Store, start: Start, tmp_path: Path) -> None:
    run = begun(store)
    writer = start(run, 0, 1_000_000, 20)
    go(writer)
    told = [writer.told.recv() for _ in range(10)]
    writer.process.kill()
    told += writer.batches()
    acknowledged = {id for _, ids in told for id in ids}

    with open_store(url, create=False) as again:
        done = again.done(run)
        assert len(acknowledged) >= 200 and acknowledged <= done
        assert len(done) % 20 == 0 and len(done) <= len(acknowledged) + 20
        assert [row.id for row in again.follow(run)[0]] == [row.id for row in again.rows(run)]
        assert all(again.episode(run, id).episode.id == id for id in sorted(done)[::10])
    if url.startswith("sqlite"):
        with sqlite3.connect(tmp_path / "runs.db") as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_several_processes_make_one_new_file(context: ForkServerContext, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/folder/runs.db"
    processes = [context.Process(target=open_store, args=(url,)) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    with open_store(url, create=False) as store:
        assert store.runs() == []


MAKING = """
import sys
from riskbox.sandbox.stores import open_store
for path in sys.argv[1:]:
    open_store(path).close()
"""


@pytest.mark.long
def test_who_opens_a_file_as_soon_as_it_is_there_finds_it_whole(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.db" for number in range(200)]
    makers = [subprocess.Popen([sys.executable, "-c", MAKING, *map(str, paths)]) for _ in range(2)]
    try:
        for path in paths:
            while not path.exists():
                assert any(maker.poll() is None for maker in makers) or path.exists()
            with open_store(str(path), create=False) as store:
                assert store.runs() == []
        assert [maker.wait() for maker in makers] == [0, 0]
    finally:
        for maker in makers:
            maker.kill()
    # SQLite's own files may stay behind where two processes close a store at once
    left = {one for one in tmp_path.iterdir() if not one.name.endswith(("-wal", "-shm"))}
    assert left == {*paths}
