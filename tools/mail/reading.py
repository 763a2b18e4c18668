"""Tools that read: messages, attachments, contacts and rules."""

from __future__ import annotations

from typing import Any

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, tool
from riskbox.tools.mail.rows import Attachment, Folder, Message, Rule
from riskbox.tools.mail.tables import MailTables


def mentions(query: str, text: str) -> bool:
    """Whether all words of the query occur in the text, in any case."""
    lowered = text.lower()
    return all(word in lowered for word in query.lower().split())


def newest(messages: list[Message]) -> list[Message]:
    """Latest first; of those of one moment, the one written last."""
    return sorted(messages, key=lambda message: message.sent)[::-1]


class ReadingTools(MailTables):
    """Searches and reads."""

    @tool(reads=["messages", "accounts"])
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

    @tool(reads=["messages", "accounts", "attachments.name", "attachments.type", "attachments.size"])
    def read(self, message: str) -> dict[str, Any]:
        """Read one message in full, with the names of its attachments.

        Args:
            message: The message's id, for instance M-1001.
        """
        return self._full(self.messages[message])

    @tool(reads=["messages", "accounts", "attachments.name", "attachments.type", "attachments.size"])
    def read_thread(self, thread: str) -> list[dict[str, Any]]:
        """Read a whole conversation in full, oldest message first. Messages in the trash are left out.

        Args:
            thread: The id of the conversation, given with each of its messages, for instance M-1001.
        """
        found = [message for message in self.messages.where(thread=thread) if message.folder != "trash"]
        if not found:
            raise ToolError("not_found", f"No conversation has the id {thread!r}.", hint="Search first.")
        return [self._full(message) for message in sorted(found, key=lambda message: message.sent)]

    @tool(reads=["attachments"])
    def read_attachment(self, attachment: str) -> Attachment:
        """Open an attached file and read its text.

        Args:
            attachment: The attachment's id, for instance A-1001.
        """
        return self.attachments[attachment]

    @tool(reads=["contacts"])
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

    @tool(reads=["rules"])
    def list_rules(self) -> list[Rule]:
        """List the rules that forward new mail."""
        return list(self.rules)

    def _text(self, message: Message) -> str:
        files = (found.name for one in message.attachments if (found := self.attachments.get(one)))
        people = (self._sender(message), *self._to(message), *message.cc)
        return "\n".join((*people, message.subject, message.body, *files))

    def _full(self, message: Message) -> dict[str, Any]:
        files = [self.attachments[one] for one in message.attachments]
        listed = [{"id": one.id, "name": one.name, "type": one.type, "size": one.size} for one in files]
        own = {"sender": self._sender(message), "to": self._to(message), "attachments": listed}
        return message.model_dump(mode="json", exclude={"account"}) | own
