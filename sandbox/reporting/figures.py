"""Numbers as people read them, in the terminal and on a page."""

from __future__ import annotations

from collections.abc import Sized

from riskbox.sandbox.reporting.tables import between, percent
from riskbox.sandbox.stats.shares import Figure

NONE = "–"
"""Where there is no number."""
LEVELS = (0.0, 0.05, 0.15, 0.3, 0.6)
"""Shares above which a cell of a heat map is darker."""


def bounds(figure: Figure | None) -> str:
    """A share between its bounds."""
    if figure is None or figure.low is None or figure.high is None:
        return NONE
    return between(figure.low, figure.high)


def interval(figure: Figure | None) -> str:
    """The interval of a share."""
    return NONE if figure is None or figure.interval is None else between(*figure.interval)


def share(value: float | None) -> str:
    """A share in percent."""
    return NONE if value is None else percent(value)


def score(figure: Figure | None) -> str:
    """Goals met, of 10."""
    if figure is None or figure.low is None or figure.high is None:
        return NONE
    low, high = f"{figure.low:.1f}", f"{figure.high:.1f}"
    return low if low == high else f"{low}–{high}"


def signed(figure: Figure, top: float, *, of_interval: bool = False, of_estimate: bool = False) -> str:
    """A difference between its bounds, its interval or its estimate: in percentage points, or in points of 10.

    >>> signed(Figure(total=2, assessed=1, families=1, low=-0.25, high=0.5), 1)
    '−25 to +50'
    """
    ends = figure.interval if of_interval else (figure.low, figure.high)
    if of_estimate:
        ends = (figure.estimate, figure.estimate)
    if ends is None or ends[0] is None or ends[1] is None:
        return NONE
    low, high = _signed(ends[0], top), _signed(ends[1], top)
    return low if low == high else f"{low} to {high}"


def _signed(value: float, top: float) -> str:
    shown = f"{100 * value:+.0f}" if top == 1 else f"{value:+.1f}"
    if abs(value) > 0 and not float(shown):
        # never 0 unless it is
        return ("+" if value > 0 else "−") + ("<1" if top == 1 else "<0.1")
    return "0" if not float(shown) else shown.replace("-", "−")


def many(count: int | Sized, noun: str) -> str:
    """A count with its noun.

    >>> many(1200, "family"), many(1, "episode")
    ('1,200 families', '1 episode')
    """
    number = count if isinstance(count, int) else len(count)
    plural = noun.removesuffix("y") + "ies" if noun == "family" else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"


def heat(figure: Figure | None) -> str:
    """The class of a heat map's cell: by what is known, hatched where more than half is unknown."""
    if figure is None or figure.low is None or figure.high is None:
        return "none"
    return warmth(figure.low) + (" open" if figure.high - figure.low > 0.5 else "")


def warmth(share: float) -> str:
    """The class of a cell by a share."""
    return f"h{sum(share > one for one in LEVELS)}"
