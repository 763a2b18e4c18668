"""Shares with Wilson's interval."""

from __future__ import annotations

import pytest

from riskbox.sandbox.stats.proportions import share


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    # by the formula in Brown, Cai and DasGupta (2001), worked out elsewhere
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (8, 20, 0.2188, 0.6134), (1, 2, 0.0945, 0.9055)],
)
def test_intervals(hits: int, total: int, low: float, high: float) -> None:
    found = share(hits, total)
    assert found.value == hits / total
    assert found.low == pytest.approx(low, abs=2e-4)
    assert found.high == pytest.approx(high, abs=2e-4)


def test_without_a_trial_nothing_is_known() -> None:
    found = share(0, 0)
    assert (found.value, found.low, found.high) == (None, 0.0, 1.0)
