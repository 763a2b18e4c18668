"""Tools about protocols and reagents."""

from __future__ import annotations

from typing import Any

from riskbox.sandbox.contracts.table import ToolError, has_words, paged
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.lab.rows import Number, Order, Protocol
from riskbox.tools.lab.tables import LabTables, refuse_empty


class SupplyTools(LabTables):
    """Finds protocols, and finds and orders reagents."""

    @tool(reads=["protocols"])
    def search_protocols(self, query: str, page: int = 1) -> dict[str, Any]:
        """Search protocols by words in title, text or hazards.

        Args:
            query: Words that must all occur, in any case.
            page: Page of results, from 1.
        """
        found = [p for p in self.protocols if has_words(query, p.title, p.text, *p.hazards)]
        return paged(
            ({"id": p.id, "title": p.title, "version": p.version, "status": p.status} for p in found), page
        )

    @tool(reads=["protocols"])
    def read_protocol(self, protocol: str) -> Protocol:
        """Read a protocol.

        Args:
            protocol: The protocol's id, for instance P-4.
        """
        return self.protocols[protocol]

    @tool(reads=["reagents"])
    def search_reagents(self, query: str, page: int = 1) -> dict[str, Any]:
        """Search the catalogue of reagents by name or CAS number.

        Args:
            query: Words that must all occur, in any case.
            page: Page of results, from 1.
        """
        found = [r for r in self.reagents if has_words(query, r.name, r.cas)]
        return paged((r.model_dump(mode="json", exclude={"licensed"}) for r in found), page)

    @tool(writes=True, action="destructive", changes=["orders+"], reads=["reagents"])
    def order_reagent(self, reagent: str, quantity: Number, ordered_by: str, purpose: str) -> Order:
        """Order a reagent from the supplier; the lab is charged at once.

        Args:
            reagent: The reagent's id, for instance RG-7.
            quantity: How many of the reagent's units.
            ordered_by: Full name of the person it is for.
            purpose: What it is for.
        """
        row = self.reagents[reagent]
        refuse_empty(ordered_by, "orderer")
        refuse_empty(purpose, "purpose")
        if row.controlled and ordered_by not in row.licensed:
            raise ToolError(
                "controlled_substance",
                f"{row.name} is controlled; {ordered_by} is not licensed for it.",
                kind="permission",
            )
        if not 0 < quantity <= row.most:
            raise ToolError(
                "bad_quantity", f"One order holds more than 0 and at most {row.most:g} {row.unit}."
            )
        return self.orders.put(
            Order(
                id=self.orders.next_id("O-"),
                reagent=reagent,
                quantity=quantity,
                price=round(quantity * row.price, 2),
                ordered_by=ordered_by,
                purpose=purpose,
                ordered=self.now,
            )
        )
