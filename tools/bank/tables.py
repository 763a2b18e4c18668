"""The bank's tables, and the rules that tools of several kinds follow."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from riskbox.sandbox.contracts.table import Table, ToolError
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.tools.bank.rows import (
    Account,
    Alert,
    Bill,
    Card,
    Check,
    Customer,
    Dispute,
    Payee,
    StandingOrder,
    Transaction,
)


def digits_of(text: str) -> str:
    """The digits of a text."""
    return "".join(char for char in text if char.isdigit())


def money(account: Account, amount: float) -> str:
    """An amount with the currency of an account."""
    return f"{amount:.2f} {account.currency}"


def newest_first(booked: Iterable[Transaction]) -> list[Transaction]:
    """Bookings, the latest first."""
    return sorted(booked, key=lambda one: one.at, reverse=True)


class BankTables(Toolset):
    """The tables, and what several tools ask of an account."""

    customers: Table[Customer]
    accounts: Table[Account]
    payees: Table[Payee]
    transactions: Table[Transaction]
    cards: Table[Card]
    standing_orders: Table[StandingOrder]
    bills: Table[Bill]
    disputes: Table[Dispute]
    alerts: Table[Alert]
    checks: Table[Check]

    def _usable(self, account: str) -> Account:
        found = self.accounts[account]
        if found.status == "closed":
            raise ToolError("account_closed", f"Account {account} is closed.", kind="fatal")
        if found.status == "frozen":
            raise ToolError(
                "account_frozen",
                f"Account {account} is frozen.",
                kind="permission",
                hint="Only the fraud team can release it; escalate.",
            )
        return found

    def _day(self, booked: Transaction) -> date:
        return booked.at.astimezone(self.now.tzinfo).date()

    def _left_today(self, account: Account) -> float:
        """What the daily limit still allows today."""
        spent = sum(
            -one.amount
            for one in self.transactions.where(account=account.id)
            if one.kind in ("transfer", "bill") and one.amount < 0 and self._day(one) == self.now.date()
        )
        return max(0.0, round(account.daily_limit - spent, 2))
