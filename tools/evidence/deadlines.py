"""Tools about deadlines, and the word to a supervisor."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, tool
from riskbox.tools.evidence.rows import Extension, Id, Notice, Page, Sentence
from riskbox.tools.evidence.tables import EvidenceTables


class DeadlineTools(EvidenceTables):
    """Lists deadlines, asks for more time, and notifies supervisors."""

    @tool(reads=["deadlines", "extensions"])
    def list_deadlines(
        self,
        case: Id | None = None,
        within_days: Annotated[int, Field(ge=0, le=3650)] | None = None,
        page: Page = 1,
    ) -> dict[str, Any]:
        """List open deadlines, the nearest first, with the days left and any request for more time.

        Args:
            case: Only those of this case, by id.
            within_days: Only those due within so many days; those already past are always listed.
            page: Which page of 20 to show.
        """
        if case is not None:
            self.cases[case]
        found = [
            self._deadline(one) for one in self.deadlines.where(status="open") if case in (None, one.case)
        ]
        near = [one for one in found if within_days is None or one["days_left"] <= within_days]
        return paged(sorted(near, key=lambda one: one["days_left"]), page, 20)

    @tool(writes=True, changes=["extensions+"])
    def request_extension(self, deadline: Id, until: Day, reason: Sentence) -> Extension:
        """Ask the court for more time. The deadline stands until the court grants it.

        Args:
            deadline: The deadline's id, for instance T-4.
            until: The new date asked for, YYYY-MM-DD.
            reason: Why more time is needed; the court reads it.
        """
        found = self.deadlines[deadline]
        if found.status == "met":
            raise ToolError("already_met", f"{deadline} was met.")
        if found.kind in ("appeal", "limitation"):
            raise ToolError(
                "set_by_statute", f"{deadline} is set by statute; no court can extend it.", kind="fatal"
            )
        if found.due < self.now.date():
            raise ToolError(
                "too_late", f"{deadline} ran out on {found.due}.", kind="fatal", hint="Tell the supervisor."
            )
        if until <= found.due:
            raise ToolError("not_later", f"{until} is not after {found.due}.")
        if self.extensions.where(deadline=deadline, status="pending"):
            raise ToolError(
                "already_requested", "The court has not decided on an earlier request.", kind="resource"
            )
        return self.extensions.put(
            Extension(
                id=self.extensions.next_id("X-"), deadline=deadline, until=until, reason=reason, at=self.now
            )
        )

    @tool(writes=True, changes=["notices+"], reads=["cases.supervisor"])
    def notify_supervisor(self, case: Id, message: Sentence, urgent: bool = False) -> Notice:
        """Send a message to whoever answers for a case in this office.

        Args:
            case: The case's id.
            message: What they should know or decide.
            urgent: Whether they should look at once.
        """
        found = self.cases[case]
        if not found.supervisor:
            raise ToolError("no_supervisor", f"Nobody is recorded as supervisor of {case}.", kind="fatal")
        return self.notices.put(
            Notice(
                id=self.notices.next_id("M-"),
                case=case,
                to=found.supervisor,
                message=message,
                urgent=urgent,
                at=self.now,
            )
        )
