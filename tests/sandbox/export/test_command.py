"""`riskbox export` and `riskbox import`, as a user calls them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

import pytest

from riskbox.sandbox.cli import main
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.export import FORMATS, csv, jsonl, junit, sarif
from riskbox.sandbox.export.source import ExportSource
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
)

PLAYED, HOSTILE = "20260302-090000-aaaa", "20260303-090000-bbbb"
Riskbox = Callable[..., str]


@pytest.fixture
def riskbox(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Riskbox:
    """Runs a command on the store in a fresh folder; what it prints, or why it refused."""
    monkeypatch.setenv("RISKBOX_STORE", url)
    monkeypatch.chdir(tmp_path)

    def run(*words: str, code: int = 0) -> str:
        assert main(list(words)) == code
        printed = capsys.readouterr()
        return printed.err if code else printed.out

    return run


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_each_format_is_written(riskbox: Riskbox, store: Store, tmp_path: Path, format: str) -> None:
    if format == "inspect":
        pytest.importorskip("inspect_ai", reason="Inspect has an environment of its own: make inspect")
    many = store.count(PLAYED)
    assert f"{many} episodes of {PLAYED}: out" in riskbox("export", format, "nightly", "-o", "out")
    told = json.loads(riskbox("export", format, PLAYED, "-o", "again", "--json"))
    assert (told["run"], told["format"], told["episodes"]) == (PLAYED, format, many)
    assert all((tmp_path / file).stat().st_size > 0 for file in told["files"])
    assert {path.name for path in tmp_path.iterdir()} == {"out", "again"}
    if format != "inspect":
        assert (tmp_path / "out").read_bytes() == (tmp_path / "again").read_bytes()


def test_an_export_is_read_back(riskbox: Riskbox, store: Store) -> None:
    riskbox("export", "jsonl", PLAYED, "-o", "run.jsonl")
    many = store.count(PLAYED)
    assert f"{many} new of {many} episodes of {PLAYED}" in riskbox(
        "import", "jsonl", "run.jsonl", "--store", "sqlite:///other.db"
    )
    again = json.loads(riskbox("import", "jsonl", "run.jsonl", "--store", "sqlite:///other.db", "--json"))
    assert again == {"run": PLAYED, "new": 0, "episodes": many, "planned": many}
    reports = [riskbox("report", PLAYED, "--json", *more) for more in ([], ["--store", "sqlite:///other.db"])]
    assert reports[0] == reports[1]
    id = next(store.rows(PLAYED)).id
    shown = [riskbox("show", id, "--full", *more) for more in ([], ["--store", "sqlite:///other.db"])]
    assert shown[0] == shown[1]


def test_from_one_process_to_the_next(url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "riskbox.sandbox.cli"]
    sent = subprocess.run(
        [*command, "export", "jsonl", HOSTILE, "--store", url], capture_output=True, check=True
    )
    assert sent.stderr == b""
    kept = subprocess.run(
        [*command, "import", "jsonl", "-", "--store", f"sqlite:///{tmp_path / 'kept.db'}"],
        input=sent.stdout,
        capture_output=True,
        check=True,
    )
    assert b"10 new of 10 episodes" in kept.stdout
    again = subprocess.run(
        [*command, "export", "jsonl", "--store", f"sqlite:///{tmp_path / 'kept.db'}"],
        capture_output=True,
        check=True,
    )
    assert again.stdout == sent.stdout


def test_options_reach_their_formats(riskbox: Riskbox, records: Path, tmp_path: Path) -> None:
    riskbox("export", "sarif", PLAYED, "-o", "x.sarif", "--scenarios", str(records))
    [run] = json.loads((tmp_path / "x.sarif").read_text())["runs"]
    at = run["results"][0]["locations"][0]["physicalLocation"]
    assert at["artifactLocation"]["uri"].endswith("records.yaml") and at["region"]["startLine"] > 1
    (tmp_path / "gates.yaml").write_text("gate: [faults > 0.9]\n")
    words = ("--fail-if", "targeted.risk_ratio > 0.01", "--gate", "gates.yaml", "--unknown", "fail")
    riskbox("export", "junit", PLAYED, "-o", "x.xml", *words)
    suites = ElementTree.fromstring((tmp_path / "x.xml").read_bytes())
    assert [case.attrib["name"] for case in suites.iter("testcase") if case.attrib["classname"] == "gates"] == [
        "targeted.risk_ratio@4 > 0.01", "faults > 0.9", "whole run",
    ]  # fmt: skip
    skipped = [one.attrib["message"] for one in suites.iter("skipped")]
    assert set(skipped) <= {"no gate is about this episode"}  # what is unknown fails
    some = riskbox("export", "csv", PLAYED, "--where", "intent=malicious")
    assert {line.split(",")[8] for line in some.splitlines()[1:]} == {"malicious"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["export", "jsnol"], "Did you mean 'jsonl'"),
        (["export"], "the following arguments are required: FORMAT"),
        (["export", "csv", "--where", "intnet=benign"], "Did you mean 'intent'"),
        (
            ["export", "csv", "--where", "agent=nobody"],
            "no episode of 20260303-090000-bbbb matches agent=nobody",
        ),
        (["export", "csv", "--evaluator", "ruels"], "Did you mean 'rules'"),
        (["export", "csv", "--fail-if", "faults > 0"], "--fail-if is for junit only"),
        (["export", "junit", "--scenarios", "."], "--scenarios is for sarif only"),
        (["export", "junit", "--fail-if", "faluts > 0"], "Did you mean 'faults'"),
        (["export", "inspect"], "name the folder"),
        (["export", "csv", "--json"], "needs a file for the episodes"),
        (["export", "csv", "nonsense"], "nonsense"),
        (["export", "csv", "-o", "no/such/folder/x.csv"], "cannot be written: No such file"),
        (["import", "csv", "x.csv"], "cannot be read"),
        (["import", "jsonl", "none.jsonl"], "none.jsonl cannot be read: No such file"),
        (["import", "jsonl", "."], "cannot be read"),
    ],
)
def test_what_is_wrong_is_said(riskbox: Riskbox, tmp_path: Path, words: list[str], told: str) -> None:
    assert told in riskbox(*words, code=2)
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_fails_leaves_the_former_file(
    riskbox: Riskbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run.jsonl").write_text("the former")

    def broken(source: ExportSource, out: BinaryIO) -> int:
        out.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(jsonl, "write", broken)
    assert "No space left on device" in riskbox("export", "jsonl", PLAYED, "-o", "run.jsonl", code=2)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("run.jsonl", "the former")]


def test_a_reader_who_has_seen_enough_is_no_failure(url: str) -> None:
    command = [sys.executable, "-m", "riskbox.sandbox.cli", "export", "jsonl", HOSTILE, "--store", url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 0


class Nowhere(io.RawIOBase):
    """A file that counts and keeps nothing."""

    size = 0

    def writable(self) -> bool:
        return True

    def write(self, part: object) -> int:
        many = len(part)  # type: ignore[arg-type]
        self.size += many
        return many


@pytest.mark.parametrize("write", [jsonl.write, csv.write, junit.write, sarif.write])
def test_a_run_is_never_in_memory_as_a_whole(tmp_path: Path, write: Callable[..., int]) -> None:
    many, size = 300, 200_000
    case = sample_case()
    made = sample_run([case], seeds=many)
    with open_store(f"sqlite:///{tmp_path / 'large.db'}") as store:
        store.begin(made, [case], [])
        for seed in range(many):
            one = sample_played(made.run, case, seed, text="x" * size, assessments=[sample_assessment(-8)])
            store.write(made.run, [packed(one)])
        out = Nowhere()
        tracemalloc.start()
        try:
            assert write(ExportSource(store, store.run()), out) == many
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < many * size / 5
    assert out.size > (many * size if write is jsonl.write else 0)
