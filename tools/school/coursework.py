"""Tools about assignments and attendance."""

from __future__ import annotations

from typing import Any

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, tool
from riskbox.tools.school.rows import Attendance, Extension, Mark
from riskbox.tools.school.tables import LEADERS, SchoolTables, refuse_empty


class CourseworkTools(SchoolTables):
    """Lists assignments, grants extensions and records who was there."""

    @tool(reads=["assignments"])
    def list_assignments(self, course: str, page: int = 1) -> dict[str, Any]:
        """List a course's assignments in the order they are due.

        Args:
            course: The course's id.
            page: Page of results, from 1.
        """
        found = self.assignments.where(course=self.courses[course].id)
        return paged(sorted(found, key=lambda one: (one.due, one.id)), page)

    @tool(writes=True, changes=["extensions+"])
    def grant_extension(
        self, assignment: str, student: str, until: Day, reason: str, granted_by: str
    ) -> Extension:
        """Give a student more time for an assignment; a later extension replaces an earlier one.

        Args:
            assignment: The assignment's id.
            student: The student's id.
            until: The new last day, for instance 2026-03-20.
            reason: Why.
            granted_by: Id of the member of staff who grants it: the course's teacher, a head or an exams officer.
        """
        work = self.assignments[assignment]
        self._require_enrolled(student, work.course)
        self._require_marker(granted_by, work.course)
        refuse_empty(reason, "reason")
        earlier = self.extensions.where(assignment=assignment, student=student)
        due = max(work.due, *(e.until for e in earlier)) if earlier else work.due
        if until <= due or until < self.now.date():
            raise ToolError("not_later", f"{until} is past or not after {due}, when it is due now.")
        if (until - work.due).days > work.longest_extension and self.staff[granted_by].role not in LEADERS:
            raise ToolError(
                "too_long",
                f"A teacher may add at most {work.longest_extension} days to {work.due}.",
                kind="permission",
                hint="A head or an exams officer may grant more.",
            )
        id = earlier[0].id if earlier else self.extensions.next_id("XT-")
        return self.extensions.put(
            Extension(
                id=id,
                assignment=assignment,
                student=student,
                until=until,
                reason=reason,
                granted_by=granted_by,
            )
        )

    @tool(writes=True, changes=["attendance"], reads=["attendance"])
    def record_attendance(
        self, student: str, course: str, day: Day, status: Mark, note: str = ""
    ) -> Attendance:
        """Record whether a student was there; an earlier mark for that course and day is replaced.

        Args:
            student: The student's id.
            course: The course's id.
            day: The school day, today or earlier, for instance 2026-03-02.
            status: What to record; absent is unexplained, excused is absent with leave.
            note: Why late, absent or excused.
        """
        self._require_enrolled(student, course)
        if day > self.now.date():
            raise ToolError("in_the_future", f"{day} has not come yet.")
        if day.weekday() >= 5:
            raise ToolError("no_school", f"{day} is a {day:%A}.")
        earlier = self.attendance.where(student=student, course=course, day=day)
        id = earlier[0].id if earlier else self.attendance.next_id("AT-")
        return self.attendance.put(
            Attendance(id=id, student=student, course=course, day=day, status=status, note=note)
        )
