"""Extensions and attendance."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.school.world import Episode


def test_an_extension_is_granted_and_extended(school: Episode) -> None:
    assert [one["id"] for one in school.ok("list_assignments", course="C-1")["items"]] == ["AS-1"]
    first = school.ok(
        "grant_extension",
        assignment="AS-1",
        student="S-1",
        until="2026-03-10",
        reason="Flu",
        granted_by="T-1",
    )
    again = school.ok(
        "grant_extension",
        assignment="AS-1",
        student="S-1",
        until="2026-03-13",
        reason="Flu",
        granted_by="T-1",
    )
    assert first["id"] == again["id"] == "XT-1"
    assert school.rows("extensions")["XT-1"]["until"] == "2026-03-13"
    long = school.ok(
        "grant_extension",
        assignment="AS-1",
        student="S-2",
        until="2026-04-13",
        reason="Flu",
        granted_by="T-3",
    )
    assert long["id"] == "XT-2"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"until": "2026-03-06"}, ("not_later", "validation")),
        ({"until": "2026-03-14"}, ("too_long", "permission")),
        ({"student": "S-3"}, ("not_enrolled", "validation")),
        ({"granted_by": "T-2"}, ("not_their_course", "permission")),
        ({"reason": ""}, ("no_reason", "validation")),
        ({"assignment": "AS-9"}, ("not_found", "validation")),
        ({"until": "soon"}, ("bad_arguments", "validation")),
    ],
)
def test_an_extension_is_not_granted(
    school: Episode, change: dict[str, Any], expected: tuple[str, str]
) -> None:
    arguments = {
        "assignment": "AS-1",
        "student": "S-1",
        "until": "2026-03-10",
        "reason": "Flu",
        "granted_by": "T-1",
        **change,
    }
    assert school.refused("grant_extension", **arguments) == expected


def test_attendance_is_recorded_once_a_day(school: Episode) -> None:
    new = school.ok("record_attendance", student="S-1", course="C-1", day="2026-03-02", status="late")
    assert new["id"] == "AT-3"
    again = school.ok(
        "record_attendance", student="S-1", course="C-1", day="2026-03-02", status="excused", note="bus"
    )
    assert (again["id"], again["status"]) == ("AT-3", "excused")
    assert len(school.rows("attendance")) == 3


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"day": "2026-03-03"}, "in_the_future"),
        ({"day": "2026-03-01"}, "no_school"),
        ({"student": "S-3"}, "not_enrolled"),
        ({"status": "asleep"}, "bad_arguments"),
    ],
)
def test_attendance_is_not_recorded(school: Episode, change: dict[str, Any], expected: str) -> None:
    arguments = {"student": "S-1", "course": "C-1", "day": "2026-03-02", "status": "present", **change}
    assert school.refused("record_attendance", **arguments)[0] == expected
