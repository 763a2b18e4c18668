"""`riskbox try --self-test` as a user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from riskbox.sandbox.loading.loader import shipped
from riskbox.sandbox.selftest.kept import KEY
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stub.script import Slow
from riskbox.sandbox.stub.server import Stub

Command = Callable[..., subprocess.CompletedProcess[str]]
SCENARIO = shipped() / "healthcare" / "records_for_a_neighbour.yaml"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name the agent with --agent"),
        (["--agent", "idle", "--out", "a.json"], "--out belongs to --self-test"),
        (["--self-test"], "name the models to try with --user, --judge or --tools-model"),
        (["--self-test", "--agent", "openai/gpt-5"], "--self-test tries no agent"),
        (["--self-test", "--judge", "gpt-5"], "'gpt-5' is not a model"),
        (["--self-test", "--user", "openai/gpt-5", "--self-test-size", "1"], "--self-test-size must be 2"),
        (["--self-test", "--judge", "http://127.0.0.1:9/v1#m"], "cannot be reached"),
    ],
)
def test_wrong_options(command: Command, words: list[str], told: str) -> None:
    done = command("try", *words)
    assert done.returncode == 2 and told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_results_are_printed_kept_and_repeated_beside_a_run(
    command: Command, stub: Stub, tmp_path: Path
) -> None:
    model = f"{stub.url}/v1#stub-silent"
    words = ["--judge", model, "--user", model, "--tools-model", model]
    asked = [
        "try",
        SCENARIO,
        "--self-test",
        *words,
        "--self-test-size",
        "10",
        "--out",
        tmp_path / "trials.json",
    ]
    done = command(*asked)
    assert done.returncode == 1, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("As ")] == [
        f"As {seat}: {model}" for seat in ("judge", "user", "tools")
    ]
    assert done.stdout.count("Not good enough: it") == 3
    assert done.stdout.count("The first call without an answer: ") == 3 and "said nothing" in done.stdout
    told = json.loads((tmp_path / "trials.json").read_text())["self_test"]
    assert [(one["seat"], one["good"], bool(one["cases"])) for one in told] == [
        (seat, False, True) for seat in ("judge", "user", "tools")
    ]
    played = command(
        "run", SCENARIO, "--persona", "owner", "--variant", "none", "--agent", "reference:0", "--judge", model,
        "--local", "--quiet",
    )  # fmt: skip
    assert "could not be judged" in played.stderr
    notes = json.loads(command("report", "--json").stdout)["notes"]
    (note,) = [one["text"] for one in notes if one["id"] == "self_test"]
    assert note.startswith(f"Judge {model}, self-test of 2") and "harm found 0% [" in note
    assert "it misses harm" in note


def test_a_judge_that_came_later_is_looked_up_in_reports_and_comparisons(
    command: Command, stub: Stub, tmp_path: Path
) -> None:
    model, page = f"{stub.url}/v1#stub-silent", tmp_path / "compare.html"
    assert command("try", SCENARIO, "--self-test", "--judge", model, "--self-test-size", "10").returncode == 1
    for name in ("before", "after"):
        played = command(
            "run", SCENARIO, "--persona", "owner", "--variant", "none", "--agent", "reference:0", "--local", "--quiet",
            "--name", name,
        )  # fmt: skip
        assert played.returncode == 0, played.stderr
    assert "self-test" not in command("report", "after").stdout
    assert "self-test" not in command("compare", "before", "after").stdout
    command("score", "after", "--judge", model)
    told = json.loads(command("report", "after", "--json").stdout)
    assert told["judges"] == {model: 1}
    (note,) = [one["text"] for one in told["notes"] if one["id"] == "self_test"]
    assert note.startswith(f"Judge {model}, self-test of 2") and "it misses harm" in note
    compared = json.loads(command("compare", "before", "after", "--json", "--html", page).stdout)
    assert compared["notes"].count(note) == 1
    assert (compared["a"]["judges"], compared["b"]["judges"]) == ([], [model])
    assert "it misses harm" in page.read_text()
    assert "it misses harm" in " ".join(command("compare", "before", "after").stdout.split())


def test_a_budget_ends_it_and_keeps_what_is_done(command: Command, stub: Stub) -> None:
    model = f"{stub.url}/v1#stub-silent"
    words = ["--judge", model, "--user", model, "--self-test-size", "4", "--budget-tokens", "1000", "--json"]
    done = command("try", SCENARIO, "--self-test", *words)
    assert done.returncode == 3 and "budget" in done.stderr
    assert json.loads(done.stdout)["self_test"] == []


@pytest.mark.parametrize(
    ("how", "as_json"),
    [(signal.SIGINT, False), (signal.SIGTERM, True)],
    ids=["ctrl-c-tables", "sigterm-json"],
)
def test_a_signal_keeps_and_prints_the_seats_that_are_done(
    stub: Stub, tmp_path: Path, how: signal.Signals, as_json: bool
) -> None:
    """The judge is done, the user hangs: either signal ends it and loses only the user."""
    judge, user = f"{stub.url}/v1#stub-silent", f"{stub.url}/v1#person"
    stub.script(Slow(120), when=lambda request: request.model == "person", repeat=True)
    words = ["--judge", judge, "--user", user, "--self-test-size", "10", "--out", "trials.json"]
    command = [sys.executable, "-m", "riskbox.sandbox.cli", "try", str(SCENARIO), "--self-test", *words]
    with subprocess.Popen(
        [*command, *(["--json"] if as_json else [])],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 90
        while not any(one.model == "person" for one in stub.requests):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(how)
        out, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "riskbox: stopped.\n")
    if as_json:
        told = json.loads(out)
        assert ([one["model"] for one in told["self_test"]], told["stopped"]) == ([judge], "stopped")
    else:
        assert f"As judge: {judge}" in out and "As user" not in out
    (trials,) = json.loads((tmp_path / "trials.json").read_text())["self_test"]
    assert trials["seat"] == "judge" and trials["cases"]
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        (kept,) = store.runs()
    assert [one["model"] for one in kept.settings[KEY]] == [judge]
