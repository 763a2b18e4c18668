"""While a run is planned, a person sees that something happens."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from riskbox.sandbox.cli import waiting
from riskbox.sandbox.cli.waiting import working
from tests.command import invoke
from tests.terminal import Terminal

DRY = ("run", "--agent", "http://127.0.0.1:1/v1#x", "--dry-run")


def test_a_terminal_shows_what_a_dry_run_is_doing(records: Path, tmp_path: Path) -> None:
    seen = Terminal(tmp_path, *DRY, records, columns=100)
    try:
        assert seen.end() == 0, seen.text
    finally:
        seen.close()
    assert "Reading scenarios" in seen.text
    assert seen.raw.count(b"\x1b[?25l") == seen.raw.count(b"\x1b[?25h") > 0, "the cursor is left hidden"
    assert "This run would play 6 episodes" in seen.text


def test_a_log_gets_a_line_once_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with working("Reading scenarios"):
        pass
    assert capsys.readouterr().err == "", "a line for what takes no time"
    monkeypatch.setattr(waiting, "PATIENCE", 0.01)
    with working("Reading scenarios"):
        time.sleep(0.2)
    assert capsys.readouterr().err == "Reading scenarios ...\n"
    with working("Reading scenarios", quiet=True):
        time.sleep(0.2)
    assert capsys.readouterr().err == ""


def test_a_program_gets_json_alone(records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)
    done = invoke(*DRY, "--json", records, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["episodes"] == 6
    told = invoke(*DRY, records, cwd=tmp_path)
    assert told.stderr == "Reading scenarios ...\n"
