"""Coefficients against published worked examples, and against other implementations on published scores of four judges."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.stats.coefficients import (
    MeasurementLevel,
    Weights,
    alpha,
    coincidences,
    crossed,
    kappa,
    pearson,
    spearman,
)

ODCV = Path(__file__).parents[2] / "data" / "odcv"
JUDGES = ("claude47", "gemini", "gpt55", "grok")

Column = Sequence[float | None]


def units(columns: Sequence[Column], values: Sequence[float]) -> list[list[int]]:
    """Each unit's ratings, as places among the values."""
    return [[values.index(one) for one in unit if one is not None] for unit in zip(*columns, strict=True)]


def table(first: Column, second: Column) -> tuple[np.ndarray, list[float]]:
    """The crossed table of two raters, and its values; what one of them did not rate is left out."""
    both = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    values = sorted({one for pair in both for one in pair})
    return crossed([(values.index(a), values.index(b)) for a, b in both], len(values)), values


@pytest.fixture(scope="module")
def judges() -> dict[str, Column]:
    """The scores of each judge, in one order: 40 scenarios, twelve models, two variants."""
    found: dict[str, Column] = {}
    for judge in JUDGES:
        with (ODCV / f"scores_{judge}.csv").open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if not row["scenario"].startswith("col_")]
        models = sorted(name for name in rows[0] if name != "scenario" and not name.startswith("row_"))
        found[judge] = [
            None if row[model] == "N/A" else int(row[model])
            for row in sorted(rows, key=lambda row: row["scenario"])
            for model in models
        ]
    return found


# --- published worked examples ----------------------------------------------------------------------------------

OBSERVERS: list[Column] = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
"""Krippendorff (2011), section C: four observers, twelve units, some ratings missing."""


@pytest.mark.parametrize(("level", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_krippendorffs_four_observers(level: MeasurementLevel, value: float) -> None:
    values = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert float(alpha(coincidences(units(OBSERVERS, values), 5), values, level)) == pytest.approx(
        value, abs=5e-4
    )


def test_alpha_of_krippendorffs_two_observers_with_yes_and_no() -> None:
    # section A: ten articles
    meg, owen = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    found = alpha(coincidences(units([meg, owen], [0, 1]), 2), [0, 1], "nominal")
    assert float(found) == pytest.approx(0.095, abs=5e-4)


def test_alpha_of_krippendorffs_two_observers_with_five_values() -> None:
    # section B: twelve articles, values a to e
    ben, gerry = "aabbdcccedda", "babbbccceddd"
    places = {letter: at for at, letter in enumerate("abcde")}
    rated = [[places[a], places[b]] for a, b in zip(ben, gerry, strict=True)]
    found = float(alpha(coincidences(rated, 5), [0, 1, 2, 3, 4], "nominal"))
    assert found == pytest.approx(0.692, abs=5e-4)


def test_kappa_of_fifty_proposals() -> None:
    # the example most textbooks use: 20 and 15 agreed on, 5 and 10 not
    assert float(kappa(np.array([[20.0, 5.0], [10.0, 15.0]]))) == pytest.approx(0.4)


ANXIETY = (
    [3, 3, 3, 4, 5, 5, 2, 3, 5, 2, 2, 6, 1, 5, 2, 2, 1, 2, 4, 3],
    [3, 6, 4, 6, 2, 4, 2, 4, 3, 3, 2, 3, 3, 3, 2, 2, 1, 3, 3, 4],
)
"""Two raters of twenty people's anxiety, from the documentation of the R package irr."""


@pytest.mark.parametrize(("weights", "value"), [("none", 0.119), ("quadratic", 0.297)])
def test_kappa_of_two_raters_of_anxiety(weights: Weights, value: float) -> None:
    crossing, _ = table(*ANXIETY)
    assert float(kappa(crossing, weights)) == pytest.approx(value, abs=5e-4)


def test_spearman_of_iq_and_hours_of_television() -> None:
    iq = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110]
    hours = [7, 27, 2, 50, 28, 29, 20, 12, 6, 17]
    crossing, _ = table(iq, hours)
    assert float(spearman(crossing)) == pytest.approx(-29 / 165)


def test_pearson_of_anscombes_first_set() -> None:
    x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
    y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
    assert float(pearson(*table(x, y))) == pytest.approx(0.81642, abs=5e-6)


# --- four judges of ODCV-Bench ----------------------------------------------------------------------------------


def test_alpha_of_four_judges_is_what_their_authors_publish(judges: dict[str, Column]) -> None:
    values = [float(one) for one in range(6)]
    counted = coincidences(units(list(judges.values()), values), 6)
    assert round(float(alpha(counted, values, "interval")), 2) == 0.81


@pytest.mark.parametrize(
    ("level", "value"), [("nominal", 0.596416), ("ordinal", 0.783381), ("interval", 0.806919)]
)
def test_alpha_of_four_judges_is_that_of_the_krippendorff_package(
    judges: dict[str, Column], level: MeasurementLevel, value: float
) -> None:
    values = [float(one) for one in range(6)]
    counted = coincidences(units(list(judges.values()), values), 6)
    assert float(alpha(counted, values, level)) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("first", "second", "many", "plain", "weighted", "r", "rho"),
    [
        ("claude47", "gemini", 950, 0.682750, 0.887897, 0.889361, 0.860987),
        ("claude47", "gpt55", 950, 0.598986, 0.851539, 0.861809, 0.852735),
        ("claude47", "grok", 950, 0.579239, 0.795388, 0.795668, 0.782384),
        ("gemini", "gpt55", 950, 0.617195, 0.817109, 0.835324, 0.817997),
        ("gemini", "grok", 950, 0.583063, 0.757194, 0.759683, 0.737300),
        ("gpt55", "grok", 950, 0.528945, 0.736839, 0.744000, 0.730302),
    ],
)
def test_two_judges_agree_as_scikit_learn_and_scipy_say(
    judges: dict[str, Column],
    first: str,
    second: str,
    many: int,
    plain: float,
    weighted: float,
    r: float,
    rho: float,
) -> None:
    crossing, values = table(judges[first], judges[second])
    assert crossing.sum() == many
    found = [kappa(crossing), kappa(crossing, "quadratic")]
    found += [pearson(crossing, values), spearman(crossing)]
    assert [float(one) for one in found] == pytest.approx([plain, weighted, r, rho], abs=1e-6)


# --- what holds for any ratings ---------------------------------------------------------------------------------


@settings(deadline=None)  # the first example imports numpy
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_a_stack_of_tables_gives_what_each_alone_gives_and_no_coefficient_exceeds_one(
    pairs: list[tuple[int, int]],
) -> None:
    values = [0.0, 1.0, 2.0, 3.0]
    one, other = crossed(pairs, 4), crossed([*pairs, (0, 3)], 4)
    both = np.array([one, other])
    for measure in (
        kappa,
        spearman,
        lambda t: pearson(t, values),
        lambda t: alpha(t + t.swapaxes(-1, -2), values, "ordinal"),
    ):
        stacked = measure(both)
        np.testing.assert_allclose(stacked, [measure(one), measure(other)])
        assert all(np.isnan(value) or value <= 1 + 1e-9 for value in stacked)


@pytest.mark.parametrize("pairs", [[], [(1, 1)], [(1, 1)] * 5])
def test_nothing_is_defined_where_nothing_varies(pairs: list[tuple[int, int]]) -> None:
    crossing = crossed(pairs, 3)
    found = [kappa(crossing), pearson(crossing, [0, 1, 2]), spearman(crossing)]
    found.append(alpha(coincidences([list(one) for one in pairs], 3), [0, 1, 2], "interval"))
    assert np.isnan(found).all()


def test_a_unit_with_one_rating_adds_nothing() -> None:
    assert coincidences([[0], [1, 2]], 3).tolist() == coincidences([[1, 2]], 3).tolist()
