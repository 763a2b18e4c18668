"""Figures: bounds, estimates, intervals, families weighted equally."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.stats.shares import ENOUGH, FamilySum, average, figure

OUTCOMES = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 5)), max_size=8)
FAMILIES = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), OUTCOMES.map(FamilySum.of), max_size=14)


def share(hits: int, total: int, unknown: int = 0) -> FamilySum:
    return FamilySum.of([(True, False, hits), (False, True, unknown), (False, False, total - hits - unknown)])


@settings(deadline=None)  # the first call imports numpy
@given(FAMILIES)
def test_bounds_contain_the_estimate_and_the_interval_contains_the_bounds(
    parts: dict[str, FamilySum],
) -> None:
    found = figure(parts)
    if found.low is None or found.high is None:
        assert not any(part.total for part in parts.values())
        return
    assert 0 <= found.low <= found.high <= 1
    if found.estimate is not None:
        assert found.low <= found.estimate <= found.high
    if found.interval is not None:
        assert found.families >= ENOUGH
        assert 0 <= found.interval[0] <= found.low
        assert found.high <= found.interval[1] <= 1


@settings(deadline=None)
@given(FAMILIES, st.randoms())
def test_the_order_of_families_changes_nothing(parts: dict[str, FamilySum], random: Random) -> None:
    shuffled = list(parts.items())
    random.shuffle(shuffled)
    assert figure(dict(shuffled)) == figure(parts)


def test_families_weigh_the_same_however_many_episodes_they_have() -> None:
    found = figure({"small": share(1, 2), "large": share(0, 8)})
    assert found.low == found.high == found.estimate == 0.25
    assert found.pooled == (0.1, 0.1)


def test_a_family_without_episodes_does_not_count() -> None:
    assert figure({"a": share(1, 2), "b": share(0, 0)}).families == 1


def test_nothing_known_is_neither_nothing_nor_everything() -> None:
    found = figure({"a": share(0, 4, unknown=4)})
    assert (found.low, found.high, found.estimate, found.assessed) == (0, 1, None, 0)


def test_no_figure_without_episodes() -> None:
    found = figure({})
    assert (found.low, found.high, found.estimate, found.interval, found.total) == (None, None, None, None, 0)


def test_an_estimate_that_the_bounds_rule_out_is_not_given() -> None:
    # ten episodes are fully assessed and clean; five others did harm and could still be worse
    part = FamilySum.of([(False, False, 10), (True, True, 5)])
    found = figure({"a": part})
    assert found.low == pytest.approx(1 / 3)
    assert found.assessed == 10
    assert found.estimate is None


def test_one_family_without_an_assessed_episode_takes_the_estimate() -> None:
    assert figure({"a": share(1, 4), "b": share(0, 4, unknown=4)}).estimate is None


def test_no_interval_under_ten_families() -> None:
    assert figure({f"f{i}": share(1, 4) for i in range(9)}).interval is None
    assert figure({f"f{i}": share(1, 4) for i in range(10)}).interval is not None


def test_an_interval_is_as_wide_as_families_differ() -> None:
    alike = figure({f"f{i}": share(2, 4) for i in range(100)}).interval
    apart = figure({f"f{i}": share(4 * (i % 2), 4) for i in range(100)}).interval
    assert alike == (0.5, 0.5)
    assert apart is not None
    # the mean of a hundred fair coins: 0.5 +- 1.96 x 0.05
    assert apart[0] == pytest.approx(0.402, abs=0.02)
    assert apart[1] == pytest.approx(0.598, abs=0.02)


def test_episodes_of_one_family_do_not_narrow_the_interval() -> None:
    few = figure({f"f{i}": share(i % 2, 1) for i in range(20)}).interval
    many = figure({f"f{i}": share(1000 * (i % 2), 1000) for i in range(20)}).interval
    assert few == many


def test_ten_families_without_harm_do_not_prove_that_there_is_none() -> None:
    interval = figure({f"f{i}": share(0, 50) for i in range(10)}).interval
    assert interval is not None
    assert interval[0] == 0
    assert interval[1] == pytest.approx(1 - 0.025**0.1)


def test_ten_families_full_of_harm_do_not_prove_that_there_is_nothing_else() -> None:
    interval = figure({f"f{i}": share(50, 50) for i in range(10)}).interval
    assert interval is not None
    assert interval[0] == pytest.approx(0.025**0.1)
    assert interval[1] == 1


def test_a_figure_may_run_to_ten() -> None:
    found = figure({f"f{i}": FamilySum(2, 20, 20, 2, 20) for i in range(10)}, top=10)
    assert found.low == 10
    assert found.interval is not None
    assert found.interval[1] == 10
    assert found.interval[0] == pytest.approx(10 * 0.025**0.1)


def test_a_mean_is_over_those_that_have_a_value() -> None:
    found = average(
        {"a": Counter({-8: 1, 0: 1}), "b": Counter({0.0: 3}), "c": Counter()}, {"a": 2, "b": 3, "c": 5}
    )
    assert (found.mean, found.scored, found.total) == (-2, 5, 10)


def test_no_mean_without_a_value() -> None:
    found = average({"a": Counter()}, {"a": 3})
    assert found.mean is None
    assert (found.scored, found.total) == (0, 3)


@given(
    st.dictionaries(
        st.text("ab", max_size=3), st.dictionaries(st.floats(0, 1), st.integers(1, 9)), max_size=5
    )
)
def test_a_mean_stays_between_its_values(values: dict[str, dict[float, int]]) -> None:
    counted = {family: Counter(found) for family, found in values.items()}
    mean = average(counted, {family: found.total() for family, found in counted.items()}).mean
    listed = [value for found in values.values() for value in found]
    if mean is None:
        assert not listed
    else:
        assert min(listed) - 1e-9 <= mean <= max(listed) + 1e-9
        assert math.isfinite(mean)
