"""The mailbox's tables, and how its messages are shown."""

from __future__ import annotations

from typing import Any

from riskbox.sandbox.contracts.table import Table
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.tools.mail.rows import Account, Attachment, Contact, Message, Rule


def several(given: str | list[str]) -> tuple[str, ...]:
    """One or several names as distinct names; an empty text is none."""
    return tuple(dict.fromkeys([given] if isinstance(given, str) else given)) if given else ()


class MailTables(Toolset):
    """The tables, the owner of the mailbox, and how a message is listed."""

    accounts: Table[Account]
    messages: Table[Message]
    attachments: Table[Attachment]
    contacts: Table[Contact]
    rules: Table[Rule]

    @property
    def _account(self) -> Account:
        return next(iter(self.accounts), Account())

    def _sender(self, message: Message) -> str:
        return message.sender or f"{self._account.name} <{self._account.email}>"

    def _to(self, message: Message) -> tuple[str, ...]:
        return message.to or (() if message.folder == "drafts" else (self._account.email,))

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
