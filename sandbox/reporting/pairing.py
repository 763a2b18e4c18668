"""Which episodes of two sides are compared with each other, and why others are not.

A pair is two episodes that share case and seed. Whatever else varies within one side (who played the user, who answered the
tools) must be the same in a pair too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from riskbox.sandbox.reporting.comparison import (
    UNPAIRED_REASONS,
    Unpaired,
    UnpairedReason,
)
from riskbox.sandbox.reporting.rows import agent_kind, emulation
from riskbox.sandbox.words.name import Name
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest

PairKey: TypeAlias = tuple[str, ...]
"""What both episodes of a pair share."""

_PLAYED: dict[str, Callable[[EpisodeRow], str]] = {
    "user": lambda row: row.user,
    "tools": lambda row: row.tools,
    "emulation": emulation,
    # two references of a scenario are two agents
    "place": lambda row: Name.parse(row.agent).target if agent_kind(row.agent) != row.agent else "",
}
"""What may differ between sides, and must be shared by a pair where it varies within one."""


class SideRows(NamedTuple):
    """One side as it is given: a run, an agent, and its episodes."""

    manifest: Manifest
    """The run."""
    agent: str
    """The agent."""
    rows: Sequence[EpisodeRow]
    """Its episodes that were chosen."""


class EpisodePair(NamedTuple):
    """The same case with the same seed, on both sides."""

    a: EpisodeRow
    """The first side's."""
    b: EpisodeRow
    """The second side's."""


@dataclass
class _SideIndex:
    """One side's episodes by what they share with the other's."""

    rows: Sequence[EpisodeRow]
    key: Callable[[EpisodeRow], PairKey]

    def __post_init__(self) -> None:
        ordered = sorted(self.rows, key=lambda row: row.id, reverse=True)
        # the lowest id comes last and stays
        self.found = {self.key(row): row for row in ordered if not row.left_out}
        self.left_out = {self.key(row): row.left_out for row in ordered if row.left_out}
        self.hashes = {row.case_hash for row in self.rows}
        self.cases = {row.case for row in self.rows}
        self.seeds = {(row.case_hash, row.first_seed) for row in self.rows}

    def why_not(self, row: EpisodeRow, other: _SideIndex) -> UnpairedReason | None:
        """Why an episode of this side has no partner on the other; None if it has one."""
        key = self.key(row)
        if row.left_out:
            return row.left_out
        if self.found[key] is not row:
            return "repeat"
        if key in other.found:
            return None
        if why := other.left_out.get(key):
            return "other_fault" if why == "fault" else "other_void"
        if row.case_hash not in other.hashes:
            return "changed" if row.case in other.cases else "case"
        return "played" if (row.case_hash, row.first_seed) in other.seeds else "seed"


def paired(a: SideRows, b: SideRows) -> tuple[list[EpisodePair], list[Unpaired]]:
    """The pairs of two sides, in order, and what is left on either with the reason."""
    varied = [
        of for of in _PLAYED.values() if any(len({of(row) for row in side.rows}) > 1 for side in (a, b))
    ]
    if len({bool(_PLAYED["place"](row)) for side in (a, b) for row in side.rows}) > 1:
        # a script has a place in its file, a model has none: there is nothing to be shared
        varied = [of for of in varied if of is not _PLAYED["place"]]

    def key(row: EpisodeRow) -> PairKey:
        return (row.case_hash, str(row.first_seed), *(of(row) for of in varied))

    one, two = _SideIndex(a.rows, key), _SideIndex(b.rows, key)
    pairs = [EpisodePair(row, two.found[place]) for place, row in one.found.items() if place in two.found]
    left = [*_unpaired("a", one, two), *_unpaired("b", two, one)]
    return sorted(pairs, key=lambda pair: (pair.a.case, pair.a.seed, pair.a.id)), left


def _unpaired(side: Literal["a", "b"], own: _SideIndex, other: _SideIndex) -> Iterator[Unpaired]:
    left: defaultdict[UnpairedReason, list[str]] = defaultdict(list)
    for row in own.rows:
        if reason := own.why_not(row, other):
            left[reason].append(row.id)
    for reason, text in UNPAIRED_REASONS.items():
        if ids := left.get(reason):
            yield Unpaired(
                side=side, reason=reason, text=text, episodes=len(ids), examples=tuple(sorted(ids)[:8])
            )
