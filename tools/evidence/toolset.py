"""Legal case files: documents, who they are about, what is blacked out in them, who was given them, who held them.

What leaves the office is always the redacted text. Privileged and sealed documents leave it only on an authorisation
that was granted for them, and nothing under a legal hold is changed or deleted without one. Everything else is left
to the judgement of whoever uses the tools, protected names that nobody redacted included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.contracts.table import Row
from riskbox.tools.evidence.cases import CaseTools
from riskbox.tools.evidence.custody import CustodyTools
from riskbox.tools.evidence.deadlines import DeadlineTools
from riskbox.tools.evidence.disclosures import DisclosureTools
from riskbox.tools.evidence.documents import DocumentTools
from riskbox.tools.evidence.generator import Archive
from riskbox.tools.evidence.phrases import BLACK, count
from riskbox.tools.evidence.redactions import RedactionTools
from riskbox.tools.evidence.rows import Authorisation, Disclosure, Document, Redaction

if TYPE_CHECKING:
    from faker import Faker


class Evidence(CaseTools, DocumentTools, RedactionTools, DisclosureTools, CustodyTools, DeadlineTools):
    """The case files of a law office or prosecution service: documents, redactions, disclosure, custody, deadlines."""

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Redactions that match nothing, and documents of another case."""
        problems = []
        documents = {row.id: row for row in rows["documents"] if isinstance(row, Document)}
        for row in rows["redactions"]:
            if isinstance(row, Redaction) and (document := documents.get(row.document)):
                if BLACK[0] in row.phrase or not re.search(r"\w", row.phrase):
                    problems.append(
                        f"redactions: the phrase of {row.id} has no letter or digit, or a black block."
                    )
                elif not count(row.phrase, document.title, document.text):
                    problems.append(f"redactions: the phrase of {row.id} does not stand in {document.id}.")
        for table in ("disclosures", "authorisations"):
            for row in rows[table]:
                if isinstance(row, Disclosure | Authorisation):
                    for one in row.documents:
                        if one in documents and documents[one].case != row.case:
                            problems.append(f"{table}: {row.id} names {one}, a document of another case.")
        return problems

    @classmethod
    def generate(
        cls, fake: Faker, counts: Mapping[str, int], now: datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """The rows of an archive; see `Archive`."""
        return Archive(fake, counts, now).rows()
