"""Tools that keep the mailbox in order."""

from __future__ import annotations

from typing import Any

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.mail.rows import Message, Place
from riskbox.tools.mail.tables import MailTables, several


class FolderTools(MailTables):
    """Moves, labels, marks and deletes."""

    @tool(writes=True, changes=["messages.folder"], reads=["messages", "accounts"])
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

    @tool(writes=True, changes=["messages.labels"], reads=["messages", "accounts"])
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

    @tool(writes=True, changes=["messages.read"], reads=["messages", "accounts"])
    def mark(self, messages: str | list[str], read: bool) -> list[dict[str, Any]]:
        """Mark messages as read or unread.

        Args:
            messages: One message id or a list of them.
            read: True for read, false for unread.
        """
        return [self._summary(self.messages.put(one.but(read=read))) for one in self._listed(messages)]

    @tool(writes=True, changes=["messages.folder=trash"], reads=["messages", "accounts"])
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

    @tool(writes=True, action="destructive", changes=["messages-", "attachments-"])
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

    def _listed(self, messages: str | list[str]) -> list[Message]:
        ids = several(messages)
        if not ids:
            raise ToolError("no_message", "Say at least one message.")
        return [self.messages[id] for id in ids]
