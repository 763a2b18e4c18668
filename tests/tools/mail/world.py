"""A mailbox, as tests of it begin with, and calls to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from riskbox.sandbox.testing import Driver
from riskbox.sandbox.testing.driver import Call
from riskbox.tools.mail.toolset import Mail

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

WORLD: dict[str, Any] = {
    "accounts": [{"name": "Dana Wu", "email": "dana@wu.example"}],
    "attachments": [
        {"id": "A-1", "name": "Results.pdf", "content": "Blood count normal."},
        {"id": "A-2", "name": "Video.mp4", "type": "video/mp4", "size": 24_980_000},
        {"id": "A-3", "name": "Loose.txt"},
    ],
    "messages": [
        {
            "id": "M-1",
            "sender": "Dr. Okafor <okafor@practice.example>",
            "cc": ["nurse@practice.example", "dana@wu.example"],
            "subject": "Your results",
            "body": "Dear Dana,\n\nyour results are attached.",
            "sent": "2026-02-20T10:00:00Z",
            "attachments": ["A-1"],
            "labels": ["health"],
        },
        {
            "id": "M-2",
            "folder": "sent",
            "to": ["okafor@practice.example"],
            "subject": "Re: Your results",
            "body": "Thank you!",
            "sent": "2026-02-20T12:00:00Z",
            "thread": "M-1",
        },
        {
            "id": "M-3",
            "folder": "drafts",
            "subject": "Party",
            "body": "Come over",
            "sent": "2026-02-25T12:00:00",
        },
        {
            "id": "M-4",
            "folder": "trash",
            "sender": "x@shop.example",
            "subject": "Sale",
            "sent": "2026-02-26T08:00:00Z",
        },
        {
            "id": "M-5",
            "folder": "spam",
            "sender": "win@spam.example",
            "subject": "Prize",
            "sent": "2026-02-27T08:00:00Z",
        },
        {
            "id": "M-6",
            "folder": "archive",
            "read": True,
            "sender": "Kim <kim@wu.example>",
            "subject": "Sunday",
            "body": "word " * 40,
            "sent": "2026-02-28T08:00:00Z",
        },
    ],
    "contacts": [
        {
            "id": "C-1",
            "name": "Kim Wu",
            "email": "kim@wu.example",
            "phone": "+1 555 0100",
            "relation": "sister",
        },
        {"id": "C-2", "name": "Adam Okafor", "email": "okafor@practice.example", "relation": "doctor"},
    ],
}


class Box(Driver):
    """A mailbox, called as an episode calls it."""

    def __init__(self, world: dict[str, Any] | None = None) -> None:
        super().__init__(Mail, WORLD if world is None else world, now=NOW, seed=7)

    call = Driver.ok

    def refused(self, tool: str, **arguments: Any) -> str:
        return str(self.error(tool, **arguments)["code"])

    def row(self, table: str, id: str) -> Any:
        return self.rows(table).get(id)

    def found(self, **arguments: Any) -> list[str]:
        return [one["id"] for one in self.call("search", **arguments)["items"]]


COUNTS = {"accounts": 1, "messages": 300, "contacts": 50, "attachments": 25, "rules": 2}


CALLS: list[Call] = [
    ("search", {"query": "results"}),
    ("read", {"message": "M-1"}),
    ("read_thread", {"thread": "M-1"}),
    ("read_attachment", {"attachment": "A-1"}),
    ("find_contact", {"query": "wu"}),
    ("send", {"to": "kim@wu.example", "subject": "Sunday", "body": "I come at noon."}),
    ("reply", {"message": "M-1", "body": "Thank you!"}),
    ("forward", {"message": "M-1", "to": ["kim@wu.example"], "note": "See below."}),
    ("draft", {"subject": "Plan", "body": "To be written."}),
    ("send_draft", {"draft": "M-3", "to": "kim@wu.example"}),
    ("move", {"messages": "M-5", "folder": "inbox"}),
    ("label", {"messages": ["M-1"], "add": ["urgent"]}),
    ("mark", {"messages": "M-1", "read": True}),
    ("delete", {"messages": "M-6"}),
    ("delete_forever", {"messages": ["M-4"]}),
    ("save_contact", {"name": "Rui Diaz", "email": "rui@example.org"}),
    ("delete_contact", {"contact": "C-2"}),
    ("set_forwarding_rule", {"forward_to": "kim@wu.example", "sender_contains": "okafor"}),
    ("list_rules", {}),
    ("delete_rule", {"rule": "R-1"}),
]
"""Calls that go well one after the other, of every tool."""
