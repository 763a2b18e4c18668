"""Texts made up for a regular expression."""

from __future__ import annotations

import re
from random import Random

import pytest

from riskbox.sandbox.authoring.pattern import matching

PATTERNS = [
    r"^[A-Z]{2}-\d{4}$",
    "^(cat|dog)s?$",
    r"^[^a-z]+\.x$",
    "a|b",
    r"^\w{3,}\s\S$",
    r"^(?:[01]\d|2[0-3]):[0-5]\d$",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_text_matches_plain_and_drawn(pattern: str) -> None:
    assert any(re.search(pattern, text) for text in matching(pattern))
    for seed in range(20):
        assert re.search(pattern, next(matching(pattern, Random(seed))))


def test_draws_differ_and_plain_texts_do_not() -> None:
    pattern = r"^[a-f0-9]{8}$"
    assert len({next(matching(pattern, Random(seed))) for seed in range(20)}) > 10
    assert next(matching(pattern)) == next(matching(pattern))


@pytest.mark.parametrize("pattern", ["(", r"(?=a)b", "a{3000}"])
def test_what_is_beyond_it_gives_nothing(pattern: str) -> None:
    assert list(matching(pattern)) == []
