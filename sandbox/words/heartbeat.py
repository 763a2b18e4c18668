"""The heartbeat of a run: who plays it, since when, how far it is, and when that was last said."""

from __future__ import annotations

from typing import Any

from riskbox.sandbox.words.frozen import Recorded

EVERY = 3.0
"""Seconds between two beats of a driver."""
LEAST_SILENCE = 15.0
"""Seconds without a beat below which no driver counts as dead."""


class Heartbeat(Recorded):
    """What the driver of a run says of itself every few seconds."""

    driver: str
    """A random token: no two drivers have the same."""
    host: str
    """The name of its machine."""
    pid: int
    """Its process there."""
    born: str = ""
    """When that process began, in the machine's own measure, since numbers of processes are used again; empty where unknown."""
    boot: str = ""
    """Since which start of which machine, and among which processes, `pid`, `born` and `clock` mean something; empty where
    unknown."""
    started: str
    """When the driver took the run, ISO 8601, UTC."""
    at: float = 0.0
    """When it last beat, in epoch seconds of the store's clock; the store fills it in."""
    clock: float = 0.0
    """The same on the machine's monotonic clock, which nobody sets."""
    every: float = EVERY
    """Seconds between two beats."""
    planned: int = 0
    """How many episodes this driver is to play."""
    done: int = 0
    """How many of them are stored."""
    faults: int = 0
    """How many of those are faults."""
    rate: float = 0.0
    """Episodes stored a second, over the last minute."""
    cost: float = 0.0
    """US dollars spent, as far as prices are known."""
    tokens: int = 0
    """Tokens that language models sent and received."""
    unjudged: int = 0
    """Episodes that are stored and not judged yet."""
    workers: int = 0
    """How many workers play side by side."""
    log: str = ""
    """The file of the run's log; empty without one."""
    extra: dict[str, Any] = {}
    """What else a status shows, by name."""

    @property
    def silence(self) -> float:
        """Seconds without a beat after which the driver counts as dead."""
        return max(LEAST_SILENCE, 4 * self.every)
