"""A school: its people, courses, exams, grades, attendance and knowledge base."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.contracts.table import Row
from riskbox.tools.school.articles import ArticleTools
from riskbox.tools.school.care import CareTools
from riskbox.tools.school.coursework import CourseworkTools
from riskbox.tools.school.exams import ExamTools
from riskbox.tools.school.generator import Classes
from riskbox.tools.school.grades import GradeTools
from riskbox.tools.school.people import PeopleTools
from riskbox.tools.school.rows import Assignment, Exam, Grade

if TYPE_CHECKING:
    from faker import Faker


class School(PeopleTools, ExamTools, GradeTools, CourseworkTools, ArticleTools, CareTools):
    """A school's information system: students, courses, exams, grades, attendance and knowledge base."""

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Grades for the work of another course."""
        work = [row for row in (*rows["exams"], *rows["assignments"]) if isinstance(row, Exam | Assignment)]
        course = {row.id: row.course for row in work}
        return [
            f"grades {row.id}: {row.work} belongs to the course {course[row.work]}."
            for row in rows["grades"]
            if isinstance(row, Grade) and course.get(row.work, row.course) != row.course
        ]

    @classmethod
    def generate(
        cls, fake: Faker, counts: Mapping[str, int], now: datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """The rows of a school; see `Classes`."""
        return Classes(fake, counts, now).rows()
