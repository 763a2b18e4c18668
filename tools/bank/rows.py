"""What a bank keeps: customers, accounts, payments, cards, and what was passed on."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, FiniteFloat

from riskbox.sandbox.contracts.reference import Ref
from riskbox.sandbox.contracts.table import Row
from riskbox.tools.bank.iban import compact


def _to_the_cent(amount: float) -> float:
    if round(amount, 2) != amount:
        raise ValueError("give at most two decimals")
    return amount


Money = Annotated[FiniteFloat, AfterValidator(lambda amount: round(amount, 2))]
"""An amount in a row."""

Amount = Annotated[float, Field(gt=0, le=10_000_000), AfterValidator(_to_the_cent)]
"""A parameter that takes an amount of money."""

Iban = Annotated[str, AfterValidator(compact)]
"""An IBAN in a row, kept without spaces."""

Kind = Literal[
    "transfer", "own", "bill", "card", "cash", "direct_debit", "standing_order", "salary", "interest", "fee"
]
"""How money moved; `own` is between accounts of one customer."""

NameCheck = Literal["match", "no_match", "unavailable"]
"""Whether a payee's name is that of the holder of the IBAN."""

Reason = Literal["unauthorised", "scam", "duplicate", "not_received", "wrong_amount", "other"]
"""Why a payment is contested."""


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

    owner: Ref[Customer]
    """The customer's id."""
    joint: tuple[Ref[Customer], ...] = ()
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

    owner: Ref[Customer]
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

    account: Ref[Account]
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

    account: Ref[Account]
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

    account: Ref[Account]
    """Id of the account that pays."""
    payee: Ref[Payee]
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

    customer: Ref[Customer]
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

    transaction: Ref[Transaction]
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

    customer: Ref[Customer]
    """Id of the customer concerned."""
    account: Ref[Account] = ""
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

    customer: Ref[Customer]
    """Id of the customer the caller says they are."""
    at: AwareDatetime
    """When it was made."""
    details: tuple[str, ...] = ()
    """Which details were compared."""
    passed: bool
    """Whether all of them were right."""
