# imports are absolute, so it shadows nothing
"""Shares and means in which the unknown stays unknown, families weigh the same, and intervals come from families.

Episodes of one family resemble each other, so families are what is counted: a figure is the mean of its families'
figures, and its interval comes from drawing families again (a cluster bootstrap), never from drawing episodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import fsum
from typing import TYPE_CHECKING

from riskbox.sandbox.words.frozen import Frozen

if TYPE_CHECKING:
    from numpy import ndarray

RESAMPLES = 2000
ENOUGH = 10
"""How many families an interval needs."""
TAIL = 0.025
"""What a 95% interval leaves out on either side."""
_SEED = 20260302


@dataclass(frozen=True, slots=True)
class FamilySum:
    """What one family adds to a figure: sums over its episodes."""

    total: int
    """Episodes."""
    low: float
    """The sum if all that is unknown were 0."""
    high: float
    """The sum if all that is unknown were the most there can be."""
    assessed: int
    """Episodes in which nothing is unknown."""
    sum: float
    """The sum over those."""

    @classmethod
    def of(cls, outcomes: Iterable[tuple[bool, bool, int]]) -> FamilySum:
        """A part from what happened, as (it holds, something is unknown, how many episodes)."""
        total = hits = doubtful = assessed = settled = 0
        for holds, is_open, many in outcomes:
            total += many
            hits += many * holds
            doubtful += many * (is_open and not holds)
            assessed += many * (not is_open)
            settled += many * (holds and not is_open)
        return cls(total, hits, hits + doubtful, assessed, settled)


class Figure(Frozen):
    """A share or a mean between two bounds: with the unknown counted as none, and as all."""

    total: int
    """Episodes it is about."""
    assessed: int
    """Episodes in which nothing about it is unknown."""
    families: int
    """Families they belong to."""
    low: float | None = None
    """The lower bound, families weighted equally; None without an episode."""
    high: float | None = None
    """The upper bound."""
    estimate: float | None = None
    """Over the fully assessed episodes alone; None where a family has none, or where the bounds rule it out."""
    interval: tuple[float, float] | None = None
    """95% of resamplings, from the lower bound's lower end to the upper bound's upper end; None under ten families."""
    pooled: tuple[float, float] | None = None
    """The bounds over all episodes alike, whatever their family."""


class Mean(Frozen):
    """A mean over the episodes that have a value, families weighted equally."""

    total: int
    """Episodes."""
    scored: int
    """Those that have a value."""
    mean: float | None = None
    """None where none has."""


def figure(parts: Mapping[str, FamilySum], top: float = 1.0) -> Figure:
    """A figure from its families' parts; `top` is the most that one episode can add."""
    counted = [parts[family] for family in sorted(parts) if parts[family].total]
    total = sum(part.total for part in counted)
    assessed = sum(part.assessed for part in counted)
    if not counted:
        return Figure(total=0, assessed=0, families=0)
    lows = [part.low / part.total for part in counted]
    highs = [part.high / part.total for part in counted]
    low, high = _mean(lows), _mean(highs)
    return Figure(
        total=total,
        assessed=assessed,
        families=len(counted),
        low=low,
        high=high,
        estimate=_estimate(counted, low, high),
        interval=_interval(lows, highs, top),
        pooled=(fsum(part.low for part in counted) / total, fsum(part.high for part in counted) / total),
    )


def difference(parts: Mapping[str, FamilySum], top: float = 1.0) -> Figure:
    """A mean of paired differences from their families' parts; one pair adds between `-top` and `top`."""
    # moved up by `top` a difference is a figure from 0 to 2 x top
    moved = {
        family: FamilySum(
            part.total,
            part.low + top * part.total,
            part.high + top * part.total,
            part.assessed,
            part.sum + top * part.assessed,
        )
        for family, part in parts.items()
    }
    found = figure(moved, 2 * top)
    if found.low is None or found.high is None:
        return found
    counted = [part for part in parts.values() if part.total]
    interval = found.interval and (found.interval[0] - top, found.interval[1] - top)
    if interval and all(part.low == part.high == 0 for part in counted):
        # no family shows a difference, but one that does could have been missed with this probability
        missed = top * (1 - TAIL ** (1 / found.families))
        interval = (-missed, missed)
    return found.model_copy(
        update={
            "low": _mean([part.low / part.total for part in counted]),
            "high": _mean([part.high / part.total for part in counted]),
            "estimate": None if found.estimate is None else found.estimate - top,
            "interval": interval,
            "pooled": found.pooled and (found.pooled[0] - top, found.pooled[1] - top),
        }
    )


def average(values: Mapping[str, Counter[float]], totals: Mapping[str, int]) -> Mean:
    """A mean from how often each value occurs in each family, and how many episodes the families have."""
    means = []
    for family in sorted(values):
        counts = values[family]
        if many := counts.total():
            means.append(fsum(value * count for value, count in counts.items()) / many)
    scored = sum(counts.total() for counts in values.values())
    return Mean(total=sum(totals.values()), scored=scored, mean=_mean(means) if means else None)


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)


def _estimate(parts: Sequence[FamilySum], low: float, high: float) -> float | None:
    """The mean over fully assessed episodes.

    Episodes that could not be assessed in full may still be known to be risky, so the others need not be like them:
    an estimate outside the bounds is known to be wrong and is left out.
    """
    if not all(part.assessed for part in parts):
        return None
    found = _mean([part.sum / part.assessed for part in parts])
    slack = 1e-9 * max(1.0, high)
    return min(max(found, low), high) if low - slack <= found <= high + slack else None


def _interval(lows: Sequence[float], highs: Sequence[float], top: float) -> tuple[float, float] | None:
    families = len(lows)
    if families < ENOUGH:
        return None
    import numpy as np

    drawn = _draws(families) @ np.column_stack([lows, highs]) / families
    lower, upper = float(np.quantile(drawn[:, 0], TAIL)), float(np.quantile(drawn[:, 1], 1 - TAIL))
    # where all families agree on the extreme, drawing them again shows no doubt at all; but a family in which it is
    # otherwise could have been missed with this probability
    missed = 1 - TAIL ** (1 / families)
    if max(highs) == 0:
        upper = missed * top
    if min(lows) == top:
        lower = (1 - missed) * top
    return max(0.0, lower), min(top, upper)


@lru_cache(maxsize=32)
def _draws(families: int) -> ndarray:
    """How often each family occurs in each resampling; the same for every figure with as many families."""
    import numpy as np

    return np.random.default_rng(_SEED).multinomial(families, np.full(families, 1 / families), size=RESAMPLES)
