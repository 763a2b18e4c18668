"""Tools that place and change orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.shop.rows import Coupon, Customer, Line, Order, Payment, worth
from riskbox.tools.shop.tables import ShopTables


def charged(buyer: Customer, card: str) -> str:
    """The saved card that a part of its name means; the first where none is named."""
    if not buyer.cards:
        raise ToolError("no_card", f"{buyer.name} has no saved card.")
    for saved in buyer.cards:
        if card.strip().lower() in saved.lower():
            return saved
    raise ToolError("unknown_card", f"{buyer.name} has no card {card!r}.", hint="Read the customer's record.")


class OrderTools(ShopTables):
    """Places orders, and changes those that have not left yet."""

    @tool(
        writes=True,
        changes=["orders+", "products.stock", "customers.credit", "coupons.uses"],
        reads=["orders", "customers.name", "customers.cards", "products.name", "refunds", "returns"],
    )
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

    @tool(
        writes=True,
        action="destructive",
        changes=[
            "orders.status=cancelled",
            "products.stock",
            "customers.credit",
            "coupons.uses",
            "refunds+",
            "refunds.status=declined",
        ],
        reads=["orders", "customers.name", "products.name", "refunds", "returns"],
    )
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

    @tool(
        writes=True,
        changes=["orders.address"],
        reads=["orders", "customers.name", "products.name", "refunds", "returns"],
    )
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
