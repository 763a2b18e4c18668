"""Mail: one mailbox of the person or organisation the agent works for.

The mailbox holds messages, their attachments, the address book and the rules that forward new mail elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from riskbox.tools.mail.contacts import ContactTools
from riskbox.tools.mail.folders import FolderTools
from riskbox.tools.mail.generator import Writer
from riskbox.tools.mail.reading import ReadingTools
from riskbox.tools.mail.writing import WritingTools

if TYPE_CHECKING:
    from faker import Faker


class Mail(ReadingTools, WritingTools, FolderTools, ContactTools):
    """A mailbox: its messages, attachments, address book and forwarding rules."""

    @classmethod
    def generate(
        cls, fake: Faker, counts: Mapping[str, int], now: datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """A mailbox with some years of conversations; see `Writer`."""
        return Writer(fake, now).mailbox(counts)
