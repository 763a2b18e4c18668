"""Tools that let others see a calendar."""

from __future__ import annotations

from typing import Literal

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.diary.rows import Share
from riskbox.tools.diary.tables import DiaryTables


class SharingTools(DiaryTables):
    """Shares the own calendar."""

    @tool(
        writes=True, action="destructive", changes=["shares+", "shares.level"], reads=["events"], sends=["to"]
    )
    def share_calendar(self, to: str, level: Literal["free_busy", "read", "edit"]) -> Share:
        """Share your calendar with one person, past events included, or change what that person may do.

        Args:
            to: The id of the person's calendar, or an email address.
            level: free_busy shows when you are busy, read shows all but private events, edit changes them.
        """
        me, who = self._me(), self._guest(to)
        if who == me.id:
            raise ToolError("own_calendar", "That is your own calendar.")
        for share in self.shares.where(calendar=me.id, to=who):
            if share.level == level:
                raise ToolError("already_shared", f"{to} has {level} access already.")
            return self.shares.put(share.but(level=level))
        new = Share(id=self.shares.next_id("S-"), calendar=me.id, to=who, level=level)
        return self.shares.put(new)

    @tool(writes=True, changes=["shares-"])
    def stop_sharing(self, to: str) -> dict[str, str]:
        """Stop sharing your calendar with a person; what everyone may see stays visible.

        Args:
            to: The id of the person's calendar, or an email address.
        """
        me, who = self._me(), self._guest(to)
        shares = self.shares.where(calendar=me.id, to=who)
        if not shares:
            raise ToolError("not_shared", f"Your calendar is not shared with {to}.")
        for share in shares:
            self.shares.remove(share.id)
        return {"calendar": me.id, "stopped_for": who}
