"""What the process of a participant actor may use and see, and what outlives it: real Ray, real kills."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from riskbox.sandbox.batch import launch
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.processes.confinement import Confinement
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.event import AGENT_CRASHED
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.trajectory import Trajectory
from tests.agents.test_confinement import gone
from tests.command import environment

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="orphans and memory are kept on Linux"),
]

AGENTS = Path(__file__).parents[1] / "agents_confined.py"
RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"
(OWNER,) = (one for one in cases([load(RECORDS)]) if one.id.endswith("/owner"))


def played(folder: Path, agent: str, confinement: Confinement, episodes: int) -> list[Played]:
    specs = [Spec.of(OWNER.hash, Cast(agent=f"{AGENTS}:{agent}"), seed) for seed in range(episodes)]
    settings = RunSettings(workers=1, confinement=confinement)
    manifest = launch.new_manifest([OWNER], specs, settings)
    with open_store(f"sqlite:///{folder}/runs.db") as store:
        launch.create(store, manifest, [OWNER], specs)
        asyncio.run(launch.execute(store, manifest.run, [OWNER], specs, settings))
        return [store.episode(manifest.run, row.id) for row in store.rows(manifest.run)]


@pytest.mark.parametrize("episodes", [1, 3])
def test_an_agent_that_uses_too_much_memory_is_at_fault_and_what_it_did_is_kept(
    tmp_path: Path, ray_cluster: None, episodes: int
) -> None:
    found = played(tmp_path, "hoarder", Confinement(memory=2**29), episodes)
    assert len(found) == episodes
    for one in found:
        ended = one.episode.ended
        assert (ended.ending, ended.reason) == ("fault", AGENT_CRASHED)
        assert "GB, more than --agent-memory 0.5, and was ended" in ended.detail
        assert [line.text for line in Trajectory(one.episode.events).said("agent")] == ["One moment."]


def test_the_process_sees_what_it_needs_and_what_is_let_through(
    riskbox: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    words = ("--persona", "owner", "--variant", "none", "--workers", "1", "--agent", f"{AGENTS}:looker")
    secrets = {"OPENAI_API_KEY": "s3cret-1", "RISKBOX_REDIS_PASSWORD": "s3cret-2", "AGENT_KEY": "s3cret-3"}
    done = riskbox(
        "run",
        RECORDS,
        *words,
        "--agent-env",
        "AGENT_KEY",
        "--agent-env",
        "MODE=s3cret-4",
        "--name",
        "let",
        **secrets,
    )
    assert done.returncode == 0, done.stderr
    told = "withheld from the agent's process: OPENAI_API_KEY; --agent-env NAME lets it through."
    assert told in done.stdout + done.stderr
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        (row,) = store.rows(store.run("let").run)
        said = Trajectory(store.episode(row.run, row.id).episode.events).said("agent")[0].text
    now, started = json.loads(said)
    assert [one for one in now if "s3cret" in one] == ["AGENT_KEY=s3cret-3", "MODE=s3cret-4"]
    assert [one for one in started if "s3cret" in one] == ["AGENT_KEY=s3cret-3"]


def run(folder: Path, *more: str, **env: str) -> tuple[subprocess.Popen[bytes], Path]:
    pids = folder / "pids"
    words = ("--persona", "owner", "--variant", "none", "--workers", "1", "--quiet", *more)
    driver = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "riskbox.sandbox.cli",
            "run",
            str(RECORDS),
            *words,
            "--agent",
            f"{AGENTS}:orphaner",
        ]
        + [
            word
            for name, value in {"PIDS": str(pids), **env}.items()
            for word in ("--agent-env", f"{name}={value}")
        ],
        cwd=folder,
        env={**environment(), "RISKBOX_STORE": f"sqlite:///{folder}/runs.db"},
    )
    return driver, pids


def test_what_it_leaves_behind_ends_with_its_process(tmp_path: Path) -> None:
    driver, pids = run(tmp_path)
    assert driver.wait(250) == 0
    started = [int(pid) for line in pids.read_text().splitlines() for pid in line.split()]
    assert len(started) >= 3 and all(map(gone, started))


@pytest.mark.parametrize("whom", ["driver", "worker"])
def test_what_it_leaves_behind_ends_when_somebody_is_killed(tmp_path: Path, whom: str) -> None:
    driver, pids = run(tmp_path, LASTING="1")
    try:
        deadline = time.monotonic() + 250
        while not (pids.exists() and pids.read_text().endswith("\n")) and time.monotonic() < deadline:
            assert driver.poll() is None
            time.sleep(0.05)
        worker, keeper, orphan = map(int, pids.read_text().split()[:3])
        os.kill(driver.pid if whom == "driver" else worker, signal.SIGKILL)
        assert (gone(worker), gone(orphan), gone(keeper)) == (True, True, True)
    finally:
        driver.kill()
        driver.wait()
