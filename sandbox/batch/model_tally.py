"""The calls of one model of a run, counted: how many, what came of them, how long they took."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from riskbox.sandbox.words.modelcall import CallFigures

STEP = math.log(1.1)
"""Times are counted in steps of a tenth, so that a run of any length needs some hundred numbers."""
SHORTEST = 0.001
"""Seconds below which times are not told apart."""


@dataclass
class ModelTally:
    """The calls of one model."""

    calls: int = 0
    """How many."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """What came of them."""
    retries: int = 0
    """How often one was sent again."""
    sent: int = 0
    """Tokens sent."""
    received: int = 0
    """Tokens received."""
    cost: float = 0.0
    """US dollars, as far as prices are known."""
    seconds: float = 0.0
    """Wall time of all calls that asked a server."""
    steps: Counter[int] = field(default_factory=Counter)
    """How many of those took so long, by steps of a tenth."""

    def add(self, call: CallFigures) -> None:
        """Count one call."""
        self.calls += 1
        self.outcomes[call.outcome] += 1
        self.retries += max(0, call.attempts - 1)
        self.sent += call.tokens[0]
        self.received += call.tokens[1]
        self.cost += call.cost
        if call.seconds is not None:
            self.seconds += call.seconds
            self.steps[math.ceil(math.log(max(call.seconds, SHORTEST)) / STEP)] += 1

    def quantile(self, share: float) -> float | None:
        """The seconds below which this share of the calls took, at most a tenth too high; None without calls."""
        return quantile(self.steps, share)

    def told(self) -> dict[str, int | float | None]:
        """The figures that a heartbeat holds."""
        median, slow = self.quantile(0.5), self.quantile(0.95)
        return {
            "calls": self.calls,
            "failed": self.calls - self.outcomes["ok"] - self.outcomes["refused"],
            "retries": self.retries,
            "tokens": self.sent + self.received,
            "cost": round(self.cost, 8),
            "median": None if median is None else round(median, 3),
            "slow": None if slow is None else round(slow, 3),
        }


def quantile(steps: Counter[int], share: float) -> float | None:
    """The upper end of the step that holds a share of all, in seconds; None where there are none."""
    counts = sorted(steps.copy().items())
    left = share * sum(count for _, count in counts)
    for step, count in counts:
        left -= count
        if left <= 0:
            return math.exp(step * STEP)
    return None
