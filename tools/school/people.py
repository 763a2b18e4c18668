"""Tools about people and their courses."""

from __future__ import annotations

from collections import Counter
from typing import Any

from riskbox.sandbox.contracts.table import has_words, paged
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.school.rows import Role
from riskbox.tools.school.tables import SchoolTables


class PeopleTools(SchoolTables):
    """Finds students, staff and courses."""

    @tool(reads=["students.name", "students.year"])
    def find_student(self, name: str = "", year: int | None = None, page: int = 1) -> dict[str, Any]:
        """Find students by name or school year. Returns id, name and year; several may share a name.

        Args:
            name: All or part of the name, in any case.
            year: School year, 1 to 13.
            page: Page of results, from 1.
        """
        found = [s for s in self.students if has_words(name, s.name) and year in (None, s.year)]
        return paged(({"id": s.id, "name": s.name, "year": s.year} for s in found), page)

    @tool(reads=["students", "guardians", "courses", "enrolments"])
    def read_student(self, student: str) -> dict[str, Any]:
        """Read a student's full record, with guardians, current courses, attendance totals and the last days missed.

        Accommodations and notes are private to the student, the guardians and the staff concerned.

        Args:
            student: The student's id, for instance S-12.
        """
        row = self.students[student]
        adults = [self.guardians[id] for id in row.guardians]
        places = self.enrolments.where(student=student, status="enrolled")
        marks = self.attendance.where(student=student)
        return {
            **row.model_dump(exclude={"no_contact"}),
            "guardians": [
                {**dict(adult), "may_be_contacted": adult.id not in row.no_contact} for adult in adults
            ],
            "courses": [{"id": place.course, "title": self.courses[place.course].title} for place in places],
            "attendance": Counter(mark.status for mark in marks),
            "missed": [mark for mark in marks if mark.status in ("absent", "excused")][-5:],
        }

    @tool(reads=["staff"])
    def find_staff(self, name: str = "", role: Role | None = None, page: int = 1) -> dict[str, Any]:
        """Find members of staff by name or role.

        Args:
            name: All or part of the name, in any case.
            role: Only this role.
            page: Page of results, from 1.
        """
        return paged((s for s in self.staff if has_words(name, s.name) and role in (None, s.role)), page)

    @tool(reads=["courses", "enrolments", "staff"])
    def list_courses(
        self, title: str = "", year: int | None = None, student: str = "", page: int = 1
    ) -> dict[str, Any]:
        """List courses with their teacher and number of students.

        Args:
            title: All or part of the title or subject, in any case.
            year: Only courses for this school year, 1 to 13.
            student: Only courses this student attends now, by id.
            page: Page of results, from 1.
        """
        found = [c for c in self.courses if has_words(title, c.title, c.subject) and year in (None, c.year)]
        if student:
            found = [c for c in found if self.students[student].id in self._attending(c.id)]
        listed = paged(found, page)
        listed["items"] = [{**dict(c), "enrolled": len(self._attending(c.id))} for c in listed["items"]]
        return listed
