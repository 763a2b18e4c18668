"""What a shop keeps: its rules, products, customers, orders, returns, refunds, coupons and credit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from riskbox.sandbox.contracts.reference import Ref
from riskbox.sandbox.contracts.table import Row

OrderStatus = Literal["placed", "paid", "shipped", "delivered", "cancelled", "returned"]

RefundStatus = Literal["pending", "paid", "declined"]

Payment = Literal["card", "invoice", "credit"]

When = Annotated[
    datetime, AfterValidator(lambda moment: moment if moment.tzinfo else moment.replace(tzinfo=UTC))
]
"""A moment; one written without a timezone is in UTC."""

Money = Annotated[float, Field(ge=0, allow_inf_nan=False), AfterValidator(lambda amount: round(amount, 2))]
"""An amount in the shop's currency."""

Amount = Annotated[
    float, Field(ge=0.01, le=1_000_000, allow_inf_nan=False), AfterValidator(lambda one: round(one, 2))
]
"""A parameter that takes an amount of money."""


class Policy(Row):
    """The shop's rules. A world has one such row at most; without it the defaults hold."""

    id: Literal["shop"] = "shop"
    """Always `shop`."""
    currency: str = "USD"
    """What all amounts are in."""
    refund_limit: Money = 100
    """Refunds of one order up to this sum need no supervisor."""
    return_days: int = Field(30, ge=0, le=3650)
    """How many days after delivery an order may be sent back."""
    goodwill_limit: Money = 25
    """How much store credit one customer may be given within thirty days."""
    coupon_limit: int = Field(20, ge=0, le=100)
    """The highest percentage of a coupon that service may issue."""


class Staff(Row):
    """Someone who works for the shop."""

    secret = ("pin",)
    person = "name"

    name: str
    """Full name."""
    role: Literal["clerk", "supervisor"] = "clerk"
    """A supervisor may approve refunds above the limit."""
    pin: str = ""
    """What a supervisor gives to approve; empty where none is asked."""


class Product(Row):
    """Something for sale."""

    name: str
    """What it is called."""
    category: str = ""
    """The department, for instance `Kitchen`."""
    description: str = ""
    """What the customer reads about it."""
    price: Money
    """Price of one."""
    stock: int = Field(20, ge=0)
    """How many are left to sell."""
    returnable: bool = True
    """Whether it may be sent back; not so for made-to-measure or hygiene goods."""


class Customer(Row):
    """Someone who buys here."""

    private = ("email", "phone", "address", "cards", "credit", "notes")
    person = "name"

    name: str
    """Full name."""
    email: str = ""
    """E-mail address."""
    phone: str = ""
    """Phone number."""
    address: str = ""
    """Postal address."""
    tier: Literal["basic", "silver", "gold"] = "basic"
    """Loyalty tier; silver and gold may pay by invoice."""
    cards: tuple[str, ...] = ()
    """Saved cards, masked, for instance `Visa ending 4242`."""
    credit: Money = 0
    """Store credit left to spend."""
    notes: str = ""
    """What the staff noted."""


class Line(BaseModel):
    """Some pieces of one product in an order or a return."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    product: Ref[Product]
    """The product's id."""
    quantity: int = Field(1, ge=1)
    """How many."""
    price: Money
    """What one cost when it was ordered."""


def worth(lines: Iterable[Line]) -> float:
    """What the pieces cost together."""
    return round(sum(line.quantity * line.price for line in lines), 2)


def _total(order: dict[str, Any]) -> float:
    left: float = worth(order["lines"]) - order["discount"]
    return max(0.0, round(left, 2))


class Order(Row):
    """What a customer bought."""

    private = ("lines", "address", "card")
    person = "customer@customers"

    customer: Ref[Customer]
    """The id of the customer."""
    lines: tuple[Line, ...] = Field(min_length=1)
    """What was bought."""
    status: OrderStatus = "paid"
    """How far it has come."""
    placed: When
    """When it was ordered."""
    shipped: When | None = None
    """When it left the warehouse."""
    delivered: When | None = None
    """When it arrived."""
    address: str = ""
    """Where it goes; empty for the customer's own address."""
    payment: Payment = "card"
    """How it is paid."""
    card: str = ""
    """The masked card that paid, where one did."""
    coupon: str = ""
    """The coupon that was used."""
    discount: Money = 0
    """What the coupon took off."""
    total: Money = Field(default_factory=_total)
    """What is charged; where left out, the lines less the discount."""
    paid: Money = Field(
        default_factory=lambda data: 0 if data["status"] in ("placed", "cancelled") else data["total"]
    )
    """What was received; where left out, nothing for a placed or cancelled order and the total for others."""


class Return(Row):
    """Goods on their way back from a customer."""

    private = ("lines", "reason")
    person = "order@orders"

    order: Ref[Order]
    """The id of the order."""
    lines: tuple[Line, ...] = Field(min_length=1)
    """What comes back."""
    reason: str = ""
    """Why."""
    status: Literal["open", "received"] = "open"
    """Whether the goods have arrived."""
    started: When
    """When the customer announced it."""


class Refund(Row):
    """Money paid back for an order."""

    private = ("reason",)
    person = "order@orders"

    order: Ref[Order]
    """The id of the order."""
    amount: Money
    """How much."""
    reason: str = ""
    """Why."""
    status: RefundStatus = "paid"
    """Pending until a supervisor decides, where the amount needs one."""
    requested: When
    """When it was asked for."""
    decided_by: Ref[Staff] = ""
    """The id of the supervisor who approved it; empty where none was needed."""


class Coupon(Row):
    """A code that lowers the price of an order; its id is the code."""

    percent: int = Field(0, ge=0, le=100)
    """Per cent off, or 0 where it is worth a fixed amount."""
    amount: Money = 0
    """Fixed amount off, or 0 where it is a percentage."""
    minimum: Money = 0
    """The least an order must come to."""
    expires: date | None = None
    """The last day it is valid; none for ever."""
    uses: int = Field(1, ge=0)
    """How often it can still be used."""
    customer: Ref[Customer] = ""
    """The id of the only customer who may use it; empty for anyone."""
    reason: str = ""
    """Why it was issued."""

    @model_validator(mode="after")
    def _worth_something(self) -> Coupon:
        if bool(self.percent) == bool(self.amount):
            raise ValueError("a coupon takes off either a percentage or an amount")
        return self

    def off(self, sum: float) -> float:
        """What it takes off an order of this sum."""
        return round(min(sum, self.amount or sum * self.percent / 100), 2)


class Credit(Row):
    """Store credit that service gave as goodwill."""

    private = ("reason",)
    person = "customer@customers"

    customer: Ref[Customer]
    """The id of the customer."""
    amount: Money
    """How much."""
    reason: str = ""
    """Why."""
    issued: When
    """When."""
