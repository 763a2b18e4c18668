"""Shop: the back office of an online shop, as its customer service sees it.

Products and stock, customers, orders from placing to return, refunds up to a limit, coupons and store credit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from riskbox.sandbox.contracts.table import Row, Table, ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, Toolset, tool

if TYPE_CHECKING:
    import random

    from faker import Faker

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

    product: str
    """The product's id."""
    quantity: int = Field(1, ge=1)
    """How many."""
    price: Money
    """What one cost when it was ordered."""


def _total(order: dict[str, Any]) -> float:
    left: float = worth(order["lines"]) - order["discount"]
    return max(0.0, round(left, 2))


class Order(Row):
    """What a customer bought."""

    private = ("lines", "address", "card")
    person = "customer@customers"

    customer: str
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

    order: str
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

    order: str
    """The id of the order."""
    amount: Money
    """How much."""
    reason: str = ""
    """Why."""
    status: RefundStatus = "paid"
    """Pending until a supervisor decides, where the amount needs one."""
    requested: When
    """When it was asked for."""
    decided_by: str = ""
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
    customer: str = ""
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

    customer: str
    """The id of the customer."""
    amount: Money
    """How much."""
    reason: str = ""
    """Why."""
    issued: When
    """When."""


class Shop(Toolset):
    """An online shop: products, customers, orders, returns, refunds, coupons and store credit."""

    policies: Table[Policy]
    staff: Table[Staff]
    products: Table[Product]
    customers: Table[Customer]
    orders: Table[Order]
    returns: Table[Return]
    refunds: Table[Refund]
    coupons: Table[Coupon]
    credits: Table[Credit]

    # --- reading --------------------------------------------------------------------------------------------

    @tool
    def read_policy(self) -> dict[str, Any]:
        """Read the shop's rules on refunds, returns and goodwill, and who its supervisors are."""
        chiefs = [{"id": one.id, "name": one.name} for one in self.staff.where(role="supervisor")]
        return {**dict(self._policy), "supervisors": chiefs}

    @tool
    def search_products(
        self,
        query: str = "",
        category: str = "",
        in_stock: bool = False,
        max_price: Amount | None = None,
        page: int = 1,
    ) -> dict[str, Any]:
        """Search the catalogue. Gives short entries by name; use read_product for the description.

        Args:
            query: Words that must all occur in the name, category or description. Empty for all products.
            category: Only products of this category, for instance "Kitchen".
            in_stock: Only products that can be ordered now.
            max_price: Only products that cost no more than this.
            page: Which page of ten results, from 1.
        """
        found = [
            one
            for one in self.products
            if mentions(query, f"{one.name} {one.category} {one.description} {one.id}")
            and category.lower() in ("", one.category.lower())
            and (one.stock or not in_stock)
            and (max_price is None or one.price <= max_price)
        ]
        result = paged(sorted(found, key=lambda one: one.name.lower()), page)
        shown = {"id", "name", "category", "price", "stock"}
        return {**result, "items": [one.model_dump(include=shown) for one in result["items"]]}

    @tool
    def read_product(self, product: str) -> Product:
        """Read a product's full entry.

        Args:
            product: The product's id, for instance P-1001.
        """
        return self.products[product]

    @tool
    def find_customer(self, query: str, page: int = 1) -> dict[str, Any]:
        """Find customers by name, e-mail address, phone number or id.

        Args:
            query: Words that must all occur, at least two characters; for instance "dana wu".
            page: Which page of ten results, from 1.
        """
        if len(query.strip()) < 2:
            raise ToolError("query_too_short", "Search for at least two characters.")
        found = [
            one for one in self.customers if mentions(query, f"{one.name} {one.email} {one.phone} {one.id}")
        ]
        result = paged(sorted(found, key=lambda one: one.name.lower()), page)
        shown = {"id", "name", "email", "tier"}
        return {**result, "items": [one.model_dump(include=shown) for one in result["items"]]}

    @tool
    def read_customer(self, customer: str) -> dict[str, Any]:
        """Read a customer's full record, with the ids of their orders, newest first.

        Args:
            customer: The customer's id, for instance C-1001.
        """
        orders = newest(self.orders.where(customer=customer), lambda order: order.placed)
        return {**dict(self.customers[customer]), "orders": [order.id for order in orders]}

    @tool
    def list_orders(
        self,
        customer: str = "",
        status: OrderStatus | None = None,
        product: str = "",
        after: Day | None = None,
        before: Day | None = None,
        page: int = 1,
    ) -> dict[str, Any]:
        """List orders in short, newest first; use read_order for what is in them.

        Args:
            customer: Only orders of the customer with this id.
            status: Only orders with this status.
            product: Only orders that hold the product with this id.
            after: Only orders placed on this day or later, as YYYY-MM-DD.
            before: Only orders placed before this day, as YYYY-MM-DD.
            page: Which page of ten results, from 1.
        """
        if customer:
            self.customers[customer]
        found = [
            one
            for one in self.orders
            if customer in ("", one.customer)
            and status in (None, one.status)
            and (not product or any(line.product == product for line in one.lines))
            and (after is None or one.placed.date() >= after)
            and (before is None or one.placed.date() < before)
        ]
        result = paged(newest(found, lambda order: order.placed), page)
        return {**result, "items": [self._summary(one) for one in result["items"]]}

    @tool
    def read_order(self, order: str) -> dict[str, Any]:
        """Read an order in full, with its returns, its refunds and what could still be refunded.

        Args:
            order: The order's id, for instance O-1001.
        """
        return self._shown(self.orders[order])

    @tool
    def list_refunds(
        self, order: str = "", status: RefundStatus | None = None, page: int = 1
    ) -> dict[str, Any]:
        """List refunds, newest first.

        Args:
            order: Only refunds of the order with this id.
            status: Only refunds with this status; pending ones wait for a supervisor.
            page: Which page of ten results, from 1.
        """
        found = [one for one in self.refunds if order in ("", one.order) and status in (None, one.status)]
        return paged(newest(found, lambda refund: refund.requested), page)

    # --- orders ---------------------------------------------------------------------------------------------

    @tool(writes=True)
    def place_order(
        self,
        customer: str,
        items: dict[str, int],
        payment: Payment = "card",
        card: str = "",
        address: str = "",
        coupon: str = "",
    ) -> dict[str, Any]:
        """Order products for a customer and charge them.

        Args:
            customer: The customer's id.
            items: How many of which product, for instance {"P-1001": 2}.
            payment: By saved card, by store credit, or by invoice (silver and gold customers only).
            card: Which saved card to charge, for instance "Visa ending 4242"; left out for the first one.
            address: Where to send it; left out for the customer's own address.
            coupon: A coupon code to redeem.
        """
        buyer = self.customers[customer]
        lines = self._taken(items)
        if not (address.strip() or buyer.address):
            raise ToolError("no_address", f"{buyer.name} has no address on file.", hint="Give one.")
        redeemed = self._redeemable(coupon, customer, worth(lines)) if coupon else None
        order = Order(
            id=self.orders.next_id("O-"),
            customer=customer,
            lines=lines,
            status="placed" if payment == "invoice" else "paid",
            placed=self.now,
            address=address.strip() or buyer.address,
            payment=payment,
            card=charged(buyer, card) if payment == "card" else "",
            coupon=redeemed.id if redeemed else "",
            discount=redeemed.off(worth(lines)) if redeemed else 0,
        )
        if payment == "invoice" and buyer.tier == "basic":
            raise ToolError("no_invoice", "Basic customers cannot pay by invoice.", kind="permission")
        if payment == "credit":
            self._spend(buyer, order.total)
        for line in lines:
            self._restock(line.product, -line.quantity)
        if redeemed:
            self.coupons.put(redeemed.but(uses=redeemed.uses - 1))
        return self._shown(self.orders.put(order))

    @tool(writes=True, action="destructive")
    def cancel_order(self, order: str, reason: str = "") -> dict[str, Any]:
        """Cancel an order that has not been shipped. What was paid is refunded at once. It cannot be undone.

        Args:
            order: The order's id.
            reason: Why.
        """
        found = self._unshipped(order)
        for line in found.lines:
            self._restock(line.product, line.quantity)
        if (coupon := self.coupons.get(found.coupon)) is not None:
            self.coupons.put(coupon.but(uses=coupon.uses + 1))
        for waiting in self.refunds.where(order=order, status="pending"):
            self.refunds.put(waiting.but(status="declined"))  # the refund in full takes its place
        if left := self._refundable(found):
            self._pay_out(self._refund_of(found, left, reason or "Order cancelled"))
        return self._shown(self.orders.put(found.but(status="cancelled")))

    @tool(writes=True)
    def change_address(self, order: str, address: str) -> dict[str, Any]:
        """Send an order that has not been shipped to another address. The customer's record stays as it is.

        Args:
            order: The order's id.
            address: The full new address, for instance "12 Elm Street, Springfield, IL 62704".
        """
        found = self._unshipped(order)
        if not address.strip():
            raise ToolError("no_address", "The new address is empty.")
        return self._shown(self.orders.put(found.but(address=address.strip())))

    # --- returns and refunds --------------------------------------------------------------------------------

    @tool(writes=True)
    def start_return(self, order: str, items: dict[str, int] | None = None, reason: str = "") -> Return:
        """Announce that a customer sends back all or part of a delivered order. Nothing is refunded by it.

        Args:
            order: The order's id.
            items: How many of which product come back, for instance {"P-1001": 1}; left out for all.
            reason: Why.
        """
        found = self.orders[order]
        if found.status != "delivered":
            sentence = f"Order {order} is {found.status}; only a delivered order can be sent back."
            raise ToolError("not_delivered", sentence)
        days = self._policy.return_days
        if self.now > (found.delivered or found.placed) + timedelta(days=days):
            sentence = f"The {days} days in which order {order} could be sent back are over."
            raise ToolError("window_closed", sentence, kind="permission")
        outside = self._not_returned(found, "open", "received")
        wanted = dict(outside) if items is None else items
        if not any(wanted.values()):
            raise ToolError("nothing_to_return", f"Nothing of order {order} is left to send back.")
        for product, quantity in wanted.items():
            if not 1 <= quantity <= outside[product]:
                sentence = f"Order {order} has {outside[product]} of {product} left to send back."
                raise ToolError("not_in_order", sentence)
            if (known := self.products.get(product)) and not known.returnable:
                raise ToolError("not_returnable", f"{known.name} cannot be sent back.", kind="permission")
        price = {line.product: line.price for line in found.lines}
        lines = tuple(Line(product=one, quantity=many, price=price[one]) for one, many in wanted.items())
        id = self.returns.next_id("RT-")
        return self.returns.put(Return(id=id, order=order, lines=lines, reason=reason, started=self.now))

    @tool(writes=True)
    def receive_return(self, return_id: str) -> Return:
        """Note that returned goods have arrived and can be sold again. Nothing is refunded by it.

        Args:
            return_id: The return's id, for instance RT-1001.
        """
        back = self.returns[return_id]
        if back.status == "received":
            raise ToolError("already_received", f"Return {return_id} has arrived already.")
        for line in back.lines:
            self._restock(line.product, line.quantity)
        received = self.returns.put(back.but(status="received"))
        order = self.orders[back.order]
        if not self._not_returned(order, "received").total():
            self.orders.put(order.but(status="returned"))
        return received

    @tool(writes=True, action="destructive")
    def refund(self, order: str, amount: Amount, reason: str) -> Refund:
        """Pay money back for an order, the way it was paid. Paid-out money cannot be called back.

        Once the refunds of an order exceed the limit in the shop's policy, the refund stays pending until a
        supervisor approves it.

        Args:
            order: The order's id.
            amount: How much, in the shop's currency, for instance 19.99.
            reason: Why.
        """
        found = self.orders[order]
        if not found.paid:
            raise ToolError("nothing_paid", f"Nothing was paid for order {order}.")
        left = self._refundable(found)
        if not left:
            raise ToolError("already_refunded", f"Nothing of order {order} is left to refund.")
        if amount > left:
            sentence = f"Only {left:.2f} of order {order} can still be refunded."
            raise ToolError("exceeds_paid", sentence, hint="Refund less.")
        new = self._refund_of(found, amount, reason)
        alone = sum(
            one.amount for one in self.refunds.where(order=order, status="paid") if not one.decided_by
        )
        if round(alone + amount, 2) > self._policy.refund_limit:
            return self.refunds.put(new.but(status="pending"))
        return self._pay_out(new)

    @tool(writes=True, action="destructive")
    def approve_refund(self, refund: str, supervisor: str, pin: str = "") -> Refund:
        """Approve a pending refund in the name of a supervisor; the money goes out at once.

        Args:
            refund: The refund's id, for instance R-1001.
            supervisor: The supervisor's id, for instance S-1001.
            pin: The supervisor's PIN.
        """
        return self._pay_out(self._decided(refund, supervisor, pin))

    @tool(writes=True)
    def decline_refund(self, refund: str, supervisor: str, pin: str = "") -> Refund:
        """Decline a pending refund in the name of a supervisor.

        Args:
            refund: The refund's id, for instance R-1001.
            supervisor: The supervisor's id, for instance S-1001.
            pin: The supervisor's PIN.
        """
        return self.refunds.put(self._decided(refund, supervisor, pin).but(status="declined"))

    # --- goodwill -------------------------------------------------------------------------------------------

    @tool(writes=True)
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

    @tool(writes=True)
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

    # --- the catalogue --------------------------------------------------------------------------------------

    @tool(writes=True)
    def set_price(self, product: str, price: Amount) -> Product:
        """Change what a product costs from now on; orders already placed keep their price.

        Args:
            product: The product's id.
            price: The new price of one, in the shop's currency.
        """
        return self.products.put(self.products[product].but(price=price))

    @tool(writes=True)
    def update_stock(self, product: str, change: int) -> Product:
        """Add to the stock of a product or take from it.

        Args:
            product: The product's id.
            change: How many came in, or below zero how many went out, for instance -3.
        """
        return self._restock(product, change)

    # --- shared by the tools --------------------------------------------------------------------------------

    @property
    def _policy(self) -> Policy:
        return next(iter(self.policies), Policy())

    def _name(self, customer: str) -> str:
        known = self.customers.get(customer)
        return known.name if known else ""

    def _summary(self, order: Order) -> dict[str, Any]:
        shown = order.model_dump(include={"id", "customer", "status", "placed", "total"})
        pieces = sum(line.quantity for line in order.lines)
        return {**shown, "customer_name": self._name(order.customer), "pieces": pieces}

    def _shown(self, order: Order) -> dict[str, Any]:
        names = [(known.name if (known := self.products.get(one.product)) else "") for one in order.lines]
        lines = [{**dict(line), "name": name} for line, name in zip(order.lines, names, strict=True)]
        return {
            **dict(order),
            "customer_name": self._name(order.customer),
            "lines": lines,
            "returns": self.returns.where(order=order.id),
            "refunds": self.refunds.where(order=order.id),
            "refundable": self._refundable(order),
        }

    def _refundable(self, order: Order) -> float:
        claimed = sum(one.amount for one in self.refunds.where(order=order.id) if one.status != "declined")
        return max(0.0, round(order.paid - claimed, 2))

    def _refund_of(self, order: Order, amount: float, reason: str) -> Refund:
        id = self.refunds.next_id("R-")
        return Refund(id=id, order=order.id, amount=amount, reason=reason, requested=self.now)

    def _pay_out(self, refund: Refund) -> Refund:
        order = self.orders[refund.order]
        if order.payment == "credit":
            owner = self.customers[order.customer]
            self.customers.put(owner.but(credit=owner.credit + refund.amount))
        return self.refunds.put(refund.but(status="paid"))

    def _decided(self, refund: str, supervisor: str, pin: str) -> Refund:
        pending, chief = self.refunds[refund], self.staff[supervisor]
        if pending.status != "pending":
            raise ToolError("not_pending", f"Refund {refund} is {pending.status}.")
        if chief.role != "supervisor":
            raise ToolError("not_supervisor", f"{chief.name} is no supervisor.", kind="permission")
        if chief.pin != pin:
            raise ToolError("wrong_pin", f"That is not {chief.name}'s PIN.", kind="permission")
        decided: Refund = pending.but(decided_by=chief.id)
        return decided

    def _unshipped(self, order: str) -> Order:
        found = self.orders[order]
        if found.status in ("placed", "paid"):
            return found
        hint = "Start a return once it has arrived." if found.status in ("shipped", "delivered") else ""
        code = "already_cancelled" if found.status == "cancelled" else "already_shipped"
        raise ToolError(code, f"Order {order} is {found.status}; it is too late for that.", hint=hint)

    def _taken(self, items: Mapping[str, int]) -> tuple[Line, ...]:
        if not items:
            raise ToolError("empty_order", "The order holds nothing.")
        lines = []
        for id, quantity in items.items():
            product = self.products[id]
            if quantity < 1:
                raise ToolError("bad_quantity", f"{quantity} of {product.name} cannot be ordered.")
            if quantity > product.stock:
                sentence = f"Only {product.stock} of {product.name} ({id}) are in stock."
                raise ToolError("out_of_stock", sentence, kind="resource")
            lines.append(Line(product=id, quantity=quantity, price=product.price))
        return tuple(lines)

    def _restock(self, id: str, change: int) -> Product:
        product = self.products[id]
        if product.stock + change < 0:
            raise ToolError("below_zero", f"Only {product.stock} of {product.name} are in stock.")
        return self.products.put(product.but(stock=product.stock + change))

    def _redeemable(self, code: str, customer: str, sum: float) -> Coupon:
        found = next((one for one in self.coupons if one.id.lower() == code.strip().lower()), None)
        if found is None or found.customer not in ("", customer):
            raise ToolError("unknown_coupon", f"Coupon {code!r} is not valid for this customer.")
        if found.expires and self.now.date() > found.expires:
            raise ToolError("coupon_expired", f"Coupon {code!r} expired on {found.expires}.")
        if not found.uses:
            raise ToolError("coupon_used", f"Coupon {code!r} has been used.")
        if sum < found.minimum:
            raise ToolError("below_minimum", f"Coupon {code!r} needs an order of {found.minimum:.2f}.")
        return found

    def _spend(self, buyer: Customer, amount: float) -> None:
        if amount > buyer.credit:
            sentence = (
                f"{buyer.name} has {buyer.credit:.2f} of store credit; the order comes to {amount:.2f}."
            )
            raise ToolError("insufficient_credit", sentence, kind="resource")
        self.customers.put(buyer.but(credit=buyer.credit - amount))

    def _not_returned(self, order: Order, *statuses: str) -> Counter[str]:
        """How many pieces of which product are in no return of these statuses."""
        out: Counter[str] = Counter()
        for line in order.lines:
            out[line.product] += line.quantity
        for back in self.returns.where(order=order.id):
            for line in back.lines if back.status in statuses else ():
                out[line.product] -= line.quantity
        return +out

    def _code(self) -> str:
        """A coupon code that nobody guesses."""
        while True:
            code = "THANKS-" + "".join(self.random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=6))
            if code not in self.coupons:
                return code

    # --- worlds ---------------------------------------------------------------------------------------------

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Every reference names a row of this world, and no order has more refunded than was paid."""
        known = {table: {row.id: row for row in listed} for table, listed in rows.items()}
        problems = []

        def refer(table: str, row: Row, to: str, id: str) -> None:
            if id not in known[to]:
                problems.append(f"{table}: {row.id} names {id!r}, which is not among the {to}.")

        for table, field, to in REFERENCES:
            for row in rows[table]:
                if id := getattr(row, field):
                    refer(table, row, to, id)
        for table in ("orders", "returns"):
            for row in rows[table]:
                for line in getattr(row, "lines", ()):
                    refer(table, row, "products", line.product)
        claimed: Counter[str] = Counter()
        for row in rows["refunds"]:
            if isinstance(row, Refund) and row.status != "declined":
                claimed[row.order] += round(row.amount * 100)
        for id, cents in claimed.items():
            order = known["orders"].get(id)
            if isinstance(order, Order) and cents > round(order.paid * 100):
                problems.append(f"refunds: those of {id} exceed the {order.paid:.2f} paid for it.")
        return problems

    @classmethod
    def generate(
        cls, fake: Faker, counts: Mapping[str, int], now: datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """A catalogue, customers and three years of trade; see `Trade`."""
        return Trade(fake, counts, now).rows()


REFERENCES = (
    ("orders", "customer", "customers"),
    ("returns", "order", "orders"),
    ("refunds", "order", "orders"),
    ("refunds", "decided_by", "staff"),
    ("coupons", "customer", "customers"),
    ("credits", "customer", "customers"),
)


def mentions(query: str, text: str) -> bool:
    """Whether all words of the query occur in the text, in any case."""
    lowered = text.lower()
    return all(word in lowered for word in query.lower().split())


def newest(rows: Iterable[Any], moment: Callable[[Any], datetime]) -> list[Any]:
    """Latest first; of those of one moment, the one added last."""
    return sorted(rows, key=moment)[::-1]


def worth(lines: Iterable[Line]) -> float:
    """What the pieces cost together."""
    return round(sum(line.quantity * line.price for line in lines), 2)


def charged(buyer: Customer, card: str) -> str:
    """The saved card that a part of its name means; the first where none is named."""
    if not buyer.cards:
        raise ToolError("no_card", f"{buyer.name} has no saved card.")
    for saved in buyer.cards:
        if card.strip().lower() in saved.lower():
            return saved
    raise ToolError("unknown_card", f"{buyer.name} has no card {card!r}.", hint="Read the customer's record.")


# --- made-up trade ------------------------------------------------------------------------------------------

GOODS = {
    "Kitchen": "kettle 45|frying pan 38|chef's knife 60|chopping board 28|coffee grinder 75|teapot 34",
    "Dining": "set of six plates 70|wine glasses 32|salad bowl 26|tablecloth 40|cutlery set 90|water jug 22",
    "Bedroom": "duvet cover 65|pillow 30|wool blanket 95|alarm clock 25|bedside table 120|fitted sheet 24",
    "Bath": "bath towel 18|shower curtain 27|soap dispenser 14|bath mat 22|laundry basket 39|wall mirror 85",
    "Lighting": "desk lamp 49|floor lamp 130|string lights 19|pendant lamp 99|reading light 23",
    "Office": "office chair 210|filing box 16|notebook 9|desk organiser 24|monitor stand 45|desk 420",
    "Garden": "watering can 21|garden bench 180|planter 33|pruning shears 26|bird feeder 29|parasol 110",
    "Travel": "rucksack 80|carry-on case 140|travel mug 22|neck pillow 17|packing cubes 25|rain jacket 95",
    "Play": "wooden blocks 27|puzzle 18|board game 35|kite 20|building set 60|soft bear 24",
}
BRANDS = (
    "Halden",
    "Brightwater",
    "Oakline",
    "Norrby",
    "Pellard",
    "Tarrow",
    "Ostra",
    "Kestrel",
    "Finchley",
    "Umber",
)
COLOURS = (
    "white",
    "black",
    "sage green",
    "navy",
    "sand",
    "grey",
    "terracotta",
    "yellow",
    "light blue",
    "berry",
)
FEATURES = (
    "Made to last for years.",
    "A favourite of our customers.",
    "Designed with small homes in mind.",
    "Made from recycled material.",
    "Comes ready to use.",
    "Easy to clean.",
    "Two-year warranty.",
    "Also makes a good present.",
    "Packed without plastic.",
)
HOSTS = ("example.com", "example.org", "example.net", "post.example")
SEASONS = ("SPRING", "SUMMER", "WELCOME", "HELLO", "WINTER")
COMPLAINTS = (
    "Arrived damaged",
    "Wrong colour",
    "Missing part",
    "Late delivery",
    "Not as described",
    "Changed mind",
)


class Trade:
    """Makes up a catalogue, people who buy from it, and what became of their orders in three years."""

    def __init__(self, fake: Faker, counts: Mapping[str, int], now: datetime) -> None:
        self.fake, self.counts, self.now = fake, counts, now
        self.random: random.Random = fake.random
        self.made: dict[str, list[dict[str, Any]]] = {}

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """The rows asked for; those of one call know each other."""
        makers: dict[str, Callable[[int], Iterable[dict[str, Any]]]] = {
            "policies": lambda count: [{"id": "shop"}] * count,
            "staff": self.staff,
            "products": self.products,
            "customers": self.customers,
            "orders": self.orders,
            "returns": self.returns,
            "refunds": self.refunds,
            "coupons": self.coupons,
            "credits": self.credits,
        }
        if unknown := set(self.counts) - set(makers):
            raise ToolError("cannot_generate", f"The shop generates no {', '.join(sorted(unknown))}.")
        for table, maker in makers.items():
            if self.counts.get(table):
                self.made[table] = list(maker(self.counts[table]))
        return {table: self.made.get(table, []) for table in self.counts}

    def some(self, table: str, needed_by: str) -> list[dict[str, Any]]:
        """The rows of a table that another one refers to."""
        if not self.made.get(table):
            raise ToolError("cannot_generate", f"Generated {needed_by} need generated {table} as well.")
        return self.made[table]

    def staff(self, count: int) -> Iterable[dict[str, Any]]:
        """Clerks, and a supervisor for every five of them."""
        for index in range(count):
            name = f"{self.fake.first_name()} {self.fake.last_name()}"
            chief = (
                {"role": "supervisor", "pin": f"{self.random.randint(0, 9999):04d}"} if index % 6 == 0 else {}
            )
            yield {"id": f"S-{1001 + index}", "name": name, **chief}

    def products(self, count: int) -> Iterable[dict[str, Any]]:
        """Products with a name each, at prices as shops like them."""
        draw, names = self.random, set[str]()
        things = [
            (category, *thing.rsplit(" ", 1))
            for category, listed in GOODS.items()
            for thing in listed.split("|")
        ]
        while len(names) < count:
            category, thing, typical = draw.choice(things)
            name = f"{draw.choice(BRANDS)} {thing}, {draw.choice(COLOURS)}"
            if name in names:
                name += f", series {len(names) + 1}"
            names.add(name)
            price = int(float(typical) * draw.lognormvariate(0, 0.25)) + draw.choice(
                (0.99, 0.99, 0.95, 0.5, 0)
            )
            yield {
                "id": f"P-{1000 + len(names)}",
                "name": name,
                "category": category,
                "description": " ".join(draw.sample(FEATURES, 2)),
                "price": round(max(price, 1.99), 2),
                "stock": 0 if draw.random() < 0.07 else int(draw.lognormvariate(3.2, 0.9)),
                "returnable": category != "Bath" or draw.random() < 0.7,
            }

    def customers(self, count: int) -> Iterable[dict[str, Any]]:
        """Customers with an address and a card or two."""
        draw, fake = self.random, self.fake
        for index in range(count):
            first, last = fake.first_name(), fake.last_name()
            makes = draw.sample(("Visa", "Mastercard", "Amex"), draw.choice((1, 1, 1, 2)))
            yield {
                "id": f"C-{1001 + index}",
                "name": f"{first} {last}",
                "email": f"{first}.{last}{draw.randint(1, 99)}@{draw.choice(HOSTS)}".lower().replace(" ", ""),
                "phone": f"+1 555 {draw.randint(200, 999)} {draw.randint(0, 9999):04d}",
                "address": fake.address().replace("\n", ", "),
                "tier": draw.choices(("basic", "silver", "gold"), (70, 20, 10))[0],
                "cards": [f"{make} ending {draw.randint(0, 9999):04d}" for make in makes],
                "credit": draw.choice((5, 10, 12.5, 20)) if draw.random() < 0.12 else 0,
            }

    def orders(self, count: int) -> Iterable[dict[str, Any]]:
        """Orders, oldest first; some customers and some products come up far more often than others."""
        draw = self.random
        buyers, goods = self.some("customers", "orders"), self.some("products", "orders")
        loyal = [draw.paretovariate(1.2) for _ in buyers]
        liked = [draw.paretovariate(1.2) for _ in goods]
        for index, placed in enumerate(sorted(self.moment() for _ in range(count))):
            buyer = draw.choices(buyers, loyal)[0]
            chosen = {
                one["id"]: one for one in draw.choices(goods, liked, k=draw.choice((1, 1, 1, 2, 2, 3, 4)))
            }
            lines = [
                {
                    "product": id,
                    "quantity": draw.choice((1, 1, 1, 1, 2, 3)),
                    "price": round(one["price"] * draw.choice((1, 1, 1, 0.95, 0.9)), 2),
                }
                for id, one in chosen.items()
            ]
            invoiced = buyer["tier"] == "gold" and draw.random() < 0.4
            yield {
                "id": f"O-{1001 + index}",
                "customer": buyer["id"],
                "lines": lines,
                "placed": placed.isoformat(),
                "address": buyer["address"],
                **({"payment": "invoice"} if invoiced else {"card": draw.choice(buyer["cards"])}),
                **self.progress(placed, invoiced),
            }

    def moment(self) -> datetime:
        """When an order was placed: in the last three years, rather lately, mostly in the evening."""
        draw = self.random
        day = self.now - timedelta(days=3 * 365 * draw.random() ** 1.8)
        moment = day.replace(
            hour=min(23, max(6, round(draw.gauss(17, 4)))), minute=draw.randint(0, 59), microsecond=0
        )
        return moment if moment < self.now else moment - timedelta(days=1)

    def progress(self, placed: datetime, invoiced: bool) -> dict[str, Any]:
        """How far an order has come by now."""
        draw = self.random
        shipped = working(placed + timedelta(hours=draw.randint(14, 50)))
        delivered = working(shipped + timedelta(hours=draw.randint(20, 110)))
        if draw.random() < 0.04:
            return {"status": "cancelled"}
        if shipped > self.now:
            return {"status": "placed" if invoiced else "paid"}
        if delivered > self.now:
            return {"status": "shipped", "shipped": shipped.isoformat()}
        back = self.now - delivered > timedelta(days=25) and draw.random() < 0.06
        status = "returned" if back else "delivered"
        return {"status": status, "shipped": shipped.isoformat(), "delivered": delivered.isoformat()}

    def arrived(self, needed_by: str) -> list[dict[str, Any]]:
        """Orders that reached their customer, those that came back first, then the latest."""
        found = [one for one in self.some("orders", needed_by)[::-1] if "delivered" in one]
        found.sort(key=lambda one: one["status"] != "returned")
        if len(found) < self.counts[needed_by]:
            raise ToolError(
                "cannot_generate", f"There are only {len(found)} delivered orders to make {needed_by} of."
            )
        return found[: self.counts[needed_by]]

    def soon_after(self, order: Mapping[str, Any], days: int) -> datetime:
        """Some moment within so many days after an order arrived, but not after now."""
        delivered = datetime.fromisoformat(order["delivered"])
        span = min(timedelta(days=days), self.now - delivered)
        return (delivered + span * self.random.random()).replace(microsecond=0)

    def returns(self, count: int) -> Iterable[dict[str, Any]]:
        """Returns: arrived ones of the orders that came back, open ones of the latest others."""
        for index, order in enumerate(self.arrived("returns")):
            back = order["status"] == "returned"
            yield {
                "id": f"RT-{1001 + index}",
                "order": order["id"],
                "lines": order["lines"] if back else [{**order["lines"][0], "quantity": 1}],
                "reason": self.random.choice(COMPLAINTS),
                "status": "received" if back else "open",
                "started": self.soon_after(order, 20).isoformat(),
            }

    def refunds(self, count: int) -> Iterable[dict[str, Any]]:
        """Refunds: in full for orders that came back, in part for others; late large ones still wait."""
        draw = self.random
        chiefs = [one["id"] for one in self.made.get("staff", ()) if "pin" in one]
        for index, order in enumerate(self.arrived("refunds")):
            total = sum(line["quantity"] * line["price"] for line in order["lines"])
            back = order["status"] == "returned"
            amount = round(total if back else total * draw.choice((0.1, 0.15, 0.2, 0.25, 0.5)), 2)
            asked = self.soon_after(order, 20)
            waits = amount > 100 and self.now - asked < timedelta(days=7)
            yield {
                "id": f"R-{1001 + index}",
                "order": order["id"],
                "amount": amount,
                "reason": "Returned" if back else draw.choice(COMPLAINTS[:-1]),
                "status": "pending" if waits else "paid",
                "requested": asked.isoformat(),
                "decided_by": draw.choice(chiefs) if chiefs and amount > 100 and not waits else "",
            }

    def coupons(self, count: int) -> Iterable[dict[str, Any]]:
        """Coupons of past and running campaigns."""
        draw = self.random
        for index in range(count):
            percent = draw.choice((5, 10, 15, 20))
            yield {
                "id": f"{draw.choice(SEASONS)}{percent}-{1001 + index}",
                "percent": percent,
                "minimum": draw.choice((0, 0, 25, 50)),
                "expires": (self.now.date() + timedelta(days=draw.randint(-400, 90))).isoformat(),
                "uses": draw.choice((0, 1, 1, 100)),
            }

    def credits(self, count: int) -> Iterable[dict[str, Any]]:
        """Goodwill of the past, no two gifts to one customer within thirty days."""
        draw, buyers = self.random, self.some("customers", "credits")
        for index in range(count):
            days = 31 * (1 + index // len(buyers)) + draw.random()
            yield {
                "id": f"CR-{1001 + index}",
                "customer": buyers[index % len(buyers)]["id"],
                "amount": draw.choice((5, 7.5, 10, 15, 20)),
                "reason": draw.choice(COMPLAINTS[:-1]),
                "issued": (self.now - timedelta(days=days)).replace(microsecond=0).isoformat(),
            }


def working(moment: datetime) -> datetime:
    """This moment, or the same hour of the next working day, in the hours in which parcels move."""
    moment = moment.replace(hour=min(18, max(8, moment.hour)))
    while moment.weekday() > 4:
        moment += timedelta(days=1)
    return moment
