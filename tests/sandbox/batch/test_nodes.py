"""Nodes of a cluster die and join in the middle of a run; real `ray start` nodes, each of its own processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from riskbox.sandbox.stores import open_store
from tests.nodes import ENV, Nodes, until
from tests.sandbox.stores.conftest import unused_port

RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"
AGENT = """\
import asyncio, subprocess, sys
STARTED = []

async def agent(messages, tools):
    if not STARTED:
        command = [sys.executable, "-c", "import time; time.sleep(120)  # of the agent"]
        STARTED.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    await asyncio.sleep(0.2)
    return "One moment, please."
"""


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    made = Nodes(unused_port(), tmp_path)
    try:
        made.start(cpus=2)
        yield made
    finally:
        made.close()


def start_run(nodes: Nodes, folder: Path, *words: str) -> subprocess.Popen[str]:
    (folder / "agent.py").write_text(AGENT)
    command = [
        sys.executable, "-m", "riskbox.sandbox.cli", "run", str(RECORDS), "--agent", f"{folder}/agent.py:agent",
        "--address", nodes.address, "--concurrency", "4", *words,
    ]  # fmt: skip
    return subprocess.Popen(
        command, env=ENV, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def stored(folder: Path) -> int:
    if not (folder / "riskbox.db").exists():
        return 0
    with open_store(f"sqlite:///{folder}/riskbox.db", create=False) as store:
        return len(store.done(store.runs()[0].run)) if store.runs() else 0


def assert_each_once(folder: Path) -> None:
    with open_store(f"sqlite:///{folder}/riskbox.db", create=False) as store:
        (manifest,) = store.runs()
        rows = sorted(row.id for row in store.rows(manifest.run))
        assert rows == sorted(spec.id for spec in store.specs(manifest.run)) and manifest.state == "done"
        assert all(row.ending != "fault" for row in store.rows(manifest.run))


@pytest.mark.long
def test_a_lost_node_is_a_smaller_cluster(nodes: Nodes, tmp_path: Path) -> None:
    second = nodes.start()
    run = start_run(nodes, tmp_path, "--seeds", "20")
    try:
        until(
            lambda: (
                run.poll() is not None
                or (stored(tmp_path) >= 10 and nodes.running(second, "ray::_EpisodeActor"))
            )
        )
        assert run.poll() is None, "the run was over before the node was lost"
        nodes.kill(second)
        _, err = run.communicate(timeout=240)
    finally:
        run.kill()
    assert run.returncode == 0, err
    assert_each_once(tmp_path)


@pytest.mark.cluster
def test_a_node_that_joins_in_the_place_of_a_lost_one_gets_a_worker(nodes: Nodes, tmp_path: Path) -> None:
    second = nodes.start()
    run = start_run(nodes, tmp_path, "--seeds", "40")
    try:
        until(lambda: stored(tmp_path) >= 20 and nodes.running(second, "ray::_EpisodeActor"))
        nodes.kill(second)
        third = nodes.start()
        until(lambda: run.poll() is not None or nodes.running(third, "ray::_EpisodeActor"))
        assert run.poll() is None, "no worker was started on the node that joined"
        _, err = run.communicate(timeout=240)
    finally:
        run.kill()
    assert run.returncode == 0, err
    assert_each_once(tmp_path)


@pytest.mark.cluster
def test_workers_without_free_cores_are_told_and_keep_nobody_waiting(nodes: Nodes, tmp_path: Path) -> None:
    run = start_run(nodes, tmp_path, "--seeds", "100", "--workers", "6")
    try:
        _, err = run.communicate(timeout=240)
    finally:
        run.kill()
    assert run.returncode == 0, err
    assert "2 of 6 workers wait for free cores" in err
    assert_each_once(tmp_path)


@pytest.mark.cluster
def test_a_lost_head_is_one_sentence_and_the_run_goes_on_elsewhere(nodes: Nodes, tmp_path: Path) -> None:
    run = start_run(nodes, tmp_path, "--seeds", "60", "--quiet")
    try:
        until(lambda: stored(tmp_path) >= 20)
        nodes.kill(nodes.nodes[0])
        out, err = run.communicate(timeout=120)
    finally:
        run.kill()
    assert run.returncode == 3, (out, err)
    assert "the head of the Ray cluster has not answered" in err and len(err.splitlines()) <= 2, err
    assert stored(tmp_path) >= 20
    again = subprocess.run(
        [sys.executable, "-m", "riskbox.sandbox.cli", "run", "--resume", "latest", "--local", "--quiet"],
        env=ENV, cwd=tmp_path, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert_each_once(tmp_path)


@pytest.mark.long
def test_nothing_on_the_cluster_outlives_its_driver(nodes: Nodes, tmp_path: Path) -> None:
    run = start_run(nodes, tmp_path, "--seeds", "60")
    until(lambda: stored(tmp_path) >= 10)
    (head,) = nodes.nodes
    alive = [
        one
        for title in ("ray::_EpisodeActor", "ray::_ParticipantActor", "# of the agent")
        for one in nodes.running(head, title)
    ]
    assert len(alive) >= 3
    run.kill()
    run.communicate()
    until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in alive), 60)
