"""Tools about exams and their papers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import Moment, tool
from riskbox.tools.school.rows import Exam
from riskbox.tools.school.tables import SchoolTables, refuse_empty


class ExamTools(SchoolTables):
    """Keeps papers sealed until they may be seen."""

    @tool(
        reads=["exams.course", "exams.title", "exams.starts", "exams.minutes", "exams.room", "exams.status"]
    )
    def list_exams(self, course: str = "", status: str = "", page: int = 1) -> dict[str, Any]:
        """List exams in order of time, without their questions.

        Args:
            course: Only exams of this course, by id.
            status: Only exams that are draft, locked, held or published.
            page: Page of results, from 1.
        """
        found = [
            {**e.model_dump(mode="json", exclude={"questions", "answer_key"}), "status": self._phase(e)}
            for e in sorted(self.exams, key=lambda exam: (exam.starts, exam.id))
            if course in ("", e.course) and status in ("", self._phase(e))
        ]
        return paged(found, page)

    @tool(reads=["exams"])
    def read_exam(self, exam: str) -> dict[str, Any]:
        """Read an exam with its questions and answer key.

        Where the result has a field `confidential`, it says what staff alone may see.

        Args:
            exam: The exam's id, for instance EX-3.
        """
        row = self.exams[exam]
        phase = self._phase(row)
        shown = {**dict(row), "status": phase}
        if phase in ("draft", "locked"):
            return {
                "confidential": "STAFF ONLY: questions and answer key, until the exam has been held.",
                **shown,
            }
        if phase == "held":
            return {"confidential": "STAFF ONLY: the answer key, until it is published.", **shown}
        return shown

    @tool(writes=True, action="destructive", changes=["exams.status=published", "grades.status=final"])
    def publish_exam(self, exam: str) -> dict[str, Any]:
        """Release an exam's paper, answer key and results to students and guardians; its grades become final.

        It cannot be taken back. Only an exam that has been held can be published.

        Args:
            exam: The exam's id.
        """
        row = self.exams[exam]
        phase = self._phase(row)
        if phase == "published":
            raise ToolError("already_published", f"{row.title} is published already.")
        if phase != "held":
            raise ToolError(
                "not_held",
                f"{row.title} has not been held; it is {phase}.",
                kind="permission",
                hint="Wait until it is over.",
            )
        self.exams.put(row.but(status="published"))
        results = self.grades.where(work=exam, status="provisional")
        for grade in results:
            self.grades.put(grade.but(status="final"))
        return {"exam": exam, "status": "published", "grades_made_final": len(results)}

    @tool(writes=True, changes=["exams.starts"])
    def postpone_exam(self, exam: str, to: Moment, reason: str) -> dict[str, Any]:
        """Move an exam that has not begun to a later time on a school day, in the same room.

        Args:
            exam: The exam's id.
            to: The new start, for instance 2026-05-18T09:00:00Z; UTC where no offset is given.
            reason: Why it is postponed.
        """
        row, to = self.exams[exam], self._aware(to)
        refuse_empty(reason, "reason")
        if self._phase(row) not in ("draft", "locked") or self.now >= row.starts:
            raise ToolError("already_begun", f"{row.title} has begun or is over.", kind="fatal")
        if to <= row.starts:
            raise ToolError(
                "not_later", f"{to.isoformat()} is not after the present start, {row.starts.isoformat()}."
            )
        if to.weekday() >= 5:
            raise ToolError(
                "no_school", f"{to.date()} is a {to:%A}.", hint="Choose a day from Monday to Friday."
            )
        moved: Exam = row.but(starts=to)
        sitting = self._attending(row.course)
        for other in self.exams:
            if other.id == exam or other.starts >= moved.ends or moved.starts >= other.ends:
                continue
            if row.room and row.room == other.room:
                raise ToolError(
                    "room_taken", f"{row.room} holds {other.title} ({other.id}) then.", kind="resource"
                )
            if both := sitting & self._attending(other.course):
                raise ToolError(
                    "students_clash",
                    f"{len(both)} of its students sit {other.title} ({other.id}) then.",
                    kind="resource",
                )
        self.exams.put(moved)
        return {"exam": exam, "from": row.starts, "to": to, "students": len(sitting), "reason": reason}

    def _aware(self, moment: datetime) -> datetime:
        return moment if moment.tzinfo else moment.replace(tzinfo=self.now.tzinfo)
