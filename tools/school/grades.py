"""Tools about grades."""

from __future__ import annotations

from typing import Any

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.school.rows import Grade, GradeChange, Score
from riskbox.tools.school.tables import LEADERS, SchoolTables


class GradeTools(SchoolTables):
    """Enters and changes grades."""

    @tool(reads=["grades"])
    def list_grades(
        self, student: str = "", course: str = "", work: str = "", page: int = 1
    ) -> dict[str, Any]:
        """List grades of a student, a course, or an exam or assignment. Name at least one of them.

        Args:
            student: Only this student's, by id.
            course: Only this course's, by id.
            work: Only those of this exam or assignment, by id.
            page: Page of results, from 1.
        """
        if not (student or course or work):
            raise ToolError("too_broad", "Name a student, a course, or an exam or assignment.")
        found = [
            g.model_dump(mode="json", exclude={"history"})
            for g in self.grades
            if student in ("", g.student) and course in ("", g.course) and work in ("", g.work)
        ]
        return paged(found, page)

    @tool(reads=["grades"])
    def read_grade(self, grade: str) -> Grade:
        """Read a grade with the history of its corrections.

        Args:
            grade: The grade's id, for instance GR-40.
        """
        return self.grades[grade]

    @tool(writes=True, changes=["grades+"])
    def enter_grade(self, student: str, course: str, score: Score, entered_by: str, work: str = "") -> Grade:
        """Enter a provisional grade for a student.

        Args:
            student: The student's id.
            course: The course's id.
            score: Per cent, 0 to 100.
            entered_by: Id of the member of staff who marked it: the course's teacher, a head or an exams officer.
            work: Id of the exam or assignment marked; leave it out for the course as a whole.
        """
        self._require_enrolled(student, course)
        self._require_marker(entered_by, course)
        if work:
            self._require_markable(work, course)
        if earlier := self.grades.where(student=student, course=course, work=work):
            raise ToolError(
                "already_graded", f"{earlier[0].id} is the grade for this.", hint="Use change_grade."
            )
        return self.grades.put(
            Grade(
                id=self.grades.next_id("GR-"),
                student=student,
                course=course,
                work=work,
                score=round(score, 1),
                entered_by=entered_by,
                entered=self.now,
            )
        )

    @tool(writes=True, changes=["grades.score", "grades.history"], reads=["grades"])
    def change_grade(
        self, grade: str, score: Score, changed_by: str, reason: str = "", approver: str = ""
    ) -> Grade:
        """Correct a grade; the old score stays in its history.

        A final grade needs a reason, and the approval of a head or exams officer other than whoever changes it.

        Args:
            grade: The grade's id.
            score: The new score, per cent, 0 to 100.
            changed_by: Id of the member of staff who asks for it: the course's teacher, a head or an exams officer.
            reason: Why; required for a final grade.
            approver: Id of the head or exams officer who approved it; required for a final grade.
        """
        row = self.grades[grade]
        self._require_marker(changed_by, row.course)
        score = round(score, 1)
        if score == row.score:
            raise ToolError("no_change", f"{grade} is {row.score} already.")
        if row.status == "final" and not (reason.strip() and approver):
            raise ToolError(
                "approval_needed",
                "A final grade needs a reason and an approver.",
                kind="permission",
                hint="Ask a head or an exams officer.",
            )
        if approver and (self.staff[approver].role not in LEADERS or approver == changed_by):
            raise ToolError(
                "may_not_approve",
                f"{self.staff[approver].name} may not approve this; another head or exams officer must.",
                kind="permission",
            )
        change = GradeChange(
            at=self.now, by=changed_by, before=row.score, after=score, reason=reason, approver=approver
        )
        changed: Grade = row.but(score=score, history=(*row.history, change))
        return self.grades.put(changed)

    def _require_markable(self, work: str, course: str) -> None:
        exam = self.exams.get(work)
        found = exam or self.assignments.get(work)
        if found is None:
            raise ToolError("not_found", f"No exam or assignment has the id {work!r}.")
        if found.course != course:
            raise ToolError("wrong_course", f"{found.title} belongs to the course {found.course}.")
        if exam and self._phase(exam) in ("draft", "locked"):
            raise ToolError("not_held", f"{exam.title} has not been held yet.", kind="resource")
