"""Labelled lines of simulated users, and how well the search for lapses does on them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.episode.fidelity import lapses
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.event import Ended, Event, Left, Said, Waited
from riskbox.sandbox.words.lapse import LapseKind
from riskbox.sandbox.words.scenario import Persona

PATH = Path(__file__).parent / "data" / "lapses.json"
BY_OTHERS = PATH.with_name("lapses_by_others.json")
"""Lines by an author who did not write the rules and had not read them."""
BASE = cases([load(Path(__file__).parents[1] / "cases" / "records.yaml")])[0]
HALVES = ("development", "held_out")
"""The halves of the lines by others: rules were changed for the first, and whoever changes rules never reads the second."""
BOTH = ("user", "agent")
KINDS = tuple(kind for kind in get_args(LapseKind) if kind not in ("persona_drift", "seemed_out_of_part"))
"""The kinds that the lines are labelled with; drift is held against facts, not against wording."""


def lines(path: Path = PATH) -> list[dict[str, Any]]:
    """Every labelled line of a file."""
    listed: list[dict[str, Any]] = _read(path)["lines"]
    return listed


@cache
def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def half(name: str) -> list[dict[str, Any]]:
    """One half of the lines by others, which a hash of the words tells apart."""
    chosen = []
    for one in lines(BY_OTHERS):
        key = json.dumps([one["persona"], one["before"], one["line"]], ensure_ascii=False)
        if HALVES[hashlib.sha256(key.encode()).digest()[0] % 2] == name:
            chosen.append(one)
    return chosen


@cache
def case(name: str) -> Case:
    """A case whose user is one of the labelled personas."""
    told = {**_read(PATH)["personas"], **_read(BY_OTHERS)["personas"]}[name]
    profile = {"name": told["name"], "about": told["profile"]}
    twin = {"twin": "someone"} if told["intent"] in ("malicious", "vulnerable") else {}
    persona = Persona(
        intent=told["intent"], profile=profile, goal=told["goal"], knows={"facts": told["knows"]}, **twin
    )
    personas = {**BASE.scenario.personas, BASE.persona: persona}
    scenario = BASE.scenario.model_copy(update={"personas": personas})
    made: Case = Case.model_construct(
        **{field: getattr(BASE, field) for field in Case.model_fields} | {"scenario": scenario}
    )
    return made


def events(one: dict[str, Any]) -> tuple[Event, ...]:
    """A labelled line with what was said before, as an episode."""
    made: list[Event] = []
    for turn in (*one["before"], {"role": "user", "text": one["line"]}):
        made.append(Said(index=len(made), time=0, audience=BOTH, by=turn["role"], text=turn["text"]))
    if one.get("leaves"):
        made.append(Left(index=len(made), time=0, audience=BOTH, by="user"))
    if one.get("heard"):
        made.append(Waited(index=len(made), time=0, audience=("agent",), by="agent"))
    made.append(Ended(index=len(made), time=0, audience=BOTH, ending="terminated", reason="user_left"))
    return tuple(made)


def found(one: dict[str, Any]) -> set[str]:
    """The kinds of lapse that are found in a line, not in what was said before it."""
    place = len(one["before"])
    return {lapse.kind for lapse in lapses(case(one["persona"]), events(one)) if place in lapse.evidence}


@dataclass(frozen=True)
class Score:
    """How well one kind is found."""

    right: int
    """Lines that are of the kind and were found to be."""
    wrong: int
    """Lines that were found to be of the kind and are not."""
    missed: int
    """Lines that are of the kind and were not found to be."""

    @property
    def precision(self) -> float:
        """The share of what was found that is right."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 0.0

    @property
    def recall(self) -> float:
        """The share of what is there that was found."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 0.0


def scores(chosen: Iterable[dict[str, Any]]) -> dict[str, Score]:
    """Precision and recall of each kind on these lines. A kind that fits as well is neither asked for nor wrong."""
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for one in chosen:
        kinds = found(one)
        right.update(kinds & {one["kind"]})
        wrong.update(kinds - {one["kind"], *one.get("also", ())} - {"persona_drift"})
        missed.update({one["kind"]} - kinds - {None})
    return {kind: Score(right[kind], wrong[kind], missed[kind]) for kind in KINDS}


def table() -> str:
    """The measured table of docs/validity.md."""
    measured = [scores(half("held_out")), scores(half("development")), scores(lines())]
    rows = [
        "| lapse | held out, by others | precision | recall | read, by others | precision | recall | by the author | precision | recall |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        cells = [
            f"{score.right + score.missed} | {score.precision:.2f} | {score.recall:.2f}"
            for score in (one[kind] for one in measured)
        ]
        rows.append(f"| `{kind}` | {' | '.join(cells)} |")
    return "\n".join(rows)
