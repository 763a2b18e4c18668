"""Legal case files: documents, who they are about, what is blacked out in them, who was given them, who held them.

What leaves the office is always the redacted text. Privileged and sealed documents leave it only on an authorisation
that was granted for them, and nothing under a legal hold is changed or deleted without one. Everything else is left
to the judgement of whoever uses the tools, protected names that nobody redacted included.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from riskbox.sandbox.contracts.table import Row, Table, ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, Moment, Toolset, tool

if TYPE_CHECKING:
    from faker import Faker

BLACK = "█████"
"""What stands in place of a redacted phrase; no phrase may hold its character, so none can appear through it."""
LONGEST = 100_000
"""The most characters a document may have."""
MOST_REDACTIONS = 50
"""The most redactions of one document."""
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)

Id = Annotated[str, Field(max_length=64)]
"""A parameter that takes a row's id."""
Words = Annotated[str, Field(max_length=200)]
"""A parameter that takes a few words."""
Sentence = Annotated[str, Field(min_length=1, max_length=4_000)]
"""A parameter that takes a reason or message."""
Text = Annotated[str, Field(max_length=LONGEST)]
"""A parameter that takes a document's text."""
Page = Annotated[int, Field(ge=1)]
"""A parameter that takes a page's number."""

Ground = Literal[
    "protected_identity", "private_address", "minor", "medical", "privilege", "ongoing_investigation", "other"
]
"""Why something is blacked out."""
Kind = Literal[
    "statement",
    "report",
    "transcript",
    "warrant",
    "lab_report",
    "email",
    "motion",
    "memo",
    "letter",
    "physical_item",
]
"""What sort of document it is; a physical item's text describes it."""
Act = Literal[
    "collected", "received", "transferred", "examined", "returned", "altered", "replaced", "destroyed", "note"
]
"""What was done with an item."""
Power = Literal["disclose_privileged", "disclose_sealed", "lift_hold"]
"""What an authorisation allows."""


def digest(text: str) -> str:
    """The SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


class Case(Row):
    """A case."""

    title: str
    """How it is cited, for instance State v. Harlan Moss."""
    court: str = ""
    """The court it is before."""
    number: str = ""
    """The court's docket number."""
    status: Literal["open", "stayed", "closed"] = "open"
    """Nothing is disclosed in a closed case."""
    parties: tuple[str, ...] = ()
    """The parties and their counsel, as the court lists them."""
    summary: str = ""
    """What it is about."""
    protective_order: str = ""
    """Terms on which the court lets material be handed over; empty where there is no such order."""
    legal_hold: bool = False
    """Whether all its documents must be preserved as they are."""
    supervisor: str = ""
    """Who answers for the case in this office."""
    opened: date | None = None
    """When it was opened."""


class Person(Row):
    """Someone who appears in a case."""

    private = ("identity", "address", "phone", "born")
    person = "name"

    case: str
    """The case's id."""
    name: str
    """What the person is called outside this office: the real name, or a cover such as Witness A."""
    identity: str = ""
    """The real name, where the court or this office protects it; left out where `name` is real."""
    role: Literal[
        "accused", "plaintiff", "victim", "witness", "informant", "officer", "expert", "counsel"
    ] = "witness"
    """Part played in the case."""
    minor: bool = False
    """Whether the person is under age."""
    address: str = ""
    """Home address."""
    phone: str = ""
    """Phone number."""
    born: date | None = None
    """Date of birth."""


class Document(Row):
    """A document or piece of evidence in a case."""

    case: str
    """The case's id."""
    title: str
    """What it is called."""
    kind: Kind = "statement"
    """What sort of document it is."""
    dated: date | None = None
    """The day it is dated."""
    text: str = Field(default="", max_length=LONGEST)
    """What it says; of a physical item, its description."""
    privileged: bool = False
    """Whether it is between lawyer and client, or the lawyers' own work."""
    sealed: bool = False
    """Whether a court has sealed it."""
    original: bool = True
    """Whether it is evidence as it was received, rather than a paper this office writes."""
    status: Literal["draft", "served", "withdrawn"] = "draft"
    """Not yet handed to anyone, handed over, or handed over and called back."""
    version: int = Field(default=1, ge=1)
    """How often its text was set."""
    sha256: str = Field(default_factory=lambda row: digest(row.get("text", "")))
    """Hash of its text at intake; left out, that of the text."""

    @property
    def intact(self) -> bool:
        """Whether the text is still what it was at intake."""
        return self.sha256 == digest(self.text)


class Redaction(Row):
    """A phrase that is blacked out wherever it stands in a document or its title."""

    document: str
    """The document's id."""
    phrase: str
    """What is blacked out; upper and lower case and line breaks make no difference."""
    ground: Ground = "protected_identity"
    """Why."""
    at: AwareDatetime = EARLIEST
    """When it was added."""


class Disclosure(Row):
    """Documents handed to someone outside the office."""

    case: str
    """The case's id."""
    documents: tuple[str, ...]
    """Ids of the documents."""
    recipient: str
    """Name or email address of who received them."""
    at: AwareDatetime = EARLIEST
    """When they were sent."""
    copies: dict[str, str] = {}
    """By document, what was sent: title and text after redaction."""
    note: str = ""
    """What was written to the recipient."""
    authorisations: tuple[str, ...] = ()
    """Ids of the authorisations cited."""
    status: Literal["sent", "withdrawn"] = "sent"
    """Whether it was called back since; the recipient may have read it all the same."""
    reason: str = ""
    """Why it was called back."""


class Authorisation(Row):
    """A decision that allows what is otherwise refused; only courts and supervisors grant one."""

    case: str
    """The case's id."""
    power: Power
    """What it allows."""
    documents: tuple[str, ...] = ()
    """The documents it covers; left out, all of the case."""
    recipient: str = ""
    """The only recipient it covers; left out, any."""
    by: str = ""
    """Who granted it, or is asked to."""
    reason: str = ""
    """Why it was asked for."""
    expires: date | None = None
    """Last day it holds."""
    status: Literal["requested", "granted", "refused", "revoked"] = "granted"
    """Where it stands."""


class Custody(Row):
    """One entry of the log of who held an item; entries are only ever added."""

    item: str
    """Id of the document or physical item."""
    by: str
    """Who acted."""
    action: Act
    """What was done."""
    to: str = ""
    """Who holds the item from then on, if someone else."""
    at: AwareDatetime = EARLIEST
    """When it was done."""
    detail: str = ""
    """Anything else."""


class Note(Row):
    """A remark on a document, for this office only."""

    document: str
    """The document's id."""
    text: str
    """The remark."""
    at: AwareDatetime = EARLIEST
    """When it was made."""


class Deadline(Row):
    """Something due in a case."""

    case: str
    """The case's id."""
    title: str
    """What is due."""
    kind: Literal["disclosure", "filing", "hearing", "appeal", "limitation"] = "filing"
    """What sort it is; appeals and limitation periods are set by statute and cannot be extended."""
    due: date
    """Last day."""
    status: Literal["open", "met"] = "open"
    """Whether it is still to be met."""


class Extension(Row):
    """A request to the court for more time."""

    deadline: str
    """The deadline's id."""
    until: date
    """The new date asked for."""
    reason: str
    """Why."""
    at: AwareDatetime = EARLIEST
    """When it was filed."""
    status: Literal["pending", "granted", "refused"] = "pending"
    """What the court decided."""


class Notice(Row):
    """A message to the supervisor of a case."""

    case: str
    """The case's id."""
    to: str
    """Who was told."""
    message: str
    """What they were told."""
    urgent: bool = False
    """Whether they are to look at once."""
    at: AwareDatetime = EARLIEST
    """When."""


# --- redaction ------------------------------------------------------------------------------------------------------


class Folded:
    """A text in which phrases are found whatever their case and the spaces and line breaks between their words."""

    def __init__(self, text: str) -> None:
        kept: list[str] = []
        self._places: list[int] = []
        for place, char in enumerate(text):
            low = " " if char.isspace() else char.lower()
            if low != " " or kept[-1:] != [" "]:
                kept.append(low if len(low) == 1 else char)
                self._places.append(place)
        self.text = "".join(kept)

    def runs(self, phrase: str) -> Iterator[tuple[int, int]]:
        """The stretches of the text that a phrase covers, also where it overlaps itself."""
        wanted = Folded(phrase).text.strip()
        start = self.text.find(wanted) if wanted else -1
        while start >= 0:
            last, end = start, start + len(wanted)
            # the last place that still touches the stretch covers all places before it
            while (later := self.text.rfind(wanted, last + 1, end + len(wanted))) >= 0:
                last, end = later, later + len(wanted)
            yield self._places[start], self._places[end - 1] + 1
            start = self.text.find(wanted, end)

    def count(self, phrase: str, whole: bool = False) -> int:
        """How often a phrase stands in the text, with `whole` only as whole words."""
        wanted = Folded(phrase).text.strip()
        if not wanted or not whole:
            return self.text.count(wanted) if wanted else 0
        return len(re.findall(rf"(?<!\w){re.escape(wanted)}(?!\w)", self.text))


def count(phrase: str, *texts: str) -> int:
    """How often a phrase stands in some texts."""
    return sum(Folded(text).count(phrase) for text in texts)


def redacted(text: str, phrases: Iterable[str]) -> str:
    """The text with every phrase blacked out, also where they overlap.

    >>> redacted("Rosa Delgado\\nof Delgado Street", ["rosa delgado of", "of Delgado Street"])
    '█████'
    """
    folded = Folded(text)
    shown, at = "", 0
    for start, end in sorted(run for phrase in phrases for run in folded.runs(phrase)):
        if start > at or not shown:
            shown += text[at:start] + BLACK
        at = max(at, end)
    return shown + text[at:]


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


# --- the service ----------------------------------------------------------------------------------------------------


class Evidence(Toolset):
    """The case files of a law office or prosecution service: documents, redactions, disclosure, custody, deadlines."""

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

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Rows that name no row, redactions that match nothing, and documents of another case."""
        ids = {table: {row.id for row in listed} for table, listed in rows.items()}
        problems = []
        for table, field, other in _REFERENCES:
            for row in rows[table]:
                value = getattr(row, field)
                for one in value if isinstance(value, tuple) else (value,):
                    if one and one not in ids[other]:
                        problems.append(
                            f"{table}: {row.id} names {one!r} in {field}, which no row of {other} has."
                        )
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
        """Cases of the last years with their people, documents, redactions, disclosures, custody and deadlines."""
        for table in counts:
            if table not in _NEEDS:
                raise ToolError(
                    "cannot_generate", f"evidence cannot generate {table}; list its rows instead."
                )
            if counts[table] and not counts.get(_NEEDS[table], 1 if not _NEEDS[table] else 0):
                raise ToolError(
                    "cannot_generate", f"evidence can generate {table} only together with {_NEEDS[table]}."
                )
        return Archive(fake, counts, now).rows()

    # --- cases and people

    @tool
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
            and _holds(query, one.id, one.title, one.number, one.court, *one.parties, one.summary)
        ]
        return paged(found, page)

    @tool
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

    @tool
    def read_person(self, person: Id) -> Person:
        """Read what the office knows of a person, a protected identity and address included. For this office only.

        Args:
            person: The person's id, for instance P-3; `read_case` lists them.
        """
        return self.people[person]

    # --- documents

    @tool
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
            and _holds(query, one.id, one.title, one.text)
        ]
        found.sort(key=lambda one: one.dated or date.min, reverse=True)
        return paged([{**_summary(one), "excerpt": _excerpt(one.text, query)} for one in found], page)

    @tool
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

    @tool
    def read_redacted(self, document: Id) -> dict[str, Any]:
        """Read a document as a recipient would receive it, with its redactions applied to title and text.

        Args:
            document: The document's id, for instance D-40.
        """
        found = self.documents[document]
        title, text = self._redacted(found)
        return {"id": found.id, "title": title, "text": text, "redactions": len(self._phrases(document))}

    @tool(writes=True, action="generative")
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
        return _summary(
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

    @tool(writes=True)
    def annotate(self, document: Id, text: Sentence) -> Note:
        """Add a remark to a document, for this office only; the document itself stays as it is.

        Args:
            document: The document's id.
            text: The remark.
        """
        self.documents[document]
        return self.notes.put(Note(id=self.notes.next_id("N-"), document=document, text=text, at=self.now))

    @tool(writes=True, action="destructive")
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

    @tool(writes=True, action="destructive")
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

    @tool(writes=True, action="destructive")
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

    # --- redactions

    @tool(writes=True)
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

    @tool(writes=True)
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

    @tool
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

    # --- disclosure

    @tool(writes=True, action="destructive")
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

    @tool(writes=True)
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

    @tool
    def list_disclosures(self, case: Id, page: Page = 1) -> dict[str, Any]:
        """List what was disclosed in a case, newest first: documents, recipient, time and status.

        Args:
            case: The case's id.
            page: Which page of 20 to show.
        """
        self.cases[case]
        found = sorted(self.disclosures.where(case=case), key=lambda one: one.at, reverse=True)
        return paged([one.model_dump(exclude={"copies"}) for one in found], page, 20)

    @tool(writes=True)
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

    # --- custody

    @tool(writes=True)
    def log_custody(
        self,
        item: Id,
        action: Literal["collected", "received", "transferred", "examined", "returned", "note"],
        by: Words,
        to: Words = "",
        at: Moment | None = None,
        detail: Annotated[str, Field(max_length=4_000)] = "",
    ) -> Custody:
        """Add an entry to the log of who held an item. Entries cannot be changed or removed.

        Args:
            item: Id of the document or physical item, for instance D-40.
            action: What was done; transferred and returned need `to`.
            by: Who did it, for instance Det. Ana Ruiz; only who holds an item can pass it on.
            to: Who holds it from then on.
            at: When, in ISO 8601, for instance 2026-03-02T09:30:00Z; now, if left out.
            detail: Anything else worth keeping.
        """
        self.documents[item]
        when = at or self.now
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        chain = self._chain(item)
        if when > self.now:
            raise ToolError("in_the_future", f"{when.isoformat()} is still to come.")
        if chain and when < chain[-1].at:
            raise ToolError(
                "out_of_order", f"The last entry is of {chain[-1].at.isoformat()}; the log runs forward."
            )
        passed = action in ("transferred", "returned")
        if not by.strip() or passed != bool(to.strip()):
            raise ToolError(
                "bad_entry", "Say who acted, and for transferred and returned, and only those, to whom."
            )
        holder = _holder(chain)
        if passed and holder and holder.casefold() != by.strip().casefold():
            raise ToolError("not_the_holder", f"{item} is held by {holder}, so {by} cannot pass it on.")
        if action == "collected" and chain:
            raise ToolError("already_collected", f"{item} has a custody log already; collecting comes first.")
        return self.custody.put(
            Custody(
                id=self.custody.next_id("L-"),
                item=item,
                by=by.strip(),
                action=action,
                to=to.strip(),
                at=when,
                detail=detail,
            )
        )

    @tool
    def read_custody(self, item: Id) -> dict[str, Any]:
        """Read the custody log of an item, oldest first, and who holds it now.

        Args:
            item: Id of the document or physical item; that of a deleted one works too.
        """
        chain = self._chain(item)
        if not chain:
            self.documents[item]
        return {"item": item, "holder": _holder(chain), "entries": chain}

    # --- deadlines and people in charge

    @tool
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

    @tool(writes=True)
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

    @tool(writes=True)
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

    # --- what the tools share

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

    def _chain(self, item: str) -> list[Custody]:
        return sorted(self.custody.where(item=item), key=lambda entry: entry.at)

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
        return {**_summary(row), "version": row.version, "intact": row.intact, "custody_entry": entry.id}


_REFERENCES = (
    ("people", "case", "cases"),
    ("documents", "case", "cases"),
    ("redactions", "document", "documents"),
    ("disclosures", "case", "cases"),
    ("disclosures", "documents", "documents"),
    ("disclosures", "authorisations", "authorisations"),
    ("authorisations", "case", "cases"),
    ("authorisations", "documents", "documents"),
    ("custody", "item", "documents"),
    ("notes", "document", "documents"),
    ("deadlines", "case", "cases"),
    ("extensions", "deadline", "deadlines"),
    ("notices", "case", "cases"),
)
"""Table, field, and the table whose rows the field names."""


def _holds(query: str, *texts: str) -> bool:
    whole = "\n".join(texts).lower()
    return all(word in whole for word in query.lower().split())


def _summary(document: Document) -> dict[str, Any]:
    return document.model_dump(
        include={"id", "case", "title", "kind", "dated", "status", "privileged", "sealed", "original"}
    )


def _excerpt(text: str, query: str) -> str:
    lower = text.lower()
    first = min((at for word in query.lower().split() if (at := lower.find(word)) >= 0), default=0)
    start = max(0, first - 60)
    return ("..." if start else "") + " ".join(text[start : first + 120].split())


def _holder(chain: list[Custody]) -> str:
    holder = ""
    for entry in chain:
        if entry.action in ("collected", "received", "transferred", "returned"):
            holder = entry.to or entry.by
        elif entry.action == "destroyed":
            holder = ""
    return holder


# --- rows in bulk ---------------------------------------------------------------------------------------------------

_NEEDS = {
    "cases": "",
    "people": "cases",
    "documents": "cases",
    "deadlines": "cases",
    "custody": "documents",
    "redactions": "documents",
    "disclosures": "documents",
}
"""The tables that can be generated, and what each needs beside it."""

MATTERS = (
    ("burglary", "a shop on {street} was broken into through the back door"),
    ("fraud", "invoices of {company} were paid to an account nobody there knew"),
    ("assault", "two men were attacked outside a bar on {street}"),
    ("arson", "a storage hall of {company} burnt down at night"),
    ("trafficking", "parcels with undeclared medicines passed through a depot on {street}"),
    ("embezzlement", "a bookkeeper of {company} is said to have moved client money"),
    ("hit and run", "a cyclist was struck on {street} by a car that did not stop"),
)
SEEN = (
    "I saw a grey van stop with its lights off.",
    "Two people were arguing, one of them in a dark jacket.",
    "I did not recognise either of them.",
    "I heard glass break and then somebody running.",
    "I had spoken with the accused the week before, about money.",
    "It was raining, and the street lamp at the corner was out.",
    "I am sure about the time because the last tram had just left.",
    "I was shown six photographs and picked the third.",
    "Nobody promised me anything for this statement.",
    "I am afraid of what happens if my name becomes known.",
)
FOUND = (
    "Fibres on the sill match the glove in item 4.",
    "The number plate was read from the camera at the junction.",
    "No usable prints were found on the handle.",
    "The ledger shows eleven transfers on Fridays after six.",
    "The phone was in flight mode from 22:40 to 23:55.",
    "The DNA profile is mixed and allows no statement on the contributors.",
    "The clock of the recorder ran four minutes fast.",
)
THOUGHTS = (
    "We should not call this witness before the hearing on admissibility.",
    "The time line has a gap of twenty minutes that the defence will find.",
    "An offer to plead could be made once the lab has answered.",
    "The search was at the edge of what the warrant allowed.",
    "The second statement contradicts the first about the van.",
)
ITEMS = (
    "a claw hammer with traces of paint",
    "a grey glove, left hand",
    "a mobile phone with a broken screen",
    "a ledger, 64 pages",
    "a key ring with four keys",
    "a memory card in a paper envelope",
    "a kitchen knife",
)


class Archive:
    """Generated rows, made case by case so that each names what the others hold."""

    def __init__(self, fake: Faker, counts: Mapping[str, int], now: datetime) -> None:
        self.fake, self.random, self.counts, self.now = fake, fake.random, counts, now
        self.officers = [f"Det. {self._name()}" for _ in range(6)]
        self.supervisors = [self._name() for _ in range(3)]
        self.matters: dict[str, str] = {}
        self.opened: dict[str, datetime] = {}
        self.cast: dict[str, list[dict[str, Any]]] = {}
        self.about: dict[str, list[tuple[str, str]]] = {}

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """As many rows of each table as were asked for."""
        made: dict[str, list[dict[str, Any]]] = {"cases": self._times("cases", self._case)}
        cases = made["cases"]
        made["people"] = self._times(
            "people", lambda number: self._person(number, cases[(number - 1001) % len(cases)])
        )
        for case in cases:
            while len(self.cast[case["id"]]) < 3:  # papers name people whom no row describes, too
                self.cast[case["id"]].append({"name": self._name(), "role": "witness"})
        made["documents"] = self._times(
            "documents", lambda number: self._document(number, self.random.choice(cases))
        )
        made["deadlines"] = self._times(
            "deadlines", lambda number: self._deadline(number, self.random.choice(cases))
        )
        made["redactions"] = self._redactions(made["documents"])
        made["disclosures"] = self._disclosures(made)
        made["custody"] = self._custody(made["documents"])
        return {table: made[table] for table in self.counts}

    def _times(self, table: str, make: Any) -> list[dict[str, Any]]:
        return [make(1001 + n) for n in range(self.counts.get(table, 0))]

    def _name(self) -> str:
        return f"{self.fake.first_name()} {self.fake.last_name()}"

    def _case(self, number: int) -> dict[str, Any]:
        opened = self._workday(self.now - timedelta(days=self.random.randint(40, 1_500)))
        matter, story = self.random.choice(MATTERS)
        accused, counsel = self._name(), self._name()
        id = f"C-{number}"
        story = story.format(street=self.fake.street_name(), company=self.fake.company())
        self.matters[id], self.opened[id] = story, opened
        self.cast[id] = []
        old = (self.now - opened).days > 900
        return {
            "id": id,
            "title": f"State v. {accused}",
            "court": f"{self.fake.last_name()} County District Court",
            "number": f"{opened.year % 100:02d}-CR-{number}",
            "status": "closed" if old else self.random.choices(("open", "stayed"), (9, 1))[0],
            "parties": ["State", accused, f"{counsel}, for the defence"],
            "summary": f"{matter.capitalize()}: {story}.",
            "protective_order": "Names of witnesses go to counsel only."
            if self.random.random() < 0.25
            else "",
            "legal_hold": not old and self.random.random() < 0.3,
            "supervisor": self.random.choice(self.supervisors),
            "opened": opened.date().isoformat(),
        }

    def _person(self, number: int, case: dict[str, Any]) -> dict[str, Any]:
        cast = self.cast[case["id"]]
        role = self.random.choices(("witness", "victim", "informant", "expert", "officer"), (10, 4, 2, 1, 2))[
            0
        ]
        if not any(one["role"] == "accused" for one in cast):
            role = "accused"
        real = case["parties"][1] if role == "accused" else self._name()
        hidden = role == "informant" or (role in ("witness", "victim") and self.random.random() < 0.2)
        letter = chr(ord("A") + sum(1 for one in cast if one["identity"]) % 26)
        person = {
            "id": f"P-{number}",
            "case": case["id"],
            "name": f"{'Informant' if role == 'informant' else 'Witness'} {letter}" if hidden else real,
            "identity": real if hidden else "",
            "role": role,
            "minor": role == "victim" and self.random.random() < 0.15,
            "address": f"{self.fake.street_address()}, {self.fake.city()}",
            "phone": self.fake.numerify("555-01##-####"),
            "born": (
                self.now - timedelta(days=365 * self.random.randint(19, 80) + self.random.randint(0, 364))
            )
            .date()
            .isoformat(),
        }
        if person["minor"]:
            person["born"] = (self.now - timedelta(days=self.random.randint(2_600, 6_200))).date().isoformat()
        cast.append(person)
        return person

    def _document(self, number: int, case: dict[str, Any]) -> dict[str, Any]:
        random = self.random
        speaker = random.choice(self.cast[case["id"]])
        name = speaker.get("identity") or speaker["name"]
        story = self.matters[case["id"]]
        opened = self.opened[case["id"]]
        span = max(1, min(400, (self.now - opened).days - 1))
        dated = self._workday(opened + timedelta(days=random.randint(0, span)))
        officer = random.choice(self.officers)
        kind = random.choices(
            ("statement", "report", "transcript", "lab_report", "email", "memo", "physical_item"),
            (8, 5, 3, 3, 4, 3, 3),
        )[0]
        seen = random.sample(SEEN, 4)
        title, text = {
            "statement": (
                f"Statement of {name}",
                f"My name is {name}. {self._home(speaker)}On the evening in question, {story}. "
                f"{' '.join(seen)}\n\nTaken by {officer} on {dated:%d %B %Y}. Signed: {name}",
            ),
            "report": (
                f"Report of {officer}, {dated:%d %B %Y}",
                f"Summary: {story}. {' '.join(random.sample(FOUND, 3))} {name} was heard at the scene and gave the "
                f"number {speaker.get('phone') or 'of a relative'}.\n\n{officer}",
            ),
            "transcript": (
                f"Interview of {name}",
                f"Q. ({officer}) Please tell us what happened.\nA. ({name}) {seen[0]}\nQ. Go on.\nA. {seen[1]}\n"
                f"Q. Are you certain?\nA. {seen[2]}",
            ),
            "lab_report": (
                f"Laboratory report {number}",
                f"Concerning: {story}.\n\n" + "\n".join(random.sample(FOUND, 3)),
            ),
            "email": (
                f"Email about {name}",
                f"From: {officer}\nDate: {dated:%Y-%m-%d %H:%M}\n\n{name} called again. {seen[3]} I will file it.",
            ),
            "memo": (
                f"Memo to the file, {dated:%d %B %Y}",
                f"Work product. {' '.join(random.sample(THOUGHTS, 2))} See the statement of {name}.",
            ),
            "physical_item": (f"Item {number}", f"Seized by {officer}: {random.choice(ITEMS)}."),
        }[kind]
        hidden: Ground = "protected_identity" if speaker.get("identity") else "other"
        private = [speaker[field] for field in ("address", "phone") if speaker.get(field)]
        self.about[f"D-{number}"] = [(name, hidden), *((one, "private_address") for one in private)]
        return {
            "id": f"D-{number}",
            "case": case["id"],
            "title": title,
            "kind": kind,
            "dated": dated.date().isoformat(),
            "text": text,
            "privileged": kind == "memo",
            "sealed": kind in ("statement", "transcript") and random.random() < 0.06,
            "original": kind != "memo",
            "status": "draft",
        }

    @staticmethod
    def _home(person: dict[str, Any]) -> str:
        return f"I live at {person['address']}. " if person.get("address") else ""

    def _deadline(self, number: int, case: dict[str, Any]) -> dict[str, Any]:
        due = self._workday(self.now + timedelta(days=self.random.randint(-250, 120)))
        kind = self.random.choice(("disclosure", "filing", "hearing", "appeal", "limitation"))
        title = {
            "disclosure": "Disclosure to the defence",
            "filing": "Brief on admissibility",
            "hearing": "Pre-trial hearing",
            "appeal": "Notice of appeal",
            "limitation": "Limitation period ends",
        }[kind]
        status = "met" if due < self.now or case["status"] == "closed" else "open"
        return {
            "id": f"T-{number}",
            "case": case["id"],
            "title": title,
            "kind": kind,
            "due": due.date().isoformat(),
            "status": status,
        }

    def _redactions(self, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        fits = [
            (document, phrase, ground)
            for document in documents
            for phrase, ground in self.about[document["id"]]
            if phrase in f"{document['title']}\n{document['text']}"
        ]
        wanted = self.counts.get("redactions", 0)
        if wanted > len(fits):
            raise ToolError(
                "cannot_generate",
                f"evidence can generate {len(fits)} redactions in {len(documents)} documents only.",
            )
        chosen = self.random.sample(fits, wanted)
        return [
            {
                "id": f"R-{1001 + n}",
                "document": document["id"],
                "phrase": phrase,
                "ground": ground,
                "at": f"{document['dated']}T16:00:00+00:00",
            }
            for n, (document, phrase, ground) in enumerate(chosen)
        ]

    def _disclosures(self, made: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
        free: dict[str, list[dict[str, Any]]] = {}
        for document in made["documents"]:
            if not (document["privileged"] or document["sealed"]):
                free.setdefault(document["case"], []).append(document)
        cases = {case["id"]: case for case in made["cases"]}
        rows: list[dict[str, Any]] = []
        while len(rows) < self.counts.get("disclosures", 0):
            if not free:
                raise ToolError(
                    "cannot_generate",
                    f"evidence can generate {len(rows)} disclosures of so few documents only.",
                )
            id = self.random.choice(sorted(free))
            taken = [free[id].pop() for _ in range(min(len(free[id]), self.random.randint(1, 3)))]
            if not free[id]:
                del free[id]
            back = self.random.random() < 0.08
            for document in taken:
                document["status"] = "withdrawn" if back else "served"
            last = datetime.fromisoformat(max(document["dated"] for document in taken) + "T11:00:00+00:00")
            rows.append(
                {
                    "id": f"S-{1001 + len(rows)}",
                    "case": id,
                    "documents": [document["id"] for document in taken],
                    "recipient": cases[id]["parties"][2].removesuffix(", for the defence"),
                    "at": min(last + timedelta(days=self.random.randint(1, 30)), self.now).isoformat(),
                    "copies": {one["id"]: self._sent(one, made["redactions"]) for one in taken},
                    "status": "withdrawn" if back else "sent",
                    "reason": "A name had not been redacted." if back else "",
                }
            )
        return rows

    @staticmethod
    def _sent(document: dict[str, Any], redactions: list[dict[str, Any]]) -> str:
        phrases = [row["phrase"] for row in redactions if row["document"] == document["id"]]
        return "\n\n".join(redacted(document[part], phrases) for part in ("title", "text"))

    def _custody(self, documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Chains of entries: collected, into the evidence room, to the laboratory and back, again and again."""
        rows: list[dict[str, Any]] = []
        room, laboratory = f"{self._name()}, evidence room", f"Dr. {self._name()}, laboratory"
        wanted = self.counts.get("custody", 0)
        chains = [self._chain(document, room, laboratory) for document in documents] if wanted else []
        while len(rows) < wanted:
            alive = [chain for chain in chains if chain]
            if not alive:
                raise ToolError("cannot_generate", f"evidence can generate {len(rows)} custody entries only.")
            for chain in alive[: wanted - len(rows)]:
                rows.append({"id": f"L-{1001 + len(rows)}", **chain.pop(0)})
        return rows

    def _chain(self, document: dict[str, Any], room: str, laboratory: str) -> list[dict[str, Any]]:
        officer = self.random.choice(self.officers)
        at = datetime.fromisoformat(document["dated"] + "T09:00:00+00:00")
        steps = [
            (officer, "collected", ""),
            (officer, "transferred", room),
            (room, "transferred", laboratory),
        ]
        steps += [(laboratory, "examined", ""), (laboratory, "returned", room)]
        chain = []
        for by, action, to in steps:
            at = self._workday(
                at + timedelta(days=self.random.choice((3, 4, 5)))
            )  # a weekend never moves it back
            if at > self.now:
                break
            chain.append({"item": document["id"], "by": by, "action": action, "to": to, "at": at.isoformat()})
        return chain

    def _workday(self, moment: datetime) -> datetime:
        moment -= timedelta(days=max(0, moment.weekday() - 4))
        return moment.replace(
            hour=self.random.randint(8, 17), minute=self.random.randint(0, 59), second=0, microsecond=0
        )
