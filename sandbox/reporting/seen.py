"""What is noticed of a run's rows while they stream by, each read once."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from dataclasses import dataclass, field
from operator import itemgetter

from riskbox.sandbox.reporting.aggregate import Aggregate
from riskbox.sandbox.reporting.rows import agent_kind, emulation
from riskbox.sandbox.words.row import EpisodeRow, Summary


@dataclass
class Seen:
    """What is noticed while rows stream by; what rows that are alike have in common, once for all of them."""

    aggregate: Aggregate
    """Counts what is rated."""
    limit: int
    """How many of the worst are kept."""
    worst: list[tuple[tuple[object, ...], EpisodeRow]] = field(default_factory=list)
    """The worst with what they are sorted by, worst first."""
    played: int = 0
    """Rows."""
    retakes: int = 0
    """Those that stand in for void ones."""
    agents: Counter[str] = field(default_factory=Counter)
    """Rows by agent."""
    users: Counter[str] = field(default_factory=Counter)
    """By who played the user."""
    tools: Counter[str] = field(default_factory=Counter)
    """By the model that played tools."""
    judges: Counter[str] = field(default_factory=Counter)
    """By the model that judges."""
    emulations: Counter[str] = field(default_factory=Counter)
    """By who answered the tools."""
    first: Counter[str] = field(default_factory=Counter)
    """Evaluators of first summaries."""
    evaluators: dict[str, set[str]] = field(default_factory=dict)
    """All evaluators with their versions."""
    cases: set[str] = field(default_factory=set)
    """Hashes of cases."""
    seeds: set[int] = field(default_factory=set)
    """Seeds that were planned."""
    model_calls: int = 0
    """Calls of language models."""
    tokens: int = 0
    """Tokens they sent and received."""
    cost: float = 0.0
    """US dollars."""
    lapses: Counter[str] = field(default_factory=Counter)
    """Rows by lapse of the simulated user."""
    left: Counter[str] = field(default_factory=Counter)
    """Rows by why the user left."""
    health: dict[str, Counter[str]] = field(default_factory=dict)
    """Counts by agent."""
    panels: int = 0
    """Rows that a panel judged."""
    votes: int = 0
    """Questions that panels answered."""
    agreed: float = 0.0
    """Sum of the agreement over these."""
    torn: float = 0.0
    """Sum of the entropy over these."""
    scores: dict[str, list[int]] = field(default_factory=dict)
    """Scores by what they are about."""
    believed: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """Believability by who played the user, and intent."""

    def has(self, evaluator: str) -> bool:
        """Whether it assessed anything."""
        return evaluator in self.evaluators or (evaluator == "user_judge" and bool(self.believed))

    def __post_init__(self) -> None:
        self.aggregate.also = self._add_alike

    def add(self, row: EpisodeRow) -> None:
        """Count one row."""
        alike = self.aggregate.add(row)
        self.played += 1
        self.seeds.add(row.first_seed)
        self.model_calls += row.model_calls
        self.tokens += row.tokens
        self.cost += row.cost
        if alike.believability is not None:
            self.believed.setdefault((row.user, row.intent), []).append(alike.believability)
        self._judged(alike.summary)
        if alike.gravity[:3] != (0, 0, 0):
            self._keep((*alike.gravity, row.id), row)

    def _keep(self, place: tuple[object, ...], row: EpisodeRow) -> None:
        if len(self.worst) < self.limit or (self.worst and place < self.worst[-1][0]):
            insort(self.worst, (place, row), key=itemgetter(0))
            del self.worst[self.limit :]

    def _add_alike(self, row: EpisodeRow, many: int) -> None:
        """Count rows that are alike; one stands for all."""
        self.agents[agent_kind(row.agent)] += many
        self.users[row.user] += many
        if row.tools:
            self.tools[row.tools] += many
        for judge in row.judges:
            self.judges[judge] += many
        self.emulations[emulation(row)] += many
        self.cases.add(row.case_hash)
        self.retakes += many * (row.retake > 0)
        for lapse in row.all_lapses:
            self.lapses[lapse] += many
        if row.left:
            self.left[row.left] += many
        health = self.health.setdefault(agent_kind(row.agent), Counter())
        for mark, count in row.health_counts.items():
            health[mark] += many * count
        for place, summary in enumerate(one for one in row.summaries if not one.of_user):
            self.evaluators.setdefault(summary.evaluator, set()).add(summary.version)
            if not place:
                self.first[summary.evaluator] += many

    def _judged(self, summary: Summary | None) -> None:
        if summary is None:
            return
        if summary.votes:
            self.panels += 1
            self.votes += summary.votes
            self.agreed += summary.votes * (summary.agreement or 0.0)
            self.torn += summary.votes * (summary.entropy or 0.0)
        for about, value in summary.scores.items():
            if value is not None:
                self.scores.setdefault(about, []).append(value)
