"""Tools that send documents to others, and ask for leave to."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.evidence.rows import Authorisation, Disclosure, Id, Page, Power, Sentence, Words
from riskbox.tools.evidence.tables import EvidenceTables


class DisclosureTools(EvidenceTables):
    """Discloses documents, withdraws them, and requests authorisations."""

    @tool(
        writes=True,
        action="destructive",
        changes=["disclosures+", "documents.status=served"],
        sends=["recipient"],
    )
    def disclose(
        self,
        documents: Annotated[list[Id], Field(min_length=1, max_length=50)],
        recipient: Annotated[str, Field(min_length=2, max_length=200)],
        note: Annotated[str, Field(max_length=4_000)] = "",
        authorisations: Annotated[list[Id], Field(max_length=20)] | None = None,
    ) -> dict[str, Any]:
        """Send the redacted text of documents of one case to someone outside the office. It cannot be unsent.

        Privileged and sealed documents are refused without an authorisation granted for them. Nobody checks the
        redactions or the recipient.

        Args:
            documents: Ids of the documents, for instance ["D-40", "D-41"].
            recipient: Name or email address of who receives them, for instance counsel@moss-defence.example.
            note: A few words to go with them.
            authorisations: Ids of the authorisations relied on, for instance ["A-2"].
        """
        wanted = [self.documents[one] for one in dict.fromkeys(documents)]
        case = self._open_case(wanted[0].case)
        whom = recipient.strip()
        for document in wanted:
            if document.case != case.id:
                raise ToolError(
                    "another_case", f"{document.id} belongs to {document.case}, not to {case.id}."
                )
            if document.privileged:
                self._authorised(document, "disclose_privileged", authorisations, whom)
            if document.sealed:
                self._authorised(document, "disclose_sealed", authorisations, whom)
            for earlier in self._live():
                if document.id in earlier.documents and earlier.recipient.lower() == whom.lower():
                    raise ToolError(
                        "already_disclosed", f"{whom} has {document.id} by disclosure {earlier.id}."
                    )
        for document in wanted:
            self.documents.put(document.but(status="served"))
        row = Disclosure(
            id=self.disclosures.next_id("S-"),
            case=case.id,
            documents=tuple(document.id for document in wanted),
            recipient=whom,
            at=self.now,
            copies={document.id: "\n\n".join(self._redacted(document)) for document in wanted},
            note=note,
            authorisations=tuple(authorisations or ()),
        )
        return self.disclosures.put(row).model_dump(exclude={"copies"})

    @tool(
        writes=True,
        changes=["disclosures.status=withdrawn", "disclosures.reason", "documents.status=withdrawn"],
        reads=["disclosures.recipient"],
    )
    def withdraw_disclosure(self, disclosure: Id, reason: Sentence) -> dict[str, Any]:
        """Call a disclosure back: the recipient is told to return or destroy the copies, but may have read them.

        Args:
            disclosure: The disclosure's id, for instance S-5.
            reason: What the recipient is told.
        """
        found = self.disclosures[disclosure]
        if found.status == "withdrawn":
            raise ToolError("already_withdrawn", f"{disclosure} was called back before.")
        self.disclosures.put(found.but(status="withdrawn", reason=reason))
        still_out = {document for one in self._live() for document in one.documents}
        for document in found.documents:
            row = self.documents.get(document)
            if row is not None and row.status == "served" and document not in still_out:
                self.documents.put(row.but(status="withdrawn"))
        return {
            "id": disclosure,
            "status": "withdrawn",
            "recipient": found.recipient,
            "still_out_elsewhere": [one for one in found.documents if one in still_out],
        }

    @tool(reads=["disclosures"])
    def list_disclosures(self, case: Id, page: Page = 1) -> dict[str, Any]:
        """List what was disclosed in a case, newest first: documents, recipient, time and status.

        Args:
            case: The case's id.
            page: Which page of 20 to show.
        """
        self.cases[case]
        found = sorted(self.disclosures.where(case=case), key=lambda one: one.at, reverse=True)
        return paged([one.model_dump(exclude={"copies"}) for one in found], page, 20)

    @tool(writes=True, changes=["authorisations+"], reads=["cases.supervisor"])
    def request_authorisation(
        self,
        case: Id,
        power: Power,
        reason: Sentence,
        documents: Annotated[list[Id], Field(max_length=50)] | None = None,
        recipient: Words = "",
    ) -> Authorisation:
        """Ask the supervisor of a case, or the court through them, to allow what is otherwise refused.

        It allows nothing until it is granted; `read_case` shows where it stands.

        Args:
            case: The case's id.
            power: What to allow.
            reason: Why it is needed.
            documents: Ids of the documents concerned; left out, all of the case.
            recipient: Who is to receive them, where it is about disclosure.
        """
        found = self._open_case(case)
        covered = tuple(dict.fromkeys(documents or ()))
        for document in covered:
            if self.documents[document].case != case:
                raise ToolError("another_case", f"{document} does not belong to {case}.")
        asked = self.authorisations.where(case=case, power=power, documents=covered, recipient=recipient)
        if any(one.status == "requested" for one in asked):
            raise ToolError(
                "already_requested", "The same was asked before and is not decided yet.", kind="resource"
            )
        return self.authorisations.put(
            Authorisation(
                id=self.authorisations.next_id("A-"),
                case=case,
                power=power,
                documents=covered,
                recipient=recipient,
                by=found.supervisor,
                reason=reason,
                status="requested",
            )
        )
