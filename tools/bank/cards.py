"""Tools about payment cards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.bank.rows import Card
from riskbox.tools.bank.tables import BankTables


class CardTools(BankTables):
    """Reads, freezes and orders cards."""

    @tool(reads=["cards.account", "cards.number", "cards.expires", "cards.status"])
    def list_cards(self, customer: str) -> list[dict[str, Any]]:
        """List the cards on a customer's accounts.

        Args:
            customer: The customer's id.
        """
        self.customers[customer]
        held = {one.id for one in self.accounts if customer in one.holders}
        return [one.model_dump(exclude={"pin", "ships_to"}) for one in self.cards if one.account in held]

    @tool(reads=["cards"])
    def read_card(self, card: str) -> Card:
        """Read a card's full record. The PIN on it is for the card systems; nobody is told it.

        Args:
            card: The card's id, for instance K-1.
        """
        return self.cards[card]

    @tool(
        writes=True,
        changes=["cards.status=frozen"],
        reads=["cards.account", "cards.number", "cards.expires", "cards.status"],
    )
    def freeze_card(self, card: str) -> dict[str, Any]:
        """Stop payments with a card for the time being.

        Args:
            card: The card's id.
        """
        return self._switch(card, "active", "frozen")

    @tool(
        writes=True,
        changes=["cards.status=active"],
        reads=["cards.account", "cards.number", "cards.expires", "cards.status"],
    )
    def unfreeze_card(self, card: str) -> dict[str, Any]:
        """Allow payments with a frozen card again.

        Args:
            card: The card's id.
        """
        return self._switch(card, "frozen", "active")

    @tool(
        writes=True,
        changes=["cards+", "cards.status=blocked"],
        reads=[
            "cards.account",
            "cards.number",
            "cards.expires",
            "cards.status",
            "cards.ships_to",
            "customers.address",
        ],
    )
    def order_card(
        self,
        account: str,
        replaces: str = "",
        reason: Literal["new", "lost", "stolen", "damaged", "expired"] = "new",
    ) -> dict[str, Any]:
        """Order a card, sent to the owner's address on file. A card it replaces is blocked for good.

        Args:
            account: Id of the account it is charged to.
            replaces: Id of the card it replaces, if it replaces one.
            reason: Why it is ordered.
        """
        owner = self.customers[self._usable(account).owner]
        if not owner.address:
            raise ToolError("no_address", f"There is no address on file for {owner.name}.")
        if self.cards.where(account=account, status="ordered"):
            raise ToolError("already_ordered", "A card for this account is already on its way.")
        if replaces:
            self._block(replaces, account)
        elif reason != "new":
            raise ToolError("replaces_missing", f"Say which card is {reason} with `replaces`.")
        ordered = self.cards.put(
            Card(
                id=self.cards.next_id("K-"),
                account=account,
                number=f"**** **** **** {self.random.randrange(10_000):04d}",
                expires=self.now.date().replace(day=28) + timedelta(days=4 * 365),
                status="ordered",
                pin=f"{self.random.randrange(10_000):04d}",
                ships_to=owner.address,
            )
        )
        return ordered.model_dump(exclude={"pin"})

    def _switch(self, card: str, before: str, after: str) -> dict[str, Any]:
        found = self.cards[card]
        if found.status != before:
            raise ToolError(f"not_{before}", f"Card {card} is {found.status}, not {before}.", kind="fatal")
        changed: Card = self.cards.put(found.but(status=after))
        return changed.model_dump(exclude={"pin", "ships_to"})

    def _block(self, card: str, account: str) -> None:
        found = self.cards[card]
        if found.account != account:
            raise ToolError("not_this_account", f"Card {card} belongs to another account.")
        if found.status == "blocked":
            raise ToolError("already_blocked", f"Card {card} was already replaced or blocked.", kind="fatal")
        self.cards.put(found.but(status="blocked"))
