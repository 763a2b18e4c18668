"""The network between a driver, a node of its cluster and its store is cut, slowed and healed in the middle of a run.

Driver and head of the cluster are one machine, a second node another, Redis a third: each in a network namespace.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from riskbox.sandbox.stores import open_store
from tests.network import Network
from tests.nodes import ENV, Nodes, until
from tests.sandbox.stores.conftest import redis_binary

RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"
AGENT = """\
import asyncio

async def agent(messages, tools):
    await asyncio.sleep(0.2)
    return "One moment, please."
"""
SECONDS_TO_DEATH = 100
"""Longer than Ray waits for a node (five checks, each up to ten seconds with three in between), and Riskbox for a worker."""

pytestmark = [
    pytest.mark.netns,
    pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are Linux's"),
]


class Place:
    """The three machines, and the runs of the first."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network, self.folder = network, folder
        self.head, self.node, self.redis = (network.add(one) for one in ("head", "node", "redis"))
        self.nodes = Nodes(6399, folder, host=self.head)
        self.store = f"redis://:secret@{self.redis}:6379/0"
        self.processes: list[subprocess.Popen[str]] = []

    def open(self) -> None:
        words = [
            "--bind",
            self.redis,
            "--requirepass",
            "secret",
            "--appendonly",
            "yes",
            "--dir",
            str(self.folder),
        ]
        self._started("redis", redis_binary(), *words)
        with redis.Redis.from_url(self.store) as client:
            until(lambda: self._answers(client))
        self.nodes.start(within=self.network.on("head"))
        self.second = self.nodes.start(host=self.node, within=self.network.on("node"))

    @staticmethod
    def _answers(client: redis.Redis) -> bool:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False

    def run(self, *words: str) -> subprocess.Popen[str]:
        (self.folder / "agent.py").write_text(AGENT)
        return self._started(
            "head", sys.executable, "-m", "riskbox.sandbox.cli", "run", *words, "--address", self.nodes.address,
            "--store", self.store, "--concurrency", "4", "--place", "agent=inline",
        )  # fmt: skip

    def begun(self, *words: str) -> subprocess.Popen[str]:
        """A run that plays on both nodes."""
        run = self.run(str(RECORDS), "--agent", f"{self.folder}/agent.py:agent", "--seeds", "30", *words)
        until(
            lambda: (
                run.poll() is not None
                or (self.stored() >= 20 and self.nodes.running(self.second, "ray::_EpisodeActor"))
            )
        )
        assert run.poll() is None, run.communicate()
        return run

    def _started(self, machine: str, *words: str) -> subprocess.Popen[str]:
        command, env = [*self.network.on(machine), *words], {**ENV, "XDG_STATE_HOME": str(self.folder)}
        self.processes.append(
            subprocess.Popen(
                command, env=env, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
        return self.processes[-1]

    def stored(self) -> int:
        with open_store(self.store) as store:
            return len(store.done(store.runs()[0].run)) if store.runs() else 0

    def assert_each_once(self) -> None:
        with open_store(self.store, create=False) as store:
            (manifest,) = store.runs()
            rows = sorted(row.id for row in store.rows(manifest.run))
            assert rows == sorted(spec.id for spec in store.specs(manifest.run)) and len(rows) == 180
            assert manifest.state == "done"
            assert all(row.ending != "fault" for row in store.rows(manifest.run))

    def close(self) -> None:
        for one in self.processes:
            one.kill()
            one.communicate()
        self.nodes.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    network = Network()
    network.open()
    try:
        made = Place(network, tmp_path)
        try:
            made.open()
            yield made
        finally:
            made.close()
    finally:
        network.close()


@pytest.mark.parametrize("seconds", [20, SECONDS_TO_DEATH])
def test_a_node_that_is_cut_off_delays_the_run_and_loses_nothing(place: Place, seconds: int) -> None:
    run, began = place.begun(), time.monotonic()
    place.network.cut("node")
    while time.monotonic() - began < seconds and run.poll() is None:
        time.sleep(0.5)
    print(f"cut for {time.monotonic() - began:.0f} s; the run had ended: {run.poll()}")
    place.network.heal("node")
    out, err = run.communicate(timeout=300)
    print(f"over after {time.monotonic() - began:.0f} s\n{err}")
    assert run.returncode == 0, (out, err)
    place.assert_each_once()


def test_a_store_that_is_cut_off_for_a_while_delays_the_run(place: Place) -> None:
    run = place.begun()
    place.network.cut("redis")
    time.sleep(20)
    assert run.poll() is None, run.communicate()
    place.network.heal("redis")
    out, err = run.communicate(timeout=300)
    assert run.returncode == 0, (out, err)
    place.assert_each_once()


def test_a_store_that_is_cut_off_for_long_stops_the_run_and_it_goes_on_later(place: Place) -> None:
    run, began = place.begun("--store-seconds", "5"), time.monotonic()
    place.network.cut("redis")
    out, err = run.communicate(timeout=300)
    print(f"stopped after {time.monotonic() - began:.0f} s\n{err}")
    assert run.returncode == 3 and "Traceback" not in err, (out, err)
    place.network.heal("redis")
    again = place.run("--resume", "latest")
    out, err = again.communicate(timeout=300)
    assert again.returncode == 0, (out, err)
    place.assert_each_once()


def test_slow_links_slow_the_run_and_nothing_else(place: Place) -> None:
    run = place.begun()
    for one in ("node", "redis"):
        place.network.slow(one)
    out, err = run.communicate(timeout=300)
    assert run.returncode == 0, (out, err)
    place.assert_each_once()
