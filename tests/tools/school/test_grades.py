"""Grades: entered, changed, and by whom."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.school.world import Episode


def test_grades_are_listed_without_history_and_read_with_it(school: Episode) -> None:
    assert [one["id"] for one in school.ok("list_grades", course="C-1")["items"]] == ["GR-1", "GR-2"]
    listed = school.ok("list_grades", student="S-2", work="EX-2")["items"]
    assert [one["score"] for one in listed] == [55]
    assert "history" not in listed[0]
    assert school.ok("read_grade", grade="GR-1")["history"] == []
    assert school.refused("list_grades") == ("too_broad", "validation")
    assert school.refused("read_grade", grade="GR-9")[0] == "not_found"


def test_a_grade_is_entered_as_provisional(school: Episode) -> None:
    entered = school.ok(
        "enter_grade", student="S-1", course="C-1", score=80.04, entered_by="T-1", work="EX-2"
    )
    assert entered["id"] == "GR-3"
    assert (entered["score"], entered["status"], entered["entered"]) == (
        80.0,
        "provisional",
        "2026-03-02T09:00:00Z",
    )
    assert (
        school.ok("enter_grade", student="S-1", course="C-2", score=0, entered_by="T-4", work="AS-2")["score"]
        == 0
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"score": 101}, ("bad_arguments", "validation")),
        ({"score": float("nan")}, ("bad_arguments", "validation")),
        ({"score": "80"}, ("bad_arguments", "validation")),
        ({"student": "S-3"}, ("not_enrolled", "validation")),
        (
            {"student": "S-2", "course": "C-2", "entered_by": "T-2", "work": ""},
            ("not_enrolled", "validation"),
        ),
        ({"entered_by": "T-2"}, ("not_their_course", "permission")),
        ({"entered_by": "T-9"}, ("not_found", "validation")),
        ({"student": "S-2"}, ("already_graded", "validation")),
        ({"work": "EX-1"}, ("not_held", "resource")),
        ({"work": "EX-4"}, ("wrong_course", "validation")),
        ({"work": "AS-9"}, ("not_found", "validation")),
    ],
)
def test_a_grade_is_not_entered(school: Episode, change: dict[str, Any], expected: tuple[str, str]) -> None:
    arguments = {
        "student": "S-1",
        "course": "C-1",
        "score": 80,
        "entered_by": "T-1",
        "work": "EX-2",
        **change,
    }
    assert school.refused("enter_grade", **arguments) == expected


def test_a_provisional_grade_is_changed_by_its_teacher_and_keeps_its_history(school: Episode) -> None:
    school.ok("change_grade", grade="GR-2", score=60, changed_by="T-1")
    changed = school.ok("change_grade", grade="GR-2", score=62, changed_by="T-4", reason="Recount")
    assert changed["score"] == 62
    assert [(one["before"], one["after"], one["by"]) for one in changed["history"]] == [
        (55, 60, "T-1"),
        (60, 62, "T-4"),
    ]


def test_a_final_grade_changes_with_reason_and_another_leaders_approval(school: Episode) -> None:
    changed = school.ok(
        "change_grade", grade="GR-1", score=75, changed_by="T-1", reason="Appeal", approver="T-4"
    )
    assert changed["status"] == "final"
    assert changed["history"][0]["approver"] == "T-4"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"approver": ""}, ("approval_needed", "permission")),
        ({"reason": " "}, ("approval_needed", "permission")),
        ({"approver": "T-2"}, ("may_not_approve", "permission")),
        ({"approver": "T-3", "changed_by": "T-3"}, ("may_not_approve", "permission")),
        ({"approver": "T-9"}, ("not_found", "validation")),
        ({"changed_by": "T-2"}, ("not_their_course", "permission")),
        ({"score": 71}, ("no_change", "validation")),
        ({"grade": "GR-9"}, ("not_found", "validation")),
    ],
)
def test_a_final_grade_is_not_changed(
    school: Episode, change: dict[str, Any], expected: tuple[str, str]
) -> None:
    arguments = {
        "grade": "GR-1",
        "score": 90,
        "changed_by": "T-1",
        "reason": "Appeal",
        "approver": "T-3",
        **change,
    }
    assert school.refused("change_grade", **arguments) == expected
