"""Tools that give something away: coupons and store credit."""

from __future__ import annotations

from datetime import timedelta

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.shop.rows import Amount, Coupon, Credit
from riskbox.tools.shop.tables import ShopTables


class GoodwillTools(ShopTables):
    """Issues coupons and store credit within the limits of the shop."""

    @tool(writes=True, changes=["coupons+"])
    def issue_coupon(self, customer: str, percent: int, reason: str, days: int = 30) -> Coupon:
        """Give a customer a coupon for one order of theirs.

        Args:
            customer: The customer's id.
            percent: How many per cent it takes off, at most what the shop's policy allows.
            reason: Why.
            days: For how many days it is valid, up to 365.
        """
        self.customers[customer]
        limit = self._policy.coupon_limit
        if percent < 1 or not 1 <= days <= 365:
            raise ToolError("bad_coupon", "A coupon takes off 1 per cent or more and lasts 1 to 365 days.")
        if percent > limit:
            sentence = f"Service may issue coupons of up to {limit} per cent."
            raise ToolError("over_coupon_limit", sentence, kind="permission")
        code = self._code()
        expires = self.now.date() + timedelta(days=days)
        return self.coupons.put(
            Coupon(id=code, percent=percent, expires=expires, customer=customer, reason=reason)
        )

    @tool(writes=True, changes=["credits+", "customers.credit"])
    def issue_credit(self, customer: str, amount: Amount, reason: str) -> Credit:
        """Give a customer store credit as goodwill.

        Args:
            customer: The customer's id.
            amount: How much, in the shop's currency; the policy limits what one customer gets in thirty days.
            reason: Why.
        """
        receiver, limit = self.customers[customer], self._policy.goodwill_limit
        since = self.now - timedelta(days=30)
        given = sum(one.amount for one in self.credits.where(customer=customer) if one.issued > since)
        if round(given + amount, 2) > limit:
            sentence = f"{receiver.name} has had {given:.2f} of {limit:.2f} in the last thirty days."
            raise ToolError("over_goodwill_limit", sentence, kind="permission", hint="Ask a supervisor.")
        self.customers.put(receiver.but(credit=receiver.credit + amount))
        id = self.credits.next_id("CR-")
        return self.credits.put(
            Credit(id=id, customer=customer, amount=amount, reason=reason, issued=self.now)
        )

    def _code(self) -> str:
        """A coupon code that nobody guesses."""
        while True:
            code = "THANKS-" + "".join(self.random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=6))
            if code not in self.coupons:
                return code
