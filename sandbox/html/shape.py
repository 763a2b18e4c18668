"""What a page shows of rows beside their results: how long and costly episodes were, how bad, and a line for each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from math import ceil

from riskbox.sandbox.html.crosswalk import entries_of
from riskbox.sandbox.reporting.aggregate import Aggregate
from riskbox.sandbox.reporting.results import CategoryCount, by_category
from riskbox.sandbox.reporting.tally import severities
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.row import EpisodeRow, Summary, gravity

BINS = 12
"""Bars of a distribution, at most."""


@dataclass(frozen=True, slots=True)
class EpisodeLine:
    """One episode of a long table."""

    row: EpisodeRow
    """The episode."""
    label: str
    """risky, unknown, safe over the scenario's own risks, or fault."""
    done: int
    """Highest severity realised."""
    tried: int
    """Highest severity attempted."""
    findings: int
    """How many."""


@dataclass
class ScenarioRow:
    """A scenario, as a table wants it beside its rates."""

    domain: str
    """The scenario's domain."""
    family: str
    """The scenario's family."""
    worst: int = 0
    """Highest severity realised."""
    unknown: int = 0
    """Episodes whose own risks are unknown."""


@dataclass
class RunShape:
    """Rows of a run, as they are distributed.

    Args:
        evaluator: Whose summaries count; the first of each row without a name.
    """

    evaluator: str = ""
    severity: Counter[tuple[int, bool]] = field(default_factory=Counter)
    """Episodes by highest severity known in any dimension, and whether it could be worse."""
    numbers: dict[str, Counter[float]] = field(default_factory=lambda: defaultdict(Counter))
    """Episodes by turns, tool calls, seconds, and, where models played, tokens and dollars."""
    scenarios: dict[str, ScenarioRow] = field(default_factory=dict)
    """By scenario."""
    lines: list[EpisodeLine] = field(default_factory=list)
    """One an episode, the worst first."""
    entries: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Findings by catalogue, code and status."""
    cases: Counter[str] = field(default_factory=Counter)
    """Episodes by the hash of the case."""
    settings: dict[str, object] = field(default_factory=dict)
    """What evaluators were told, by name and version."""

    def __post_init__(self) -> None:
        self._by_agent = Aggregate(self.evaluator, ("agent",))

    @classmethod
    def of(cls, rows: Iterable[EpisodeRow], evaluator: str = "") -> RunShape:
        """The shape of rows, read once."""
        made = cls(evaluator)
        for row in rows:
            made._add(row, row.summary(evaluator))
        made.lines.sort(key=lambda line: gravity(line.row, evaluator))
        return made

    def _add(self, row: EpisodeRow, summary: Summary | None) -> None:
        self._by_agent.add(row)
        self.cases[row.case_hash] += 1
        done, tried, *_ = gravity(row, self.evaluator)
        label = row.left_out or (summary.targeted if summary else "unknown")
        self.lines.append(EpisodeLine(row, label, -done, -tried, len(summary.findings) if summary else 0))
        place = self.scenarios.setdefault(row.scenario, ScenarioRow(row.domain, row.family))
        if row.left_out:
            return
        place.worst = max(place.worst, -done)
        place.unknown += label == "unknown"
        self.severity[severities(summary)["any"][0]] += 1
        self._measure(row)
        if summary:
            self._add_judged(summary)

    def _measure(self, row: EpisodeRow) -> None:
        if row.turns is not None:
            self.numbers["turns"][row.turns] += 1
        self.numbers["tool calls"][row.tool_calls] += 1
        if row.model_calls:
            self.numbers["tokens"][row.tokens] += 1
            self.numbers["US dollars"][row.cost] += 1

    def _add_judged(self, summary: Summary) -> None:
        for finding in summary.findings:
            for name, code in entries_of(finding.category):
                self.entries[name, code, finding.status] += 1
        self.settings[f"{summary.evaluator} {summary.version}"] = summary.settings

    def by_agent(self) -> Iterator[tuple[str, int, dict[str, CategoryCount]]]:
        """Each agent with how many episodes count and its findings by category."""
        counts = self._by_agent.counts()
        for group in counts.groups("agent"):
            tally = counts.where(lambda stratum, name=group.name: stratum.agent == name).tally()  # type: ignore[misc]
            found = {one.category.slug: one for one in by_category(tally.findings)}
            yield group.name, group.episodes, found


def asked(cases: Iterable[Case]) -> Counter[tuple[str, str]]:
    """How many cases have a risk that is nearest to each entry of each catalogue."""
    return Counter(
        entry
        for case in cases
        for entry in set(entries_of({slug for risk in case.risks for slug in risk.category}))
    )


@dataclass(frozen=True)
class Distribution:
    """A distribution in a few bars, with what people ask of it."""

    name: str
    """What is distributed."""
    bars: tuple[tuple[str, int], ...]
    """Episodes by range."""
    episodes: int
    """How many episodes."""
    median: str
    """Half of them have no more."""
    most: str
    """Nine of ten episodes have no more."""
    highest: str
    """The most of any."""


def bars(name: str, counts: Counter[float]) -> Distribution:
    """Numbers counted into at most `BINS` ranges of the same width."""
    ordered = sorted(counts.elements())
    form = _dollars if name == "US dollars" else lambda value: f"{value:,.0f}"
    is_whole = all(value == int(value) for value in counts)
    low, high = ordered[0], ordered[-1]
    width = (high - low) / BINS
    if is_whole:
        width = max(1, ceil((high - low + 1) / BINS))
    places = Counter(min(int((value - low) / width), BINS - 1) if width else 0 for value in ordered)
    last = max(places)
    return Distribution(
        name,
        tuple((_range(low, width, place, form, whole=is_whole), places[place]) for place in range(last + 1)),
        len(ordered),
        form(ordered[(len(ordered) - 1) // 2]),
        form(ordered[min(ceil(0.9 * len(ordered)), len(ordered)) - 1]),
        form(high),
    )


def _range(low: float, width: float, place: int, form: Callable[[float], str], *, whole: bool) -> str:
    first, last = low + place * width, low + (place + 1) * width - (1 if whole else 0)
    return form(first) if form(first) == form(last) else f"{form(first)}–{form(last)}"


def _dollars(value: float) -> str:
    return f"{value:.2g}" if 0 < value < 0.1 else f"{value:,.2f}"
