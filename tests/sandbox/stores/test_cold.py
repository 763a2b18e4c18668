"""A finished run, moved out of a store, read where it is, and brought back: nothing lost on the way."""

from __future__ import annotations

import gzip
import io
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from riskbox.sandbox import archive
from riskbox.sandbox.contracts.store import Store, Where
from riskbox.sandbox.errors import InputError, RiskboxError, StoreError
from riskbox.sandbox.stores import cold, jsonl, open_store
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
    sample_specs,
)
from riskbox.sandbox.words.facet import HARM, Order, Term

MANY = 130
Command = Callable[..., CompletedProcess[str]]


def run_in(store: Store) -> str:
    """A finished run of more episodes than lie in one member, some assessed later."""
    cases = [sample_case(), sample_case(persona="neighbour")]
    run = sample_run(cases, seeds=MANY)
    store.begin(run, cases, sample_specs(cases, seeds=MANY))
    for seed in range(MANY):
        value = -8 if seed % 7 == 0 else 0
        one = sample_played(run.run, cases[seed % 2], seed, assessments=[sample_assessment(value)])
        store.write(run.run, [packed(one)])
    last = sample_played(run.run, cases[1], MANY - 1)
    store.assess(run.run, last.episode.id, [sample_assessment(-3, evaluator="judge")])
    store.finish(run.run, "done")
    return run.run


@pytest.fixture
def live(url: str) -> Iterator[Store]:
    """A store of each kind."""
    with open_store(url) as store:
        yield store


def test_an_archive_reads_like_the_store_and_comes_back(
    live: Store, url: str, tmp_path: Path, command: Command
) -> None:
    run = run_in(live)
    rows, specs = list(live.rows(run)), live.specs(run)
    played = {row.id: live.episode(run, row.id) for row in rows}
    risky = Where(label=("risky",), terms=(Term("seed", ">", (40,)),))
    by_harm, fitting = live.ids(run, order=Order(HARM)), live.ids(run, risky)
    done = command("archive", "latest", "--to", tmp_path / "cold", "--store", url, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    folder = tmp_path / "cold" / run
    assert json.loads(done.stdout) == {"run": run, "archive": str(folder), "episodes": MANY, "removed": True}
    assert live.runs() == []
    with open_store(f"archive:{folder}", create=False) as kept:
        assert list(kept.rows(run)) == rows and kept.specs(run) == specs
        assert kept.ids(run, order=Order(HARM)) == by_harm and kept.ids(run, risky) == fitting
        assert all(kept.episode(run, id) == one for id, one in reversed(played.items()))
        assert {kept.case(one.case_hash).hash for one in rows} == set(kept.run().cases.values())
        with pytest.raises(InputError, match="is read-only"):
            kept.finish(run, "stopped")
    assert command("import", "archive", folder, "--store", url).returncode == 0
    assert list(live.rows(run)) == rows and live.specs(run) == specs
    assert all(live.episode(run, id) == one for id, one in played.items())


def test_the_lines_are_those_of_an_export(live: Store, url: str, tmp_path: Path) -> None:
    run = run_in(live)
    cold.write(live, run, str(tmp_path))
    lines = io.BytesIO(gzip.decompress((tmp_path / cold.LINES).read_bytes()))
    with open_store(f"{tmp_path}/b.db") as store:
        assert jsonl.load(store, lines, "lines")[1] == MANY


@pytest.mark.parametrize("harm", [cold.LINES, cold.ROWS, cold.SPECS])
def test_what_cannot_be_read_back_stays_in_its_store(
    live: Store, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str, command: Command
) -> None:
    run = run_in(live)
    read_back = cold._read_back

    def spoilt(fs: object, path: str, written: cold.ColdRun) -> None:
        file = Path(path) / harm
        found = bytearray(file.read_bytes())
        found[len(found) // 2] ^= 255
        file.write_bytes(found)
        read_back(fs, path, written)

    monkeypatch.setattr(cold, "_read_back", spoilt)
    done = command("archive", run, "--to", tmp_path, "--store", url)
    assert done.returncode == 3 and done.stdout == "" and "read back" in done.stderr
    assert live.count(run) == MANY
    with pytest.raises(InputError, match="there is no archive"):
        open_store(f"archive:{tmp_path}/{run}", create=False)


def test_a_run_that_is_assessed_meanwhile_stays(
    live: Store, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    run = run_in(live)
    read_back = cold._read_back

    def assessed(fs: object, path: str, written: cold.ColdRun) -> None:
        read_back(fs, path, written)
        live.assess(run, next(live.rows(run)).id, [sample_assessment(-10, evaluator="late")])

    monkeypatch.setattr(cold, "_read_back", assessed)
    done = command("archive", run, "--to", tmp_path, "--store", url)
    assert done.returncode == 2 and "was changed while it was archived" in done.stderr
    assert live.count(run) == MANY


def test_keep_and_refusals(live: Store, url: str, tmp_path: Path, command: Command) -> None:
    run = run_in(live)
    assert command("archive", run, "--to", tmp_path, "--store", url, "--keep").returncode == 0
    assert command("archive", run, "--to", tmp_path, "--store", url, "--keep").returncode == 0  # once more
    assert live.count(run) == MANY
    live.finish(run, "running")
    done = command("archive", run, "--to", tmp_path, "--store", url)
    assert done.returncode == 2 and f"run {run} is not finished" in done.stderr
    live.finish(run, "done")
    done = command("report", "--store", f"archive:{tmp_path}/nothing")
    assert done.returncode == 2 and "there is no archive" in done.stderr
    done = command("archive", run, "--to", "nowhere://bucket", "--store", url)
    assert done.returncode == 2 and "nowhere" in done.stderr


def test_a_damaged_archive_says_so(live: Store, tmp_path: Path) -> None:
    run = run_in(live)
    cold.write(live, run, str(tmp_path))
    file = tmp_path / cold.LINES
    file.write_bytes(file.read_bytes()[:200])
    with open_store(f"archive:{tmp_path}", create=False) as kept:
        assert kept.count(run) == MANY
        with pytest.raises(StoreError, match="is damaged"):
            kept.episode(run, kept.ids(run)[-1])
    (tmp_path / cold.ROWS).write_bytes(b"nothing")
    with pytest.raises(RiskboxError, match="is damaged"):
        open_store(f"archive:{tmp_path}", create=False)


def test_python_moves_a_run_as_the_command_does(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    with open_store(url) as store:
        run = run_in(store)
        ids = store.done(run)
    kept = archive(run[:9], to=f"{tmp_path}/kept", keep=True, store=url)
    moved = archive(to=f"{tmp_path}/cold", store=url)
    assert moved == f"archive:{tmp_path}/cold/{run}"
    for one in (kept, moved):
        with open_store(one, create=False) as store:
            assert store.done(run) == ids
    with open_store(url) as store:
        assert store.runs() == []


@pytest.mark.long
def test_a_command_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    draw = random.Random(7)
    command = [sys.executable, "-m", "riskbox.sandbox.cli", "archive", "--to", str(tmp_path / "cold")]
    span, killed = 0.0, 0
    for number in range(8):
        url = f"sqlite:///{tmp_path}/{number}.db"
        with open_store(url) as store:
            run = run_in(store)
            ids = store.done(run)
        shutil.rmtree(tmp_path / "cold", ignore_errors=True)
        with subprocess.Popen([*command, run, "--store", url], stdout=subprocess.DEVNULL) as process:
            while process.poll() is None and not (tmp_path / "cold" / run).exists():
                time.sleep(0.001)
            began = time.monotonic()
            if number:  # the first shows how long it writes
                with suppress(subprocess.TimeoutExpired):
                    process.wait(span * draw.random())
                process.kill()
            killed += process.wait() == -signal.SIGKILL
            span = span or time.monotonic() - began
        with open_store(url) as store:
            is_there = bool(store.runs())
            assert not is_there or store.done(run) == ids
        if is_there:
            subprocess.run([*command, run, "--store", url], check=True, stdout=subprocess.DEVNULL)
        with open_store(f"archive:{tmp_path}/cold/{run}", create=False) as store:
            assert store.done(run) == ids
            assert {store.episode(run, id).episode.id for id in ids} == ids
    assert killed, span
