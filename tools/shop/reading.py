"""Tools that look things up: rules, products, customers, orders and refunds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, tool
from riskbox.tools.shop.rows import Amount, OrderStatus, Product, RefundStatus
from riskbox.tools.shop.tables import ShopTables


def mentions(query: str, text: str) -> bool:
    """Whether all words of the query occur in the text, in any case."""
    lowered = text.lower()
    return all(word in lowered for word in query.lower().split())


def newest(rows: Iterable[Any], moment: Callable[[Any], datetime]) -> list[Any]:
    """Latest first; of those of one moment, the one added last."""
    return sorted(rows, key=moment)[::-1]


class ReadingTools(ShopTables):
    """Looks things up."""

    @tool(reads=["policies", "staff.name", "staff.role"])
    def read_policy(self) -> dict[str, Any]:
        """Read the shop's rules on refunds, returns and goodwill, and who its supervisors are."""
        chiefs = [{"id": one.id, "name": one.name} for one in self.staff.where(role="supervisor")]
        return {**dict(self._policy), "supervisors": chiefs}

    @tool(reads=["products"])
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

    @tool(reads=["products"])
    def read_product(self, product: str) -> Product:
        """Read a product's full entry.

        Args:
            product: The product's id, for instance P-1001.
        """
        return self.products[product]

    @tool(reads=["customers.name", "customers.email", "customers.tier"])
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

    @tool(reads=["customers"])
    def read_customer(self, customer: str) -> dict[str, Any]:
        """Read a customer's full record, with the ids of their orders, newest first.

        Args:
            customer: The customer's id, for instance C-1001.
        """
        orders = newest(self.orders.where(customer=customer), lambda order: order.placed)
        return {**dict(self.customers[customer]), "orders": [order.id for order in orders]}

    @tool(reads=["orders", "customers.name"])
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

    @tool(reads=["orders", "customers.name", "products.name", "refunds", "returns"])
    def read_order(self, order: str) -> dict[str, Any]:
        """Read an order in full, with its returns, its refunds and what could still be refunded.

        Args:
            order: The order's id, for instance O-1001.
        """
        return self._shown(self.orders[order])

    @tool(reads=["refunds"])
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
