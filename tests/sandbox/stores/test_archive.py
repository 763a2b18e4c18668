"""An archive: what `riskbox export jsonl` wrote is read like any store, is never written to, and leaves nothing behind."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from riskbox.sandbox import cli
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
)


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, of this test alone."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Store]:
    """A store with two runs, and a file of each: `first.jsonl` and `second.jsonl`."""
    with open_store(f"{tmp_path}/runs.db") as store:
        for name, value in (("first", -8), ("second", 0)):
            case = sample_case()
            run = sample_run([case]).model_copy(update={"run": f"20260302-0900-{name}", "name": name})
            store.begin(run, [case], [])
            played = [
                sample_played(run.run, case, seed, assessments=[sample_assessment(value)]) for seed in (1, 2)
            ]
            store.write(run.run, [packed(one) for one in played])
            store.finish(run.run, "done")
            riskbox(
                "export", "jsonl", name, "--store", f"{tmp_path}/runs.db", "-o", tmp_path / f"{name}.jsonl"
            )
        yield store


def riskbox(*words: str | Path) -> tuple[int, str, str]:
    """`riskbox WORDS...`: code, standard output, standard error."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = cli.main([str(word) for word in words])
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    return code, out.buffer.getvalue().decode(), err.getvalue()


def test_an_archive_holds_what_the_store_held(kept: Store, tmp_path: Path) -> None:
    with open_store(f"jsonl:///{tmp_path}/first.jsonl", create=False) as store:
        run = kept.run("first").run
        assert store.url == f"jsonl:///{tmp_path}/first.jsonl"
        assert [one.run for one in store.runs()] == [run]
        assert store.run() == kept.run("first")
        assert list(store.rows(run)) == list(kept.rows(run))
        for row in store.rows(run):
            assert store.episode(run, row.id) == kept.episode(run, row.id)
            assert store.case(row.case_hash) == kept.case(row.case_hash)


def test_a_folder_holds_the_runs_of_all_its_files(kept: Store, tmp_path: Path) -> None:
    with open_store(f"jsonl:///{tmp_path}", create=False) as store:
        assert {one.name for one in store.runs()} == {"first", "second"}
    code, out, err = riskbox("compare", "first", "second", "--store", f"jsonl:///{tmp_path}", "--json")
    assert code == 0, err
    assert [one["after"] for one in json.loads(out)["flips"]] == ["safe", "safe"]


def test_what_reads_a_store_reads_an_archive(kept: Store, tmp_path: Path) -> None:
    first, second = (kept.run(name).run for name in ("first", "second"))
    id = next(iter(kept.rows(first))).id
    for words, told in (
        (("list", "runs"), first),
        (("list", "episodes"), id[:8]),
        (("show", id[:8]), id[:8]),
        (("report",), "episodes"),
        (("view", id[:8], "--svg", tmp_path / "view.svg"), ""),
        (("export", "csv"), id),
    ):
        code, out, err = riskbox(*words, "--store", tmp_path / "first.jsonl")
        assert code == 0, err
        assert told in out
        assert second not in out
    assert id[:8] in (tmp_path / "view.svg").read_text()
    numbers = [
        json.loads(riskbox("report", "first", "--json", "--store", url)[1])
        for url in (str(tmp_path / "runs.db"), str(tmp_path / "first.jsonl"))
    ]
    assert numbers[0] == numbers[1]


def test_nothing_is_left_behind(kept: Store, tmp_path: Path, scratch: Path) -> None:
    (tmp_path / "wrong.jsonl").write_text("{oops\n")
    before = {file: file.read_bytes() for file in tmp_path.glob("*.jsonl")}
    store = open_store(f"{tmp_path}/first.jsonl", create=False)
    assert list(scratch.iterdir())
    store.close()
    with pytest.raises(InputError, match=r"wrong\.jsonl:1: is not JSON"):
        open_store(f"{tmp_path}/wrong.jsonl", create=False)
    assert not list(scratch.iterdir())
    assert {file: file.read_bytes() for file in tmp_path.glob("*.jsonl")} == before


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--local", "--quiet"),
        ("run", "--resume", "latest", "--local", "--quiet"),
        ("score", "--evaluator", "checks"),
        ("annotate",),
        ("import", "jsonl", "first.jsonl"),
    ],
)
def test_writing_is_refused_before_anything_is_done(
    kept: Store, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    before = (tmp_path / "first.jsonl").read_bytes()
    code, out, err = riskbox(*words, "--store", "jsonl:///first.jsonl")
    assert (code, out) == (2, "")
    assert "jsonl:///first.jsonl is read-only. Import it into a store first: riskbox import" in err
    assert not list(scratch.iterdir())
    assert (tmp_path / "first.jsonl").read_bytes() == before


def test_every_way_to_write_is_refused(kept: Store, tmp_path: Path) -> None:
    with open_store(f"{tmp_path}/first.jsonl", create=False) as store:
        run, case = store.run(), sample_case()
        id = next(iter(store.rows(run.run))).id
        for write in (
            lambda: store.begin(sample_run([case]), [case], []),
            lambda: store.write(run.run, [packed(sample_played(run.run, case, 9))]),
            lambda: store.assess(run.run, id, [sample_assessment(-1)]),
            lambda: store.finish(run.run, "stopped"),
        ):
            with pytest.raises(InputError, match="is read-only"):
                write()
        assert store.run() == run
        assert store.count(run.run) == 2


def test_an_archive_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe.jsonl")
    for path, told in (
        ("gone.jsonl", r"no archive '.*gone\.jsonl'\. Write one with `riskbox export jsonl -o FILE`"),
        ("folder", r"the folder '.*folder' contains no \.jsonl file"),
        ("pipe.jsonl", "save a pipe to a file first"),
    ):
        with pytest.raises(InputError, match=told):
            open_store(f"jsonl:///{tmp_path}/{path}", create=False)
    for url in ("jsonl://", "jsonl:///", "jsonl://run.jsonl"):
        with pytest.raises(InputError, match=r"write jsonl:///run\.jsonl \(three slashes\)"):
            open_store(url, create=False)
