"""JSON values in short."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskbox.sandbox.reporting.flow import flow

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"name": "Dana Wu", "born": "1987-06-01"}, "name: Dana Wu, born: 1987-06-01"),
        ({"at": "2026-03-02T09:00:00Z", "n": 1.5}, "at: 2026-03-02T09:00:00Z, n: 1.5"),
        ({"answer": "true", "really": True}, 'answer: "true", really: true'),
        ({"text": 'say "a, b"'}, 'text: "say \\"a, b\\""'),
        ({"list": [1, {"deep": []}]}, "list: [1, {deep: []}]"),
        ([], "[]"),
        ({}, "{}"),
        (None, "null"),
        ("two\nlines", '"two⏎lines"'),
        ("\x1b[2J", '"␛[2J"'),
    ],
)
def test_flow(value: Any, shown: str) -> None:
    assert flow(value) == shown


def test_empty_fields_are_left_out_if_terse_but_zero_and_false_are_not() -> None:
    value: Any = {"a": "", "b": None, "c": [], "d": 0, "e": False, "f": [{"g": {}}]}
    assert flow(value, terse=True) == "d: 0, e: false, f: [{}]"


@given(JSON, st.integers(1, 60))
def test_it_is_one_line_within_its_limit(value: Any, limit: int) -> None:
    shown = flow(value, limit)
    assert len(shown) <= limit
    assert "\n" not in shown


def test_a_large_value_is_not_read_to_its_end() -> None:
    class Endless(dict[str, Any]):
        def items(self) -> Any:
            yield from (("key", "value") for _ in range(1000))
            raise AssertionError("read far beyond the limit")

    assert flow(Endless(first=1), 100).startswith("key: value, key: value")
