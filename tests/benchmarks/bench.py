"""Measures speed against the floors the project promises; prints a table, asserts nothing (`make bench`).

The machine it runs on may be noisy. Each figure is given beside its floor, as a ratio, and beside a yardstick of the
same run where there is one: pydantic writing and reading the same records is what the machine gives at best.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from riskbox.sandbox.batch import launch
from riskbox.sandbox.batch.keeper import Keeper
from riskbox.sandbox.batch.plan import cases, specs
from riskbox.sandbox.batch.player import Player, packed
from riskbox.sandbox.batch.pool import Room, Worker
from riskbox.sandbox.batch.progress import RunProgress
from riskbox.sandbox.batch.runner import Runner
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.batch.work import Attempt
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.episode.playing import PreparedCases, make_participants, play_episode
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.loading.loader import load, loads
from riskbox.sandbox.registry.agents import agent
from riskbox.sandbox.registry.evaluators import evaluator
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stores.spill import Whole
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.observation import Observation
from riskbox.sandbox.words.run import Spec

HERE = Path(__file__).parent
LONG = HERE / "twenty_steps.yaml"
EXAMPLE = HERE / "example.yaml"


def main() -> None:
    """Measure everything, or what is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*MEASURES, []], help="what to measure (default: all)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = [row for name in given.only or MEASURES for row in MEASURES[name]()]
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    table = Table(
        "what", "measured", "floor", "measured / floor", title="Riskbox speed", title_justify="left"
    )
    for what, measured, floor, unit in rows:
        ratio = f"{measured / floor:.2f}" if floor else ""
        table.add_row(what, f"{measured:,.3f} {unit}", f"{floor:,g} {unit}" if floor else "yardstick", ratio)
    Console().print(table)


Row = tuple[str, float, float, str]


def long_case() -> Case:
    """A case of 20 steps with tool calls."""
    return cases([load(LONG)])[0]


def steps() -> list[Row]:
    """Framework CPU per step in one process, events kept, assessed and stored."""
    case = long_case()
    prepared, judges = PreparedCases({case.hash: case}), [evaluator("checks")]
    listed = specs([case], ["reference:safe"], range(1, 401))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/b.db") as store:
        made = launch.new_manifest([case], listed, RunSettings(local=True))
        launch.create(store, made, [case], listed)

        async def everything() -> tuple[int, float]:
            done, began = 0, time.process_time()
            batch = []
            for spec in listed:
                played = await play_episode(
                    made.run, spec, prepared.of(case.hash), make_participants(spec, case), judges
                )
                done += len(played.episode.inputs)
                batch.append(packed(played))
            store.write(made.run, batch)
            return done, time.process_time() - began

        async def playing() -> tuple[int, float]:
            done, began = 0, time.process_time()
            for spec in listed:
                played = await play_episode(
                    made.run, spec, prepared.of(case.hash), make_participants(spec, case), []
                )
                done += len(played.episode.inputs)
            return done, time.process_time() - began

        asyncio.run(playing())
        count, seconds = asyncio.run(playing())
        rows.append(("CPU per step, playing alone", seconds / count * 1e3, 0.2, "ms"))
        count, seconds = asyncio.run(everything())
        rows.append(("CPU per step, assessed and stored too", seconds / count * 1e3, 0.2, "ms"))
        one = store.episode(made.run, listed[0].id)
        began = time.process_time()
        for _ in range(200):
            type(one).model_validate_json(one.model_dump_json(by_alias=True))
        spent = (time.process_time() - began) / 200 / len(one.episode.inputs)
        rows.append(("yardstick: pydantic writes and reads the record, per step", spent * 1e3, 0, "ms"))
    return rows


def batch() -> list[Row]:
    """10,000 episodes of 20 steps through Ray, assessed and stored."""
    from riskbox.sandbox.batch.actors import episodes

    case = long_case()
    listed = specs([case], ["reference:safe"], range(1, 10_001))
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/b.db") as store:
        settings = RunSettings()
        made = launch.new_manifest([case], listed, settings)
        launch.create(store, made, [case], listed)
        marks: list[float] = []
        began = time.monotonic()
        asyncio.run(
            launch.execute(
                store, made.run, [case], listed, settings, lambda progress: marks.append(time.monotonic())
            )
        )
        ended = time.monotonic()
        stored = store.count(made.run)
        assert stored == 10_000, stored
        del episodes
    # start-up of Ray and its actors is apart: time runs from the first batch, whose episodes are left out
    first = marks[0]
    return [
        ("10,000 episodes x 20 steps through Ray, start-up apart", ended - first, 60, "s"),
        ("start-up of Ray and its actors, to the first batch", first - began, 0, "s"),
    ]


class Tenfold(Participant):
    """Answers after 100 ms, or after ten times as long."""

    def __init__(self, seed: int) -> None:
        self.seconds = 1.0 if seed % 10 == 0 else 0.1

    async def act(self, seen: Observation) -> Action:
        """Say nothing of use."""
        await asyncio.sleep(self.seconds)
        return Action(text="One moment, please.")


def slots() -> list[Row]:
    """Share of the time for which the slots of four workers are busy, while lengths of episodes vary tenfold."""
    case, workers, most = cases([load(EXAMPLE)])[0], 4, 10
    listed = [Spec.of(case.hash, Cast(agent="idle"), seed) for seed in range(1, 1001)]

    def participants(one: Attempt, *_: object) -> dict[str, Participant]:
        return {**make_participants(one.spec, case), "agent": Tenfold(one.spec.seed)}

    async def start_worker(concurrency: int) -> Worker:
        plain = RunSettings(local=True, concurrency=concurrency)
        return Player("", {case.hash: case}, plain, participants=participants)

    async def look() -> Room:
        return Room(workers)

    def told(progress: RunProgress) -> None:
        ends.append(time.monotonic())

    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder, open_store(f"sqlite:///{folder}/b.db") as store:
        settings = RunSettings(concurrency=most)
        made = launch.new_manifest([case], listed, settings)
        launch.create(store, made, [case], listed)
        keeper = Keeper(store, Whole(made, {case.hash: case}, listed), 0.0)
        runner = Runner(made.run, listed, {case.hash: case}, keeper, settings, start_worker, look, told)
        began = time.monotonic()
        asyncio.run(runner.play_all())
        busy = [store.episode(made.run, row.id).episode.seconds for row in store.rows(made.run)]
    share = 100 * sum(busy) / ((ends[-1] - began) * workers * most)
    return [("slots of 4 workers that are busy, lengths varying tenfold", share, 95, "%")]


def loading() -> list[Row]:
    """Loading and type-checking 1,000 scenario files, each different."""
    text, toolbox = EXAMPLE.read_text(), Toolbox()
    loads(text, EXAMPLE, toolbox)
    texts = [
        text.replace("Crohn", f"Crohn{i}").replace("kin@example.org", f"kin{i}@example.org")
        for i in range(1000)
    ]
    began = time.perf_counter()
    for one in texts:
        loads(one, EXAMPLE, toolbox)
    return [("load and type-check 1,000 scenario files", time.perf_counter() - began, 3, "s")]


def starting() -> list[Row]:
    """`riskbox --help`, the best of five."""

    def once() -> float:
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "riskbox.sandbox.cli", "--help"], check=True, capture_output=True
        )
        return time.perf_counter() - began

    def bare() -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        return time.perf_counter() - began

    return [
        ("riskbox --help", min(once() for _ in range(5)), 0.3, "s"),
        ("yardstick: python -c pass", min(bare() for _ in range(5)), 0, "s"),
    ]


class Slow(Participant):
    """Waits for all others to be in flight before it answers."""

    gate: asyncio.Event

    def __init__(self, plays: Participant) -> None:
        self.plays = plays

    async def act(self, seen: object) -> Action:
        """The other's action, once the gate is open."""
        await Slow.gate.wait()
        return await self.plays.act(seen)  # type: ignore[arg-type]


def flight() -> list[Row]:
    """2,000 episodes in flight in one player, all waiting in the agent's first turn at once."""
    case = long_case()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def seat(attempt: Attempt, case: Case, session: object) -> dict[str, Participant]:
        spec = attempt.spec
        return {"user": make_participants(spec, case)["user"], "agent": Slow(agent(spec.cast.agent, case))}

    async def fly() -> int:
        Slow.gate = asyncio.Event()
        settings = RunSettings(concurrency=2000, timeouts=Timeouts(None, None))
        player = Player("bench", {case.hash: case}, settings, participants=seat)
        place = case.references[0][0]
        listed = [Spec.of(case.hash, Cast(agent=f"reference:{place}"), seed) for seed in range(2000)]
        await player.add([Attempt(spec) for spec in listed])
        await asyncio.sleep(2)
        Slow.gate.set()
        done = 0
        while done < 2000:
            taken = await player.take(500, (), 1.0)
            done += len(taken)
            await player.take(0, [one.row.id for one in taken if not isinstance(one, str)], 0.0)  # type: ignore[union-attr]
        return done

    asyncio.run(fly())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return [
        ("2,000 episodes in flight, peak memory of the process", peak / 1024, 1024, "MiB"),
        ("of which they added", (peak - before) / 1024, 0, "MiB"),
    ]


MEASURES: dict[str, Callable[[], list[Row]]] = {
    "starting": starting,
    "loading": loading,
    "steps": steps,
    "flight": flight,
    "batch": batch,
    "slots": slots,
}

if __name__ == "__main__":
    main()
