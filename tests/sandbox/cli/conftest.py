"""A store with two runs, and commands that are run on it in this process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.cli import main
from riskbox.sandbox.contracts.store import Packed
from riskbox.sandbox.stores import open_store, record
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest
from tests.command import invoke

Cases = dict[str, Case]
Play = Callable[..., Played]
Printed = Callable[..., str]

FIRST, LATEST = "20260302-090000-aaaa", "20260303-090000-bbbb"


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory, by_id: Cases, played: Play) -> str:
    """Two runs: all references of three cases, then an idle agent and one reference again."""
    url = f"sqlite:///{tmp_path_factory.mktemp('results') / 'runs.db'}"
    cases = [by_id[name] for name in ("owner", "neighbour", "owner+injection=mail")]
    references = [played(case, f"reference:{place}") for case in cases for place, _ in case.references]
    idle = [played(case, "idle", seed) for case in cases for seed in (1, 2)]
    with open_store(url) as made:
        for run, name, agents, episodes in (
            (FIRST, "nightly", ("reference",), references),
            (LATEST, "", ("idle", "reference"), [*idle, *references[:2]]),
        ):
            manifest = Manifest(
                run=run,
                name=name,
                created=f"{run[:4]}-{run[4:6]}-{run[6:8]}T09:00:00Z",
                planned=len(episodes),
                cases={case.id: case.hash for case in cases},
                agents=agents,
                seeds=(1, 2),
                evaluators={"checks": "1"},
            )
            made.begin(manifest, cases, [])
            moved = [renamed(one, run) for one in episodes]
            made.write(run, [Packed(EpisodeRow.of(one), record.pack(one)) for one in moved])
            made.finish(run, "done")
    return url


def renamed(played: Played, run: str) -> Played:
    return played.model_copy(update={"episode": played.episode.model_copy(update={"run": run})})


@pytest.fixture
def printed(store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Printed:
    """Runs a command on the store in this process; what it prints, or why it refused."""
    monkeypatch.setenv("RISKBOX_STORE", store)

    def run(*words: str, code: int = 0, width: int = 100) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        assert main(list(words)) == code
        printed = capsys.readouterr()
        assert bool(printed.err) == bool(code)
        return printed.err if code else printed.out

    return run


@pytest.fixture(scope="session")
def mixed(
    store: str, tmp_path_factory: pytest.TempPathFactory, by_id: Cases, played: Play
) -> tuple[str, str]:
    """A copy of the store with a third run, in which a case was played with tools answered in three ways; its URL and the run."""
    case, run = by_id["owner"], "20260304-090000-cccc"
    done = played(case, "idle")
    casts = [("", "neutral"), ("a/b", "neutral"), ("a/b", "adversarial")]
    episodes = [
        done.episode.model_copy(
            update={
                "run": run,
                "id": f"{place:016x}",
                "cast": done.episode.cast.model_copy(update={"tools": tools, "emulation": emulation}),
            }
        )
        for place, (tools, emulation) in enumerate(casts)
    ]
    path = tmp_path_factory.mktemp("mixed") / "runs.db"
    shutil.copy(store.removeprefix("sqlite:///"), path)
    url = f"sqlite:///{path}"
    with open_store(url) as made:
        made.begin(
            Manifest(
                run=run,
                created="2026-03-01T09:00:00Z",
                planned=3,
                cases={case.id: case.hash},
                agents=("idle",),
                seeds=(1,),
            ),
            [case],
            [],
        )
        moved = [done.model_copy(update={"episode": one}) for one in episodes]
        made.write(run, [Packed(EpisodeRow.of(one), record.pack(one)) for one in moved])
        made.finish(run, "done")
    return url, run


def ids(printed: Printed, run: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(printed("list", "episodes", "--run", run, "--json"))
    return found


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, records: Path) -> tuple[Path, str]:
    """A store with a run of the example by its reference agents, ten episodes; its path and the run."""
    folder = tmp_path_factory.mktemp("prepared")
    done = invoke("run", records, "--local", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "riskbox.db", str(json.loads(done.stdout)["run"])


@pytest.fixture
def run(prepared: tuple[Path, str], tmp_path: Path) -> str:
    """The run, in a store of the test's own."""
    shutil.copy(prepared[0], tmp_path)
    return prepared[1]
