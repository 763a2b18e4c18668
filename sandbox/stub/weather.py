"""How the stub's network and provider behave on the whole: slow, uneven, failing now and then."""

from __future__ import annotations

import random
from dataclasses import dataclass

from riskbox.sandbox.stub.script import Fail, Slow

SLOW = 10.0
"""Seconds that a slow answer takes longer."""


@dataclass(frozen=True, slots=True)
class Weather:
    """Delays and faults of every request, by chance and by seed."""

    delay: float = 0.0
    """Seconds before an answer."""
    jitter: float = 0.0
    """Seconds by which the delay is longer or shorter at most."""
    fail_rate: float = 0.0
    """The share of requests that get a 429, a 500 or a slow answer."""

    def __bool__(self) -> bool:
        return bool(self.delay or self.jitter or self.fail_rate)

    def draw(self, chance: random.Random) -> tuple[float, Fail | Slow | None]:
        """How long the next answer takes, and what befalls it, if anything."""
        wait = max(0.0, self.delay + chance.uniform(-self.jitter, self.jitter))
        if chance.random() >= self.fail_rate:
            return wait, None
        return wait, chance.choice((Fail(429, retry_after=1), Fail(500), Slow(SLOW)))
