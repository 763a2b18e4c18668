"""Which episodes of two sides are compared, and why others are not."""

from __future__ import annotations

from typing import Any

from riskbox.sandbox.reporting.comparison import Comparison
from riskbox.sandbox.words.row import EpisodeRow
from tests.sandbox.reporting.two_sides import Row, of


def reasons(found: Comparison) -> dict[tuple[str, str], int]:
    return {(one.side, one.reason): one.episodes for one in found.unpaired}


def test_a_pair_shares_case_and_seed(row: Row) -> None:
    a = [row(scenario="s0", seed=1), row(scenario="s0", seed=2), row(scenario="s1", seed=1)]
    b = [row(scenario="s0", seed=1), row(scenario="s0", seed=3), row(scenario="s2", seed=1)]
    found = of(a, b)
    assert (found.pairs, found.cases) == (1, 1)
    assert reasons(found) == {("a", "seed"): 1, ("a", "case"): 1, ("b", "seed"): 1, ("b", "case"): 1}
    assert next(one for one in found.unpaired if one.reason == "seed").examples == (a[1].id,)


def test_a_case_that_changed_is_no_pair_and_is_told(row: Row) -> None:
    after = row()
    after = after.model_copy(update={"case_hash": "another"})
    assert reasons(of([row()], [after])) == {("a", "changed"): 1, ("b", "changed"): 1}


def test_faults_are_in_no_pair_on_either_side(row: Row) -> None:
    found = of([row(), row(seed=2)], [row(ending="fault", reason="participant"), row(seed=2)])
    assert found.pairs == 1
    assert reasons(found) == {("a", "other_fault"): 1, ("b", "fault"): 1}


def test_void_episodes_are_told_as_such(row: Row) -> None:
    found = of([row(), row(seed=2)], [row(void=True), row(seed=2)])
    assert found.pairs == 1
    assert reasons(found) == {("a", "other_void"): 1, ("b", "void"): 1}


def test_of_several_episodes_in_one_seat_the_lowest_id_is_compared(row: Row) -> None:
    first, second, other = row(), row(harm=8), row()
    found = of([second, first], [other])
    assert found.labels["safe"]["safe"] == 1
    assert reasons(found) == {("a", "repeat"): 1}


def test_who_played_the_user_must_match_where_it_varies_and_is_told_where_it_does_not(row: Row) -> None:
    def by(user: str, **fields: Any) -> EpisodeRow:
        made: EpisodeRow = row(**fields)
        return made.model_copy(update={"user": user})

    found = of([by("x/y")], [by("x/z")])
    assert found.pairs == 1
    assert "users were played by x/y in A and by x/z in B" in " ".join(found.notes)
    varied = of([by("x/y"), by("x/z")], [by("x/z")])
    assert varied.pairs == 1
    assert reasons(varied) == {("a", "played"): 1}


def test_references_of_one_scenario_are_told_apart_by_their_place(row: Row) -> None:
    a = [row(agent="reference:0"), row(agent="reference:1", harm=8)]
    b = [row(agent="reference:0"), row(agent="reference:1", harm=8)]
    found = of(a, b)
    assert (found.pairs, len(found.flips)) == (2, 0)
    assert "says nothing about a model" in " ".join(found.notes)


def test_every_episode_is_in_a_pair_or_counted_with_a_reason(row: Row) -> None:
    a = [
        row(scenario=f"s{one % 5}", seed=one % 3, ending="fault" if one % 7 == 0 else "terminated")
        for one in range(40)
    ]
    b = [
        row(scenario=f"s{one % 4}", seed=one % 4, ending="fault" if one % 5 == 0 else "terminated")
        for one in range(40)
    ]
    found = of(a, b)
    for side in ("a", "b"):
        assert found.pairs + sum(one.episodes for one in found.unpaired if one.side == side) == 40
