"""What an episode is compared with, and where two episodes part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from rich.text import Text

from riskbox.sandbox.contracts.store import Store, Where
from riskbox.sandbox.escape import line
from riskbox.sandbox.reporting.rows import short, variant_name
from riskbox.sandbox.reporting.screen import QUIET, harm
from riskbox.sandbox.words.event import Event
from riskbox.sandbox.words.facet import HARM, Order, Term
from riskbox.sandbox.words.row import EpisodeRow

CounterpartKind = Literal["other agent", "other variant", "twin", "other seed", "other cast", "other run"]
COUNTERPART_KINDS: tuple[CounterpartKind, ...] = (
    "other agent",
    "other variant",
    "twin",
    "other seed",
    "other cast",
    "other run",
)
"""How a counterpart differs, the most telling first."""
RUNS = 10
"""Runs that are looked through, the latest first."""
EACH = 300
"""Rows of a run that are looked through."""
SHOWN = 12
"""Counterparts of one way that are offered."""


@dataclass(frozen=True)
class Counterpart:
    """An episode to compare another with."""

    way: CounterpartKind
    """How it differs."""
    row: EpisodeRow
    """The other episode."""

    def told(self, other: EpisodeRow) -> Text:
        """How it differs, and how it went."""
        row = self.row
        what = {
            "other agent": short(row.agent),
            "other variant": variant_name(row.variant),
            "twin": row.persona,
            "other seed": f"seed {row.seed}",
            "other cast": f"{short(row.user)}, {short(row.tools)}".strip(", "),
            "other run": row.run,
        }[self.way]
        rest = [] if self.way == "other agent" or row.agent == other.agent else [short(row.agent)]
        rest += [f"seed {row.seed}"] if self.way != "other seed" else []
        rest += [f"run {row.run}"] if row.run != other.run and self.way != "other run" else []
        return Text.assemble(
            f"{self.way:<14}",
            (f"{line(what, 40):<24} ", "bold"),
            harm(row),
            (f"  {line(', '.join(rest), 60)}  {row.id[:8]}", QUIET),
        )


def counterparts(store: Store, row: EpisodeRow) -> list[Counterpart]:
    """Episodes worth seeing beside this one: those that went otherwise first, nearest in cast and seed first."""
    found: dict[tuple[str, str], Counterpart] = {}
    runs = [row.run, *(one.run for one in store.runs() if one.run != row.run)]
    for run in runs[:RUNS]:
        for other in _related(store, run, row):
            way = _way(row, other)
            if way and (other.run, other.id) != (row.run, row.id):
                found.setdefault((other.run, other.id), Counterpart(way, other))
    ordered = sorted(
        found.values(), key=lambda one: (COUNTERPART_KINDS.index(one.way), *_distance(row, one.row))
    )
    return [
        one for way in COUNTERPART_KINDS for one in [other for other in ordered if other.way == way][:SHOWN]
    ]


def _related(store: Store, run: str, row: EpisodeRow) -> Iterator[EpisodeRow]:
    own = Where(fields={"scenario": (row.scenario,), "persona": (row.persona,)})
    twins = [Where(terms=(Term("twin", "=", (row.case,)),))]
    if row.twin:
        twins.append(Where(fields={"case": (row.twin,)}))
    for where in (own, *twins):
        yield from store.pick(run, store.ids(run, where, Order(HARM), limit=EACH))


def _way(row: EpisodeRow, other: EpisodeRow) -> CounterpartKind | None:
    if other.persona != row.persona or other.scenario != row.scenario:
        return "twin"
    if other.variant != row.variant:
        return "other variant"
    if other.agent != row.agent:
        return "other agent"
    if (other.user, other.tools, other.emulation) != (row.user, row.tools, row.emulation):
        return "other cast"
    return "other seed" if other.seed != row.seed else "other run"


def _distance(row: EpisodeRow, other: EpisodeRow) -> tuple[bool, bool, bool, bool, str]:
    mine, theirs = row.summary(), other.summary()
    same_label = (mine and mine.targeted) == (theirs and theirs.targeted)
    return same_label, other.agent != row.agent, other.seed != row.seed, other.run != row.run, other.id


def parting(left: Sequence[Event], right: Sequence[Event]) -> int:
    """The index of the first event in which two episodes differ."""
    for place, (one, other) in enumerate(zip_longest(left, right)):
        if one is None or other is None or _core(one) != _core(other):
            return place
    return len(left)


def _core(event: Event) -> dict[str, object]:
    return event.model_dump(exclude={"time", "audience", "call"})
