"""Makes the dictionary that records are packed with, out of episodes of the bundled scenarios.

    python tests/benchmarks/dictionary.py > sandbox/stores/dictionary.json

A release packs with one dictionary and reads with that of its blob, so a new one is added beside the old ones, under the
next number. It is taken from shipped scenarios only: what it gains is measured on others.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from functools import partial
from pathlib import Path

from riskbox.sandbox.batch.plan import cases, specs
from riskbox.sandbox.episode.playing import PreparedCases, make_participants, play_episode
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.registry.evaluators import evaluator
from riskbox.sandbox.stores import record
from riskbox.sandbox.words.episode import Played

ROOT = Path(__file__).parents[2]
SIZE = 32768
"""As far as zlib looks back."""
SHARE = 4096
"""Of one episode."""


async def _played() -> list[Played]:
    found = []
    for folder in sorted((ROOT / "scenarios").iterdir()):
        files = [one for one in sorted(folder.glob("*.yaml")) if one.suffixes == [".yaml"]]
        for file in files[:2]:
            listed = cases([load(file)])[:4]
            prepared = PreparedCases({case.hash: case for case in listed})
            for spec in specs(listed, ["reference:safe", "idle"], [1]):
                case = prepared.of(spec.case)
                participants = make_participants(spec, case.case)
                played = await play_episode("r", spec, case, participants, [evaluator("checks")])
                # nothing of the machine that made it
                episode = played.episode.model_copy(update={"host": "", "seconds": 0.0})
                found.append(played.model_copy(update={"episode": episode}))
    return found


def _chosen(texts: list[str]) -> str:
    """The parts of texts that help most beyond what is chosen already; zlib finds what stands last cheapest."""
    chosen = ""
    parts = [text[start : start + SHARE] for text in texts for start in range(0, len(text), SHARE)]
    while parts and len(chosen) < SIZE:
        # the typical part: what helps the others is what others are like
        parts.sort(key=partial(_left, chosen))
        middle = parts[-max(1, len(parts) // 3)]
        chosen = middle + chosen
        parts.remove(middle)
        if len(parts) > 200:
            parts = parts[::2]
    return chosen[-SIZE:]


def _left(chosen: str, part: str) -> float:
    """The share of a part that is left once it is packed."""
    packer = zlib.compressobj(6, zdict=chosen.encode())
    return len(packer.compress(part.encode()) + packer.flush()) / len(part)


if __name__ == "__main__":
    print(json.dumps({"1": _chosen([record.text(one) for one in asyncio.run(_played())])}))
