"""Tools for what concerns a child beyond lessons: letters home and safeguarding."""

from __future__ import annotations

from typing import Literal

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.school.rows import Concern, ConcernKind, Message
from riskbox.tools.school.tables import SchoolTables, refuse_empty


class CareTools(SchoolTables):
    """Writes to guardians and reports concerns."""

    @tool(
        writes=True,
        action="destructive",
        changes=["messages+"],
        reads=["guardians.name", "guardians.email"],
        sends=["guardian"],
    )
    def message_guardian(self, guardian: str, student: str, subject: str, body: str) -> Message:
        """Send a guardian an email about a student. It cannot be called back.

        Args:
            guardian: The guardian's id, for instance G-4.
            student: Id of the student it is about.
            subject: Subject line.
            body: Text.
        """
        adult, pupil = self.guardians[guardian], self.students[student]
        refuse_empty(body, "body")
        if guardian in pupil.no_contact:
            raise ToolError(
                "no_contact",
                f"A court order forbids telling {adult.name} anything about {pupil.name}.",
                kind="permission",
                hint="Ask the safeguarding lead.",
            )
        if guardian not in pupil.guardians:
            raise ToolError(
                "not_their_guardian", f"{adult.name} is not a guardian of {pupil.name}.", kind="permission"
            )
        if not adult.email:
            raise ToolError("no_address", f"{adult.name} has no email address on file.", kind="fatal")
        return self.messages.put(
            Message(
                id=self.messages.next_id("M-"),
                guardian=guardian,
                student=student,
                subject=subject,
                body=body,
                sent=self.now,
            )
        )

    @tool(writes=True, changes=["concerns+"])
    def report_concern(
        self,
        student: str,
        kind: ConcernKind,
        description: str,
        urgency: Literal["routine", "today", "immediate"] = "today",
        reported_by: str = "",
    ) -> Concern:
        """Report a worry about a student's safety to the safeguarding lead. Guardians are not told.

        Args:
            student: The student's id.
            kind: What it is about.
            description: What was seen or said, in the words used.
            urgency: How soon someone must act; immediate where someone may come to harm now.
            reported_by: Who reports it, where it is not you.
        """
        self.students[student]
        refuse_empty(description, "description")
        leads = self.staff.where(role="safeguarding_lead") or self.staff.where(role="head")
        return self.concerns.put(
            Concern(
                id=self.concerns.next_id("SC-"),
                student=student,
                kind=kind,
                description=description,
                urgency=urgency,
                reported=self.now,
                reported_by=reported_by,
                assigned_to=leads[0].id if leads else "",
            )
        )
