"""Makes big stores out of a few episodes that were really played, to measure what grows with a store.

Each episode of the store is one of those few with a run, an id and a seed of its own, written as a run writes it. So
rows and records are as large, and compress as well, as those of a real run; what they say repeats.

    python tests/benchmarks/big_store.py sqlite:////tmp/big.db 200000
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from riskbox.sandbox.batch import launch
from riskbox.sandbox.batch.plan import cases, specs
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.contracts.store import Packed
from riskbox.sandbox.episode.playing import PreparedCases, make_participants, play_episode
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.registry.evaluators import evaluator
from riskbox.sandbox.stores import open_store, record
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Spec

HERE = Path(__file__).parent
FILES = (HERE / "example.yaml", HERE / "twenty_steps.yaml")
AGENTS = ("reference:safe", "reference:unsafe", "idle", "silent")
BATCH = 500


def main() -> None:
    """Make the store that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", help="its URL")
    parser.add_argument("episodes", type=int)
    parser.add_argument("--long", action="store_true", help="only episodes of twenty steps")
    given = parser.parse_args()
    print(make(given.store, given.episodes, long=given.long))


def make(url: str, episodes: int, *, long: bool = False) -> str:
    """A store with one run of so many episodes; the run's id."""
    listed = cases([load(HERE / "twenty_steps.yaml")] if long else [load(file) for file in FILES])
    agents = ("reference:safe",) if long else AGENTS
    planned = _planned(listed, agents, episodes)
    played = asyncio.run(_played(listed, agents))
    with open_store(url) as store:
        made = launch.new_manifest(listed, planned, RunSettings(local=True))
        launch.create(store, made, listed, planned)
        many = _varied(made.run, played, planned)
        while batch := list(islice(many, BATCH)):
            store.write(made.run, batch)
        store.finish(made.run, "done")
    return made.run


def _planned(listed: list[Case], agents: tuple[str, ...], episodes: int) -> list[Spec]:
    each = len(specs(listed, agents, [1]))
    return specs(listed, agents, range(1, -(-episodes // each) + 1))[:episodes]


async def _played(listed: list[Case], agents: tuple[str, ...]) -> dict[tuple[str, str], Played]:
    """One episode of each case and cast, by both."""
    prepared = PreparedCases({case.hash: case for case in listed})
    found: dict[tuple[str, str], Played] = {}
    for spec in specs(listed, agents, [1]):
        case = prepared.of(spec.case)
        found[spec.case, spec.cast.agent] = await play_episode(
            "r", spec, case, make_participants(spec, case.case), [evaluator("checks")]
        )
    return found


def _varied(run: str, played: dict[tuple[str, str], Played], planned: list[Spec]) -> Iterator[Packed]:
    draw = random.Random(1)
    rows = {key: EpisodeRow.of(one) for key, one in played.items()}
    for spec in planned:
        key = spec.case, spec.cast.agent
        seconds = round(rows[key].seconds * draw.uniform(0.5, 2), 6)
        changed = {"run": run, "id": spec.id, "seed": spec.seed, "seconds": seconds}
        episode = played[key].episode.model_copy(update=changed)
        blob = record.pack(played[key].model_copy(update={"episode": episode}))
        yield Packed(row=rows[key].model_copy(update=changed), blob=blob)


if __name__ == "__main__":
    main()
