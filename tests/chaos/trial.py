"""One seed: which run, which harms at which moments, and whether every promise was kept."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import redis

from tests.chaos.harm import Harm, harms
from tests.chaos.scene import Scene, Wrong

MEASURED = {
    "run",
    "attempt",
    "attempts",
    "calls",
    "seconds",
    "host",
    "model_calls",
    "waited",
    "cost",
    "started",
}
"""Fields of a record that differ from one undisturbed run to the next, or count how often something was tried."""
ROUNDS = 8
"""How often `--resume` may be needed once nothing is disturbed any more."""


@dataclass
class Trial:
    """What a seed comes to."""

    seed: int
    store: str
    engine: str
    judged: bool
    done: list[str] = field(default_factory=list)
    """The harms that were done, in order, with those that came too late in brackets."""
    resumed: int = 0
    """How often the run went on after them."""
    spilled: int = 0
    """How many commands left a spill file."""
    wrong: str = ""
    """The promise that was broken."""

    def __str__(self) -> str:
        kind = f"{self.store} {self.engine}{' judged' if self.judged else ''}"
        return f"seed {self.seed}: {kind}: {', '.join(self.done)}: resumed {self.resumed}, spilled {self.spilled}: {self.wrong or 'ok'}"


def undisturbed(judge: str, seeds: int = 6) -> dict[str, str]:
    """What a run that nothing disturbs stores, by id."""
    scene = Scene("sqlite", "local", judge, seeds)
    try:
        scene.play(*scene.fresh())
        if code := scene.ended():
            raise Wrong(f"the undisturbed run ended with {code}: {(scene.folder / 'err').read_text()}")
        return kept(scene.records())
    finally:
        scene.close()


def tried(
    seed: int, expected: dict[bool, dict[str, str]], judge: str, engine: str = "", only: str = ""
) -> Trial:
    """Play one seed.

    Args:
        seed: Everything random follows from it.
        expected: What an undisturbed run stores, without and with a judge.
        judge: The URL of the judge's server.
        engine: This engine, instead of one that the seed chooses.
        only: The name of a harm that is done each time, instead of those that the seed chooses.
    """
    chance = random.Random(seed)
    chosen = chance.choices(["local", "ray", "nodes"], [12, 5, 1])[0]
    trial = Trial(seed, chance.choice(["sqlite", "redis"]), engine or chosen, chance.random() < 0.4)
    scene = Scene(trial.store, trial.engine, judge if trial.judged else "")
    try:
        possible = harms(trial.store, trial.engine, mounted=scene.mounted)
        named: list[Harm] = [one for one in possible if one.__name__ == only]
        _disturbed(scene, trial, chance, named or possible)
        _checked(scene, trial, expected[trial.judged])
    except Wrong as error:
        trial.wrong = str(error)
    finally:
        trial.spilled = (scene.folder / "err").read_text().count(" that it does not hold are in ")
        scene.close()
    return trial


def _disturbed(scene: Scene, trial: Trial, chance: random.Random, possible: list[Harm]) -> None:
    scene.play(*scene.fresh())
    fresh = True
    for _ in range(chance.randint(1, 3)):
        if chance.random() < 0.8:
            scene.wait_until_it_plays()
            time.sleep(chance.uniform(0, 1.5))
        else:
            time.sleep(chance.uniform(0, 2.5))
        harm = chance.choice(possible)
        fresh = scene.lives
        trial.done.append(harm.__name__ if fresh else f"({harm.__name__})")
        if fresh:
            harm(scene, chance)
        if not scene.lives:
            scene.ended()
            if not (fresh and scene.process is not None and scene.process.returncode == 0):
                trial.resumed += 1
                scene.begin()
    for _ in range(ROUNDS):
        code = scene.ended()
        for one in scene.before:
            scene.ended(one)
        if not code:
            return
        trial.resumed += 1
        scene.begin()
    raise Wrong(f"not done after {ROUNDS} times: {(scene.folder / 'err').read_text()[-2000:]}")


def kept(records: list[dict[str, Any]]) -> dict[str, str]:
    """What must be the same of each record, as text by id.

    Raises:
        Wrong: an id is there twice.
    """
    found: dict[str, str] = {}
    for one in records:
        id = one["episode"]["id"]
        if id in found:
            raise Wrong(f"{id} is stored twice")
        one.pop("case", None)  # the first episode of a case has it, whichever that is
        found[id] = json.dumps(_plain(one), sort_keys=True)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if name not in MEASURED}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _checked(scene: Scene, trial: Trial, expected: dict[str, str]) -> None:
    """Hold what there is after all to what is promised."""
    (run, *more) = json.loads(scene.ask("list", "runs", "--json").stdout)
    stored = kept(scene.records())
    if missing := expected.keys() - stored.keys():
        raise Wrong(f"{len(missing)} of {len(expected)} episodes are missing (of {len(more) + 1} runs)")
    if extra := stored.keys() - expected.keys():
        raise Wrong(f"{len(extra)} episodes were never planned")
    for id, text in expected.items():
        if stored[id] != text:
            at = next(i for i, (a, b) in enumerate(zip(text, stored[id], strict=False)) if a != b)
            raise Wrong(
                f"{id} differs: ...{text[at - 80 : at + 80]}... is ...{stored[id][at - 80 : at + 80]}..."
            )
    if run["state"] != "done" or run["heartbeat"] is not None:
        raise Wrong(f"the run is {run['state']!r}, its heartbeat {run['heartbeat']}")
    _sound(scene, run["run"])
    if left := [str(one) for one in scene.folder.rglob("*.spill")]:
        raise Wrong(f"spill files are left: {left}")
    end = time.monotonic() + 15
    while (alive := scene.running()) and time.monotonic() < end:
        time.sleep(0.2)
    if alive:
        raise Wrong(f"processes are left: {[' '.join(one.cmdline())[:100] for one in alive]}")
    if left := [str(one.relative_to(scene.folder)) for one in (scene.folder / "tmp").rglob("*")]:
        raise Wrong(f"temporary files are left: {left[:9]}")


def _sound(scene: Scene, run: str) -> None:
    if scene.server is None:
        with closing(sqlite3.connect(scene.disk / "runs.db")) as db:
            if (told := db.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
                raise Wrong(f"the store is damaged: {told}")
        return
    with redis.Redis.from_url(scene.server.url) as client:
        at = f"riskbox:v1:run:{run}:"
        ids = set(client.zrange(f"{at}order", 0, -1))
        for part in ("rows", "blobs", "facets", "attempts"):
            if set(client.hkeys(at + part)) != ids:
                raise Wrong(f"{at}{part} holds other ids than {at}order")
        if set(client.zrange(f"{at}cursor", 0, -1)) != ids:
            raise Wrong(f"{at}cursor holds other ids than {at}order")
