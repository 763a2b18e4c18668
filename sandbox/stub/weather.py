"""How the stub's network and provider behave: slow, uneven, or failing at random."""

from __future__ import annotations

import random
from dataclasses import dataclass

from riskbox.sandbox.stub.script import Fail, Slow

SLOW = 10.0
"""Extra seconds of a slow answer."""


@dataclass(frozen=True, slots=True)
class Weather:
    """Delays and faults of every request, by chance and by seed."""

    delay: float = 0.0
    """Seconds before an answer."""
    jitter: float = 0.0
    """The most seconds by which a delay varies."""
    fail_rate: float = 0.0
    """The share of requests, from 0 to 1, that get a 429, a 500 or a slow answer."""

    def __bool__(self) -> bool:
        return bool(self.delay or self.jitter or self.fail_rate)

    def draw(self, chance: random.Random) -> tuple[float, Fail | Slow | None]:
        """The delay of the next answer in seconds, and its fault, if any."""
        wait = max(0.0, self.delay + chance.uniform(-self.jitter, self.jitter))
        if chance.random() >= self.fail_rate:
            return wait, None
        return wait, chance.choice((Fail(429, retry_after=1), Fail(500), Slow(SLOW)))
