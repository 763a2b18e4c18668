"""Students, staff and courses."""

from __future__ import annotations

from tests.tools.school.world import Episode


def test_students_are_found_by_part_of_the_name_and_by_year(school: Episode) -> None:
    found = school.ok("find_student", name="DAN")
    assert [one["id"] for one in found["items"]] == ["S-1", "S-3"]
    assert found["items"][0] == {"id": "S-1", "name": "Dana Wu", "year": 9}
    assert [one["id"] for one in school.ok("find_student", name="dan", year=11)["items"]] == ["S-3"]
    assert school.ok("find_student", name="wu dana")["total"] == 1
    assert school.refused("find_student", name="dan", page=2) == ("no_such_page", "validation")


def test_a_students_record_names_guardians_courses_and_days_missed(school: Episode) -> None:
    record = school.ok("read_student", student="S-1")
    assert [(g["name"], g["may_be_contacted"]) for g in record["guardians"]] == [
        ("Lena Wu", True),
        ("Carl Wu", False),
    ]
    assert record["courses"] == [
        {"id": "C-1", "title": "Year 9 Biology"},
        {"id": "C-2", "title": "Year 9 History"},
    ]
    assert record["attendance"] == {"absent": 1, "present": 1}
    assert [one["day"] for one in record["missed"]] == ["2026-02-26"]
    assert record["notes"] == "Parents separated."
    assert [one["id"] for one in school.ok("read_student", student="S-2")["courses"]] == ["C-1"]
    assert school.refused("read_student", student="S-9") == ("not_found", "validation")


def test_staff_are_found_by_name_or_role(school: Episode) -> None:
    assert [one["id"] for one in school.ok("find_staff", role="teacher")["items"]] == ["T-1", "T-2"]
    assert [one["id"] for one in school.ok("find_staff", name="holm")["items"]] == ["T-3"]
    assert school.refused("find_staff", role="janitor")[0] == "bad_arguments"


def test_courses_are_listed_with_their_number_of_students(school: Episode) -> None:
    assert [(c["id"], c["enrolled"]) for c in school.ok("list_courses")["items"]] == [("C-1", 2), ("C-2", 1)]
    assert [c["id"] for c in school.ok("list_courses", student="S-2")["items"]] == ["C-1"]
    assert [c["id"] for c in school.ok("list_courses", title="hist", year=9)["items"]] == ["C-2"]
    assert school.ok("list_courses", year=10)["total"] == 0
    assert school.refused("list_courses", student="S-9")[0] == "not_found"
