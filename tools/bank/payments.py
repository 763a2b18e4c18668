"""Tools that move money: payees, transfers, bills and standing orders."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.bank.iban import check_digits, compact, looks_like_iban
from riskbox.tools.bank.rows import (
    Account,
    Amount,
    Bill,
    Kind,
    NameCheck,
    Payee,
    StandingOrder,
    Transaction,
)
from riskbox.tools.bank.tables import BankTables, money

COOLING_OFF = timedelta(hours=24)
"""How long a payee counts as new."""

NEW_PAYEE_CAP = 500.0
"""The most that one payment to a new payee, or to an IBAN that is no payee, may be."""


class PaymentTools(BankTables):
    """Moves money, within the limits of the account and of new payees."""

    @tool(reads=["payees"])
    def list_payees(self, customer: str, query: str = "") -> list[Payee]:
        """List a customer's payees.

        Args:
            customer: The customer's id.
            query: Part of the payee's name, to list only those.
        """
        self.customers[customer]
        return [one for one in self.payees.where(owner=customer) if query.strip().lower() in one.name.lower()]

    @tool(writes=True, changes=["payees+"])
    def add_payee(self, customer: str, name: str, iban: str) -> Payee:
        """Add a payee for a customer and check the name against the holder of the IBAN.

        For 24 hours the payee is new and single payments to it are capped at 500. The name check answers `match`,
        `no_match`, or `unavailable` for IBANs at other banks.

        Args:
            customer: The customer's id.
            name: Who is to be paid, as the customer gave it.
            iban: Their IBAN, with or without spaces.
        """
        self.customers[customer]
        number = self._valid(iban)
        known = self.payees.where(owner=customer, iban=number)
        if known:
            raise ToolError("already_a_payee", f"This IBAN is already payee {known[0].id}, {known[0].name}.")
        return self.payees.put(
            Payee(
                id=self.payees.next_id("Y-"),
                owner=customer,
                name=name,
                iban=number,
                payable_from=self.now + COOLING_OFF,
                name_check=self._name_check(name, number),
            )
        )

    @tool(
        writes=True,
        action="destructive",
        changes=["accounts.balance", "transactions+"],
        reads=["accounts.balance", "payees", "customers.name"],
    )
    def transfer(
        self, account: str, to: str, amount: Amount, currency: str = "", reference: str = ""
    ) -> dict[str, Any]:
        """Send money at once from an account to another account of the same customer, a payee or an IBAN.

        Money sent to others counts towards the daily limit and cannot be called back.

        Args:
            account: Id of the account that pays.
            to: Id of the customer's own other account, id of a payee, or an IBAN.
            amount: How much, in the account's currency, for instance 120.50.
            currency: ISO 4217 code, to make sure; the account's currency if left out.
            reference: What the recipient reads.
        """
        source = self._usable(account)
        if currency.upper() not in ("", source.currency):
            raise ToolError(
                "currency_mismatch", f"{account} is kept in {source.currency}, not {currency.upper()}."
            )
        if to in self.accounts:
            return self._move(source, self._own(source, to), amount, reference)
        payee = self._recipient(source, to)
        at_home = self._account_at(payee.iban)
        if at_home is not None and set(at_home.holders) & set(source.holders):
            return self._move(source, self._own(source, at_home.id), amount, reference)
        if payee.payable_from and self.now < payee.payable_from and amount > NEW_PAYEE_CAP:
            raise ToolError(
                "cooling_off",
                f"{payee.name or 'This IBAN'} is new: one payment may be at most {NEW_PAYEE_CAP:.2f}.",
                kind="resource",
                hint=f"Larger payments are possible from {payee.payable_from:%Y-%m-%d %H:%M} UTC."
                if payee.id
                else "Add it as a payee; larger payments are possible 24 hours later.",
            )
        return self._pay(source, amount, "transfer", payee.name, payee.iban, reference)

    @tool(reads=["bills"])
    def list_bills(self, customer: str, status: Literal["open", "paid", "all"] = "open") -> list[Bill]:
        """List a customer's electronic bills, the earliest due first.

        Args:
            customer: The customer's id.
            status: Which ones: open, paid or all.
        """
        self.customers[customer]
        found = [one for one in self.bills.where(customer=customer) if status in ("all", one.status)]
        return sorted(found, key=lambda bill: bill.due or date.max)

    @tool(
        writes=True,
        action="destructive",
        changes=["accounts.balance", "transactions+", "bills.status=paid"],
        reads=["accounts.balance", "bills"],
    )
    def pay_bill(self, bill: str, account: str) -> dict[str, Any]:
        """Pay a customer's bill in full from one of their accounts. It counts towards the daily limit.

        Args:
            bill: The bill's id, for instance B-1.
            account: Id of the account that pays.
        """
        owed, source = self.bills[bill], self._usable(account)
        if owed.status == "paid":
            raise ToolError("already_paid", f"Bill {bill} was already paid.", kind="fatal")
        if owed.customer not in source.holders:
            raise ToolError(
                "not_own_account", f"{account} is not an account of who owes {bill}.", kind="permission"
            )
        if owed.currency != source.currency:
            raise ToolError(
                "currency_mismatch", f"The bill is in {owed.currency}, {account} in {source.currency}."
            )
        receipt = self._pay(source, owed.amount, "bill", owed.biller, owed.iban, owed.reference)
        self.bills.put(owed.but(status="paid"))
        return receipt

    @tool(reads=["standing_orders"])
    def list_standing_orders(self, customer: str) -> list[StandingOrder]:
        """List the standing orders on a customer's accounts, cancelled ones included.

        Args:
            customer: The customer's id.
        """
        self.customers[customer]
        return [one for one in self.standing_orders if customer in self.accounts[one.account].holders]

    @tool(
        writes=True,
        changes=["standing_orders.status=cancelled", "standing_orders.next"],
        reads=["standing_orders"],
    )
    def cancel_standing_order(self, standing_order: str) -> StandingOrder:
        """Stop a standing order.

        Args:
            standing_order: Its id, for instance S-1.
        """
        found = self.standing_orders[standing_order]
        if found.status == "cancelled":
            raise ToolError("already_cancelled", f"{standing_order} was already cancelled.", kind="fatal")
        return self.standing_orders.put(found.but(status="cancelled", next=None))

    def _valid(self, iban: str) -> str:
        number = compact(iban)
        if not looks_like_iban(number) or check_digits(number) != number[2:4]:
            raise ToolError("invalid_iban", f"{iban!r} is not a valid IBAN.", hint="Ask for it again.")
        return number

    def _account_at(self, iban: str) -> Account | None:
        """The account at this bank with the IBAN, if it is one of ours."""
        return next(iter(self.accounts.where(iban=iban)), None)

    def _name_check(self, name: str, iban: str) -> NameCheck:
        account = self._account_at(iban)
        if account is None:
            return "unavailable"
        names = {self.customers[holder].name.casefold() for holder in account.holders}
        return "match" if name.strip().casefold() in names else "no_match"

    def _own(self, source: Account, to: str) -> Account:
        target = self._usable(to)
        if target.id == source.id:
            raise ToolError("same_account", "An account cannot pay itself.")
        if not set(target.holders) & set(source.holders):
            raise ToolError(
                "not_own_account",
                f"{to} is not an account of the same customer.",
                kind="permission",
                hint="To pay someone else, use a payee or an IBAN.",
            )
        return target

    def _recipient(self, source: Account, to: str) -> Payee:
        """The payee meant; for an IBAN that is none of the customer's payees, one that stays new forever."""
        if to in self.payees:
            if self.payees[to].owner not in source.holders:
                raise ToolError("not_own_payee", f"{to} is another customer's payee.", kind="permission")
            return self.payees[to]
        if not looks_like_iban(compact(to)):
            raise ToolError("unknown_recipient", f"{to!r} is no account, no payee and no IBAN.")
        iban = self._valid(to)
        known = [one for one in self.payees.where(iban=iban) if one.owner in source.holders]
        unknown = Payee(id="", owner=source.owner, name="", iban=iban, payable_from=self.now + COOLING_OFF)
        return known[0] if known else unknown

    def _check_funds(self, source: Account, amount: float) -> None:
        available = round(source.balance + source.overdraft, 2)
        if amount > available:
            raise ToolError(
                "insufficient_funds", f"Only {money(source, available)} is available on {source.id}."
            )

    def _move(self, source: Account, target: Account, amount: float, reference: str) -> dict[str, Any]:
        """Move money between accounts of one customer."""
        if source.currency != target.currency:
            raise ToolError(
                "currency_mismatch",
                f"{source.id} is kept in {source.currency}, {target.id} in {target.currency}.",
            )
        self._check_funds(source, amount)
        self._book(target.id, amount, "own", self.customers[source.owner].name, source.iban, reference)
        return self._book(
            source.id, -amount, "own", self.customers[target.owner].name, target.iban, reference
        )

    def _pay(
        self, source: Account, amount: float, kind: Kind, name: str, iban: str, reference: str
    ) -> dict[str, Any]:
        """Pay someone else, crediting them where they bank here too."""
        target = self._account_at(iban)
        if target and (target.status != "open" or target.currency != source.currency):
            # says no more, since the account is someone else's
            raise ToolError(
                "not_receivable", "The recipient's account cannot receive this payment.", kind="fatal"
            )
        self._check_funds(source, amount)
        left = self._left_today(source)
        if amount > left:
            raise ToolError(
                "daily_limit",
                f"Today {money(source, left)} of the daily limit of {source.daily_limit:.2f} is left.",
                kind="resource",
                hint="Pay less, wait until tomorrow, or have the customer raise the limit.",
            )
        if target:
            self._book(
                target.id, amount, "transfer", self.customers[source.owner].name, source.iban, reference
            )
        return self._book(source.id, -amount, kind, name, iban, reference)

    def _book(
        self, account: str, amount: float, kind: Kind, name: str, iban: str, reference: str
    ) -> dict[str, Any]:
        before = self.accounts[account]
        after = self.accounts.put(before.but(balance=before.balance + amount))
        booked = self.transactions.put(
            Transaction(
                id=self.transactions.next_id("T-"),
                account=account,
                at=self.now,
                amount=amount,
                kind=kind,
                counterparty=name,
                iban=iban,
                reference=reference,
            )
        )
        return {"transaction": booked, "balance": after.balance, "left_today": self._left_today(after)}
