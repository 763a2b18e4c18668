"""The tables, and the rules that tools of several kinds follow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from riskbox.sandbox.contracts.table import Table, ToolError
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.tools.evidence.phrases import redacted
from riskbox.tools.evidence.rows import (
    Act,
    Authorisation,
    Case,
    Custody,
    Deadline,
    Disclosure,
    Document,
    Extension,
    Note,
    Notice,
    Person,
    Power,
    Redaction,
)


def holds(query: str, *texts: str) -> bool:
    """Whether every word of a query occurs in some texts, in any case."""
    whole = "\n".join(texts).lower()
    return all(word in whole for word in query.lower().split())


def summarised(document: Document) -> dict[str, Any]:
    """A document as it is listed, without its text."""
    return document.model_dump(
        include={"id", "case", "title", "kind", "dated", "status", "privileged", "sealed", "original"}
    )


class EvidenceTables(Toolset):
    """The tables; which cases are open, what is redacted, what an authorisation allows, and the custody log."""

    cases: Table[Case]
    people: Table[Person]
    documents: Table[Document]
    redactions: Table[Redaction]
    disclosures: Table[Disclosure]
    authorisations: Table[Authorisation]
    custody: Table[Custody]
    notes: Table[Note]
    deadlines: Table[Deadline]
    extensions: Table[Extension]
    notices: Table[Notice]

    def _open_case(self, case: str) -> Case:
        found = self.cases[case]
        if found.status == "closed":
            raise ToolError(
                "case_closed", f"{case} is closed.", kind="permission", hint="Ask the supervisor."
            )
        return found

    def _live(self) -> list[Disclosure]:
        return self.disclosures.where(status="sent")

    def _phrases(self, document: str) -> list[str]:
        return [row.phrase for row in self.redactions.where(document=document)]

    def _redacted(self, document: Document) -> tuple[str, str]:
        phrases = self._phrases(document.id)
        return redacted(document.title, phrases), redacted(document.text, phrases)

    def _deadline(self, deadline: Deadline) -> dict[str, Any]:
        requests = self.extensions.where(deadline=deadline.id)
        left = (deadline.due - self.now.date()).days
        return {**deadline.model_dump(), "days_left": left, "extensions": requests}

    def _log(self, item: str, action: Act, detail: str) -> Custody:
        """An entry the system makes itself."""
        by = "case file system"
        row = Custody(
            id=self.custody.next_id("L-"), item=item, by=by, action=action, at=self.now, detail=detail
        )
        return self.custody.put(row)

    def _authorised(
        self, document: Document, power: Power, cited: Iterable[str] | None, recipient: str = ""
    ) -> None:
        """Check that one of the authorisations cited allows this.

        Raises:
            ToolError: `needs_authorisation` where nothing was cited, else `not_authorised` with what is amiss.
        """
        what = {
            "disclose_privileged": "privileged",
            "disclose_sealed": "sealed",
            "lift_hold": "under a legal hold",
        }
        amiss = [self._amiss(self.authorisations[one], document, power, recipient) for one in cited or ()]
        if not amiss:
            raise ToolError(
                "needs_authorisation",
                f"{document.id} is {what[power]}.",
                kind="permission",
                hint=f"Cite a granted authorisation to {power}, or ask for one with request_authorisation.",
            )
        if all(amiss):
            raise ToolError(
                "not_authorised", f"{document.id} is {what[power]}: {'; '.join(amiss)}.", kind="permission"
            )

    def _amiss(self, cited: Authorisation, document: Document, power: Power, recipient: str) -> str:
        """Why an authorisation does not allow this; empty if it does."""
        if cited.status != "granted":
            return f"{cited.id} is {cited.status}, not granted"
        if cited.case != document.case or cited.power != power:
            return f"{cited.id} is to {cited.power} in {cited.case}"
        if cited.documents and document.id not in cited.documents:
            return f"{cited.id} does not cover it"
        if cited.expires is not None and cited.expires < self.now.date():
            return f"{cited.id} expired on {cited.expires}"
        if cited.recipient and recipient and cited.recipient.casefold() != recipient.casefold():
            return f"{cited.id} covers {cited.recipient} only"
        return ""
