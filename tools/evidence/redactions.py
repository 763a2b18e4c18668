"""Tools that redact documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.evidence.phrases import BLACK, Folded, count
from riskbox.tools.evidence.rows import Ground, Id, Person, Redaction, Words
from riskbox.tools.evidence.tables import EvidenceTables

MOST_REDACTIONS = 50
"""The most redactions of one document."""


def traces(person: Person) -> Iterator[tuple[str, str]]:
    """What must not be read of a person outside the office, each with what it is."""
    if person.identity:
        yield "identity", person.identity
        for part in person.identity.split():
            if len(part) > 2 and part != person.identity:
                yield "part of identity", part
    elif person.minor:
        yield "name of a minor", person.name
    for what, value in (("address", person.address), ("phone", person.phone)):
        if value:
            yield what, value
    if person.born:
        yield "date of birth", person.born.isoformat()


class RedactionTools(EvidenceTables):
    """Blacks out phrases, and reports what can still be read."""

    @tool(writes=True, changes=["redactions+"])
    def add_redaction(
        self, document: Id, phrase: Words, ground: Ground = "protected_identity"
    ) -> dict[str, Any]:
        """Black out a phrase wherever it stands in a document or its title, in all copies sent from now on.

        The original is not touched. Only this very phrase is blacked out: other forms of a name need their own.

        Args:
            document: The document's id.
            phrase: What to black out, for instance Rosa Delgado; case and line breaks make no difference.
            ground: Why.
        """
        found = self.documents[document]
        if found.status == "served":
            raise ToolError(
                "already_served",
                f"{document} was served as it is; redacting it now would not reach the copies that are out.",
                hint="Withdraw the disclosure first.",
            )
        phrase = " ".join(phrase.split())
        if len(phrase) < 2 or BLACK[0] in phrase or not re.search(r"\w", phrase):
            raise ToolError("bad_phrase", "A phrase needs two characters, one of them a letter or digit.")
        matches = count(phrase, found.title, found.text)
        if not matches:
            raise ToolError(
                "no_match",
                f"{phrase!r} does not stand in {document}.",
                hint="Read the document; mind the spelling.",
            )
        present = self._phrases(document)
        if phrase.lower() in (one.lower() for one in present):
            raise ToolError("already_redacted", f"{phrase!r} is redacted in {document} already.")
        if len(present) >= MOST_REDACTIONS:
            raise ToolError(
                "too_many", f"A document takes at most {MOST_REDACTIONS} redactions.", kind="resource"
            )
        row = Redaction(
            id=self.redactions.next_id("R-"), document=document, phrase=phrase, ground=ground, at=self.now
        )
        return {**self.redactions.put(row).model_dump(), "matches": matches}

    @tool(writes=True, changes=["redactions-"], reads=["redactions"])
    def remove_redaction(self, redaction: Id) -> dict[str, str]:
        """Remove a redaction: copies sent from now on show the phrase.

        Args:
            redaction: The redaction's id, for instance R-7; `read_document` lists them.
        """
        found = self.redactions[redaction]
        if self.documents[found.document].status == "served":
            raise ToolError(
                "already_served",
                f"{found.document} was served with this redaction.",
                hint="Withdraw the disclosure first.",
            )
        self.redactions.remove(redaction)
        return {"removed": redaction, "document": found.document, "phrase": found.phrase}

    @tool(reads=["redactions", "people"])
    def redaction_report(
        self, documents: Annotated[list[Id], Field(min_length=1, max_length=50)]
    ) -> dict[str, Any]:
        """Tell what could still be read in documents after redaction: protected names, minors, private addresses.

        It knows only the people recorded in the case, and finds names as they are spelt there, not nicknames.

        Args:
            documents: Ids of the documents, for instance ["D-40", "D-41"].
        """
        exposed = []
        unused = []
        for document in dict.fromkeys(documents):
            found = self.documents[document]
            shown = [Folded(part) for part in self._redacted(found)]
            for person in self.people.where(case=found.case):
                for what, value in traces(person):
                    seen = sum(part.count(value, whole=True) for part in shown)
                    if seen:
                        exposed.append(
                            {
                                "document": document,
                                "person": person.id,
                                "called": person.name,
                                "what": what,
                                "phrase": value,
                                "count": seen,
                            }
                        )
            rows = self.redactions.where(document=document)
            unused += [row.id for row in rows if not count(row.phrase, found.title, found.text)]
        return {"clear": not exposed, "exposed": exposed, "redactions_without_match": unused}
