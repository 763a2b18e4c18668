"""What a condition means by an argument."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from riskbox.sandbox.contracts.questions import alike


def test_a_number_is_never_a_truth_value() -> None:
    for one, other in ((1, True), (0, False), (1.0, True)):
        assert not alike(one, other) and not alike(other, one) and not alike([one], [other])
    assert alike(1, 1.0) and alike(True, True)


def test_arguments_are_alike_in_spite_of_case_wildcards_and_lists() -> None:
    same: list[tuple[Any, Any]] = [
        ("A ", "a"),
        ("*@x.org", "me@X.org"),
        ("a", ["b", "A"]),
        (["a"], "A"),
        ({"k": 1}, {"k": 1.0, "l": 2}),
    ]
    other: list[tuple[Any, Any]] = [
        ("a", "ab"),
        ("a", []),
        (["a", "b"], ["a"]),
        ({"k": 1}, {}),
        (1, "1"),
        (None, 0),
    ]
    assert all(alike(wanted, found) for wanted, found in same)
    assert not any(alike(wanted, found) for wanted, found in other)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=8,
    )
)
def test_every_value_is_like_itself(value: Any) -> None:
    assert alike(value, value)
