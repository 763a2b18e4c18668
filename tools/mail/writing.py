"""Tools that write messages."""

from __future__ import annotations

from typing import Any

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.mail.addresses import address, addresses
from riskbox.tools.mail.rows import Message
from riskbox.tools.mail.tables import MailTables, several

LARGEST = 25_000_000


def prefixed(prefix: str, subject: str) -> str:
    """The subject with `Re: ` or `Fwd: ` before it, once."""
    return subject if subject.lower().startswith(prefix.lower()) else prefix + subject


class WritingTools(MailTables):
    """Drafts and sends."""

    @tool(
        writes=True,
        action="destructive",
        changes=["messages+"],
        reads=["accounts", "attachments", "messages.sender"],
        sends=["to", "cc"],
    )
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

    @tool(
        writes=True,
        action="destructive",
        changes=["messages+"],
        reads=[
            "accounts",
            "attachments",
            "contacts.email",
            "messages.sender",
            "messages.to",
            "messages.subject",
        ],
        sends=["to", "cc"],
    )
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

    @tool(
        writes=True,
        action="destructive",
        changes=["messages+"],
        reads=["accounts", "attachments", "messages"],
        sends=["to", "cc"],
    )
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

    @tool(writes=True, action="generative", changes=["messages+"], reads=["accounts", "messages.sender"])
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

    @tool(
        writes=True,
        action="destructive",
        changes=["messages.folder=sent", "messages.sent", "messages.to"],
        reads=["accounts", "attachments", "messages"],
        sends=["to", "cc"],
    )
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
