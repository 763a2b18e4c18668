"""A run's results as one page."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.html import page, plots
from riskbox.sandbox.html.crosswalk import Catalogue, CatalogueEntry, crosswalk
from riskbox.sandbox.html.shape import Distribution, RunShape, ScenarioRow, asked, bars
from riskbox.sandbox.html.transcripts import PageTranscript, transcript
from riskbox.sandbox.reporting.groups import ResultGroup
from riskbox.sandbox.reporting.health import MARKED
from riskbox.sandbox.reporting.results import EMULATIONS, CategoryCount, Results
from riskbox.sandbox.reporting.rows import Chosen
from riskbox.sandbox.stats.shares import ENOUGH, RESAMPLES
from riskbox.sandbox.words.run import Manifest
from riskbox.sandbox.words.verdict import DIMENSIONS

if TYPE_CHECKING:
    from markupsafe import Markup

    from riskbox.sandbox.gates.outcome import GateOutcome

GROUPED = ("intent", "domain", "agent", "scenario")
"""What a page needs results grouped by."""
LISTED = 10_000
"""Episodes in the table of all, worst first."""
AGENTS = 12
"""Columns of the heat map by agent, at most."""
PLACES: dict[str, str] = {
    "targeted": "own risks",
    **dict(zip(DIMENSIONS, DIMENSIONS, strict=True)),
    "any": "any",
}
"""Columns of the heat map by domain."""


class AgentColumn(NamedTuple):
    """One agent's column of a heat map."""

    name: str
    """The agent."""
    episodes: int
    """Its episodes without a fault."""
    found: dict[str, CategoryCount]
    """What was found, by category."""


@dataclass(frozen=True)
class ReportPart:
    """Results of episodes that may be counted together: all, or those whose tools were answered in one way."""

    place: int
    """Its number on the page."""
    results: Results
    """What its tables show."""
    shape: RunShape
    """How its episodes are distributed."""
    by: tuple[str, ...]
    """What its tables are grouped by."""
    asked: list[tuple[Catalogue, list[CatalogueEntry]]]
    """Other catalogues, each with its entries."""

    @property
    def title(self) -> str:
        """Who answered the tools."""
        return ", ".join(f"tools answered {EMULATIONS[one]}" for one in self.results.emulations)

    @cached_property
    def plots(self) -> dict[str, Markup | None]:
        """Harm by each grouping."""
        return {by: plots.by_group(self.results.groups[by]) for by in self.by}

    @cached_property
    def severities(self) -> Markup | None:
        """Episodes by severity."""
        return plots.severities(self.shape.severity)

    @cached_property
    def severity_rows(self) -> list[tuple[int, int, int]]:
        """The same in numbers: severity, settled, and those that may be worse."""
        counts = self.shape.severity
        return [(one, counts[one, False], counts[one, True]) for one in range(max(0, *_levels(counts)) + 1)]

    @cached_property
    def distributions(self) -> list[tuple[Distribution, Markup]]:
        """How long and costly episodes were."""
        found = [bars(name, counts) for name, counts in self.shape.numbers.items()]
        return [(one, plots.distribution(one)) for one in found]

    @cached_property
    def agents(self) -> list[AgentColumn]:
        """The agents that played most, with what was found."""
        columns = sorted(
            (AgentColumn(*one) for one in self.shape.by_agent()), key=lambda one: (-one.episodes, one.name)
        )
        return columns[:AGENTS]

    @cached_property
    def scenarios(self) -> list[tuple[ResultGroup, ScenarioRow]]:
        """Every scenario's rates, the worst first."""
        found = [(group, self.shape.scenarios[group.name]) for group in self.results.groups["scenario"]]
        return sorted(
            found,
            key=lambda one: (
                -one[1].worst,
                -(one[0].realised["targeted"][1].low or 0),
                one[0].name,
            ),
        )


def _levels(counts: dict[tuple[int, bool], int]) -> Iterator[int]:
    yield 0
    yield from (severity for severity, _ in counts)


def report(
    store: Store,
    manifest: Manifest,
    results: Results,
    chosen: Chosen,
    by: Sequence[str],
    again: Sequence[str],
    gates: Sequence[GateOutcome] = (),
) -> str:
    """The page of a run.

    Args:
        store: Where it is kept.
        manifest: The run.
        results: Its results, grouped by `GROUPED` and `by`.
        chosen: The choice of rows that the results are of.
        by: What the tables of harm are grouped by.
        again: The command that writes the page again.
        gates: What became of the gates, if any were given.

    Raises:
        InputError: the packages that pages need are not installed.
    """
    parts = [
        _part(store, manifest, place, one, chosen, by)
        for place, one in enumerate(results.apart or (results,))
    ]
    shown = [_transcript(store, manifest.run, one.id) for one in results.worst]
    return page.render(
        "report",
        title=f"Riskbox report {manifest.run}",
        results=results,
        parts=parts,
        gates=gates,
        transcripts=shown,
        shown={one.episode.id: one.anchor for one in shown},
        manifest=manifest,
        again=shlex.join(again),
        places=PLACES,
        enough=ENOUGH,
        resamples=RESAMPLES,
        listed=LISTED,
        marked=MARKED,
    )


def _part(
    store: Store, manifest: Manifest, place: int, results: Results, chosen: Chosen, by: Sequence[str]
) -> ReportPart:
    if results.emulations and len(results.emulations) == 1:
        # the same rows as those that the results were made of
        chosen = chosen.but(emulation=next(iter(results.emulations)))
    shape = RunShape.of(chosen.rows(store, manifest.run), chosen.evaluator)
    cases = asked(store.case(hash) for hash in shape.cases)
    return ReportPart(
        place=place,
        results=results,
        shape=shape,
        by=tuple(dict.fromkeys(("intent", *by))),
        asked=list(crosswalk(shape.entries, cases)),
    )


def _transcript(store: Store, run: str, id: str) -> PageTranscript:
    played = store.episode(run, id)
    return transcript(played, store.case(played.episode.case.hash))
