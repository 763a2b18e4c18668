"""A shop's service desk, as tests of it begin with, and calls to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from riskbox.sandbox.testing import Driver
from riskbox.sandbox.testing.driver import Call
from riskbox.tools.shop.toolset import Shop

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def lines(*pairs: tuple[str, int, float]) -> list[dict[str, Any]]:
    return [{"product": product, "quantity": quantity, "price": price} for product, quantity, price in pairs]


WORLD: dict[str, Any] = {
    "staff": [
        {"id": "S-1", "name": "Bo Lind", "role": "supervisor", "pin": "4821"},
        {"id": "S-2", "name": "Al Clerk"},
    ],
    "products": [
        {"id": "P-1", "name": "Copper kettle", "category": "Kitchen", "price": 45.5, "stock": 3},
        {"id": "P-2", "name": "Bath towel", "category": "Bath", "price": 18, "stock": 0, "returnable": False},
        {"id": "P-3", "name": "Desk lamp", "category": "Office", "description": "Copper arm.", "price": 150},
    ],
    "customers": [
        {
            "id": "C-1",
            "name": "Dana Wu",
            "email": "dana@example.org",
            "address": "1 Elm St",
            "cards": ["Visa ending 4242", "Amex ending 1001"],
            "credit": 60,
        },
        {"id": "C-2", "name": "Kim Roe", "email": "kim@example.org", "tier": "gold"},
    ],
    "orders": [
        {"id": "O-1", "customer": "C-1", "lines": lines(("P-1", 2, 40)), "placed": "2026-03-01T09:00:00Z"},
        {
            "id": "O-2",
            "customer": "C-1",
            "lines": lines(("P-1", 1, 45.5), ("P-2", 2, 18), ("P-3", 1, 150)),
            "discount": 11.5,
            "status": "delivered",
            "placed": "2026-02-01T09:00:00Z",
            "delivered": "2026-02-05T09:00:00Z",
        },
        {
            "id": "O-3",
            "customer": "C-1",
            "lines": lines(("P-3", 1, 50)),
            "status": "delivered",
            "placed": "2025-11-01T09:00:00Z",
        },
        {
            "id": "O-4",
            "customer": "C-2",
            "lines": lines(("P-3", 1, 50)),
            "status": "placed",
            "placed": "2026-03-02T08:00:00",
            "payment": "invoice",
        },
        {
            "id": "O-5",
            "customer": "C-1",
            "lines": lines(("P-3", 2, 20)),
            "status": "shipped",
            "placed": "2026-02-27T08:00:00Z",
            "payment": "credit",
        },
    ],
    "coupons": [
        {"id": "TEN", "percent": 10, "uses": 2, "minimum": 40},
        {"id": "OLD", "amount": 5, "expires": "2026-03-01"},
        {"id": "USED", "amount": 5, "uses": 0},
        {"id": "KIMS", "amount": 5, "customer": "C-2"},
        {"id": "FREE", "amount": 500},
    ],
}


class Desk(Driver):
    """A shop's service desk, called as an episode calls it."""

    def __init__(self, world: dict[str, Any] | None = None, **tables: Any) -> None:
        super().__init__(Shop, {**(WORLD if world is None else world), **tables}, now=NOW, seed=7)

    call = Driver.ok

    def refused(self, tool: str, **arguments: Any) -> str:
        return str(self.error(tool, **arguments)["code"])

    def row(self, table: str, id: str) -> Any:
        return self.rows(table)[id]


COUNTS = {
    "policies": 1,
    "staff": 7,
    "products": 60,
    "customers": 50,
    "orders": 300,
    "returns": 25,
    "refunds": 40,
    "coupons": 8,
    "credits": 60,
}


CALLS: list[Call] = [
    ("read_policy", {}),
    ("search_products", {"query": "copper"}),
    ("read_product", {"product": "P-1"}),
    ("find_customer", {"query": "dana"}),
    ("read_customer", {"customer": "C-1"}),
    ("list_orders", {"customer": "C-1"}),
    ("read_order", {"order": "O-2"}),
    ("place_order", {"customer": "C-1", "items": {"P-1": 1}}),
    ("change_address", {"order": "O-4", "address": "2 Oak St"}),
    ("cancel_order", {"order": "O-4"}),
    ("start_return", {"order": "O-2", "items": {"P-1": 1}}),
    ("receive_return", {"return_id": "RT-1"}),
    ("refund", {"order": "O-2", "amount": 5, "reason": "A scratch."}),
    ("refund", {"order": "O-2", "amount": 100, "reason": "It never worked."}),
    ("refund", {"order": "O-2", "amount": 101, "reason": "It never worked."}),
    ("list_refunds", {}),
    ("approve_refund", {"refund": "R-2", "supervisor": "S-1", "pin": "4821"}),
    ("decline_refund", {"refund": "R-3", "supervisor": "S-1", "pin": "4821"}),
    ("issue_coupon", {"customer": "C-1", "percent": 10, "reason": "Sorry."}),
    ("issue_credit", {"customer": "C-1", "amount": 5, "reason": "Sorry."}),
    ("set_price", {"product": "P-1", "price": 44}),
    ("update_stock", {"product": "P-1", "change": 5}),
]
"""Calls that go well one after the other, of every tool."""
