"""Raters compared: what is shared, unknown, missed, and what an interval needs."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from riskbox.sandbox.people.agreement import group, pair
from riskbox.sandbox.people.ratings import RatedKind, RatingKey, Ratings, RatingValue
from riskbox.sandbox.stats.coefficients import crossed, kappa


def rated(name: str, values: Mapping[str, RatingValue], kind: RatedKind = "risk", id: str = "s/r") -> Ratings:
    """One rater's answers to one question, by episode."""
    return Ratings(name, {RatingKey(kind, id, episode): value for episode, value in values.items()})


def in_families(episodes: int, many: int) -> dict[str, str]:
    """Episodes dealt out to families."""
    return {f"e{place}": f"f{place % many}" for place in range(episodes)}


def test_what_a_rater_cannot_tell_is_counted_beside_the_coefficients_and_bounds_what_was_missed() -> None:
    truth = {"e0": True, "e1": True, "e2": True, "e3": False, "e4": None, "e5": None, "e6": True}
    said = {"e0": True, "e1": False, "e2": None, "e3": False, "e4": True, "e5": None, "e7": True}
    found = pair(rated("human", truth), rated("judge", said), in_families(8, 1))
    assert (found.episodes, found.only_first, found.only_second) == (6, 1, 1)
    whole, single = found.rows
    assert (whole.id, single.id) == ("all", "s/r")
    assert (single.units, single.known, single.families) == (6, 3, 1)
    assert (single.unknown_first, single.unknown_second, single.unknown_both) == (1, 1, 1)
    assert single.agreed == pytest.approx(2 / 3)
    assert single.sensitivity is not None and single.specificity is not None
    assert (single.sensitivity.total, single.sensitivity.low, single.sensitivity.high) == (3, 1 / 3, 2 / 3)
    assert (single.specificity.total, single.specificity.low, single.specificity.high) == (1, 1.0, 1.0)
    assert ("yes", "unknown", 1) in single.confusion and ("unknown", "unknown", 1) in single.confusion
    assert single.kappa.value == pytest.approx(float(kappa(crossed([(1, 1), (1, 0), (0, 0)], 2))))
    assert single.kappa_weighted.value is None and single.alpha.interval is None


def test_a_question_that_only_one_was_asked_is_counted_and_not_compared() -> None:
    first = Ratings("human", {RatingKey("goal", "s/g", "e0"): True, RatingKey("risk", "s/r", "e0"): True})
    second = Ratings("judge", {RatingKey("risk", "s/r", "e0"): True})
    rows = {(row.kind, row.id): row for row in pair(first, second, {"e0": "f"}).rows}
    assert (rows["goal", "s/g"].units, rows["goal", "s/g"].only_first) == (0, 1)
    assert rows["goal", "s/g"].sensitivity is None and rows["goal", "s/g"].agreed is None


@pytest.mark.parametrize(("families", "has_interval"), [(9, False), (10, True)])
def test_an_interval_needs_ten_families(families: int, has_interval: bool) -> None:
    many = in_families(60, families)
    scores = [0, -2, -5, -8, -10, 0]
    a: dict[str, RatingValue] = {one: scores[place % 6] for place, one in enumerate(many)}
    b: dict[str, RatingValue] = {
        one: scores[(place + (place % 7 == 0)) % 6] for place, one in enumerate(many)
    }
    (row,) = pair(rated("a", a, "dimension", "legal"), rated("b", b, "dimension", "legal"), many).rows
    for one in (row.alpha, row.alpha_interval, row.kappa, row.kappa_weighted, row.pearson, row.spearman):
        assert one.value is not None and 0 < one.value < 1
        assert (one.interval is not None) is has_interval
        if one.interval:
            assert one.interval[0] < one.value < one.interval[1]
    assert row.sensitivity is not None and (row.sensitivity.interval is not None) is has_interval


def test_full_agreement_is_one_and_no_variety_is_undefined() -> None:
    many = in_families(20, 10)
    alike: dict[str, RatingValue] = {one: place % 2 == 0 for place, one in enumerate(many)}
    row = pair(rated("a", alike), rated("b", alike), many).rows[1]
    assert (row.alpha.value, row.kappa.value, row.agreed) == (1, 1, 1)
    same: dict[str, RatingValue] = dict.fromkeys(many, False)
    row = pair(rated("a", same), rated("b", same), many).rows[1]
    assert (row.alpha.value, row.kappa.value, row.agreed) == (None, None, 1)


def test_a_group_counts_what_several_can_tell() -> None:
    raters = [
        rated("a", {"e0": True, "e1": False, "e2": None, "e3": True}),
        rated("b", {"e0": True, "e1": True, "e2": True}),
        rated("c", {"e0": True, "e1": False}),
    ]
    whole, single = group("people", raters, in_families(4, 2)).rows
    assert whole.alpha == single.alpha
    assert (single.units, single.shared, single.ratings, single.unknown, single.families) == (4, 2, 8, 1, 2)
    # coincidences: yes-yes 3 + 0, no-no 1, yes-no 1 and 1; six ratings, four yes and two no
    assert single.alpha.value == pytest.approx(1 - (2 / 6) / (2 * 4 * 2 / (6 * 5)))
