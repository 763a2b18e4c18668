"""How far ratings agree: Krippendorff's alpha, Cohen's kappa, Pearson's r and Spearman's rho.

All are computed from square tables that count pairs of ratings, one row and one column a value. Tables add up, so that
a resampling of families is a sum of their tables; every function takes one table or a stack of them, and gives a
number for each. Where a coefficient is not defined (nothing to compare, or nothing varies) it is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from numpy import ndarray

MeasurementLevel: TypeAlias = Literal["nominal", "ordinal", "interval"]
"""What the distance of two values means: that they differ, how many ratings lie between them, how far apart they are."""

Weights: TypeAlias = Literal["none", "quadratic"]
"""How much a disagreement counts: fully, or by the square of its distance in ranks."""


def coincidences(units: Sequence[Sequence[int]], size: int) -> ndarray:
    """The table that alpha needs: each pair of ratings within a unit, both ways, weighted so that each rating counts once.

    Args:
        units: For each unit its ratings, as places among `size` values; one with fewer than two adds nothing.
        size: How many values there are.
    """
    import numpy as np

    table = np.zeros((size, size))
    for ratings in units:
        if len(ratings) < 2:
            continue
        counts = np.bincount(ratings, minlength=size).astype(float)
        table += (np.outer(counts, counts) - np.diag(counts)) / (len(ratings) - 1)
    return table


def crossed(pairs: Sequence[tuple[int, int]], size: int) -> ndarray:
    """The table that the others need: how often the first rater said the row's value and the second the column's."""
    import numpy as np

    table = np.zeros((size, size))
    for first, second in pairs:
        table[first, second] += 1
    return table


def alpha(table: ndarray, values: Sequence[float], level: MeasurementLevel) -> ndarray:
    """Krippendorff's alpha from a table of coincidences: 1 for agreement, 0 for what chance gives.

    Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011).
    """
    import numpy as np

    totals = table.sum(-1)
    many = totals.sum(-1)
    apart = _distances(totals, np.asarray(values, float), level)
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = (table * apart).sum((-2, -1)) / many
        expected = (totals[..., :, None] * totals[..., None, :] * apart).sum((-2, -1)) / (many * (many - 1))
        return np.where(expected > 0, 1 - observed / expected, np.nan)


def _distances(totals: ndarray, values: ndarray, level: MeasurementLevel) -> ndarray:
    import numpy as np

    if level == "nominal":
        return 1 - np.eye(len(values))
    if level == "interval":
        apart: ndarray = values[:, None] - values[None, :]
        return apart**2
    # the ratings from one value to the other, those at both ends counted half
    middle = totals.cumsum(-1) - totals / 2
    between: ndarray = middle[..., :, None] - middle[..., None, :]
    return between**2


def kappa(table: ndarray, weights: Weights = "none") -> ndarray:
    """Cohen's kappa of two raters: 1 for agreement, 0 for what chance gives.

    Cohen (1960), and (1968) with weights.
    """
    import numpy as np

    size = table.shape[-1]
    steps = np.abs(np.arange(size)[:, None] - np.arange(size)[None, :]).astype(float)
    apart = {"none": (steps > 0).astype(float), "quadratic": steps**2}[weights]
    many = table.sum((-2, -1))
    by_chance = table.sum(-1)[..., :, None] * table.sum(-2)[..., None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = (table * apart).sum((-2, -1)) / many
        expected = (by_chance * apart).sum((-2, -1)) / many**2
        return np.where(expected > 0, 1 - observed / expected, np.nan)


def pearson(table: ndarray, values: Sequence[float]) -> ndarray:
    """Pearson's correlation of two raters' scores."""
    import numpy as np

    scores = np.asarray(values, float)
    return _correlation(
        table, np.broadcast_to(scores, table.shape[:-1]), np.broadcast_to(scores, table.shape[:-1])
    )


def spearman(table: ndarray) -> ndarray:
    """Spearman's rank correlation of two raters' scores; equal scores share the mean of their ranks."""
    rows, columns = table.sum(-1), table.sum(-2)
    return _correlation(table, _ranks(rows), _ranks(columns))


def _ranks(totals: ndarray) -> ndarray:
    return totals.cumsum(-1) - (totals - 1) / 2


def _correlation(table: ndarray, first: ndarray, second: ndarray) -> ndarray:
    import numpy as np

    many = table.sum((-2, -1))
    rows, columns = table.sum(-1), table.sum(-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        a = first - ((rows * first).sum(-1) / many)[..., None]
        b = second - ((columns * second).sum(-1) / many)[..., None]
        together = (table * a[..., :, None] * b[..., None, :]).sum((-2, -1))
        alone = (rows * a**2).sum(-1) * (columns * b**2).sum(-1)
        return np.where(alone > 1e-12, np.clip(together / np.sqrt(alone), -1, 1), np.nan)
