"""The log of a run: JSON lines of what its driver and its workers did, without secrets, never on standard output."""

from __future__ import annotations

import json
import logging
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.log import NAME, Kept, relay, tell
from riskbox.sandbox.operations import logfile
from riskbox.sandbox.stub.script import Fail
from riskbox.sandbox.stub.server import Stub
from tests.sandbox.seats import reached

Command = Callable[..., subprocess.CompletedProcess[str]]


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(one) for one in file.read_text("utf-8").splitlines()]


def of(found: list[dict[str, Any]], event: str) -> list[dict[str, Any]]:
    return [one for one in found if one["event"] == event]


@pytest.mark.parametrize("local", [True, pytest.param(False, marks=pytest.mark.long)])
def test_a_run_is_told_from_its_beginning_to_its_end(
    local: bool, command: Command, riskbox: Command, records: Path, stub: Stub, tmp_path: Path
) -> None:
    stub.script(Fail(503), Fail(400))
    stub.script("I cannot help with that.", repeat=True)
    start, where = (command, ("--local",)) if local else (riskbox, ("--workers", "1"))
    words = ["run", records, "--agent", f"{stub.url}/v1#stub", "--log", "run.log", "--log-level", "debug"]
    done = start(*words, "--json", *where, **reached(stub.url))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    found = lines(tmp_path / "run.log")
    assert {one["run"] for one in found} == {said["run"]}
    assert found[0]["event"] == "run_begun" and found[-1]["event"] == "run_ended"
    assert found[-1]["done"] == said["planned"] == 6 and found[-1]["faults"] == said["faults"] == 1
    many = Counter(one["event"] for one in found)
    assert many["worker_started"] == 1 and many["episode_started"] == many["episode_ended"] == 6
    (fault,) = of(found, "episode_fault")
    assert fault["level"] == "warning" and fault["culprit"] == "agent" and "400" in fault["reason"]
    (again,) = of(found, "model_call_retried")
    assert again["model"].endswith("#stub") and again["wait"] > 0 and again["attempts"] == 1
    assert of(found, "model_call_failed")
    assert ("worker" in again) is not local
    assert logging.getLogger(NAME).level == logging.NOTSET


def test_standard_error_takes_it_too(command: Command, records: Path) -> None:
    done = command("run", records, "--local", "--json", "--log", "-", "--log-level", "warning")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1
    assert '"event": "run_ended"' not in done.stderr
    done = command("run", records, "--local", "--json", "--log", "-")
    assert '"event": "run_ended"' in done.stderr and len(done.stdout.splitlines()) == 1


def test_a_file_that_cannot_be_written_is_one_line(command: Command, records: Path) -> None:
    done = command("run", records, "--local", "--quiet", "--log", "missing/run.log")
    assert done.returncode == 2 and done.stderr.startswith("riskbox: run: log missing/run.log")


def test_secrets_are_hidden_and_texts_are_cut(tmp_path: Path) -> None:
    file = tmp_path / "run.log"
    with logfile.logging_to(str(file), "info", "r"):
        tell("said", reason='failed with password="hunter2hunter2"', url="https://me:hunter2hunter2@host")
        tell("long", reason="x" * 10_000)
    assert "hunter2" not in file.read_text() and len(file.read_text()) < 3 * logfile.LONGEST
    assert [one["event"] for one in lines(file)] == ["said", "long"]


def test_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logfile, "LARGEST", 1000)
    with logfile.logging_to(str(tmp_path / "run.log"), "info", "r"):
        for number in range(500):
            tell("counted", number=number)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 1 + logfile.FILES and all(one.stat().st_size <= 1000 for one in files)
    assert lines(tmp_path / "run.log")[-1]["number"] == 499


def test_what_a_worker_keeps_is_bounded_and_what_is_lost_is_counted(tmp_path: Path) -> None:
    kept = Kept("info")
    try:
        for number in range(10_005):
            tell("counted", number=number)
        found = kept.fetch()
        assert len(found) == 10_001 and found[-1]["fields"]["count"] == 5 and not kept.fetch()
    finally:
        logging.getLogger(NAME).removeHandler(kept)
        logging.getLogger(NAME).setLevel(logging.NOTSET)
    with logfile.logging_to(str(tmp_path / "run.log"), "warning", "r"):
        relay(found)
    assert [one["event"] for one in lines(tmp_path / "run.log")] == ["events_lost"]
