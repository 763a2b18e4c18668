"""How far a run is."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from riskbox.sandbox.batch.breaker import StoppedAgent
from riskbox.sandbox.batch.causes import Cause
from riskbox.sandbox.batch.model_tally import ModelTally
from riskbox.sandbox.reporting.rows import agent_kind
from riskbox.sandbox.words.event import AGENT_CRASHED
from riskbox.sandbox.words.modelcall import CallFigures
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.verdict import Label

MOST = 20
"""Causes, models and agents that a heartbeat tells at most."""


def ending_of(row: EpisodeRow) -> dict[str, Any]:
    """How an episode ended, as the log tells it."""
    summary = row.summary()
    return {
        "episode": row.id,
        "case": row.case,
        "agent": row.agent,
        "ending": row.ending,
        "reason": row.reason,
        "label": summary.targeted
        if summary and not (summary.pending or row.left_out)
        else row.left_out or "",
        "attempt": row.attempt,
        "seconds": row.seconds,
        "tokens": row.tokens,
        "cost": row.cost,
    }


@dataclass
class RunProgress:
    """How far a run is, counted from the rows that were stored since it began or went on."""

    planned: int
    """How many episodes are to be played."""
    done: int = 0
    """How many are stored."""
    faults: int = 0
    """How many of them broke on our side or the provider's, before any harm was done."""
    crashes: int = 0
    """How many of the others the agent ended by crashing: they are unknown, unless harm was done before."""
    risky: int = 0
    """Episodes in which one of the scenario's own risks was realised; faults are in none of the three labels."""
    unknown: int = 0
    """Episodes that nobody could settle."""
    safe: int = 0
    """Episodes whose risks were all settled and none realised."""
    unexposed: int = 0
    """Episodes in which none of the scenario's own risks was on trial."""
    void: int = 0
    """Episodes that their simulated user made worthless."""
    unjudged: int = 0
    """Episodes that are played and stored, and that judges have not assessed yet."""
    retakes: int = 0
    """How many episodes were played again, or will be, because they were void; `planned` counts them."""
    realised: dict[str, int] = field(default_factory=dict)
    """Episodes with realised harm, by dimension."""
    causes: Counter[Cause] = field(default_factory=Counter)
    """Why episodes ended in a fault."""
    by_domain: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Episodes done and risky, by domain."""
    tokens: int = 0
    """Tokens that language models sent and received."""
    cost: float = 0.0
    """US dollars, as far as prices are known."""
    models: dict[str, ModelTally] = field(default_factory=dict)
    """The calls of language models, by model."""
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Faults by the slug of their ending and by who broke."""
    health: dict[str, Counter[str]] = field(default_factory=dict)
    """By agent, what was wrong with the instrument, counted."""
    workers: int = 0
    """How many workers play just now."""
    waiting: tuple[int, int] = (0, 0)
    """How many workers wait for free cores, and of how many."""
    stopped: Sequence[StoppedAgent] = ()
    """Agents that were stopped because their episodes kept ending in faults; known once the run has ended."""
    started: float = field(default_factory=time.monotonic)
    """When it began, on the monotonic clock."""

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float | None:
        """Seconds until the run is done, if it goes on as so far; None before the first episode."""
        return self.seconds / self.done * (self.planned - self.done) if self.done else None

    def more(self) -> dict[str, Any]:
        """What a heartbeat says beside its fields, bounded; it may be asked from another thread."""
        return {
            "labels": {name: getattr(self, name) for name in get_args(Label)},
            "crashes": self.crashes,
            "void": self.void,
            "retakes": self.retakes,
            "waiting": self.waiting[0],
            "kinds": [[*kind, count] for kind, count in self.kinds.copy().most_common(MOST)],
            "causes": [[*cause, count] for cause, count in self.causes.copy().most_common(MOST)],
            "models": {name: one.told() for name, one in list(self.models.items())[:MOST]},
            "health": {agent: dict(counts) for agent, counts in list(self.health.items())[:MOST]},
        }

    def add(self, row: EpisodeRow, calls: Iterable[CallFigures] = ()) -> None:
        """Count an episode that was played, with its model calls; one that is not judged yet has no label so far."""
        self.done += 1
        self._count(row, 1)
        self.ask(calls)

    def broke(self, row: EpisodeRow, cause: Cause) -> None:
        """Count why an episode ended in a fault."""
        self.causes[cause] += 1
        self.kinds[row.reason, cause.culprit] += 1

    def ask(self, calls: Iterable[CallFigures]) -> None:
        """Count calls of language models."""
        for call in calls:
            self.models.setdefault(call.model, ModelTally()).add(call)

    def judge(self, before: EpisodeRow, after: EpisodeRow) -> None:
        """Count an episode that was counted before as its judges have assessed it."""
        self._count(before, -1)
        self._count(after, 1)

    def _count(self, row: EpisodeRow, by: int) -> None:
        self.faults += by * (row.left_out == "fault")
        self.void += by * (row.left_out == "void")
        self.unjudged += by * bool(row.unjudged)
        self.crashes += by * (row.reason == AGENT_CRASHED)
        self.tokens += by * row.tokens
        self.cost += by * row.cost
        counts = self.health.setdefault(agent_kind(row.agent), Counter())
        for name, count in row.health_counts.items():
            counts[name] += by * count
        summary = row.summary()
        risky = summary is not None and summary.targeted == "risky"
        if summary is not None and not row.left_out and not summary.pending:
            setattr(self, summary.targeted, getattr(self, summary.targeted) + by)
            for dimension, value in summary.values.items():
                if value is not None and value < 0:
                    self.realised[dimension] = self.realised.get(dimension, 0) + by
        done, bad = self.by_domain.get(row.domain, (0, 0))
        self.by_domain[row.domain] = (done + by * (not row.retake), bad + by * risky)
