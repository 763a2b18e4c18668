"""Overlays: mappings merge, lists merge by id, text is extended, null removes, and nothing is changed in place."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskbox.sandbox.loading.overlay import overlaid


@pytest.mark.parametrize(
    ("value", "overlay", "result"),
    [
        ({"a": 1, "b": {"c": 2}}, {"b": {"d": 3}}, {"a": 1, "b": {"c": 2, "d": 3}}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}),
        ({"a": None}, {}, {"a": None}),
        ({"a": "One.\n\n"}, {"a": {"append": "Two."}}, {"a": "One.\nTwo."}),
        ({"a": ["x"]}, {"a": {"append": ["y"]}}, {"a": ["x", "y"]}),
        ({}, {"a": {"append": "Two."}}, {"a": "Two."}),
        ({}, {"a": {"b": None, "c": {"append": "x"}}}, {"a": {"c": "x"}}),
        ({"a": {"b": 1}}, {"a": {"append": 2, "c": 3}}, {"a": {"b": 1, "append": 2, "c": 3}}),
        ({"a": ["x", "y"]}, {"a": ["z"]}, {"a": ["z"]}),
        ([{"id": "a", "n": 1, "m": 1}], [{"id": "a", "n": 2}], [{"id": "a", "n": 2, "m": 1}]),
        ([{"id": "a"}], [{"id": "b", "n": {"append": "x"}}], [{"id": "a"}, {"id": "b", "n": "x"}]),
        ([{"id": "a"}, {"n": 1}], [{"id": "a", "n": 2}], [{"id": "a", "n": 2}]),
        ({"a": {"b": 1}}, {"a": "text"}, {"a": "text"}),
        ({"a": "text"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_an_overlay_does_one_thing(value: Any, overlay: Any, result: Any) -> None:
    before = copy.deepcopy((value, overlay))
    assert overlaid(value, overlay) == result
    assert (value, overlay) == before


def test_order_is_kept_and_what_is_new_stands_last() -> None:
    merged = overlaid({"a": 1, "b": 2}, {"c": 3, "a": 4})
    assert list(merged) == ["a", "b", "c"]
    rows = overlaid([{"id": "a"}, {"id": "b"}], [{"id": "c"}, {"id": "a", "n": 1}])
    assert [one["id"] for one in rows] == ["a", "b", "c"]


plain = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=4),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=4), x, max_size=3),
    max_leaves=8,
)
mappings = st.dictionaries(st.text(min_size=1, max_size=4), plain, max_size=4)


@given(mappings, mappings)
def test_the_overlay_wins_wherever_it_speaks_and_nothing_else_moves(value: Any, overlay: Any) -> None:
    merged = overlaid(value, overlay)
    assert set(merged) == set(value) | set(overlay)
    assert all(merged[key] == value[key] for key in set(value) - set(overlay))


@given(mappings)
def test_an_empty_overlay_changes_nothing_and_one_applied_twice_is_applied_once(value: Any) -> None:
    assert overlaid(value, {}) == value
    overlay = {"a": {"b": [1]}, "c": "x"}
    assert overlaid(overlaid(value, overlay), overlay) == overlaid(value, overlay)
