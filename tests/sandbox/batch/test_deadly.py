"""An agent whose process always dies costs a few deaths alone, and what it did before each death is kept."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from riskbox.sandbox.batch import launch
from riskbox.sandbox.batch.breaker import DEADLY
from riskbox.sandbox.batch.keeper import Keeper
from riskbox.sandbox.batch.plan import cases, specs
from riskbox.sandbox.batch.player import Player
from riskbox.sandbox.batch.pool import Room, Worker
from riskbox.sandbox.batch.runner import Runner
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.batch.work import Attempt
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.episode.limited import ProcessDied
from riskbox.sandbox.episode.playing import make_participants
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stores.spill import Whole
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.observation import Observation


class Dies(Participant):
    """Dies in its first turn, unless its episode is one of those that go well."""

    def __init__(self, deadly: bool) -> None:
        self.deadly = deadly

    async def act(self, seen: Observation) -> Action:
        """Nothing, or the end of its process."""
        if self.deadly:
            raise ProcessDied("the process of the agent died", "agent")
        return Action(text="Sorry, no.")


def play(records: Path, folder: Path, *, good: int) -> tuple[Counter[str], list[str], Runner]:
    """How often each episode was played, the faults, and the runner; the last so many of 20 seeds go well."""
    case = cases([load(records)])[0]
    listed, played = specs([case], ["idle"], range(1, 21)), Counter[str]()

    def participants(one: Attempt, *_: object) -> dict[str, Participant]:
        played[one.spec.id] += 1
        return {**make_participants(one.spec, case), "agent": Dies(one.spec.seed <= 20 - good)}

    async def start_worker(concurrency: int) -> Worker:
        plain = RunSettings(concurrency=concurrency)
        return Player("", {case.hash: case}, plain, participants=participants)

    async def look() -> Room:
        return Room(2)

    with open_store(f"sqlite:///{folder}/b.db") as store:
        settings = RunSettings(concurrency=20)
        made = launch.new_manifest([case], listed, settings)
        launch.create(store, made, [case], listed)
        keeper = Keeper(store, Whole(made, {case.hash: case}, listed), 0.0)
        runner = Runner(made.run, listed, {case.hash: case}, keeper, settings, start_worker, look)
        asyncio.run(runner.play_all())
        ended = [store.episode(made.run, row.id).episode.ended for row in store.rows(made.run)]
    return played, [one.detail for one in ended if one.reason == "agent_crashed"], runner


def test_an_agent_that_always_dies_is_stopped_after_few_deaths_alone_and_keeps_its_deeds(
    records: Path, tmp_path: Path
) -> None:
    played, told, _ = play(records, tmp_path, good=0)
    assert len(told) == 20, "each episode that died is stored, as far as it went"
    assert played.total() <= 20 + DEADLY + 2


@pytest.mark.parametrize("good", [1])
def test_an_agent_with_an_episode_that_goes_well_is_not_stopped_for_its_deaths(
    records: Path, tmp_path: Path, good: int
) -> None:
    played, told, runner = play(records, tmp_path, good=good)
    assert not runner.progress.stopped and len(told) == 20 - good
    assert not any("was stopped" in one for one in told) and played.total() >= 2 * (20 - good)
