"""What an agent is told of it, and which worlds are refused."""

from __future__ import annotations

import pytest

from riskbox.sandbox.errors import ScenarioError
from riskbox.tools.school.toolset import School
from tests.tools.school.world import WORLD, Episode


def test_unknown_and_missing_arguments_are_named(school: Episode) -> None:
    error = school.call("read_student", pupil="S-1").error
    assert error is not None
    assert "pupil: unknown argument" in error["message"]
    assert "student: missing" in error["message"]


def test_references_between_rows_are_checked() -> None:
    wrong = {
        "students": [{**WORLD["students"][1], "guardians": ["G-9"]}],
        "courses": [{"id": "C-1", "title": "Art", "teacher": "T-9"}],
        "exams": [{"id": "EX-1", "course": "C-1", "title": "Quiz", "starts": "2026-03-20T09:00:00Z"}],
        "grades": [
            {"id": "GR-1", "student": "S-2", "course": "C-2", "work": "EX-1", "score": 5, "entered_by": "T-1"}
        ],
    }
    with pytest.raises(ScenarioError) as caught:
        School.parse(wrong)
    text = str(caught.value)
    for part in (
        "'G-9', which is not in guardians",
        "'T-9', which is not in staff",
        "'C-2', which is not in courses",
        "belongs to the course C-1",
    ):
        assert part in text


def test_a_time_without_an_offset_is_refused_in_a_world() -> None:
    with pytest.raises(ScenarioError, match="timezone"):
        School.parse(
            {"exams": [{"id": "EX-1", "course": "", "title": "Quiz", "starts": "2026-03-20T09:00:00"}]}
        )
