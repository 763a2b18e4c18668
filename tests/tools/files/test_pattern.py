"""Expressions of grep: they mean what they mean elsewhere."""

from __future__ import annotations

import re
import warnings

from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.tools.files.pattern import Pattern


def _expression() -> st.SearchStrategy[str]:
    atom = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\.", r"\d", "^", "$"])
    return st.recursive(
        atom,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map("".join),
            st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
            st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,2}"])).map(
                lambda one: f"({one[0]}){one[1]}"
            ),
        ),
        max_leaves=6,
    )


@settings(max_examples=200, deadline=None)
@given(_expression(), st.text(alphabet="ab.1", max_size=7))
def test_expressions_mean_what_they_mean_elsewhere(expression: str, line: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = re.search(expression, line) is not None
    found = Pattern(expression, lambda amount: None, extended=True, ignore_case=False).found(line)
    assert found == expected
