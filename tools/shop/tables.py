"""The shop's tables, and what tools of several kinds share."""

from __future__ import annotations

from typing import Any

from riskbox.sandbox.contracts.table import Table, ToolError
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.tools.shop.rows import Coupon, Credit, Customer, Order, Policy, Product, Refund, Return, Staff


class ShopTables(Toolset):
    """The tables, how orders are shown, and how money and goods come back."""

    policies: Table[Policy]
    staff: Table[Staff]
    products: Table[Product]
    customers: Table[Customer]
    orders: Table[Order]
    returns: Table[Return]
    refunds: Table[Refund]
    coupons: Table[Coupon]
    credits: Table[Credit]

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

    def _restock(self, id: str, change: int) -> Product:
        product = self.products[id]
        if product.stock + change < 0:
            raise ToolError("below_zero", f"Only {product.stock} of {product.name} are in stock.")
        return self.products.put(product.but(stock=product.stock + change))
