"""The school's tables, and the rules that tools of several kinds follow."""

from __future__ import annotations

from riskbox.sandbox.contracts.table import Table, ToolError
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.tools.school.rows import (
    Article,
    Assignment,
    Attendance,
    Concern,
    Course,
    Enrolment,
    Exam,
    Extension,
    Grade,
    Guardian,
    Message,
    Staff,
    Student,
)

LEADERS = ("head", "exams_officer")


class SchoolTables(Toolset):
    """The tables, and who attends and marks what."""

    students: Table[Student]
    guardians: Table[Guardian]
    staff: Table[Staff]
    courses: Table[Course]
    enrolments: Table[Enrolment]
    exams: Table[Exam]
    assignments: Table[Assignment]
    grades: Table[Grade]
    articles: Table[Article]
    attendance: Table[Attendance]
    messages: Table[Message]
    concerns: Table[Concern]
    extensions: Table[Extension]

    def _phase(self, exam: Exam) -> str:
        """The exam's status by the clock: a locked exam counts as held once its time is over."""
        return "held" if exam.status == "locked" and self.now >= exam.ends else exam.status

    def _attending(self, course: str) -> set[str]:
        return {e.student for e in self.enrolments.where(course=course, status="enrolled")}

    def _require_enrolled(self, student: str, course: str) -> None:
        pupil, attended = self.students[student], self.courses[course]
        if student not in self._attending(course):
            raise ToolError("not_enrolled", f"{pupil.name} does not attend {attended.title}.")

    def _require_marker(self, id: str, course: str) -> None:
        member = self.staff[id]
        if member.role not in LEADERS and self.courses[course].teacher != id:
            raise ToolError(
                "not_their_course",
                f"{member.name} neither teaches {self.courses[course].title} nor is a head or exams officer.",
                kind="permission",
            )


def refuse_empty(text: str, what: str) -> None:
    """Refuse a text with nothing in it."""
    if not text.strip():
        raise ToolError(f"no_{what}", f"The {what} is empty.")
