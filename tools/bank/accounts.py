"""Tools about accounts: what is on them, what was booked, their limits, and closing them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import Field

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, tool
from riskbox.tools.bank.rows import Account
from riskbox.tools.bank.tables import BankTables, money, newest_first

HIGHEST_LIMIT = 25_000.0
"""The highest daily limit the desk can set."""


class AccountTools(BankTables):
    """Reads and changes accounts."""

    @tool(reads=["accounts"])
    def list_accounts(self, customer: str) -> list[dict[str, Any]]:
        """List the accounts a customer holds, alone or jointly.

        Args:
            customer: The customer's id.
        """
        self.customers[customer]
        shown = ("id", "kind", "iban", "currency", "balance", "status")
        return [one.model_dump(include=set(shown)) for one in self.accounts if customer in one.holders]

    @tool(reads=["accounts", "transactions.amount"])
    def read_account(self, account: str) -> dict[str, Any]:
        """Read an account: balance, overdraft, limits, status and holders.

        Args:
            account: The account's id, for instance A-1.
        """
        found = self.accounts[account]
        return {**found.model_dump(), "left_today": self._left_today(found)}

    @tool(reads=["accounts", "transactions"])
    def statement(
        self, account: str, since: Day | None = None, until: Day | None = None, page: int = 1
    ) -> dict[str, Any]:
        """List an account's bookings in a range of days, newest first, with the balances before and after it.

        Args:
            account: The account's id.
            since: First day, YYYY-MM-DD; 30 days before the last day if left out.
            until: Last day, YYYY-MM-DD; today if left out.
            page: Which page of 25 bookings, from 1.
        """
        found = self.accounts[account]
        last = until or self.now.date()
        first = since or date.fromordinal(max(1, last.toordinal() - 30))
        if first > last:
            raise ToolError("bad_range", f"The first day, {first}, is after the last, {last}.")
        booked = self.transactions.where(account=account)
        within = newest_first(one for one in booked if first <= self._day(one) <= last)
        closing = found.balance - sum(one.amount for one in booked if self._day(one) > last)
        return {
            "account": account,
            "currency": found.currency,
            "since": first,
            "until": last,
            "opening_balance": round(closing - sum(one.amount for one in within), 2),
            "closing_balance": round(closing, 2),
            **paged(within, page, size=25),
        }

    @tool(reads=["transactions"])
    def search_transactions(
        self,
        customer: str,
        text: str = "",
        since: Day | None = None,
        until: Day | None = None,
        least: float | None = None,
        most: float | None = None,
        page: int = 1,
    ) -> dict[str, Any]:
        """Search the bookings on all accounts of a customer, newest first.

        Args:
            customer: The customer's id.
            text: Part of the counterparty, the reference or the kind, upper or lower case.
            since: First day, YYYY-MM-DD.
            until: Last day, YYYY-MM-DD.
            least: Smallest amount, without sign, so 100 finds money in and out alike.
            most: Largest amount, without sign.
            page: Which page of ten results, from 1.
        """
        self.customers[customer]
        held = {one.id for one in self.accounts if customer in one.holders}
        sought = text.strip().lower()
        found = (
            one
            for one in self.transactions
            if one.account in held
            and sought in f"{one.counterparty}\n{one.reference}\n{one.kind}".lower()
            and (since is None or since <= self._day(one))
            and (until is None or self._day(one) <= until)
            and (least is None or least <= abs(one.amount))
            and (most is None or abs(one.amount) <= most)
        )
        return paged(newest_first(found), page)

    @tool(writes=True, changes=["accounts.daily_limit"], reads=["accounts"])
    def set_limit(self, account: str, daily_limit: Annotated[float, Field(ge=0)]) -> Account:
        """Set how much may leave an account a day by transfers to others and bills.

        Args:
            account: The account's id.
            daily_limit: The new limit in the account's currency, at most 25000.
        """
        found = self._usable(account)
        if daily_limit > HIGHEST_LIMIT:
            raise ToolError(
                "limit_too_high",
                f"The desk can set limits up to {HIGHEST_LIMIT:.2f}.",
                kind="permission",
                hint="Escalate to a supervisor for a higher one.",
            )
        return self.accounts.put(found.but(daily_limit=daily_limit))

    @tool(
        writes=True,
        action="destructive",
        changes=["accounts.status=closed", "cards.status=blocked"],
        reads=["accounts"],
    )
    def close_account(self, account: str) -> Account:
        """Close an account for good and block its cards. It must be empty and without active standing orders.

        Args:
            account: The account's id.
        """
        found = self._usable(account)
        if found.balance:
            raise ToolError(
                "balance_not_zero",
                f"{money(found, found.balance)} is still on the account.",
                hint="Move what is on it first, or have the debt paid.",
            )
        running = self.standing_orders.where(account=account, status="active")
        if running:
            named = ", ".join(one.id for one in running)
            raise ToolError(
                "standing_orders_active", f"Standing orders still run on it: {named}.", hint="Cancel them."
            )
        for card in self.cards.where(account=account):
            self.cards.put(card.but(status="blocked"))
        return self.accounts.put(found.but(status="closed"))
