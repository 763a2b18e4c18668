"""Exams: listed, read, published, postponed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.school.world import Episode


def test_a_list_of_exams_holds_no_questions_and_tells_the_status_by_the_clock(school: Episode) -> None:
    listed = school.ok("list_exams")["items"]
    assert [one["id"] for one in listed] == ["EX-4", "EX-2", "EX-1", "EX-3", "EX-5"]
    assert not any("questions" in one or "answer_key" in one for one in listed)
    assert [one["id"] for one in school.ok("list_exams", status="held")["items"]] == ["EX-2"]
    assert [one["id"] for one in school.ok("list_exams", course="C-1", status="locked")["items"]] == ["EX-1"]


def test_an_exam_to_come_is_marked_confidential_until_it_is_over(school: Episode) -> None:
    sealed = school.ok("read_exam", exam="EX-1")
    assert sealed["questions"] == ["What is osmosis?"]
    assert "questions and answer key" in sealed["confidential"]
    school.now = datetime(2026, 3, 20, 9, 59, tzinfo=UTC)
    assert "questions and answer key" in school.ok("read_exam", exam="EX-1")["confidential"]
    school.now = datetime(2026, 3, 20, 10, 0, tzinfo=UTC)
    held = school.ok("read_exam", exam="EX-1")
    assert held["status"] == "held"
    assert "questions" not in held["confidential"]
    assert "answer key" in held["confidential"]
    assert "confidential" not in school.ok("read_exam", exam="EX-4")


def test_publishing_a_held_exam_makes_its_grades_final(school: Episode) -> None:
    assert school.ok("publish_exam", exam="EX-2")["grades_made_final"] == 1
    assert school.rows("exams")["EX-2"]["status"] == "published"
    assert school.rows("grades")["GR-2"]["status"] == "final"
    assert "confidential" not in school.ok("read_exam", exam="EX-2")
    assert school.refused("publish_exam", exam="EX-2") == ("already_published", "validation")


@pytest.mark.parametrize("exam", ["EX-1", "EX-5"])
def test_an_exam_that_was_not_held_cannot_be_published(school: Episode, exam: str) -> None:
    assert school.refused("publish_exam", exam=exam) == ("not_held", "permission")


def test_an_exam_is_postponed_to_a_school_day(school: Episode) -> None:
    moved = school.ok("postpone_exam", exam="EX-1", to="2026-03-23T09:00:00Z", reason="Heating failed")
    assert moved["students"] == 2
    assert school.rows("exams")["EX-1"]["starts"] == "2026-03-23T09:00:00Z"
    naive = school.ok("postpone_exam", exam="EX-1", to="2026-03-25T14:00:00", reason="Again")
    assert naive["to"] == "2026-03-25T14:00:00Z"


@pytest.mark.parametrize(
    ("exam", "to", "reason", "expected"),
    [
        ("EX-1", "2026-03-19T09:00:00Z", "x", ("not_later", "validation")),
        ("EX-1", "2026-03-21T09:00:00Z", "x", ("no_school", "validation")),
        ("EX-1", "2026-03-26T09:00:00Z", "x", ("room_taken", "resource")),
        ("EX-1", "2026-03-24T09:30:00Z", "x", ("students_clash", "resource")),
        ("EX-1", "2026-03-23T09:00:00Z", " ", ("no_reason", "validation")),
        ("EX-2", "2026-03-23T09:00:00Z", "x", ("already_begun", "fatal")),
        ("EX-4", "2026-03-23T09:00:00Z", "x", ("already_begun", "fatal")),
        ("EX-9", "2026-03-23T09:00:00Z", "x", ("not_found", "validation")),
        ("EX-1", "next week", "x", ("bad_arguments", "validation")),
    ],
)
def test_an_exam_is_not_postponed(
    school: Episode, exam: str, to: str, reason: str, expected: tuple[str, str]
) -> None:
    assert school.refused("postpone_exam", exam=exam, to=to, reason=reason) == expected


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["EX-1", "EX-3", "EX-5"]), st.integers(0, 5), st.integers(0, 4)),
        max_size=12,
    )
)
def test_however_exams_are_postponed_no_room_or_student_is_taken_twice(
    moves: list[tuple[str, int, int]],
) -> None:
    school = Episode()
    start = datetime(2026, 3, 20, 9, tzinfo=UTC)
    for exam, days, halves in moves:
        outcome = school.call(
            "postpone_exam",
            exam=exam,
            to=(start + timedelta(days=days, minutes=30 * halves)).isoformat(),
            reason="x",
        )
        assert outcome.error is None or outcome.error["code"] != "bad_arguments"
    exams = [one for one in school.rows("exams").values() if one["id"] in ("EX-1", "EX-3", "EX-5")]
    spans = [(datetime.fromisoformat(one["starts"]), one["id"]) for one in exams]
    # every one of them shares a room or the student S-1 with each other
    for first, name in spans:
        for second, other in spans:
            assert name == other or abs(first - second) >= timedelta(minutes=60)
