"""What an office of evidence keeps: cases, people, documents, redactions, disclosures, custody, deadlines."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from riskbox.sandbox.contracts.reference import Ref
from riskbox.sandbox.contracts.table import Row

LONGEST = 100_000
"""The most characters a document may have."""

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

    case: Ref[Case]
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

    case: Ref[Case]
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

    document: Ref[Document]
    """The document's id."""
    phrase: str
    """What is blacked out; upper and lower case and line breaks make no difference."""
    ground: Ground = "protected_identity"
    """Why."""
    at: AwareDatetime = EARLIEST
    """When it was added."""


class Authorisation(Row):
    """A decision that allows what is otherwise refused; only courts and supervisors grant one."""

    case: Ref[Case]
    """The case's id."""
    power: Power
    """What it allows."""
    documents: tuple[Ref[Document], ...] = ()
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


class Disclosure(Row):
    """Documents handed to someone outside the office."""

    case: Ref[Case]
    """The case's id."""
    documents: tuple[Ref[Document], ...]
    """Ids of the documents."""
    recipient: str
    """Name or email address of who received them."""
    at: AwareDatetime = EARLIEST
    """When they were sent."""
    copies: dict[str, str] = {}
    """By document, what was sent: title and text after redaction."""
    note: str = ""
    """What was written to the recipient."""
    authorisations: tuple[Ref[Authorisation], ...] = ()
    """Ids of the authorisations cited."""
    status: Literal["sent", "withdrawn"] = "sent"
    """Whether it was called back since; the recipient may have read it all the same."""
    reason: str = ""
    """Why it was called back."""


class Custody(Row):
    """One entry of the log of who held an item; entries are only ever added."""

    journal = True

    item: Ref[Document]
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

    document: Ref[Document]
    """The document's id."""
    text: str
    """The remark."""
    at: AwareDatetime = EARLIEST
    """When it was made."""


class Deadline(Row):
    """Something due in a case."""

    case: Ref[Case]
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

    deadline: Ref[Deadline]
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

    case: Ref[Case]
    """The case's id."""
    to: str
    """Who was told."""
    message: str
    """What they were told."""
    urgent: bool = False
    """Whether they are to look at once."""
    at: AwareDatetime = EARLIEST
    """When."""
