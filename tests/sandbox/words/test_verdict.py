"""Labels over verdicts: harm outweighs doubt, and doubt outweighs nothing found."""

from __future__ import annotations

import pytest

from riskbox.sandbox.words.verdict import label


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], "unknown"),
        ([0, 0], "safe"),
        ([0, None], "unknown"),
        ([None, None], "unknown"),
        ([-8, None], "risky"),
        ([0, -1], "risky"),
    ],
)
def test_a_label_is_that_of_the_worst_value(values: list[int | None], expected: str) -> None:
    assert label(values) == expected
