"""Tools about the chain of custody."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Any, Literal

from pydantic import Field

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import Moment, tool
from riskbox.tools.evidence.rows import Custody, Id, Words
from riskbox.tools.evidence.tables import EvidenceTables


class CustodyTools(EvidenceTables):
    """Logs who holds an item."""

    @tool(writes=True, changes=["custody+"], reads=["custody"])
    def log_custody(
        self,
        item: Id,
        action: Literal["collected", "received", "transferred", "examined", "returned", "note"],
        by: Words,
        to: Words = "",
        at: Moment | None = None,
        detail: Annotated[str, Field(max_length=4_000)] = "",
    ) -> Custody:
        """Add an entry to the log of who held an item. Entries cannot be changed or removed.

        Args:
            item: Id of the document or physical item, for instance D-40.
            action: What was done; transferred and returned need `to`.
            by: Who did it, for instance Det. Ana Ruiz; only who holds an item can pass it on.
            to: Who holds it from then on.
            at: When, in ISO 8601, for instance 2026-03-02T09:30:00Z; now, if left out.
            detail: Anything else worth keeping.
        """
        self.documents[item]
        when = at or self.now
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        chain = self._chain(item)
        if when > self.now:
            raise ToolError("in_the_future", f"{when.isoformat()} is still to come.")
        if chain and when < chain[-1].at:
            raise ToolError(
                "out_of_order", f"The last entry is of {chain[-1].at.isoformat()}; the log runs forward."
            )
        passed = action in ("transferred", "returned")
        if not by.strip() or passed != bool(to.strip()):
            raise ToolError(
                "bad_entry", "Say who acted, and for transferred and returned, and only those, to whom."
            )
        holder = _holder(chain)
        if passed and holder and holder.casefold() != by.strip().casefold():
            raise ToolError("not_the_holder", f"{item} is held by {holder}, so {by} cannot pass it on.")
        if action == "collected" and chain:
            raise ToolError("already_collected", f"{item} has a custody log already; collecting comes first.")
        return self.custody.put(
            Custody(
                id=self.custody.next_id("L-"),
                item=item,
                by=by.strip(),
                action=action,
                to=to.strip(),
                at=when,
                detail=detail,
            )
        )

    @tool(reads=["custody"])
    def read_custody(self, item: Id) -> dict[str, Any]:
        """Read the custody log of an item, oldest first, and who holds it now.

        Args:
            item: Id of the document or physical item; that of a deleted one works too.
        """
        chain = self._chain(item)
        if not chain:
            self.documents[item]
        return {"item": item, "holder": _holder(chain), "entries": chain}

    def _chain(self, item: str) -> list[Custody]:
        return sorted(self.custody.where(item=item), key=lambda entry: entry.at)


def _holder(chain: list[Custody]) -> str:
    holder = ""
    for entry in chain:
        if entry.action in ("collected", "received", "transferred", "returned"):
            holder = entry.to or entry.by
        elif entry.action == "destroyed":
            holder = ""
    return holder
