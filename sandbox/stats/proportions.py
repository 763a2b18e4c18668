"""Shares of independent trials, with the interval that so many trials allow."""

from __future__ import annotations

from math import sqrt

from riskbox.sandbox.words.frozen import Recorded

Z = 1.959964
"""How many standard errors a 95% interval reaches to either side."""


class Share(Recorded):
    """How many of some trials were hits."""

    hits: int
    """The hits."""
    total: int
    """The trials."""
    value: float | None = None
    """The share; None without a trial."""
    low: float = 0.0
    """The lower end of the 95% interval."""
    high: float = 1.0
    """The upper end."""


def share(hits: int, total: int) -> Share:
    """A share with Wilson's interval, which holds for few trials and at the ends too.

    >>> one = share(9, 10)
    >>> (one.value, round(one.low, 2), round(one.high, 2))
    (0.9, 0.6, 0.98)
    """
    if not total:
        return Share(hits=0, total=0)
    value, square = hits / total, Z * Z / total
    middle = (value + square / 2) / (1 + square)
    half = Z * sqrt(value * (1 - value) / total + square / (4 * total)) / (1 + square)
    return Share(
        hits=hits, total=total, value=value, low=max(0.0, middle - half), high=min(1.0, middle + half)
    )
