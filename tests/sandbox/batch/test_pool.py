"""Workers that die while they start are started again; only where none can be started does the run end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from riskbox.sandbox.batch import launch, pool
from riskbox.sandbox.batch.keeper import Keeper
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.batch.player import Player
from riskbox.sandbox.batch.pool import (
    ClusterLost,
    Look,
    Pool,
    Room,
    StartWorker,
    Worker,
    WorkerDied,
    one_worker,
)
from riskbox.sandbox.batch.runner import Runner
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.errors import Fault
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stores.spill import Whole
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.run import Spec

RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"
CASE = next(one for one in cases([load(RECORDS)]) if one.id.endswith("/owner"))
SPECS = [Spec.of(CASE.hash, Cast(agent="idle"), seed) for seed in range(30)]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "BACK_OFF", 0.01)


async def played(folder: Path, start_worker: StartWorker, look: Look = one_worker) -> int:
    """How many episodes a run stores whose workers are started so."""
    settings = RunSettings(concurrency=4)
    with open_store(f"sqlite:///{folder}/r.db") as store:
        manifest = launch.new_manifest([CASE], SPECS, settings)
        launch.create(store, manifest, [CASE], SPECS)
        keeper = Keeper(store, Whole(manifest, {CASE.hash: CASE}, SPECS), 0.0)
        runner = Runner(manifest.run, SPECS, {CASE.hash: CASE}, keeper, settings, start_worker, look)
        async with asyncio.timeout(60):
            assert await runner.play_all() == "done"
        return len(store.done(manifest.run))


def player(concurrency: int) -> Player:
    return Player("", {CASE.hash: CASE}, RunSettings(local=True, concurrency=concurrency))


async def test_a_worker_that_dies_while_it_starts_is_started_again(tmp_path: Path) -> None:
    starts = 0

    async def start_worker(concurrency: int) -> Worker:
        nonlocal starts
        starts += 1
        if starts < pool.STARTS:
            raise WorkerDied("killed")
        return player(concurrency)

    assert await played(tmp_path, start_worker) == len(SPECS)
    assert starts == pool.STARTS


async def test_where_no_worker_can_be_started_the_run_ends_with_the_reason(tmp_path: Path) -> None:
    async def start_worker(concurrency: int) -> Worker:
        raise WorkerDied("no memory left")

    with pytest.raises(
        Fault, match=f"no worker could be started, {pool.STARTS} times in a row: no memory left"
    ):
        await played(tmp_path, start_worker)


async def test_workers_that_never_come_up_or_always_die_keep_the_others_from_nothing(tmp_path: Path) -> None:
    starts = 0

    async def start_worker(concurrency: int) -> Worker:
        nonlocal starts
        starts += 1
        if starts == 1:
            return player(concurrency)
        if starts == 2:
            await asyncio.Event().wait()  # no machine has room for it
        raise WorkerDied("killed")

    async def look() -> Room:
        return Room(4, full=True)

    assert await played(tmp_path, start_worker, look) == len(SPECS)


async def test_a_cluster_that_does_not_answer_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "LOST", 0.05)
    monkeypatch.setattr(pool, "WATCH", 0.05)
    looks = 0

    async def look() -> Room:
        nonlocal looks
        looks += 1
        if looks > 1:
            await asyncio.Event().wait()
        return Room(1)

    async def start_worker(concurrency: int) -> Worker:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(ClusterLost, match="the head of the Ray cluster has not answered"):
        await played(tmp_path, start_worker, look)


async def test_a_smaller_cluster_takes_back_what_only_waits() -> None:
    async def start_worker(concurrency: int) -> Worker:
        await asyncio.Event().wait()
        raise AssertionError

    made = Pool(start_worker, one_worker)
    tasks = []

    async def begin(slot: pool.Slot) -> None:
        assert await made.start(slot, 1) is None
        made.leave(slot)

    made.bring_to(4, lambda slot: tasks.append(asyncio.create_task(begin(slot))), alone=False)
    await asyncio.sleep(0)
    made.bring_to(1, lambda slot: pytest.fail("one too many"), alone=False)
    await asyncio.wait(tasks, timeout=0.2)
    assert len(made.slots) == 1 and sum(one.done() for one in tasks) == 3
    tasks[0].cancel()
