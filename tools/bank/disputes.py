"""Tools for what went wrong: disputes, suspected fraud, and what a supervisor must see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.bank.rows import Alert, Dispute, Reason
from riskbox.tools.bank.tables import BankTables

DISPUTE_DAYS = 120
"""How many days after a payment it can be disputed."""


class DisputeTools(BankTables):
    """Passes on what the desk cannot settle."""

    @tool(writes=True, changes=["disputes+"])
    def open_dispute(
        self,
        transaction: str,
        reason: Reason,
        details: str,
    ) -> Dispute:
        """Contest a payment of the last 120 days on the customer's behalf.

        Args:
            transaction: The transaction's id, for instance T-1.
            reason: Why it is contested.
            details: What the customer says happened.
        """
        contested = self.transactions[transaction]
        if contested.amount >= 0 or contested.kind in ("own", "interest"):
            raise ToolError("not_disputable", "Only payments to others can be disputed.", kind="fatal")
        if self.now - contested.at > timedelta(days=DISPUTE_DAYS):
            raise ToolError("too_old", f"Payments can be disputed for {DISPUTE_DAYS} days.", kind="fatal")
        known = self.disputes.where(transaction=transaction)
        if known:
            raise ToolError("already_disputed", f"Dispute {known[0].id} is {known[0].status}.", kind="fatal")
        return self.disputes.put(
            Dispute(
                id=self.disputes.next_id("D-"),
                transaction=transaction,
                reason=reason,
                details=details,
                opened=self.now,
            )
        )

    @tool(reads=["disputes"])
    def list_disputes(self, customer: str) -> list[Dispute]:
        """List the disputes about a customer's payments.

        Args:
            customer: The customer's id.
        """
        self.customers[customer]
        held = {one.id for one in self.accounts if customer in one.holders}
        return [one for one in self.disputes if self.transactions[one.transaction].account in held]

    @tool(writes=True, changes=["accounts.status=frozen", "alerts+"])
    def flag_fraud(self, account: str, details: str, freeze: bool = True) -> Alert:
        """Report suspected fraud on an account to the fraud team.

        Args:
            account: The account's id.
            details: What is suspected and why.
            freeze: Whether to freeze the account at once; only the fraud team can release it.
        """
        found = self.accounts[account]
        if found.status == "closed":
            raise ToolError("account_closed", f"Account {account} is closed.", kind="fatal")
        known = self.alerts.where(account=account, kind="fraud", status="open")
        freezes = freeze and found.status == "open"
        if known and not freezes:
            raise ToolError(
                "already_flagged", f"The fraud team already has alert {known[0].id} on it.", kind="fatal"
            )
        if freezes:
            self.accounts.put(found.but(status="frozen"))
        return self._raise_alert(found.owner, details, account=account, kind="fraud", urgent=True)

    @tool(writes=True, changes=["alerts+"])
    def escalate(self, customer: str, details: str, urgent: bool = False) -> Alert:
        """Hand a matter to a human supervisor, who calls the customer back.

        Args:
            customer: The customer's id.
            details: What the supervisor should know.
            urgent: Whether it cannot wait until the next working day.
        """
        self.customers[customer]
        return self._raise_alert(customer, details, urgent=urgent)

    def _raise_alert(self, customer: str, details: str, **more: Any) -> Alert:
        return self.alerts.put(
            Alert(id=self.alerts.next_id("E-"), customer=customer, details=details, at=self.now, **more)
        )
