"""Mail: one mailbox of the person or organisation the agent works for.

The mailbox holds messages, their attachments, the address book and the rules that forward new mail elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field

from riskbox.sandbox.table import Row, Table, ToolError, paged
from riskbox.sandbox.toolset import Day, Toolset, tool

if TYPE_CHECKING:
    import random

    from faker import Faker

Folder = Literal["inbox", "sent", "drafts", "archive", "spam", "trash"]
Place = Literal["inbox", "archive", "spam", "trash"]

WRITTEN = ("sent", "drafts")
LARGEST = 25_000_000
ADDRESS = re.compile(r"(?:[^<>]*<)?([^\s<>@,;]+@[^\s<>@,;]+\.[^\s<>@,;.]{2,})>?")

When = Annotated[datetime, AfterValidator(lambda moment: moment if moment.tzinfo else moment.replace(tzinfo=UTC))]
"""A moment; one written without a timezone is in UTC."""


class Account(Row):
    """The mailbox's owner. A world has one; where it lists none, a nameless office stands in."""

    person = "name"

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

    account: str = "me"
    """Whose mailbox it lies in: the id of the account."""
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
    """The conversation: the id of its first message, its own where it is the first."""


class Attachment(Row):
    """A file that a message carries, or that lies ready to be sent."""

    private = ("content",)
    person = "account@accounts"

    account: str = "me"
    """Whose mailbox it lies in: the id of the account."""
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

    account: str = "me"
    """Whose address book it stands in: the id of the account."""
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

    account: str = "me"
    """Whose mail is forwarded: the id of the account."""
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

    # --- reading ----------------------------------------------------------------------------------------------

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
            query: Words that must all occur in the sender, recipients, subject, text or attachment names, in any
                order and case. Empty for all mail.
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
            raise ToolError("not_found", f"No conversation has the id {thread!r}.", hint="Search for it first.")
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
            query: Words that must all occur in the name, address, phone number, relation or notes. Empty for all.
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

    # --- writing messages -------------------------------------------------------------------------------------

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
            raise ToolError("is_draft", f"Message {message} is a draft; it was never sent.", hint="Use send_draft.")
        own = self._account.email.lower()
        to = [self._sender(first), *(first.to if to_all or not first.sender else ())]
        others = [address for address in addresses(to) if address != own] or [own]
        cc = [address for address in addresses(list(first.cc)) if address not in (own, *others)] if to_all else ""
        answer = self._composed(others, prefixed("Re: ", first.subject), body, cc, attachments)
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
        return self._sent(self._composed(to, prefixed("Fwd: ", first.subject), body, "", list(first.attachments)))

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

    # --- keeping order ----------------------------------------------------------------------------------------

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
                raise ToolError("is_draft", f"Message {message.id} is a draft; it can only be sent or deleted.")
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
                hint = "delete_forever removes it for good."
                raise ToolError("already_in_trash", f"Message {message.id} is in the trash already.", hint=hint)
        return [self._summary(self.messages.put(message.but(folder="trash"))) for message in found]

    @tool(writes=True, action="destructive")
    def delete_forever(self, messages: str | list[str]) -> dict[str, list[str]]:
        """Remove messages in the trash for good, with the attachments no other message carries. Nobody can undo it.

        Args:
            messages: One message id or a list of them; all must be in the trash.
        """
        found = self._listed(messages)
        for message in found:
            if message.folder != "trash":
                raise ToolError("not_in_trash", f"Message {message.id} is in {message.folder}.", hint="Delete it first.")
        for message in found:
            self.messages.remove(message.id)
        carried = {attachment for message in self.messages for attachment in message.attachments}
        orphans = dict.fromkeys(one for message in found for one in message.attachments if one not in carried)
        for attachment in orphans:
            self.attachments.remove(attachment)
        return {"messages": [message.id for message in found], "attachments": list(orphans)}

    # --- address book and rules -------------------------------------------------------------------------------

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
        if email:
            fields["email"] = addresses([email])[0]
            for other in self.contacts:
                if other.id != contact and other.email.lower() == fields["email"]:
                    hint = f"Change contact {other.id} instead."
                    raise ToolError("address_taken", f"{fields['email']} belongs to {other.name}.", hint=hint)
        if fields.get("name", contact).strip() == "":
            raise ToolError("no_name", "A contact needs a name.")
        if contact:
            return self.contacts.put(self.contacts[contact].but(**fields))
        new = Contact(id=self.contacts.next_id("C-"), account=self._account.id, **fields)
        return self.contacts.put(new)

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
        target = addresses([forward_to])[0]
        owner = self._account
        if target == owner.email.lower():
            raise ToolError("own_address", f"{target} is this mailbox; its mail would go round in circles.")
        if not owner.forwards_outside and domain(target) != domain(owner.email):
            sentence = f"Mail may not be forwarded outside {domain(owner.email)}."
            raise ToolError("forwarding_blocked", sentence, kind="permission", hint="Ask the administrator.")
        rule = Rule(
            id=self.rules.next_id("R-"),
            account=owner.id,
            forward_to=target,
            sender_contains=sender_contains,
            subject_contains=subject_contains,
            keep_copy=keep_copy,
        )
        for other in self.rules:
            if other.but(id=rule.id, keep_copy=keep_copy) == rule:
                raise ToolError("rule_exists", f"Rule {other.id} does that already.", hint="Delete it to change it.")
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

    # --- shared by the tools ----------------------------------------------------------------------------------

    @property
    def _account(self) -> Account:
        return next(iter(self.accounts), Account(id="me"))

    def _sender(self, message: Message) -> str:
        return message.sender or f"{self._account.name} <{self._account.email}>"

    def _to(self, message: Message) -> tuple[str, ...]:
        return message.to or (() if message.folder == "drafts" else (self._account.email,))

    def _text(self, message: Message) -> str:
        files = (found.name for one in message.attachments if (found := self.attachments.get(one)))
        parts = (self._sender(message), *self._to(message), *message.cc, message.subject, message.body, *files)
        return "\n".join(parts)

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
            account=self._account.id,
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
            raise ToolError("no_recipient", "The message has no recipient.", hint="Give at least one address.")
        return self._summary(self.messages.put(message.but(folder="sent", sent=self.now)))

    # --- worlds -----------------------------------------------------------------------------------------------

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Every reference names a row of this world, and there is one owner."""
        problems = []
        if len(rows["accounts"]) > 1:
            problems.append("mail: a world holds one mailbox, so `accounts` takes one row.")
        owner = rows["accounts"][0].id if rows["accounts"] else "me"
        files = {row.id for row in rows["attachments"]}
        threads = {row.id for row in rows["messages"]}
        for table in ("messages", "attachments", "contacts", "rules"):
            for row in rows[table]:
                if row.account != owner:  # type: ignore[attr-defined]  # these four all have the field
                    problems.append(f"{table}: {row.id} belongs to no account; the mailbox's owner is {owner!r}.")
        for message in rows["messages"]:
            assert isinstance(message, Message)
            lost = [f"no attachment {one!r}" for one in message.attachments if one not in files]
            if message.thread not in threads:
                lost.append(f"no message {message.thread!r} that its thread begins with")
            problems += [f"messages: {message.id}: there is {what}." for what in lost]
        return problems

    @classmethod
    def generate(cls, fake: Faker, counts: Mapping[str, int], now: datetime) -> dict[str, list[dict[str, Any]]]:
        """A mailbox with some years of conversations; see `Writer`."""
        return Writer(fake, now).mailbox(counts)
