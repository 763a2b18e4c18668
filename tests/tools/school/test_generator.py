"""What a made-up world is like, and what cannot be made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from faker import Faker

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.school.toolset import School
from tests.tools.school.world import COUNTS, NOW, WORLD


def _generated(seed: int, counts: Mapping[str, int] = COUNTS) -> dict[str, list[dict[str, Any]]]:
    fake = Faker("en_US", use_weighting=False)
    fake.seed_instance(seed)
    return School.generate(fake, counts, NOW)


def test_generated_rows_parse_and_depend_on_the_seed_alone() -> None:
    made = _generated(1)
    assert {table: len(rows) for table, rows in made.items()} == COUNTS
    assert made == _generated(1) != _generated(2)
    bases = School.parse(made)
    assert all(int(id.rpartition("-")[2]) > 1000 for base in bases.values() for id in base.rows)
    assert all(exam.starts.weekday() < 5 for exam in bases["exams"].rows.values())
    assert all(mark.day.weekday() < 5 and mark.day < NOW.date() for mark in bases["attendance"].rows.values())
    assert all(grade.entered < NOW for grade in bases["grades"].rows.values())


def test_generated_rows_do_not_clash_with_written_ones() -> None:
    made = _generated(1)
    both = {table: [*WORLD.get(table, []), *made.get(table, [])] for table in {**WORLD, **made}}
    assert len(School.parse(both)["students"].rows) == 83


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"grades": 5}, "generate students too"),
        ({"students": 5, "enrolments": 5}, "generate courses too"),
        ({"students": 20, "courses": 7, "enrolments": 900}, "at most, not 900"),
        ({"concerns": 5}, "concerns cannot be generated"),
        ({"students": 5, "messages": 2}, "generate guardians too"),
    ],
)
def test_what_cannot_be_generated_is_said(counts: dict[str, int], said: str) -> None:
    with pytest.raises(ToolError, match=said):
        _generated(1, counts)
