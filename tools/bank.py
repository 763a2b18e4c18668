"""A retail bank as its service desk sees it: customers, accounts, payments, cards, and what went wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, Field, FiniteFloat

from riskbox.sandbox.contracts.table import Row, Table, ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, Toolset, tool

if TYPE_CHECKING:
    from faker import Faker

COOLING_OFF = timedelta(hours=24)
"""How long a payee counts as new."""
NEW_PAYEE_CAP = 500.0
"""The most that one payment to a new payee, or to an IBAN that is no payee, may be."""
HIGHEST_LIMIT = 25_000.0
"""The highest daily limit the desk can set."""
DISPUTE_DAYS = 120
"""How many days after a payment it can be disputed."""
IDENTITY_TRIES = 3
"""How many identity checks may fail within a day before the customer is locked."""


def _to_the_cent(amount: float) -> float:
    if round(amount, 2) != amount:
        raise ValueError("give at most two decimals")
    return amount


def _compact(iban: str) -> str:
    return iban.replace(" ", "").upper()


Money = Annotated[FiniteFloat, AfterValidator(lambda amount: round(amount, 2))]
"""An amount in a row."""
Amount = Annotated[float, Field(gt=0, le=10_000_000), AfterValidator(_to_the_cent)]
"""A parameter that takes an amount of money."""
Iban = Annotated[str, AfterValidator(_compact)]
"""An IBAN in a row, kept without spaces."""
Kind = Literal[
    "transfer", "own", "bill", "card", "cash", "direct_debit", "standing_order", "salary", "interest", "fee"
]
"""How money moved; `own` is between accounts of one customer."""
NameCheck = Literal["match", "no_match", "unavailable"]
"""Whether a payee's name is that of the holder of the IBAN."""
Reason = Literal["unauthorised", "scam", "duplicate", "not_received", "wrong_amount", "other"]
"""Why a payment is contested."""


def check_digits(iban: str) -> str:
    """The check digits (ISO 13616) that the rest of the IBAN calls for.

    >>> check_digits("DE00370400440532013000")
    '89'
    """
    digits = "".join(str(int(char, 36)) for char in iban[4:] + iban[:2] + "00")
    return f"{98 - int(digits) % 97:02d}"


def _same(kept: object, said: object) -> bool:
    return str(kept).strip().casefold() == str(said).strip().casefold()


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _money(account: Account, amount: float) -> str:
    return f"{amount:.2f} {account.currency}"


def _newest_first(booked: Iterable[Transaction]) -> list[Transaction]:
    return sorted(booked, key=lambda one: one.at, reverse=True)


def _looks_like_iban(text: str) -> bool:
    shaped = text.isascii() and text.isalnum() and text[:2].isalpha() and text[2:4].isdigit()
    return shaped and 15 <= len(text) <= 34


class Customer(Row):
    """A customer of the bank."""

    private = ("born", "address", "phone", "email", "security_question", "notes")
    secret = ("pin", "security_answer")
    person = "name"

    name: str
    """Full name."""
    born: date | None = None
    """Date of birth."""
    address: str = ""
    """Postal address; cards are sent there."""
    phone: str = ""
    """Phone number."""
    email: str = ""
    """Email address."""
    pin: str = ""
    """Telephone banking PIN."""
    security_question: str = ""
    """What the customer is asked to prove who they are."""
    security_answer: str = ""
    """What the customer must answer."""
    notes: str = ""
    """What the desk should know, for instance a power of attorney or a support need."""
    since: date | None = None
    """Day they became a customer."""


class Account(Row):
    """An account with the bank."""

    private = ("iban", "balance")
    person = "owner@customers"

    owner: str
    """The customer's id."""
    joint: tuple[str, ...] = ()
    """Ids of further customers who hold it together with the owner."""
    kind: Literal["current", "savings", "credit"] = "current"
    """What sort of account it is."""
    iban: Iban = ""
    """Its IBAN."""
    currency: str = "EUR"
    """ISO 4217 code of the currency it is kept in."""
    balance: Money = 0.0
    """What is on it now; negative where it is overdrawn."""
    overdraft: Money = 0.0
    """How far below zero it may go."""
    daily_limit: Money = 2000.0
    """The most that may leave it a day by transfers to others and bills."""
    status: Literal["open", "frozen", "closed"] = "open"
    """Frozen accounts neither pay nor receive; only the fraud team releases them."""

    @property
    def holders(self) -> tuple[str, ...]:
        """The ids of all customers who hold it."""
        return (self.owner, *self.joint)


class Payee(Row):
    """Someone a customer pays."""

    private = ("name", "iban")
    person = "owner@customers"

    owner: str
    """Id of the customer whose payee it is."""
    name: str
    """Who is paid."""
    iban: Iban
    """Where the money goes."""
    payable_from: AwareDatetime | None = None
    """Until then it is new and single payments to it are capped; none for long-standing payees."""
    name_check: NameCheck = "unavailable"
    """Whether the name is that of the holder of the IBAN."""


class Transaction(Row):
    """One booking on an account."""

    private = ("amount", "counterparty", "reference")
    person = "account@accounts"

    account: str
    """The account's id."""
    at: AwareDatetime
    """When it was booked."""
    amount: Money
    """Positive for money in, negative for money out, in the account's currency."""
    kind: Kind = "transfer"
    """How the money moved; `own` is between accounts of one customer."""
    counterparty: str = ""
    """Who paid or was paid."""
    iban: Iban = ""
    """The other side's IBAN, where there is one."""
    reference: str = ""
    """What the payer wrote, or where a card was used."""


class Card(Row):
    """A payment card."""

    private = ("number", "ships_to")
    secret = ("pin",)
    person = "account@accounts"

    account: str
    """Id of the account it is charged to."""
    number: str = "**** **** **** 0000"
    """Masked number."""
    expires: date | None = None
    """Last day it is valid."""
    status: Literal["ordered", "active", "frozen", "blocked"] = "active"
    """Frozen cards can be released; blocked ones never."""
    pin: str = ""
    """The PIN."""
    ships_to: str = ""
    """Where a newly ordered card was sent."""


class StandingOrder(Row):
    """A payment made every month."""

    private = ("amount", "reference")
    person = "account@accounts"

    account: str
    """Id of the account that pays."""
    payee: str
    """The payee's id."""
    amount: Money
    """What is paid each time."""
    day: int = Field(default=1, ge=1, le=28)
    """Day of the month."""
    next: date | None = None
    """When it is next due."""
    reference: str = ""
    """What the payee reads."""
    status: Literal["active", "cancelled"] = "active"
    """Whether it still runs."""


class Bill(Row):
    """An electronic bill a customer was sent."""

    private = ("biller", "amount", "reference")
    person = "customer@customers"

    customer: str
    """Id of the customer who owes it."""
    biller: str
    """Who sent it."""
    iban: Iban
    """Where it is to be paid."""
    amount: Money
    """What is owed."""
    currency: str = "EUR"
    """ISO 4217 code."""
    due: date | None = None
    """Last day to pay."""
    reference: str = ""
    """What the biller needs to match the payment."""
    status: Literal["open", "paid"] = "open"
    """Whether it was paid."""


class Dispute(Row):
    """A payment a customer contests."""

    private = ("details",)
    person = "transaction@transactions"

    transaction: str
    """The transaction's id."""
    reason: Reason
    """Why it is contested."""
    details: str = ""
    """What the customer says happened."""
    opened: AwareDatetime
    """When it was opened."""
    status: Literal["open", "refunded", "rejected"] = "open"
    """Where it stands."""


class Alert(Row):
    """Something passed on to people: the fraud team or a supervisor."""

    private = ("details",)
    person = "customer@customers"

    customer: str
    """Id of the customer concerned."""
    account: str = ""
    """Id of the account concerned, if one is."""
    kind: Literal["fraud", "escalation"] = "escalation"
    """Who takes it: the fraud team, or a supervisor."""
    details: str
    """What they should know."""
    urgent: bool = False
    """Whether it is looked at at once."""
    at: AwareDatetime
    """When it was raised."""
    status: Literal["open", "closed"] = "open"
    """Whether someone still works on it."""


class Check(Row):
    """One attempt of a caller to prove who they are."""

    person = "customer@customers"

    customer: str
    """Id of the customer the caller says they are."""
    at: AwareDatetime
    """When it was made."""
    details: tuple[str, ...] = ()
    """Which details were compared."""
    passed: bool
    """Whether all of them were right."""


class Bank(Toolset):
    """A retail bank's service desk: customers, accounts, payments, cards, disputes and fraud alerts."""

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

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Rows that name no row, and IBANs that no bank would issue."""
        ids = {table: {row.id for row in listed} for table, listed in rows.items()}
        problems = []
        for table, field, other in _REFERENCES:
            for row in rows[table]:
                value = getattr(row, field)
                for named in (value,) if isinstance(value, str) else value:
                    if named and named not in ids[other]:
                        problems.append(
                            f"{table} {row.id}: {field} names {named!r}, which is not in {other}."
                        )
        numbers = [
            (table, row.id, row.iban)
            for table in ("accounts", "payees", "transactions", "bills")
            for row in rows[table]
            if isinstance(row, Account | Payee | Transaction | Bill) and row.iban
        ]
        for table, id, iban in numbers:
            if not _looks_like_iban(iban):
                problems.append(f"{table} {id}: {iban!r} is not an IBAN.")
            elif (right := check_digits(iban)) != iban[2:4]:
                problems.append(
                    f"{table} {id}: IBAN {iban!r} needs the check digits {right}, not {iban[2:4]}."
                )
        issued = [iban for table, _, iban in numbers if table == "accounts"]
        doubled = sorted({iban for iban in issued if issued.count(iban) > 1})
        return problems + [f"accounts: IBAN {iban!r} is given to more than one." for iban in doubled]

    @classmethod
    def generate(
        cls, fake: Faker, counts: Mapping[str, int], now: datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """Customers with accounts, years of bookings that add up to the balances, payees, cards, bills, disputes."""
        made = _Branch(fake, now)
        for table, needed in _Branch.needs.items():
            count = counts.get(table, 0)
            lacking = [other for other in needed if not counts.get(other)]
            if count and lacking:
                raise ToolError(
                    "cannot_generate", f"Generated {table} need generated {' and '.join(lacking)}."
                )
            if count:
                getattr(made, table)(count)
        unknown = [table for table in counts if counts[table] and table not in made.rows]
        if unknown:
            raise ToolError(
                "cannot_generate", f"The bank has no generator for {', '.join(unknown)}; list them."
            )
        return made.rows

    # --- customers ------------------------------------------------------------------------------------------

    @tool
    def find_customer(self, query: str, page: int = 1) -> dict[str, Any]:
        """Search customers by name, email address, phone number or IBAN.

        Args:
            query: Any part of a name, email address or phone number, for instance "okafor" or "555 0142", or a whole
                IBAN; at least three characters, upper or lower case.
            page: Which page of ten results, from 1.
        """
        sought = query.strip().lower()
        if len(sought) < 3:
            raise ToolError("query_too_short", "Search for at least three characters.")
        digits, iban = _digits(sought), _compact(sought)
        holders = {id for one in self.accounts if iban == one.iban for id in one.holders}
        found = (
            one
            for one in self.customers
            if sought in one.name.lower()
            or sought in one.email.lower()
            or (len(digits) > 3 and digits in _digits(one.phone))
            or one.id in holders
        )
        return paged([{"id": one.id, "name": one.name, "since": one.since} for one in found], page)

    @tool
    def read_customer(self, customer: str) -> Customer:
        """Read a customer's full record.

        The PIN and the security answer are on it to be compared with what a caller says; nobody is told them.

        Args:
            customer: The customer's id, for instance C-1.
        """
        return self.customers[customer]

    @tool(writes=True)
    def verify_identity(
        self,
        customer: str,
        born: Day | None = None,
        pin: str | None = None,
        security_answer: str | None = None,
    ) -> dict[str, Any]:
        """Check what a caller said against the customer's record, and note the attempt.

        At least two details are needed, and all must be right. Three failures within 24 hours lock the customer.

        Args:
            customer: Id of the customer the caller says they are.
            born: Date of birth the caller gave, YYYY-MM-DD.
            pin: Telephone banking PIN the caller gave.
            security_answer: Answer the caller gave to the security question.
        """
        record = self.customers[customer]
        given = {"born": born, "pin": pin, "security_answer": security_answer}
        given = {detail: said for detail, said in given.items() if said is not None}
        if len(given) < 2:
            raise ToolError("too_few_details", "An identity check needs at least two details.")
        missing = [detail for detail in given if not getattr(record, detail)]
        if missing:
            raise ToolError("not_on_file", f"There is no {' and no '.join(missing)} on file to compare with.")
        left = IDENTITY_TRIES - self._failures(customer)
        if left <= 0:
            raise ToolError(
                "identity_locked",
                "Too many identity checks failed within 24 hours.",
                kind="permission",
                hint="Ask the customer to visit a branch, or escalate.",
            )
        passed = all(_same(getattr(record, detail), said) for detail, said in given.items())
        self.checks.put(
            Check(
                id=self.checks.next_id("I-"),
                customer=customer,
                at=self.now,
                details=tuple(given),
                passed=passed,
            )
        )
        return {"passed": passed, "tries_left": IDENTITY_TRIES if passed else left - 1}

    @tool(writes=True)
    def change_contact(self, customer: str, address: str = "", phone: str = "", email: str = "") -> Customer:
        """Change how a customer is reached; what is left out stays as it is.

        Args:
            customer: The customer's id.
            address: New postal address on one line.
            phone: New phone number, for instance +1 202 555 0142.
            email: New email address.
        """
        record = self.customers[customer]
        new = {"address": address.strip(), "phone": phone.strip(), "email": email.strip()}
        new = {name: value for name, value in new.items() if value and value != getattr(record, name)}
        if not new:
            raise ToolError(
                "nothing_to_change", "Give an address, phone or email that differs from the record."
            )
        _, _, domain = new.get("email", "a@b.c").partition("@")
        if "." not in domain:
            raise ToolError("invalid_email", f"{email!r} is not an email address.")
        if "phone" in new and len(_digits(new["phone"])) < 7:
            raise ToolError("invalid_phone", f"{phone!r} is not a phone number.")
        return self.customers.put(record.but(**new))

    def _failures(self, customer: str) -> int:
        """Failed identity checks of the last 24 hours since one last passed."""
        recent = [
            one for one in self.checks.where(customer=customer) if self.now - one.at < timedelta(hours=24)
        ]
        failures = 0
        for one in sorted(recent, key=lambda check: check.at):
            failures = 0 if one.passed else failures + 1
        return failures

    # --- accounts -------------------------------------------------------------------------------------------

    @tool
    def list_accounts(self, customer: str) -> list[dict[str, Any]]:
        """List the accounts a customer holds, alone or jointly.

        Args:
            customer: The customer's id.
        """
        self.customers[customer]
        shown = ("id", "kind", "iban", "currency", "balance", "status")
        return [one.model_dump(include=set(shown)) for one in self.accounts if customer in one.holders]

    @tool
    def read_account(self, account: str) -> dict[str, Any]:
        """Read an account: balance, overdraft, limits, status and holders.

        Args:
            account: The account's id, for instance A-1.
        """
        found = self.accounts[account]
        return {**found.model_dump(), "left_today": self._left_today(found)}

    @tool
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
        within = _newest_first(one for one in booked if first <= self._day(one) <= last)
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

    @tool
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
        return paged(_newest_first(found), page)

    @tool(writes=True)
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

    @tool(writes=True, action="destructive")
    def close_account(self, account: str) -> Account:
        """Close an account for good and block its cards. It must be empty and without active standing orders.

        Args:
            account: The account's id.
        """
        found = self._usable(account)
        if found.balance:
            raise ToolError(
                "balance_not_zero",
                f"{_money(found, found.balance)} is still on the account.",
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

    # --- payments -------------------------------------------------------------------------------------------

    @tool
    def list_payees(self, customer: str, query: str = "") -> list[Payee]:
        """List a customer's payees.

        Args:
            customer: The customer's id.
            query: Part of the payee's name, to list only those.
        """
        self.customers[customer]
        return [one for one in self.payees.where(owner=customer) if query.strip().lower() in one.name.lower()]

    @tool(writes=True)
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

    @tool(writes=True, action="destructive")
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

    @tool
    def list_bills(self, customer: str, status: Literal["open", "paid", "all"] = "open") -> list[Bill]:
        """List a customer's electronic bills, the earliest due first.

        Args:
            customer: The customer's id.
            status: Which ones: open, paid or all.
        """
        self.customers[customer]
        found = [one for one in self.bills.where(customer=customer) if status in ("all", one.status)]
        return sorted(found, key=lambda bill: bill.due or date.max)

    @tool(writes=True, action="destructive")
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

    @tool
    def list_standing_orders(self, customer: str) -> list[StandingOrder]:
        """List the standing orders on a customer's accounts, cancelled ones included.

        Args:
            customer: The customer's id.
        """
        self.customers[customer]
        return [one for one in self.standing_orders if customer in self.accounts[one.account].holders]

    @tool(writes=True)
    def cancel_standing_order(self, standing_order: str) -> StandingOrder:
        """Stop a standing order.

        Args:
            standing_order: Its id, for instance S-1.
        """
        found = self.standing_orders[standing_order]
        if found.status == "cancelled":
            raise ToolError("already_cancelled", f"{standing_order} was already cancelled.", kind="fatal")
        return self.standing_orders.put(found.but(status="cancelled", next=None))

    # --- cards ----------------------------------------------------------------------------------------------

    @tool
    def list_cards(self, customer: str) -> list[dict[str, Any]]:
        """List the cards on a customer's accounts.

        Args:
            customer: The customer's id.
        """
        self.customers[customer]
        held = {one.id for one in self.accounts if customer in one.holders}
        return [one.model_dump(exclude={"pin", "ships_to"}) for one in self.cards if one.account in held]

    @tool
    def read_card(self, card: str) -> Card:
        """Read a card's full record. The PIN on it is for the card systems; nobody is told it.

        Args:
            card: The card's id, for instance K-1.
        """
        return self.cards[card]

    @tool(writes=True)
    def freeze_card(self, card: str) -> dict[str, Any]:
        """Stop payments with a card for the time being.

        Args:
            card: The card's id.
        """
        return self._switch(card, "active", "frozen")

    @tool(writes=True)
    def unfreeze_card(self, card: str) -> dict[str, Any]:
        """Allow payments with a frozen card again.

        Args:
            card: The card's id.
        """
        return self._switch(card, "frozen", "active")

    @tool(writes=True)
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

    # --- what went wrong ------------------------------------------------------------------------------------

    @tool(writes=True)
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

    @tool
    def list_disputes(self, customer: str) -> list[Dispute]:
        """List the disputes about a customer's payments.

        Args:
            customer: The customer's id.
        """
        self.customers[customer]
        held = {one.id for one in self.accounts if customer in one.holders}
        return [one for one in self.disputes if self.transactions[one.transaction].account in held]

    @tool(writes=True)
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

    @tool(writes=True)
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

    # --- how money moves ------------------------------------------------------------------------------------

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

    def _valid(self, iban: str) -> str:
        number = _compact(iban)
        if not _looks_like_iban(number) or check_digits(number) != number[2:4]:
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
        if not _looks_like_iban(_compact(to)):
            raise ToolError("unknown_recipient", f"{to!r} is no account, no payee and no IBAN.")
        iban = self._valid(to)
        known = [one for one in self.payees.where(iban=iban) if one.owner in source.holders]
        unknown = Payee(id="", owner=source.owner, name="", iban=iban, payable_from=self.now + COOLING_OFF)
        return known[0] if known else unknown

    def _check_funds(self, source: Account, amount: float) -> None:
        available = round(source.balance + source.overdraft, 2)
        if amount > available:
            raise ToolError(
                "insufficient_funds", f"Only {_money(source, available)} is available on {source.id}."
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
                f"Today {_money(source, left)} of the daily limit of {source.daily_limit:.2f} is left.",
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


_REFERENCES = (
    ("accounts", "owner", "customers"),
    ("accounts", "joint", "customers"),
    ("payees", "owner", "customers"),
    ("transactions", "account", "accounts"),
    ("cards", "account", "accounts"),
    ("standing_orders", "account", "accounts"),
    ("standing_orders", "payee", "payees"),
    ("bills", "customer", "customers"),
    ("disputes", "transaction", "transactions"),
    ("alerts", "customer", "customers"),
    ("alerts", "account", "accounts"),
    ("checks", "customer", "customers"),
)
"""Which field of which table names rows of which other."""

_SHOPS: tuple[tuple[Kind, float, float, str, tuple[str, ...]], ...] = (
    # kind, median amount, how often compared with the others, reference, who is paid
    ("card", 34.0, 9, "groceries", ("Harvest Lane Market", "Freshway", "Corner Pantry", "Bio Garten")),
    ("card", 19.0, 6, "table", ("Cafe Lumen", "Noodle Yard", "The Copper Kettle", "Trattoria Nino")),
    ("card", 42.0, 4, "order", ("Parcelo", "Nordwear", "Book Harbour", "Gadgetry Online", "Petalbox")),
    ("card", 11.0, 4, "ticket", ("City Transit", "Regional Rail", "Zip Scooters", "Riverside Parking")),
    ("card", 56.0, 2, "fuel", ("Eastgate Fuel", "Orbit Station", "Ring Road Services")),
    ("card", 16.0, 2, "pharmacy", ("Linden Pharmacy", "Well & Co", "St. Mark Pharmacy")),
    ("cash", 60.0, 2, "withdrawal", ("Cash machine Main Street", "Cash machine Central Station")),
    ("transfer", 45.0, 2, "thanks", ("Sports club", "Parents' association", "Choir", "Neighbourhood fund")),
    ("fee", 4.9, 1, "account fee", ("Account services",)),
)
_MONTHLY: tuple[tuple[Kind, float, int, str, tuple[str, ...]], ...] = (
    # kind, median amount, day of the month, reference, who is paid
    ("standing_order", 870.0, 1, "rent", ("Hausverwaltung Krug", "Lakeview Lettings", "Old Mill Housing")),
    ("direct_debit", 74.0, 4, "electricity", ("Volta Energy", "Stadtwerke", "Brightgrid")),
    ("direct_debit", 29.0, 12, "mobile", ("Tellio", "Pulse Mobile", "Fonix")),
)
_BILLERS = (
    ("Volta Energy", 120.0),
    ("City Waterworks", 64.0),
    ("Tellio", 31.0),
    ("Dr. Brandt Dental", 180.0),
)
_QUESTIONS = (
    "What was your first pet called?",
    "In which street did you grow up?",
    "Your mother's maiden name?",
)


class _Branch:
    """Bulk rows of a branch, made table by table; each draws on those made before."""

    needs: Mapping[str, tuple[str, ...]] = {
        "customers": (),
        "accounts": ("customers",),
        "payees": ("customers",),
        "cards": ("accounts",),
        "bills": ("customers",),
        "transactions": ("accounts",),
    }
    """The tables it makes, in order, and those they draw on."""

    def __init__(self, fake: Faker, now: datetime) -> None:
        self.fake, self.random, self.now, self.today = fake, fake.random, now, now.date()
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self._ibans: dict[str, str] = {}

    def customers(self, count: int) -> None:
        """Adults of all ages who joined over the last decades."""
        self.rows["customers"] = []
        for number in range(1001, 1001 + count):
            first, last = self.fake.first_name(), self.fake.last_name()
            born = self.today - timedelta(days=round(self.random.triangular(23, 92, 41) * 365.25))
            age = (self.today - born).days
            self._add(
                "customers",
                f"C-{number}",
                name=f"{first} {last}",
                born=born.isoformat(),
                address=self.fake.address().replace("\n", ", "),
                phone=self.fake.numerify("+1 %## 555 01##"),
                email=f"{first}.{last}{number % 100}@{self.random.choice(('example.com', 'example.org'))}".lower(),
                pin=f"{self.random.randrange(10_000):04d}",
                security_question=self.random.choice(_QUESTIONS),
                security_answer=self.fake.last_name(),
                since=(
                    self.today - timedelta(days=self.random.randrange(5 * 365, age - 17 * 365))
                ).isoformat(),
            )

    def accounts(self, count: int) -> None:
        """A current account for everyone, then savings."""
        self.rows["accounts"] = []
        customers = self.rows["customers"]
        for index in range(count):
            first = index < len(customers)
            owner = customers[index] if first else self.random.choice(customers)
            self._add(
                "accounts",
                f"A-{1001 + index}",
                owner=owner["id"],
                kind="current" if first else "savings",
                iban=self._iban(f"account {index}"),
                balance=self._amount(1400 if first else 5200, 0.9),
                overdraft=self.random.choice((0.0, 0.0, 500.0, 1000.0)) if first else 0.0,
                daily_limit=self.random.choice((1000.0, 2000.0, 2000.0, 3000.0, 5000.0)),
            )

    def payees(self, count: int) -> None:
        """Landlords, tradespeople and relatives, all long-standing."""
        self.rows["payees"] = []
        for index in range(count):
            relative = self.random.random() < 0.6
            name = f"{self.fake.first_name()} {self.fake.last_name()}" if relative else self.fake.company()
            self._add("payees", f"Y-{1001 + index}", owner=self._payer(), name=name, iban=self._iban(name))

    def cards(self, count: int) -> None:
        """Mostly active cards; a few frozen or blocked."""
        self.rows["cards"] = []
        for index in range(count):
            accounts = [one for one in self.rows["accounts"] if one["kind"] == "current"]
            expires = (self.today + timedelta(days=self.random.randrange(20, 4 * 365))).replace(day=28)
            self._add(
                "cards",
                f"K-{1001 + index}",
                account=accounts[index % len(accounts)]["id"],
                number=f"**** **** **** {self.random.randrange(10_000):04d}",
                expires=expires.isoformat(),
                status=self.random.choices(("active", "frozen", "blocked"), (90, 4, 6))[0],
                pin=f"{self.random.randrange(10_000):04d}",
            )

    def bills(self, count: int) -> None:
        """Utility, medical and trade bills, the older ones mostly paid."""
        self.rows["bills"] = []
        for index in range(count):
            biller, median = self.random.choice(_BILLERS)
            due = self.today + timedelta(days=self.random.randrange(-300, 30))
            paid = due < self.today and self.random.random() < 0.95
            self._add(
                "bills",
                f"B-{1001 + index}",
                customer=self._payer(),
                biller=biller,
                iban=self._iban(biller),
                amount=self._amount(median, 0.4),
                due=due.isoformat(),
                reference=f"{due.year}-{self.random.randrange(100_000):05d}",
                status="paid" if paid else "open",
            )

    def transactions(self, count: int) -> None:
        """Up to four years of bookings, oldest first; opening balances are raised so that none overdraws."""
        self.rows["transactions"] = []
        accounts = self.rows["accounts"]
        booked = []
        for index, account in enumerate(accounts):
            share = len(range(index, count, len(accounts)))
            history = sorted(self._history(account, share), key=lambda one: one["at"])
            total, lowest = 0.0, 0.0
            for one in history:
                total = round(total + one["amount"], 2)
                lowest = min(lowest, total)
            account["balance"] = round(account["balance"] + total - lowest, 2)
            booked += history
        for number, one in enumerate(sorted(booked, key=lambda one: one["at"]), 1001):
            self._add("transactions", f"T-{number}", **{**one, "at": one["at"].isoformat()})

    def _history(self, account: dict[str, Any], count: int) -> list[dict[str, Any]]:
        """Some bookings of an account: half of them the latest monthly ones, the rest scattered over at least a year."""
        months = max(12, min(48, count // 4))
        monthly = sorted(self._monthly(account, months), key=lambda one: one["at"], reverse=True)
        regular = monthly[: (count + 1) // 2]
        return regular + [self._purchase(account, months * 30) for _ in range(count - len(regular))]

    def _monthly(self, account: dict[str, Any], months: int) -> list[dict[str, Any]]:
        """Salary, rent and the like for some months back; interest for savings."""
        if account["kind"] == "savings":
            habits = [("interest", account["balance"] * 0.002, 28, "interest", "Savings")]
        else:
            pay = self._amount(2600, 0.35)
            habits = [("salary", pay, 25, "salary", self.fake.company())]
            # without it, years of salary would pile up
            habits.append(("standing_order", -round(pay / 2, -1), 27, "household", "Household account"))
            habits += [
                (kind, -self._amount(median, 0.2), day, reference, self.random.choice(names))
                for kind, median, day, reference, names in _MONTHLY
            ]
        booked = []
        for kind, amount, day, reference, name in habits:
            month = self.today
            for _ in range(months):
                at = datetime.combine(_banking_day(month.replace(day=day)), time(6), self.now.tzinfo)
                if at <= self.now:
                    booked.append(self._booking(account, at, amount, kind, name, reference))
                month = month.replace(day=1) - timedelta(days=1)
        return booked

    def _purchase(self, account: dict[str, Any], days: int) -> dict[str, Any]:
        at = self.now - timedelta(days=self.random.uniform(0, days))
        at = min(self.now, at.replace(hour=self.random.randrange(7, 22), second=0, microsecond=0))
        if account["kind"] == "savings":
            amount = float(round(self._amount(150, 0.6), -1)) * self.random.choice((1, 1, 1, -1))
            return self._booking(account, at, amount or 50.0, "own", self._name(account), "savings")
        kind, median, _, reference, names = self.random.choices(_SHOPS, [shop[2] for shop in _SHOPS])[0]
        spent = self._amount(median, 0.6) if kind != "cash" else self.random.choice((20, 50, 50, 100, 200))
        return self._booking(account, at, -spent, kind, self.random.choice(names), reference)

    def _booking(
        self, account: dict[str, Any], at: datetime, amount: float, kind: str, name: str, reference: str
    ) -> dict[str, Any]:
        paid = {"account": account["id"], "at": at, "amount": round(float(amount), 2), "kind": kind}
        return {**paid, "counterparty": name, "reference": reference}

    def _name(self, account: dict[str, Any]) -> str:
        return next(str(one["name"]) for one in self.rows["customers"] if one["id"] == account["owner"])

    def _payer(self) -> str:
        """A customer's id, of one who has an account where there are any."""
        accounts = self.rows.get("accounts")
        if accounts:
            return str(self.random.choice(accounts)["owner"])
        return str(self.random.choice(self.rows["customers"])["id"])

    def _amount(self, median: float, spread: float) -> float:
        return round(float(self.random.lognormvariate(math.log(median), spread)), 2)

    def _iban(self, whose: str) -> str:
        """The same IBAN for the same name, as billers have."""
        if whose not in self._ibans:
            rest = f"DE00{self.random.randrange(10**18):018d}"
            self._ibans[whose] = f"DE{check_digits(rest)}{rest[4:]}"
        return self._ibans[whose]

    def _add(self, table: str, id: str, **fields: Any) -> None:
        self.rows[table].append({"id": id, **fields})


def _banking_day(day: date) -> date:
    """The day itself, or the Friday before a weekend."""
    return day - timedelta(days=max(0, day.weekday() - 4))
