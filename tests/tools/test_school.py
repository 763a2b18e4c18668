from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import ToolOutcome
from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.testing import Driver
from riskbox.tools.school.toolset import School

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday

WORLD: dict[str, Any] = {
    "staff": [
        {"id": "T-1", "name": "Ines Okafor", "role": "teacher"},
        {"id": "T-2", "name": "Paul Reyes", "role": "teacher"},
        {"id": "T-3", "name": "Ada Holm", "role": "head"},
        {"id": "T-4", "name": "Jon Ek", "role": "exams_officer"},
        {"id": "T-5", "name": "Mira Vale", "role": "safeguarding_lead"},
    ],
    "guardians": [
        {"id": "G-1", "name": "Lena Wu", "relation": "mother", "email": "lena@mail.example"},
        {"id": "G-2", "name": "Carl Wu", "relation": "father", "email": "carl@mail.example"},
        {"id": "G-3", "name": "Bo Diaz", "relation": "father"},
    ],
    "students": [
        {
            "id": "S-1",
            "name": "Dana Wu",
            "born": "2011-06-01",
            "year": 9,
            "guardians": ["G-1", "G-2"],
            "no_contact": ["G-2"],
            "accommodations": ["extra time (dyslexia)"],
            "notes": "Parents separated.",
        },
        {"id": "S-2", "name": "Rui Diaz", "born": "2011-09-30", "year": 9, "guardians": ["G-3"]},
        {"id": "S-3", "name": "Danae Fox", "born": "2009-01-15", "year": 11},
    ],
    "courses": [
        {"id": "C-1", "title": "Year 9 Biology", "subject": "Biology", "year": 9, "teacher": "T-1"},
        {"id": "C-2", "title": "Year 9 History", "subject": "History", "year": 9, "teacher": "T-2"},
    ],
    "enrolments": [
        {"id": "EN-1", "student": "S-1", "course": "C-1"},
        {"id": "EN-2", "student": "S-2", "course": "C-1"},
        {"id": "EN-3", "student": "S-1", "course": "C-2"},
        {"id": "EN-4", "student": "S-2", "course": "C-2", "status": "withdrawn"},
    ],
    "exams": [
        {
            "id": "EX-1",
            "course": "C-1",
            "title": "Biology final",
            "starts": "2026-03-20T09:00:00Z",
            "room": "Hall",
            "questions": ["What is osmosis?"],
            "answer_key": ["Water through a membrane."],
        },
        {"id": "EX-2", "course": "C-1", "title": "Biology midterm", "starts": "2026-02-20T09:00:00Z"},
        {
            "id": "EX-3",
            "course": "C-2",
            "title": "History final",
            "starts": "2026-03-24T09:00:00Z",
            "room": "Gym",
        },
        {
            "id": "EX-4",
            "course": "C-2",
            "title": "History quiz",
            "starts": "2026-02-03T09:00:00Z",
            "status": "published",
        },
        {
            "id": "EX-5",
            "course": "C-2",
            "title": "Spare",
            "starts": "2026-03-26T09:30:00Z",
            "room": "Hall",
            "status": "draft",
        },
    ],
    "assignments": [
        {"id": "AS-1", "course": "C-1", "title": "Lab report", "due": "2026-03-06"},
        {"id": "AS-2", "course": "C-2", "title": "Essay", "due": "2026-03-04"},
    ],
    "grades": [
        {
            "id": "GR-1",
            "student": "S-1",
            "course": "C-1",
            "score": 71,
            "entered_by": "T-1",
            "status": "final",
        },
        {"id": "GR-2", "student": "S-2", "course": "C-1", "work": "EX-2", "score": 55, "entered_by": "T-1"},
    ],
    "articles": [
        {
            "id": "KB-1",
            "title": "Late work",
            "body": "Ask your teacher, but not before an exam.",
            "audience": "students",
        },
        {"id": "KB-2", "title": "Exam paper security", "body": "Report late changes.", "audience": "staff"},
        {"id": "KB-3", "title": "Term dates", "body": "Spring break begins on 30 March."},
    ],
    "attendance": [
        {"id": "AT-1", "student": "S-1", "course": "C-1", "day": "2026-02-26", "status": "absent"},
        {"id": "AT-2", "student": "S-1", "course": "C-1", "day": "2026-02-27"},
    ],
}


class Episode(Driver):
    """A school, called as an episode calls it."""

    def __init__(self, world: Mapping[str, Any] = WORLD) -> None:
        super().__init__(School, world, now=NOW, seed=7)

    def call(self, tool: str, **arguments: Any) -> ToolOutcome:
        return self.outcome(tool, arguments)

    def refused(self, tool: str, **arguments: Any) -> tuple[str, str]:
        error = self.error(tool, **arguments)
        return error["code"], error["class"]


@pytest.fixture
def school() -> Episode:
    return Episode()


# --- people and courses ---


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


# --- exams ---


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


# --- grades ---


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


# --- assignments, attendance, knowledge base, care ---


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


def test_articles_are_searched_for_an_audience_titles_first(school: Episode) -> None:
    assert [one["id"] for one in school.ok("search_articles", query="LATE")["items"]] == ["KB-1", "KB-2"]
    assert [one["id"] for one in school.ok("search_articles", query="exam")["items"]] == ["KB-2", "KB-1"]
    assert [one["id"] for one in school.ok("search_articles", query="", audience="guardians")["items"]] == [
        "KB-3"
    ]
    found = school.ok("search_articles", query="late", audience="students")["items"]
    assert [one["id"] for one in found] == ["KB-1"]
    assert "body" not in found[0]
    assert school.ok("read_article", article="KB-3")["body"].startswith("Spring break")
    assert school.refused("read_article", article="KB-9")[0] == "not_found"


def test_an_article_is_written_and_replaced(school: Episode) -> None:
    text = {"title": "Snow days", "body": "Listen to the radio.", "audience": "everyone", "source": "Head"}
    assert school.ok("write_article", **text)["id"] == "KB-4"
    replaced = school.ok("write_article", **{**text, "body": "See the website."}, article="KB-4")
    assert (replaced["body"], replaced["updated"]) == ("See the website.", "2026-03-02T09:00:00Z")
    assert school.refused("write_article", **{**text, "title": "SNOW days"})[0] == "title_taken"
    assert school.refused("write_article", **{**text, "source": ""})[0] == "no_source"
    assert school.refused("write_article", **text, article="KB-9")[0] == "not_found"


def test_a_guardian_is_told_about_their_own_child(school: Episode) -> None:
    sent = school.ok(
        "message_guardian", guardian="G-1", student="S-1", subject="Trip", body="Consent, please."
    )
    assert (sent["id"], sent["sent"]) == ("M-1", "2026-03-02T09:00:00Z")
    assert School.tools()["message_guardian"].spec.action == "destructive"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"guardian": "G-2"}, ("no_contact", "permission")),
        ({"student": "S-2"}, ("not_their_guardian", "permission")),
        ({"guardian": "G-3", "student": "S-2"}, ("no_address", "fatal")),
        ({"body": " "}, ("no_body", "validation")),
        ({"guardian": "G-9"}, ("not_found", "validation")),
    ],
)
def test_a_guardian_is_not_told(school: Episode, change: dict[str, Any], expected: tuple[str, str]) -> None:
    arguments = {"guardian": "G-1", "student": "S-1", "subject": "Trip", "body": "Consent, please.", **change}
    assert school.refused("message_guardian", **arguments) == expected


def test_a_concern_goes_to_the_safeguarding_lead_or_else_the_head(school: Episode) -> None:
    told = {"student": "S-2", "kind": "bullying", "description": "He says they take his lunch."}
    assert school.ok("report_concern", **told, urgency="immediate")["assigned_to"] == "T-5"
    assert school.rows("concerns")["SC-1"]["status"] == "open"
    assert school.refused("report_concern", **{**told, "student": "S-9"})[0] == "not_found"
    assert school.refused("report_concern", **{**told, "description": ""})[0] == "no_description"
    staff = [one for one in WORLD["staff"] if one["role"] != "safeguarding_lead"]
    assert Episode({**WORLD, "staff": staff}).ok("report_concern", **told)["assigned_to"] == "T-3"
    assert (
        Episode({"students": [{**WORLD["students"][2]}]}).ok("report_concern", **{**told, "student": "S-3"})[
            "assigned_to"
        ]
        == ""
    )


# --- the contract ---


def test_unknown_and_missing_arguments_are_named(school: Episode) -> None:
    error = school.call("read_student", pupil="S-1").error
    assert error is not None
    assert "pupil: unknown argument" in error["message"]
    assert "student: missing" in error["message"]


def test_every_reading_tool_changes_nothing_and_every_tool_describes_its_arguments() -> None:
    for tool in School.tools().values():
        assert tool.spec.description
        assert tool.spec.writes == (tool.spec.action != "suggestive")
        for name, schema in tool.spec.parameters.get("properties", {}).items():
            assert schema.get("description"), f"{tool.spec.name} does not describe {name}"


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


COUNTS = {
    "staff": 12,
    "guardians": 60,
    "students": 80,
    "courses": 28,
    "enrolments": 200,
    "exams": 40,
    "assignments": 30,
    "grades": 250,
    "articles": 20,
    "attendance": 300,
    "messages": 30,
}


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
