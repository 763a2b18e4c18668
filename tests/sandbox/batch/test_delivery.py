"""Answers of workers get lost, and calls come twice and late: no episode is lost and none is stored twice.

The transport between the runner and the workers is made unreliable; the players behind it are real, and so is the store.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from riskbox.sandbox.batch import launch
from riskbox.sandbox.batch.keeper import Keeper
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.batch.player import Player
from riskbox.sandbox.batch.pool import Room, Worker, WorkerDied
from riskbox.sandbox.batch.progress import RunProgress
from riskbox.sandbox.batch.runner import Runner
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.batch.work import Attempt, Work, WorkResult
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.contracts.store import Packed
from riskbox.sandbox.episode.playing import make_participants
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stores.spill import Whole
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.observation import Observation
from riskbox.sandbox.words.run import Spec

RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"
CASE = next(one for one in cases([load(RECORDS)]) if one.id.endswith("/owner"))


class Unreliable:
    """A player behind a transport that loses answers, repeats calls, at once or later, and dies now and then."""

    def __init__(self, player: Player, luck: random.Random, deaths: float) -> None:
        self.player, self.luck, self.deaths = player, luck, deaths
        self.dead = False
        self.late: list[Sequence[Work]] = []

    async def _answer(self, call: Any) -> Any:
        if self.dead or self.luck.random() < self.deaths:
            self.dead = True
            self.player._cancel_all()
            raise WorkerDied("killed")
        while True:
            answer = await call()
            if self.luck.random() < 0.7:
                return answer
            await asyncio.sleep(0)  # the answer is lost, and the call is repeated

    async def add(self, work: Sequence[Work]) -> None:
        await self._answer(lambda: self.player.add(work))
        self.late.append(work)

    async def take(self, most: int, acknowledged: Sequence[str], wait: float) -> list[WorkResult]:
        if self.late and self.luck.random() < 0.2:
            await self.player.add(self.luck.choice(self.late))  # a repeated call arrives much later
        taken = await self._answer(lambda: self.player.take(most, acknowledged, min(wait, 0.02)))
        self.luck.shuffle(taken)
        return list(taken)

    async def release(self, ids: Sequence[str], most: int) -> None:
        await self._answer(lambda: self.player.release(ids, most))

    async def stop(self) -> None:
        await self.player.stop()

    def kill(self) -> None:
        self.dead = True
        self.player._cancel_all()


class Slow(Participant):
    """Answers after a while."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    async def act(self, seen: Observation) -> Action:
        """Say nothing of use."""
        await asyncio.sleep(self.seconds)
        return Action(text="One moment, please.")


def taking(seed: int, tenfold: random.Random) -> dict[str, Participant]:
    """The usual user, and an agent whose answers take up to ten times as long as another's."""
    spec = Spec.of(CASE.hash, Cast(agent="idle"), seed)
    return {**make_participants(spec, CASE), "agent": Slow(0.001 * tenfold.choice((1, 1, 1, 10)))}


@pytest.mark.long
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=strategies.integers(0, 2**32),
    count=strategies.integers(1, 60),
    workers=strategies.integers(1, 4),
    concurrency=strategies.integers(1, 8),
    deaths=strategies.sampled_from((0.0, 0.0, 0.02)),
)
def test_lost_repeated_and_late_deliveries_neither_lose_nor_double_an_episode(
    seed: int, count: int, workers: int, concurrency: int, deaths: float
) -> None:
    luck = random.Random(seed)
    specs = [Spec.of(CASE.hash, Cast(agent="idle"), number) for number in range(count)]
    written: list[str] = []

    async def start_worker(most: int) -> Worker:
        plain = RunSettings(local=True, concurrency=most)
        player = Player(
            "", {CASE.hash: CASE}, plain, participants=lambda one, *_: taking(one.spec.seed, luck)
        )
        return Unreliable(player, luck, deaths)

    async def look() -> Room:
        return Room(workers)

    async def go() -> str:
        made = RunSettings(concurrency=concurrency)
        with TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/r.db") as store:
            manifest = launch.new_manifest([CASE], specs, made)
            launch.create(store, manifest, [CASE], specs)
            keeper = Keeper(store, Whole(manifest, {CASE.hash: CASE}, specs), 0.0)
            runner = Runner(manifest.run, specs, {CASE.hash: CASE}, keeper, made, start_worker, look)
            writes = store.write

            def write(run: str, episodes: Sequence[Packed]) -> int:
                written.extend(one.row.id for one in episodes)
                return writes(run, episodes)

            setattr(store, "write", write)  # noqa: B010
            async with asyncio.timeout(60):
                state = await runner.play_all()
            assert runner.progress.done == len(specs)
        return state

    assert asyncio.run(go()) == "done"
    assert sorted(written) == sorted(spec.id for spec in specs), "each is stored once, and only once"


class Held(Participant):
    """Answers once it may."""

    def __init__(self, may: asyncio.Event) -> None:
        self.may = may

    async def act(self, seen: Observation) -> Action:
        """Say nothing of use."""
        await self.may.wait()
        return Action(text="One moment, please.")


@pytest.mark.parametrize("workers", [2, 4])
def test_what_waits_behind_long_episodes_of_one_worker_is_played_by_the_others(workers: int) -> None:
    most, count = 5, 150
    specs = [Spec.of(CASE.hash, Cast(agent="idle"), number) for number in range(count)]
    held: list[str] = []

    async def go() -> None:
        may = asyncio.Event()
        players: list[Player] = []

        async def start_worker(concurrency: int) -> Worker:
            first = not players

            def participants(one: Attempt, *_: Any) -> dict[str, Participant]:
                made = make_participants(one.spec, CASE)
                if not first:
                    return made
                held.append(one.spec.id)
                return {**made, "agent": Held(may)}

            plain = RunSettings(local=True, concurrency=concurrency)
            players.append(Player("", {CASE.hash: CASE}, plain, participants=participants))
            return players[-1]

        async def look() -> Room:
            return Room(workers)

        def told(progress: RunProgress) -> None:
            if progress.done == count - most:
                assert len(held) == most, "the first worker has started no more than it can play at once"
                may.set()

        made = RunSettings(concurrency=most)
        with TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/r.db") as store:
            manifest = launch.new_manifest([CASE], specs, made)
            launch.create(store, manifest, [CASE], specs)
            keeper = Keeper(store, Whole(manifest, {CASE.hash: CASE}, specs), 0.0)
            runner = Runner(manifest.run, specs, {CASE.hash: CASE}, keeper, made, start_worker, look, told)
            async with asyncio.timeout(60):
                assert await runner.play_all() == "done"
            assert len(store.done(manifest.run)) == count

    asyncio.run(go())
