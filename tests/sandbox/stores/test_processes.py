"""What holds when several processes use one store, and when one of them is killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from riskbox.sandbox.store import Store
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing import sample_case, sample_run, sample_specs

Process: TypeAlias = "subprocess.Popen[str]"
Start: TypeAlias = Callable[..., Process]


@pytest.fixture
def start(url: str) -> Iterator[Start]:
    """Starts a process that writes the episodes of some seeds, once `go` says so."""
    started: list[Process] = []

    def start(run: str, first: int, last: int, size: int, attempt: int = 1) -> Process:
        script = Path(__file__).with_name("writing.py")
        command = [sys.executable, str(script), url, run, *map(str, (first, last, size, attempt))]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def go(*processes: Process) -> None:
    for process in processes:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()


def told(process: Process) -> list[list[str]]:
    """The batches a process stored: how many were new, and the ids."""
    assert process.stdout
    return [line.split() for line in process.stdout if line.endswith("\n")]


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
    while early.poll() is None or late.poll() is None:
        rows, cursor = store.follow(run, cursor)
        seen += [(row.id, row.attempt) for row in rows]
    seen += [(row.id, row.attempt) for row in store.follow(run, cursor)[0]]

    batches = [told(early), told(late)]
    ids = {id for batch in batches[0] + batches[1] for id in batch[1:]}
    superseding = {id for batch in batches[1] for id in batch[1:]}
    rows = list(store.rows(run))
    assert len(ids) == len(rows) == store.count(run) == 600
    assert {row.id: row.attempt for row in rows} == {id: 2 if id in superseding else 1 for id in ids}
    assert sum(int(batch[0]) for batch in batches[0] + batches[1]) == 600
    assert all(store.episode(run, row.id).episode.attempt == row.attempt for row in rows[::40])
    assert set(seen) >= {(row.id, row.attempt) for row in rows}
    assert max(Counter(seen).values()) == 1


def test_what_a_killed_writer_was_told_is_there(url: str, store: Store, start: Start, tmp_path: Path) -> None:
    run = begun(store)
    writer = start(run, 0, 100_000, 20)
    go(writer)
    assert writer.stdout
    lines = [writer.stdout.readline() for _ in range(10)]
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    lines += [line for line in writer.stdout if line.endswith("\n")]
    acknowledged = {id for line in lines for id in line.split()[1:]}

    with open_store(url, create=False) as again:
        done = again.done(run)
        assert len(acknowledged) >= 200 and acknowledged <= done
        assert len(done) % 20 == 0 and len(done) <= len(acknowledged) + 20
        assert [row.id for row in again.follow(run)[0]] == [row.id for row in again.rows(run)]
        assert all(again.episode(run, id).episode.id == id for id in sorted(done)[::10])
        assert again.write(run, []) == 0
    if url.startswith("sqlite"):
        with sqlite3.connect(tmp_path / "runs.db") as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_several_processes_make_one_new_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/folder/runs.db"
    script = (
        "import sys; from riskbox.sandbox.stores import open_store; print(open_store(sys.argv[1]).runs())"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script, url], stdout=subprocess.PIPE) for _ in range(3)
    ]
    assert [process.communicate()[0] for process in processes] == [b"[]\n"] * 3
