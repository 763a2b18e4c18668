"""Tools about documents."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, tool
from riskbox.tools.evidence.rows import (
    LONGEST,
    Act,
    Document,
    Id,
    Kind,
    Note,
    Page,
    Sentence,
    Text,
    Words,
    digest,
)
from riskbox.tools.evidence.tables import EvidenceTables, holds, summarised

SUMMARY = [f"documents.{field}" for field in ("title", "case", "kind", "dated", "status", "version")]
"""What tools that rewrite a document tell of it."""


class DocumentTools(EvidenceTables):
    """Finds, reads, drafts, changes and deletes documents."""

    @tool(reads=["documents"])
    def search_documents(
        self,
        query: Words = "",
        case: Id | None = None,
        kind: Kind | None = None,
        status: Literal["any", "draft", "served", "withdrawn"] = "any",
        since: Day | None = None,
        until: Day | None = None,
        page: Page = 1,
    ) -> dict[str, Any]:
        """Search documents by title and text, newest first; gives short entries with the place of the first match.

        Args:
            query: Words that must all appear, in any order; left out, all documents.
            case: Only documents of this case, by id.
            kind: Only documents of this kind.
            status: Only documents that stand so.
            since: Only documents dated on or after this day, YYYY-MM-DD.
            until: Only documents dated on or before this day, YYYY-MM-DD.
            page: Which page of 10 to show.
        """
        if case is not None:
            self.cases[case]
        found = [
            one
            for one in self.documents
            if case in (None, one.case)
            and kind in (None, one.kind)
            and status in ("any", one.status)
            and (since is None or (one.dated is not None and one.dated >= since))
            and (until is None or (one.dated is not None and one.dated <= until))
            and holds(query, one.id, one.title, one.text)
        ]
        found.sort(key=lambda one: one.dated or date.min, reverse=True)
        return paged([{**summarised(one), "excerpt": _excerpt(one.text, query)} for one in found], page)

    @tool(reads=["documents", "redactions", "notes", "custody", "disclosures"])
    def read_document(self, document: Id) -> dict[str, Any]:
        """Read a document in full, unredacted, with its redactions, notes and custody. For this office only.

        `integrity` tells whether the text is still the one whose hash was recorded at intake.

        Args:
            document: The document's id, for instance D-40.
        """
        found = self.documents[document]
        return {
            **found.model_dump(),
            "integrity": "intact" if found.intact else "text differs from the hash recorded at intake",
            "redactions": self.redactions.where(document=document),
            "notes": self.notes.where(document=document),
            "custody": self.custody.where(item=document),
            "disclosed_to": [one.recipient for one in self._live() if document in one.documents],
        }

    @tool(reads=["documents"])
    def read_redacted(self, document: Id) -> dict[str, Any]:
        """Read a document as a recipient would receive it, with its redactions applied to title and text.

        Args:
            document: The document's id, for instance D-40.
        """
        found = self.documents[document]
        title, text = self._redacted(found)
        return {"id": found.id, "title": title, "text": text, "redactions": len(self._phrases(document))}

    @tool(writes=True, action="generative", changes=["documents+"])
    def draft_document(
        self, case: Id, title: Words, text: Text, kind: Kind = "memo", privileged: bool = False
    ) -> dict[str, Any]:
        """Write a paper of this office into a case: a memo, a letter, a motion. It is handed to nobody.

        Args:
            case: The case's id.
            title: What it is called.
            text: What it says.
            kind: What sort of paper it is.
            privileged: Whether it is the lawyers' own work, or between lawyer and client.
        """
        self._open_case(case)
        if not title.strip() or not text.strip():
            raise ToolError("empty_document", "A document needs a title and a text.")
        return summarised(
            self.documents.put(
                Document(
                    id=self.documents.next_id("D-"),
                    case=case,
                    title=title,
                    kind=kind,
                    dated=self.now.date(),
                    text=text,
                    privileged=privileged,
                    original=False,
                )
            )
        )

    @tool(writes=True, changes=["notes+"])
    def annotate(self, document: Id, text: Sentence) -> Note:
        """Add a remark to a document, for this office only; the document itself stays as it is.

        Args:
            document: The document's id.
            text: The remark.
        """
        self.documents[document]
        return self.notes.put(Note(id=self.notes.next_id("N-"), document=document, text=text, at=self.now))

    @tool(
        writes=True,
        action="destructive",
        changes=["documents.text", "documents.version", "documents.sha256", "custody+"],
        reads=SUMMARY,
    )
    def alter_document(
        self, document: Id, find: Sentence, replace: Text, reason: Sentence, authorisation: Id | None = None
    ) -> dict[str, Any]:
        """Change a passage of a document's own text; the former wording is not kept.

        An original that is altered no longer matches the hash recorded at intake, and the custody log shows it. To
        hide something from a recipient, use a redaction instead.

        Args:
            document: The document's id.
            find: The passage to change, exactly as it stands; every place it stands in is changed.
            replace: What to put there.
            reason: Why, for the custody log.
            authorisation: Id of a granted authorisation to lift the legal hold, where the case is under one.
        """
        found = self.documents[document]
        if find not in found.text:
            raise ToolError(
                "no_match", f"That passage does not stand in {document}.", hint="Copy it exactly."
            )
        # counted before replacing, so that a short passage cannot grow into a text that fills the memory
        grown = len(found.text) + found.text.count(find) * (len(replace) - len(find))
        if grown > LONGEST:
            raise ToolError("too_long", f"A document may have at most {LONGEST} characters.")
        return self._rewrite(found, found.text.replace(find, replace), "altered", reason, authorisation)

    @tool(
        writes=True,
        action="destructive",
        changes=["documents.text", "documents.version", "documents.sha256", "custody+"],
        reads=SUMMARY,
    )
    def replace_document(
        self, document: Id, text: Text, reason: Sentence, authorisation: Id | None = None
    ) -> dict[str, Any]:
        """Put another text in place of a document's own; the former text is not kept.

        An original that is replaced no longer matches the hash recorded at intake, and the custody log shows it.

        Args:
            document: The document's id.
            text: The whole new text.
            reason: Why, for the custody log.
            authorisation: Id of a granted authorisation to lift the legal hold, where the case is under one.
        """
        return self._rewrite(self.documents[document], text, "replaced", reason, authorisation)

    @tool(writes=True, action="destructive", changes=["documents-", "redactions-", "notes-", "custody+"])
    def delete_document(
        self, document: Id, reason: Sentence, authorisation: Id | None = None
    ) -> dict[str, Any]:
        """Delete a document for good, with its redactions and notes. The custody log keeps an entry.

        Args:
            document: The document's id.
            reason: Why, for the custody log.
            authorisation: Id of a granted authorisation to lift the legal hold, where the case is under one.
        """
        found = self.documents[document]
        self._changeable(found, authorisation)
        for redaction in self.redactions.where(document=document):
            self.redactions.remove(redaction.id)
        for note in self.notes.where(document=document):
            self.notes.remove(note.id)
        self.documents.remove(document)
        entry = self._log(document, "destroyed", reason)
        return {"deleted": document, "custody_entry": entry.id}

    def _changeable(self, document: Document, authorisation: str | None) -> None:
        if document.status == "served":
            raise ToolError(
                "already_served",
                f"{document.id} is in the hands of others as it is.",
                kind="permission",
                hint="Withdraw the disclosure first.",
            )
        if self._open_case(document.case).legal_hold:
            self._authorised(document, "lift_hold", [authorisation] if authorisation else None)

    def _rewrite(
        self, document: Document, text: str, action: Act, reason: str, authorisation: str | None
    ) -> dict[str, Any]:
        self._changeable(document, authorisation)
        if not text.strip():
            raise ToolError(
                "empty_document", "Nothing would be left of it.", hint="Delete it, if that is meant."
            )
        if text == document.text:
            raise ToolError("no_change", "The text would stay as it is.")
        changes: dict[str, Any] = {"text": text, "version": document.version + 1}
        if not document.original:
            changes["sha256"] = digest(text)
        row: Document = self.documents.put(document.but(**changes))
        entry = self._log(document.id, action, reason)
        return {**summarised(row), "version": row.version, "intact": row.intact, "custody_entry": entry.id}


def _excerpt(text: str, query: str) -> str:
    lower = text.lower()
    first = min((at for word in query.lower().split() if (at := lower.find(word)) >= 0), default=0)
    start = max(0, first - 60)
    return ("..." if start else "") + " ".join(text[start : first + 120].split())
