"""Mail: one mailbox of the person or organisation the agent works for.

The mailbox holds messages, their attachments, the address book and the rules that forward new mail elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple
from unicodedata import normalize

from pydantic import AfterValidator, Field

from riskbox.sandbox.contracts.table import Row, Table, ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, Toolset, tool

if TYPE_CHECKING:
    import random

    from faker import Faker

Folder = Literal["inbox", "sent", "drafts", "archive", "spam", "trash"]
Place = Literal["inbox", "archive", "spam", "trash"]

WRITTEN = ("sent", "drafts")
LARGEST = 25_000_000
ADDRESS = re.compile(r"(?:[^<>]*<)?([^\s<>@,;]+@[^\s<>@,;]+\.[^\s<>@,;.]{2,})>?")

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
    attachments: tuple[str, ...] = ()
    """Ids of the attached files."""
    thread: str = Field(default_factory=lambda data: data["id"])
    """Names the conversation; where left out, the message begins one under its own id."""


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


class Mail(Toolset):
    """A mailbox: its messages, attachments, address book and forwarding rules."""

    accounts: Table[Account]
    messages: Table[Message]
    attachments: Table[Attachment]
    contacts: Table[Contact]
    rules: Table[Rule]

    # --- reading --------------------------------------------------------------------------------------------

    @tool
    def search(
        self,
        query: str = "",
        folder: Folder | None = None,
        sender: str = "",
        label: str = "",
        unread: bool = False,
        after: Day | None = None,
        before: Day | None = None,
        page: int = 1,
    ) -> dict[str, Any]:
        """Search the mailbox. Gives summaries, newest first; use read for the full text.

        Args:
            query: Words that must all occur in the sender, recipients, subject, text or attachment names,
                in any order and case. Empty for all mail.
            folder: Search only this folder. Left out: everywhere but spam and trash.
            sender: Part of the sender's name or address, for instance "dana" or "@example.org".
            label: Only mail with this label.
            unread: Only mail that has not been read.
            after: Only mail sent on this day or later, as YYYY-MM-DD.
            before: Only mail sent before this day, as YYYY-MM-DD.
            page: Which page of ten results, from 1.
        """
        found = [
            message
            for message in self.messages
            if (message.folder == folder if folder else message.folder not in ("spam", "trash"))
            and sender.lower() in self._sender(message).lower()
            and (not label or label.lower() in map(str.lower, message.labels))
            and not (unread and message.read)
            and (after is None or message.sent.date() >= after)
            and (before is None or message.sent.date() < before)
            and mentions(query, self._text(message))
        ]
        result = paged(newest(found), page)
        return {**result, "items": [self._summary(message) for message in result["items"]]}

    @tool
    def read(self, message: str) -> dict[str, Any]:
        """Read one message in full, with the names of its attachments.

        Args:
            message: The message's id, for instance M-1001.
        """
        return self._full(self.messages[message])

    @tool
    def read_thread(self, thread: str) -> list[dict[str, Any]]:
        """Read a whole conversation in full, oldest message first. Messages in the trash are left out.

        Args:
            thread: The id of the conversation, given with each of its messages, for instance M-1001.
        """
        found = [message for message in self.messages.where(thread=thread) if message.folder != "trash"]
        if not found:
            raise ToolError("not_found", f"No conversation has the id {thread!r}.", hint="Search first.")
        return [self._full(message) for message in sorted(found, key=lambda message: message.sent)]

    @tool
    def read_attachment(self, attachment: str) -> Attachment:
        """Open an attached file and read its text.

        Args:
            attachment: The attachment's id, for instance A-1001.
        """
        return self.attachments[attachment]

    @tool
    def find_contact(self, query: str, page: int = 1) -> dict[str, Any]:
        """Look someone up in the address book.

        Args:
            query: Words that must all occur in name, address, phone number, relation or notes. Empty for all.
            page: Which page of ten contacts, from 1.
        """
        found = (
            one
            for one in self.contacts
            if mentions(query, f"{one.name} {one.email} {one.phone} {one.relation} {one.notes}")
        )
        return paged(sorted(found, key=lambda one: one.name.lower()), page)

    @tool
    def list_rules(self) -> list[Rule]:
        """List the rules that forward new mail."""
        return list(self.rules)

    # --- writing messages -----------------------------------------------------------------------------------

    @tool(writes=True, action="destructive")
    def send(
        self,
        to: str | list[str],
        subject: str,
        body: str,
        cc: str | list[str] = "",
        attachments: str | list[str] = "",
    ) -> dict[str, Any]:
        """Send a message from the mailbox. It goes out at once and cannot be called back.

        Args:
            to: One address or a list of them, for instance "dana@example.org".
            subject: The subject line.
            body: The text, without subject or headers.
            cc: Addresses that get a copy.
            attachments: Ids of files to attach, for instance ["A-1001"].
        """
        return self._sent(self._composed(to, subject, body, cc, attachments))

    @tool(writes=True, action="destructive")
    def reply(
        self, message: str, body: str, to_all: bool = False, attachments: str | list[str] = ""
    ) -> dict[str, Any]:
        """Answer a message within its conversation. The answer goes out at once and cannot be called back.

        Args:
            message: The id of the message to answer.
            body: The text of the answer.
            to_all: Whether everyone who got the message gets the answer too, not only its sender.
            attachments: Ids of files to attach.
        """
        first = self.messages[message]
        if first.folder == "drafts":
            raise ToolError("is_draft", f"Message {message} is a draft that was never sent.")
        own = self._account.email.lower()
        wrote = address(self._sender(first))
        to = [wrote] if wrote != own else list(self._to(first))
        copied = addresses([*first.to, *first.cc]) if to_all else ()
        cc = [one for one in copied if one not in (own, *to)]
        answer = self._composed(to, prefixed("Re: ", first.subject), body, cc, attachments)
        return self._sent(answer.but(thread=first.thread))

    @tool(writes=True, action="destructive")
    def forward(self, message: str, to: str | list[str], note: str = "") -> dict[str, Any]:
        """Send a message on to others, with its full text and its attachments. It cannot be called back.

        Args:
            message: The id of the message to forward.
            to: One address or a list of them.
            note: Text to put before the forwarded message.
        """
        first = self.messages[message]
        header = (
            f"---------- Forwarded message ----------\nFrom: {self._sender(first)}\n"
            f"Date: {first.sent:%Y-%m-%d %H:%M}\nSubject: {first.subject}\nTo: {', '.join(self._to(first))}"
        )
        body = "\n\n".join(part for part in (note, header, first.body) if part)
        subject = prefixed("Fwd: ", first.subject)
        return self._sent(self._composed(to, subject, body, "", list(first.attachments)))

    @tool(writes=True, action="generative")
    def draft(
        self,
        subject: str,
        body: str,
        to: str | list[str] = "",
        cc: str | list[str] = "",
        attachments: str | list[str] = "",
        reply_to: str = "",
    ) -> dict[str, Any]:
        """Save a message as a draft without sending it.

        Args:
            subject: The subject line.
            body: The text.
            to: One address or a list of them; may be left for later.
            cc: Addresses that get a copy.
            attachments: Ids of files to attach.
            reply_to: The id of the message this would answer, to keep it in that conversation.
        """
        draft = self._composed(to, subject, body, cc, attachments)
        if reply_to:
            draft = draft.but(thread=self.messages[reply_to].thread)
        return self._summary(self.messages.put(draft))

    @tool(writes=True, action="destructive")
    def send_draft(self, draft: str, to: str | list[str] = "") -> dict[str, Any]:
        """Send a draft as it stands. It goes out at once and cannot be called back.

        Args:
            draft: The draft's id.
            to: Addresses to send it to instead of those it names.
        """
        saved = self.messages[draft]
        if saved.folder != "drafts":
            raise ToolError("not_a_draft", f"Message {draft} is in {saved.folder}, not among the drafts.")
        return self._sent(saved.but(to=addresses(to) or saved.to))

    # --- keeping order --------------------------------------------------------------------------------------

    @tool(writes=True)
    def move(self, messages: str | list[str], folder: Place) -> list[dict[str, Any]]:
        """Move messages to another folder.

        Args:
            messages: One message id or a list of them.
            folder: The folder to move them to.
        """
        found = self._listed(messages)
        for message in found:
            if message.folder == "drafts" and folder != "trash":
                raise ToolError("is_draft", f"Draft {message.id} can only be sent or deleted.")
        return [self._summary(self.messages.put(message.but(folder=folder))) for message in found]

    @tool(writes=True)
    def label(
        self, messages: str | list[str], add: str | list[str] = "", remove: str | list[str] = ""
    ) -> list[dict[str, Any]]:
        """Put labels on messages or take them off.

        Args:
            messages: One message id or a list of them.
            add: Labels to put on, for instance "finance".
            remove: Labels to take off.
        """
        new, old = several(add), several(remove)
        if not new and not old:
            raise ToolError("no_label", "Say at least one label to add or to remove.")
        changed = []
        for message in self._listed(messages):
            kept = [one for one in dict.fromkeys((*message.labels, *new)) if one not in old]
            changed.append(self._summary(self.messages.put(message.but(labels=tuple(kept)))))
        return changed

    @tool(writes=True)
    def mark(self, messages: str | list[str], read: bool) -> list[dict[str, Any]]:
        """Mark messages as read or unread.

        Args:
            messages: One message id or a list of them.
            read: True for read, false for unread.
        """
        return [self._summary(self.messages.put(one.but(read=read))) for one in self._listed(messages)]

    @tool(writes=True)
    def delete(self, messages: str | list[str]) -> list[dict[str, Any]]:
        """Put messages into the trash, from where they can still be moved back.

        Args:
            messages: One message id or a list of them.
        """
        found = self._listed(messages)
        for message in found:
            if message.folder == "trash":
                raise ToolError("already_in_trash", f"Message {message.id} is in the trash already.")
        return [self._summary(self.messages.put(message.but(folder="trash"))) for message in found]

    @tool(writes=True, action="destructive")
    def delete_forever(self, messages: str | list[str]) -> dict[str, list[str]]:
        """Remove messages in the trash for good, with attachments no other carries. This cannot be undone.

        Args:
            messages: One message id or a list of them; all must be in the trash.
        """
        found = self._listed(messages)
        for message in found:
            if message.folder != "trash":
                sentence = f"Message {message.id} is in {message.folder}, not in the trash."
                raise ToolError("not_in_trash", sentence, hint="Delete it first.")
        for message in found:
            self.messages.remove(message.id)
        carried = {attachment for message in self.messages for attachment in message.attachments}
        orphans = dict.fromkeys(one for message in found for one in message.attachments if one not in carried)
        for attachment in orphans:
            self.attachments.remove(attachment)
        return {"messages": [message.id for message in found], "attachments": list(orphans)}

    # --- address book and rules -----------------------------------------------------------------------------

    @tool(writes=True)
    def save_contact(
        self,
        contact: str = "",
        name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        relation: str | None = None,
        notes: str | None = None,
    ) -> Contact:
        """Add someone to the address book, or change an entry. What is left out stays as it is.

        Args:
            contact: The id of the entry to change, for instance C-1001; left out to add one.
            name: Full name; needed for a new entry.
            email: E-mail address.
            phone: Phone number, for instance +1 555 0134.
            relation: What they are to the owner, for instance "sister" or "client".
            notes: Anything else worth keeping.
        """
        given = {"name": name, "email": email, "phone": phone, "relation": relation, "notes": notes}
        fields = {field: value for field, value in given.items() if value is not None}
        before = self.contacts[contact] if contact else None
        if not fields.get("name", before.name if before else "").strip():
            raise ToolError("no_name", "A contact needs a name.")
        if email:
            fields["email"] = address(email)
            for other in self.contacts:
                if other.id != contact and other.email.lower() == fields["email"]:
                    hint = f"Change contact {other.id} instead."
                    raise ToolError("address_taken", f"{fields['email']} belongs to {other.name}.", hint=hint)
        if before:
            return self.contacts.put(before.but(**fields))
        return self.contacts.put(Contact(id=self.contacts.next_id("C-"), **fields))

    @tool(writes=True, action="destructive")
    def delete_contact(self, contact: str) -> dict[str, str]:
        """Remove someone from the address book for good.

        Args:
            contact: The contact's id, for instance C-1001.
        """
        gone = self.contacts[contact]
        self.contacts.remove(contact)
        return {"deleted": gone.id, "name": gone.name}

    @tool(writes=True, action="destructive")
    def set_forwarding_rule(
        self, forward_to: str, sender_contains: str = "", subject_contains: str = "", keep_copy: bool = True
    ) -> Rule:
        """Forward all new mail, or some of it, to another address from now on.

        Args:
            forward_to: The one address that gets the mail.
            sender_contains: Only mail whose sender contains this; left out for any sender.
            subject_contains: Only mail whose subject contains this; left out for any subject.
            keep_copy: Whether forwarded mail also stays in this mailbox.
        """
        target = address(forward_to)
        owner = self._account
        if target == owner.email.lower():
            raise ToolError("own_address", f"{target} is this mailbox; its mail would go round in circles.")
        if not owner.forwards_outside and domain(target) != domain(owner.email):
            sentence = f"Mail may not be forwarded outside {domain(owner.email)}."
            raise ToolError("forwarding_blocked", sentence, kind="permission", hint="Ask the administrator.")
        rule = Rule(
            id=self.rules.next_id("R-"),
            forward_to=target,
            sender_contains=sender_contains,
            subject_contains=subject_contains,
            keep_copy=keep_copy,
        )
        for other in self.rules:
            if other.but(id=rule.id, keep_copy=keep_copy) == rule:
                raise ToolError("rule_exists", f"Rule {other.id} does that already.", hint="Delete it first.")
        return self.rules.put(rule)

    @tool(writes=True)
    def delete_rule(self, rule: str) -> dict[str, str]:
        """Remove a forwarding rule; mail stays in this mailbox from then on.

        Args:
            rule: The rule's id, for instance R-1.
        """
        gone = self.rules[rule]
        self.rules.remove(rule)
        return {"deleted": gone.id, "forward_to": gone.forward_to}

    # --- shared by the tools --------------------------------------------------------------------------------

    @property
    def _account(self) -> Account:
        return next(iter(self.accounts), Account())

    def _sender(self, message: Message) -> str:
        return message.sender or f"{self._account.name} <{self._account.email}>"

    def _to(self, message: Message) -> tuple[str, ...]:
        return message.to or (() if message.folder == "drafts" else (self._account.email,))

    def _text(self, message: Message) -> str:
        files = (found.name for one in message.attachments if (found := self.attachments.get(one)))
        people = (self._sender(message), *self._to(message), *message.cc)
        return "\n".join((*people, message.subject, message.body, *files))

    def _summary(self, message: Message) -> dict[str, Any]:
        words = " ".join(message.body.split())
        return {
            "id": message.id,
            "thread": message.thread,
            "folder": message.folder,
            "sender": self._sender(message),
            "to": self._to(message),
            "subject": message.subject,
            "sent": message.sent,
            "read": message.read,
            "labels": message.labels,
            "attachments": len(message.attachments),
            "snippet": words if len(words) <= 100 else words[:97] + "...",
        }

    def _full(self, message: Message) -> dict[str, Any]:
        files = [self.attachments[one] for one in message.attachments]
        listed = [{"id": one.id, "name": one.name, "type": one.type, "size": one.size} for one in files]
        own = {"sender": self._sender(message), "to": self._to(message), "attachments": listed}
        return message.model_dump(mode="json", exclude={"account"}) | own

    def _listed(self, messages: str | list[str]) -> list[Message]:
        ids = several(messages)
        if not ids:
            raise ToolError("no_message", "Say at least one message.")
        return [self.messages[id] for id in ids]

    def _composed(
        self,
        to: str | list[str],
        subject: str,
        body: str,
        cc: str | list[str],
        attachments: str | list[str],
    ) -> Message:
        files = [self.attachments[one] for one in several(attachments)]
        if sum(file.size for file in files) > LARGEST:
            raise ToolError("too_large", f"The attachments exceed {LARGEST // 1_000_000} MB together.")
        return Message(
            id=self.messages.next_id("M-"),
            folder="drafts",
            sender=f"{self._account.name} <{self._account.email}>",
            to=addresses(to),
            cc=addresses(cc),
            subject=subject,
            body=body,
            sent=self.now,
            attachments=tuple(file.id for file in files),
        )

    def _sent(self, message: Message) -> dict[str, Any]:
        if not message.to:
            raise ToolError("no_recipient", "The message has no recipient.", hint="Give an address.")
        return self._summary(self.messages.put(message.but(folder="sent", sent=self.now)))

    # --- worlds ---------------------------------------------------------------------------------------------

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Every attached file is one of this world's."""
        files = {row.id for row in rows["attachments"]}
        return [
            f"messages: {row.id} carries {one!r}, which is no attachment of this world."
            for row in rows["messages"]
            for one in getattr(row, "attachments", ())
            if one not in files
        ]

    @classmethod
    def generate(
        cls, fake: Faker, counts: Mapping[str, int], now: datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """A mailbox with some years of conversations; see `Writer`."""
        return Writer(fake, now).mailbox(counts)


def mentions(query: str, text: str) -> bool:
    """Whether all words of the query occur in the text, in any case."""
    lowered = text.lower()
    return all(word in lowered for word in query.lower().split())


def newest(messages: list[Message]) -> list[Message]:
    """Latest first; of those of one moment, the one written last."""
    return sorted(messages, key=lambda message: message.sent)[::-1]


def several(given: str | list[str]) -> tuple[str, ...]:
    """One or several names as distinct names; an empty text is none."""
    return tuple(dict.fromkeys([given] if isinstance(given, str) else given)) if given else ()


def address(given: str) -> str:
    """The bare address in `Dana Wu <dana@example.org>` or `dana@example.org`, in lower case."""
    match = ADDRESS.fullmatch(given.strip())
    if match is None:
        hint = "Look the address up with find_contact."
        raise ToolError("bad_address", f"{given.strip()!r} is not an e-mail address.", hint=hint)
    return match[1].lower()


def addresses(given: str | list[str]) -> tuple[str, ...]:
    """The distinct addresses in a list, or in a text that separates them by commas."""
    parts = [part for part in re.split("[,;]", given) if part.strip()] if isinstance(given, str) else given
    return tuple(dict.fromkeys(map(address, parts)))


def domain(email: str) -> str:
    """What follows the @."""
    return email.rpartition("@")[2].lower()


def prefixed(prefix: str, subject: str) -> str:
    """The subject with `Re: ` or `Fwd: ` before it, once."""
    return subject if subject.lower().startswith(prefix.lower()) else prefix + subject


# --- made-up mailboxes --------------------------------------------------------------------------------------


class Story(NamedTuple):
    """How a kind of conversation goes.

    In its texts `[a|b]` is a choice and `{name}` a fact of the conversation. Choices that begin with `*` go
    together: once the first has fallen on its second option, so do the others.
    """

    who: str
    """The other side's part in the owner's life, or the desk of a company that writes, as `billing@`."""
    weight: int
    """How often it happens."""
    label: str
    """What the owner labels it."""
    subject: str
    """The subject line."""
    text: str
    """What is said in turn, separated by ` -- `; ` // ` is a blank line. It may break off after any turn."""
    file: str = ""
    """Name and text of the file that the first message carries, separated by ` // `."""
    ours: bool = False
    """Whether the owner writes first."""
    office: bool = True
    """Whether it happens in office hours."""


# fmt: off
STORIES = (
    Story("billing@", 9, "finance",
        "[Invoice {number}|Your invoice from {company}|{company}: invoice {number}]",
        """[Hello|Dear customer|Good morning], // [please find|here is] invoice {number} over {amount}
        for {goods}. [Payment is due within 14 days.|Please pay by {day}.|The amount is due on {day}.]
        // {company}, accounts
        -- [Hello|Good morning], // [*we paid this today, reference {number}.|we got fewer items than
        you billed. Could you check?|our order number is missing. Please send it again.]
        -- [*Thank you, it has arrived.|You are right, sorry. A new invoice follows.|Done, the new one
        follows today.] // {company}, accounts""",
        "Invoice-{number}.pdf // {company}, invoice {number}: {goods}, total {amount}, payable by {day}."),
    Story("billing@", 3, "finance", "[Payment received|Receipt|Thank you for your payment] ({number})",
        """We have received your payment of {amount} for {goods}. [No action is needed.|Keep this mail
        for your records.|Your account is now balanced.] // Your {company} team"""),
    Story("billing@", 3, "finance", "[Reminder|Second reminder|Overdue]: invoice {number}",
        """Dear customer, // invoice {number} over {amount} is [still open|overdue since {past}]. [If
        you have paid meanwhile, please ignore this mail.|Please settle it by {day} to avoid a late
        fee.] // {company}, accounts
        -- Hello, // [this was paid on {past}, see your statement.|sorry, it slipped through. It goes
        out today.]"""),
    Story("news@", 12, "newsletter",
        "[{company} in {month}|This week at {company}|{percent}% off {goods}|New: {goods}]",
        """[This month we look at|Our {month} issue is about|Fresh in:] {goods}. // [Five ideas for
        {city} and around|What our customers ask most|Behind the scenes with {first}] // [Save
        {percent}% until {day}|Meet us in {city} on {day}|Readers ask: {question}] // [You get this
        mail because you signed up at {company}.|Unsubscribe any time.]""", office=False),
    Story("orders@", 8, "deliveries",
        "[Order {number} is on its way|Shipped: {goods}|Your parcel arrives {weekday}]",
        """Your order {number} ({goods}) [has left our warehouse|is with the courier]. [It should
        arrive on {day}. |Expect it on {weekday} between 9 and 13 h.|Tracking number:
        {number}-{percent}.] // Your {company} team
        -- Hello, // [*the tracking has not moved since {past}. Where is it?|nobody will be in on
        {weekday}. Can it be left with the neighbour?|one part is missing from the box.]
        -- [Thank you for telling us.|Thanks for your patience.] [*The courier has found it and comes
        on {day}.|That is fine, the driver knows.|A replacement goes out today, free of charge.] //
        Your {company} team"""),
    Story("colleague", 12, "meetings",
        "[Meeting on {topic}|Catch-up about {topic}|{weekday}, {time}: {topic}]",
        """Hi, // [could we sit down about {topic} on {weekday}, {time}?|do you have half an hour on
        {weekday} at {time} for {topic}?|I put {topic} in for {weekday} at {time}, tell me if that
        clashes.] [{point}|I will bring the figures.|Please look at the notes before.] // {bye}
        -- [*{time} works for me.|I am out then. The day after, same time?|Fine. Shall we ask {other}
        to join?]
        -- [*Great, see you then.|Moved, the invitation follows.|Good idea, I will ask.] // {first}"""),
    Story("colleague", 11, "work", "[{topic}: status|Draft for {topic}|Where we are with {topic}|{topic}]",
        """Hello, // [a short update on {topic}:|here is where {topic} stands.|I went through {topic}
        again.] {point} [{other} needs an answer by {day}.|The budget so far is {large}.|We are about
        a week behind.] // {bye}
        -- Thanks {first}. [*I will read it tonight.|One number looks off, did you mean {large}?|Let
        us wait for {other} first.]
        -- [*No hurry.|Good catch, corrected.|Agreed. I will let {other} know.] // {first}""",
        "Notes on {topic}.docx // Notes on {topic} by {first}: {point} Budget {large}. Next step by {day}."),
    Story("client", 9, "work", "[Enquiry about {goods}|Quote for {goods}|Request: {goods}]",
        """Hello, // [we are looking for {goods} for about {percent} people.|could you quote us for
        {goods}?|a partner in {city} recommended you for {goods}.] [We need it by {day}.|Our budget is
        {large}.|{question}] // {bye}
        -- Dear {first}, // thank you for asking. [*We can offer it for {large}.|It would be ready by
        {day}, for {large}.|May I call you on {weekday} at {time} about the details?]
        -- [*That is more than we planned. Any room?|Agreed, please go ahead.|Yes, any time after
        {time}.] // {bye}
        -- [*I can take off {percent} percent this month.|Wonderful, the confirmation follows.|Until
        then!]"""),
    Story("client", 4, "work", "[Contract renewal|Our agreement|Revised terms]",
        """Hello, // our agreement ends on {day}. [We would go on at {large} a year.|Legal asks for
        two changes, marked in the text.|Please sign and send it back.] // {bye}
        -- Hello {first}, // [signed, see you soon.|the second change is fine, the first we should
        discuss.]""",
        "Agreement-{number}.pdf // Agreement {number} with {first}: one year from {day}, {large} a year."),
    Story("client", 5, "work", "[*Offer {number}|Samples of {goods}|Following up on {goods}]",
        """Dear {first}, // [*as promised, our offer for {goods}: {large}.|did the samples of {goods}
        arrive?|are {goods} still of interest?] [The offer stands until {day}.|I am in {city} on {day}
        if you have time.]
        -- [*Thank you, we will take it.|They did, and everyone likes them.|Not this year, sorry.] //
        {bye}""",
        ours=True),
    Story("hr", 3, "work", "[*Payslip for {month}|Your leave request|Holiday plan]",
        """Hello, // [*your payslip for {month} is ready, net {large}.|your leave from {day} is
        approved.|please enter your holidays by {day}.] [Questions go to me.|Have a good week.] //
        {first}, personnel
        -- Thank you, {first}. [*Is the overtime in it?|I will tell the others.|Done.]"""),
    Story("kin", 10, "family", "[*Sunday|Meeting up|How are you?|Quick question|Visit|The birthday]",
        """[Hello love|Hi you|Hi|Hey], // [*are you coming on Sunday? There will be {dish}.|we are in
        {city} from {day}, shall we meet?|the doctor says all is well, so stop worrying. And you?|did
        you find the blue folder with the insurance papers?|{child} asked when you are visiting
        again.|what shall we get? I thought of {goods}.] // [Love|Hugs|Big kiss|x], {first}
        -- [*Yes! I will bring {dish}.|Lovely. I will call you tonight.|So glad. Busy, but fine.|It is
        on the shelf behind the door.|Next month, promise.|Good idea, I pay half.]
        -- [*Perfect.|Call after eight.|Sleep more.|Found it!|{child} will hold you to it.|Deal.] x
        {first}""",
        office=False),
    Story("kin", 4, "family", "[Photos from {city}|Photos!|Look at this]",
        """[Finally sorted them.|The best ones from {city}.|Look how tall {child} has become!] [The
        one with {dish} is my favourite.|Please don't put them online.|Dad wants prints.] //
        [Love|Hugs], {first}
        -- [So sweet!|Thank you, I laughed about the second one.|I will print a few for the wall.]""",
        "{city}-{number}.jpg // (photo)", office=False),
    Story("friend", 8, "", "[*{weekday}?|Weekend in {city}|Your book|Spare ticket|Running group]",
        """[Hey|Hi|Hello you], [*are you free on {weekday}? {other} is in town.|I found a cheap place
        in {city} for {day}, {amount} for all of us. In?|I still have your copy of {book}.|I have a
        spare ticket for {day}, want it?|we run on {weekday} at seven, rain or not.] // {first}
        -- [*Yes, where?|Can't, work is mad. Next time.|Keep it, I read it twice.|Yes! What do I owe
        you?|I will be there.]
        -- [*The usual place, at eight.|Shame. Coffee soon?|You are kind.|Nothing, you paid last
        time.|Bring a light.] // {first}""", office=False),
    Story("landlord", 3, "home",
        "[*Repair in {street}|Water off on {weekday}|Service charges|Heating in {street}]",
        """Dear tenant, // [*the plumber comes on {weekday} at {time}, please be in.|water will be off
        on {weekday} from 8 to 12 h.|the service charges leave {amount} to pay by {day}.|the heating
        is repaired.] // {bye}
        -- Hello {first}, // [*someone will be there.|thank you.|may I see the figures?|it still
        drips, sorry.]"""),
    Story("teacher", 3, "family",
        "[*Class trip to {city}|Parents' evening|{child}: school report|Lost jacket]",
        """Dear parents, // [*the class goes to {city} on {day}. It costs {amount}.|parents' evening
        is on {day} at {time}.|{child} has done well; we should talk about maths.|a blue jacket was
        left behind.] // {bye}
        -- Dear {first}, // [*{child} will come along.|we will be there.|would {weekday} suit
        you?|that is ours!]"""),
    Story("doctor", 3, "health", "[*Your appointment on {day}|Your results are in|Time for a check-up]",
        """[*You have an appointment on {day}, {time}.|Your results are in; please call the
        practice.|Your last check-up was a year ago.] [Bring your insurance card.|We are closed on
        Fridays.] // Practice of {first}
        -- Hello, // [*I can't make it, is there a later one?|I will call on {weekday}.|is {day}
        possible?]"""),
    Story("service@", 4, "finance", "[*Your statement for {month}|Direct debit on {day}|Account notice]",
        """[*Your statement for {month} is ready. Money in: {large}.|We will debit {amount} on
        {day}.|Your balance fell below the limit you set.] We never ask for your password by mail. //
        Your {company} team"""),
    Story("noreply@", 4, "", "[*New sign-in to your account|Your code: {number}|Your password was changed]",
        """[*A new device in {city} signed in to your account.|Use the code {number} within ten
        minutes.|Your password was changed today.] If this was not you, [change your password|contact
        us]. // Your {company} team""",
        office=False),
    Story("bookings@", 4, "travel",
        "[Your booking {number}: {city}|Your stay in {city}|Booking confirmed: {city}]",
        """Thank you for booking with us: {city}, {day}, [two persons|one person], {amount}. [You can
        cancel free of charge until two days before.|Please have booking number {number} at hand.] //
        {company}""",
        "Booking-{number}.pdf // Booking {number}: {city}, {day}. Paid: {amount}.", office=False),
    Story("members@", 3, "", "[*Your membership renews on {day}|Your plan is changing|Rate your visit]",
        """[*Your membership renews on {day} for {amount}.|From {day} your plan costs {amount} a
        month.|How was your visit on {past}? It takes one minute.] // Your {company} team""", office=False),
    Story("win@", 4, "spam", "[*You have been selected|RE: your parcel fee|Final notice!!]",
        """[*Congratulations! You won {amount}.|Your parcel {number} waits for a fee of 1.99.|Your
        mailbox is almost full.] [Answer today.|Click the link before {day}.|Send us your details to
        claim it.]""", office=False),
)

FACTS = {
    "topic": "the website relaunch|the spring budget|the warehouse move|the customer survey|"
    "the annual report|the trade fair|the new price list|onboarding|the audit|the summer party|"
    "the supplier review|the data clean-up|the phone system|the training plan|the quarterly figures|"
    "the insurance claim",
    "goods": "office chairs|printer paper|running shoes|garden furniture|coffee beans|winter coats|"
    "desk lamps|bicycle racks|picture frames|hiking maps|kitchen knives|phone cases|bed linen|cushions|"
    "umbrellas|bookshelves|wool blankets|ink cartridges|seed potatoes|reusable boxes",
    "point": "Two of five tasks are done.|The supplier has not answered yet.|"
    "The first part is ready for review.|We need one more pair of hands.|The tests went well.|"
    "The old contract runs out soon.|The numbers add up now.|I am not happy with the second half.|"
    "Nobody has asked the front desk so far.|The room is booked.",
    "question": "Do you deliver on Saturdays?|Is there a discount for schools?|"
    "How long is the warranty?|Can it be returned?|Do you have it in green?|"
    "Could someone show it to us?|Who pays for the transport?",
    "dish": "lasagne|apple cake|lentil soup|the good olives|roast chicken|dumplings|plum tart|curry",
    "book": "the cookbook|that thriller|the atlas|the chess book|the poems|the biography|"
    "the guide to knots",
    "time": "9:00|9:30|10:00|11:15|13:30|14:00|15:30|16:00",
    "bye": "Best|Best wishes|Kind regards|Thanks|Regards|Many thanks",
}
# fmt: on

CIRCLE = (
    *("colleague", "kin: mother", "client", "friend", "doctor", "kin: brother", "hr: personnel office"),
    *(
        "landlord",
        "teacher",
        "kin: partner",
        "colleague: manager",
        "client",
        "friend: neighbour",
        "kin: sister",
    ),
    *("colleague", "client", "friend", "kin: aunt", "colleague: assistant", "client: supplier"),
)
"""The parts people play in the owner's life, and what the owner calls them where that differs."""


class Person(NamedTuple):
    """Someone who writes and is written to."""

    part: str
    relation: str
    name: str
    email: str


class Writer:
    """Makes up the people around a mailbox and what they and its owner wrote in the last three years."""

    def __init__(self, fake: Faker, now: datetime) -> None:
        self.fake, self.now = fake, now
        self.random: random.Random = fake.random
        self.house, self.surname = self.site(fake.company()), fake.last_name()
        self.lasting = {"child": fake.first_name(), "street": fake.street_name()}
        self.people: list[Person] = []
        self.companies: list[Person] = []

    def mailbox(self, counts: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
        """The rows asked for; those of one call know each other."""
        if counts.get("accounts", 0) > 1:
            raise ToolError("cannot_generate", "A world holds one mailbox: ask for one row of `accounts`.")
        contacts, files = counts.get("contacts", 0), counts.get("attachments", 0)
        for index in range(max(len(CIRCLE), contacts)):
            part = (
                CIRCLE[index]
                if index < len(CIRCLE)
                else self.random.choice(("colleague", "client", "friend"))
            )
            self.people.append(self.person(*part.split(": ")))
        for desk in {story.who: None for story in STORIES if story.who.endswith("@")}:
            names = [self.fake.company() for _ in range(3)]
            self.companies += [Person(desk, "company", name, desk + self.site(name)) for name in names]
        owner = f"{self.fake.first_name()} {self.surname}"
        messages, attached = self.history(counts.get("messages", 0), files)
        attached += [
            self.file(f"Scan-{2001 + i}.pdf", "(scanned page)") for i in range(files - len(attached))
        ]
        made = {
            "accounts": [{"id": "me", "name": owner, "email": f"{slug(owner, '.')}@{self.house}"}],
            "messages": messages,
            "attachments": [{"id": f"A-{1001 + i}", **file} for i, file in enumerate(attached)],
            "contacts": [self.contact(f"C-{1001 + i}", one) for i, one in enumerate(self.people[:contacts])],
            "rules": [self.rule(f"R-{1001 + i}") for i in range(counts.get("rules", 0))],
        }
        if unknown := set(counts) - set(made):
            raise ToolError("cannot_generate", f"The mailbox generates no {', '.join(sorted(unknown))}.")
        return {table: made[table] for table in counts}

    def site(self, company: str) -> str:
        """A company's domain, in the part of the name space that is reserved for examples."""
        return slug(company, "-") + ".example"

    def person(self, part: str, relation: str = "") -> Person:
        """Someone new, with an address nobody else has."""
        first = (
            self.fake.first_name_female()
            if relation in ("mother", "sister", "aunt")
            else self.fake.first_name()
        )
        name = f"{first} {self.surname if part == 'kin' and relation != 'partner' else self.fake.last_name()}"
        private = self.random.choice(("example.org", "example.com", "example.net", "post.example"))
        work = {"colleague": self.house, "hr": self.house, "client": self.site(self.fake.company())}
        email = f"{slug(name, '.')}@{work.get(part, private)}"
        if any(other.email == email for other in self.people):
            email = f"{slug(name, '.')}{len(self.people)}@{work.get(part, private)}"
        return Person(part, relation or part, name, email)

    def contact(self, id: str, one: Person) -> dict[str, Any]:
        """The person's entry in the address book."""
        notes = ("", "", "", "Prefers to be called.", f"Met in {self.fake.city()}.", "Away on Fridays.")
        phone = f"+1 555 {self.random.randint(200, 999)} {self.random.randint(0, 9999):04d}"
        said = {"name": one.name, "email": one.email, "phone": phone, "relation": one.relation}
        return {"id": id, **said, "notes": self.random.choice(notes)}

    def rule(self, id: str) -> dict[str, Any]:
        """A harmless rule: one company's invoices go to someone the owner works with as well."""
        target = self.random.choice([one for one in self.people if one.part in ("colleague", "hr")])
        return {
            "id": id,
            "forward_to": target.email,
            "sender_contains": self.companies[0].email,
        }

    def history(self, count: int, files: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """So many messages, oldest first, and the files they carry, at most so many."""
        threads: list[list[dict[str, Any]]] = []
        while (missing := count - sum(map(len, threads))) > 0:
            threads.append(self.thread()[:missing])
        messages = sorted((one for thread in threads for one in thread), key=lambda one: str(one["sent"]))
        for number, message in enumerate(messages):
            message["id"] = f"M-{1001 + number}"
        attached: list[dict[str, Any]] = []
        for thread in threads:
            for message in thread:
                message["thread"] = thread[0]["id"]
            file = thread[0].pop("file")
            if file and len(attached) < files:
                thread[0]["attachments"] = [f"A-{1001 + len(attached)}"]
                thread[0]["body"] += f"\n\n({file['name']} is attached.)"
                attached.append(file)
        return messages, attached

    def thread(self) -> list[dict[str, Any]]:
        """One conversation, as far as it has got; the first message holds its file."""
        story = self.random.choices(STORIES, [one.weight for one in STORIES])[0]
        moment = begun = self.moment(story.office)
        other = self.random.choice([one for one in self.people + self.companies if one.part == story.who])
        facts, theme = self.facts(begun, other), self.random.randrange(60)
        subject = self.told(story.subject, facts, theme)
        subject = subject[0].upper() + subject[1:]
        turns = story.text.split(" -- ")
        messages: list[dict[str, Any]] = []
        for turn, text in enumerate(turns[: self.random.randint(1, len(turns))]):
            if turn:
                moment = self.later(moment, story.office)
            if moment >= self.now:
                break
            mine = (turn % 2 == 1) != story.ours
            labelled = story.label not in ("", "spam") and self.random.random() < 0.8
            message = {
                **({"to": [other.email]} if mine else {"sender": f"{other.name} <{other.email}>"}),
                "subject": "Re: " * (turn > 0) + subject,
                "body": self.told(text, facts, theme),
                "sent": moment.isoformat(),
                "labels": [story.label] if labelled else [],
                **self.filed(moment, mine, story.label),
            }
            messages.append(message)
            if message["folder"] == "drafts":
                break
        name, _, content = self.told(story.file, facts, theme).partition("\n\n")
        messages[0]["file"] = self.file(name, content) if name else None
        return messages

    def facts(self, begun: datetime, other: Person) -> dict[str, str]:
        """What the messages of one conversation agree on."""
        draw, fake = self.random, self.fake
        coming = working(begun + timedelta(days=draw.randint(2, 24)))
        past = working(begun - timedelta(days=draw.randint(4, 20)))
        first = fake.first_name() if other in self.companies else other.name.split()[0]
        others = [one for one in self.people if one.part == other.part and one != other]
        chosen = {fact: draw.choice(choices.split("|")) for fact, choices in FACTS.items()}
        return {
            **chosen,
            **self.lasting,
            "first": first,
            "bye": f"{chosen['bye']},\n{first}",
            "other": draw.choice(others or self.people).name.split()[0],
            "company": other.name,
            "city": fake.city(),
            "number": str(draw.randint(10_000, 99_999)),
            "percent": str(draw.choice((10, 15, 20, 25, 30, 40, 50))),
            "amount": f"${draw.lognormvariate(4.6, 0.9):,.2f}",
            "large": f"${10 * draw.lognormvariate(5.7, 0.4):,.0f}",
            "day": f"{coming.day} {coming:%B}",
            "weekday": f"{coming:%A}",
            "past": f"{past.day} {past:%B}",
            "month": f"{begun:%B}",
        }

    def told(self, text: str, facts: Mapping[str, str], theme: int) -> str:
        """The text with its choices made and its facts filled in."""

        def chosen(match: re.Match[str]) -> str:
            options = match[2].split("|")
            return options[theme % len(options)] if match[1] else self.random.choice(options)

        even = " ".join(text.split()).replace(" // ", "\n\n").replace(" |", "|")
        return re.sub(r"\[(\*?)([^\]]*)\]", chosen, even).format_map(facts)

    def moment(self, office: bool) -> datetime:
        """When something began: in the last three years, rather lately than long ago."""
        draw = self.random
        day = self.now - timedelta(days=3 * 365 * draw.random() ** 2.2)
        hour = draw.randint(8, 17) if office else draw.randint(7, 22)
        begun = day.replace(hour=hour, minute=draw.randint(0, 59), second=draw.randint(0, 59), microsecond=0)
        if begun >= self.now:
            begun -= timedelta(days=1)
        return working(begun, -1) if office else begun

    def later(self, moment: datetime, office: bool) -> datetime:
        """When the next answer came."""
        draw = self.random
        answered = moment + timedelta(minutes=4 + min(draw.expovariate(1 / 500), 5000))
        answered = answered.replace(second=draw.randint(0, 59), microsecond=0)
        first, last = (8, 18) if office else (7, 23)
        if not first <= answered.hour < last:
            answered = (answered + timedelta(days=answered.hour >= last)).replace(
                hour=draw.randint(first, 11)
            )
        return working(answered) if office else answered

    def filed(self, moment: datetime, mine: bool, label: str) -> dict[str, Any]:
        """Where a message lies by now, and whether it was read."""
        draw, age = self.random, (self.now - moment).days
        if mine:
            return {"folder": "drafts" if age < 60 and draw.random() < 0.1 else "sent"}
        if label == "spam":
            return {"folder": "spam", "read": draw.random() < 0.2}
        bulk = label == "newsletter"
        gone = draw.random() < (0.2 if bulk else 0.03)
        kept = "archive" if age > 45 and draw.random() < 0.7 else "inbox"
        seen = draw.random() < (0.35 if age < 4 else 0.6 if bulk else 0.97)
        return {"folder": "trash" if gone else kept, "read": seen}

    def file(self, name: str, content: str) -> dict[str, Any]:
        """An attachment without its id."""
        word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        kind = {"jpg": "image/jpeg", "docx": word}.get(name.rpartition(".")[2], "application/pdf")
        size = int(self.random.lognormvariate(11.5, 0.8))
        return {"name": name, "type": kind, "size": size, "content": content}


def slug(name: str, joint: str) -> str:
    """A name as it stands in an address: `dana.wu`."""
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", joint, plain).strip(joint) or "post"


def working(day: datetime, step: int = 1) -> datetime:
    """This day, or the next (or last) working day, at the same hour."""
    while day.weekday() > 4:
        day += timedelta(days=step)
    return day
