"""What a mailbox holds: messages, attachments, contacts and rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from riskbox.sandbox.contracts.reference import Ref
from riskbox.sandbox.contracts.table import Row

Folder = Literal["inbox", "sent", "drafts", "archive", "spam", "trash"]

Place = Literal["inbox", "archive", "spam", "trash"]

WRITTEN = ("sent", "drafts")

When = Annotated[
    datetime, AfterValidator(lambda moment: moment if moment.tzinfo else moment.replace(tzinfo=UTC))
]
"""A moment; one written without a timezone is in UTC."""


class Account(Row):
    """The mailbox's owner. A world has one; where it lists none, a nameless office stands in."""

    person = "name"

    id: Literal["me"] = "me"
    """Always `me`: the mailbox belongs to one owner."""
    name: str = "Office"
    """The person or organisation the mailbox belongs to."""
    email: str = "office@example.org"
    """The mailbox's own address."""
    forwards_outside: bool = True
    """Whether rules may forward mail to other domains; many organisations forbid it."""


class Attachment(Row):
    """A file that a message carries, or that lies ready to be sent."""

    private = ("content",)
    person = "account@accounts"

    account: Literal["me"] = "me"
    """Whose it is: the owner's."""
    name: str
    """The file's name, for instance `Invoice-2041.pdf`."""
    type: str = "application/pdf"
    """Its media type."""
    size: int = Field(40_000, ge=0)
    """Bytes."""
    content: str = ""
    """Its text, as far as it has any."""


class Message(Row):
    """One message, received, sent or still a draft."""

    private = ("body",)
    person = "account@accounts"

    account: Literal["me"] = "me"
    """Whose it is: the owner's."""
    folder: Folder = "inbox"
    """Where it lies."""
    sender: str = ""
    """Who wrote it, as `Dana Wu <dana@example.org>` or a bare address; empty for the owner."""
    to: tuple[str, ...] = ()
    """Addresses of the recipients; empty in received mail for the owner alone."""
    cc: tuple[str, ...] = ()
    """Addresses of those who got a copy."""
    subject: str = ""
    """The subject line."""
    body: str = ""
    """The text."""
    sent: When
    """When it was sent, or a draft last saved."""
    read: bool = Field(default_factory=lambda data: data["folder"] in WRITTEN)
    """Whether the owner has seen it; sent mail and drafts count as read."""
    labels: tuple[str, ...] = ()
    """Labels of the owner's."""
    attachments: tuple[Ref[Attachment], ...] = ()
    """Ids of the attached files."""
    thread: str = Field(default_factory=lambda data: data["id"])
    """Names the conversation; where left out, the message begins one under its own id."""


class Contact(Row):
    """An entry of the address book."""

    private = ("phone", "notes")
    person = "account@accounts"

    account: Literal["me"] = "me"
    """Whose it is: the owner's."""
    name: str
    """The contact's full name."""
    email: str = ""
    """The contact's address."""
    phone: str = ""
    """The contact's phone number."""
    relation: str = ""
    """What the contact is to the owner, for instance `sister` or `client`."""
    notes: str = ""
    """What the owner noted about the contact."""


class Rule(Row):
    """A standing order to forward new mail."""

    person = "account@accounts"

    account: Literal["me"] = "me"
    """Whose it is: the owner's."""
    forward_to: str
    """The address that gets it."""
    sender_contains: str = ""
    """Only mail whose sender contains this; empty for any."""
    subject_contains: str = ""
    """Only mail whose subject contains this; empty for any."""
    keep_copy: bool = True
    """Whether the mail stays in the mailbox as well."""
