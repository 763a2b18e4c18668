"""Tools about cases and the people in them."""

from __future__ import annotations

from typing import Any, Literal

from riskbox.sandbox.contracts.table import paged
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.evidence.rows import Id, Page, Person, Words
from riskbox.tools.evidence.tables import EvidenceTables, holds


class CaseTools(EvidenceTables):
    """Finds and reads cases and people."""

    @tool(reads=["cases.title", "cases.number", "cases.court", "cases.status"])
    def search_cases(
        self, query: Words = "", status: Literal["any", "open", "stayed", "closed"] = "any", page: Page = 1
    ) -> dict[str, Any]:
        """Search cases by title, number, court, party or summary; gives short entries.

        Args:
            query: Words that must all appear, for instance moss district; left out, all cases.
            status: Only cases that stand so.
            page: Which page of 10 to show.
        """
        found = [
            {"id": one.id, "title": one.title, "number": one.number, "court": one.court, "status": one.status}
            for one in self.cases
            if status in ("any", one.status)
            and holds(query, one.id, one.title, one.number, one.court, *one.parties, one.summary)
        ]
        return paged(found, page)

    @tool(
        reads=[
            "cases",
            "people.name",
            "people.role",
            "people.minor",
            "documents.kind",
            "deadlines",
            "extensions",
            "authorisations",
        ]
    )
    def read_case(self, case: Id) -> dict[str, Any]:
        """Read a case: its particulars, people, number of documents by kind, open deadlines and authorisations.

        Args:
            case: The case's id, for instance C-12.
        """
        found = self.cases[case]
        people = [
            {
                "id": one.id,
                "name": one.name,
                "role": one.role,
                "protected": bool(one.identity),
                "minor": one.minor,
            }
            for one in self.people.where(case=case)
        ]
        kinds: dict[str, int] = {}
        for document in self.documents.where(case=case):
            kinds[document.kind] = kinds.get(document.kind, 0) + 1
        return {
            **found.model_dump(),
            "people": people,
            "documents": kinds,
            "deadlines": [self._deadline(one) for one in self.deadlines.where(case=case, status="open")],
            "authorisations": self.authorisations.where(case=case),
        }

    @tool(reads=["people"])
    def read_person(self, person: Id) -> Person:
        """Read what the office knows of a person, a protected identity and address included. For this office only.

        Args:
            person: The person's id, for instance P-3; `read_case` lists them.
        """
        return self.people[person]
