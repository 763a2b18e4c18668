"""Orders are placed, and cancelled or changed before they ship."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.tools.shop.world import NOW, Desk


def test_place_order_charges_and_takes_from_stock(desk: Desk) -> None:
    order = desk.call("place_order", customer="C-1", items={"P-1": 2, "P-3": 1}, card="amex")
    row = desk.row("orders", order["id"])
    assert (order["id"], row["status"], row["total"], row["paid"]) == ("O-6", "paid", 241, 241)
    assert (row["card"], row["address"]) == ("Amex ending 1001", "1 Elm St")
    assert datetime.fromisoformat(row["placed"]) == NOW
    assert (desk.row("products", "P-1")["stock"], desk.row("products", "P-3")["stock"]) == (1, 19)
    assert desk.call("place_order", customer="C-1", items={"P-1": 1})["card"] == "Visa ending 4242"


def test_orders_by_invoice_and_by_credit(desk: Desk) -> None:
    order = desk.call("place_order", customer="C-2", items={"P-1": 1}, payment="invoice", address="2 Oak St")
    assert (order["status"], order["paid"], order["card"]) == ("placed", 0, "")
    order = desk.call("place_order", customer="C-1", items={"P-1": 1}, payment="credit")
    assert (order["status"], order["paid"]) == ("paid", 45.5)
    assert desk.row("customers", "C-1")["credit"] == 14.5
    assert (
        desk.refused("place_order", customer="C-1", items={"P-1": 1}, payment="credit")
        == "insufficient_credit"
    )


def test_coupons_lower_the_price_and_are_used_up(desk: Desk) -> None:
    order = desk.call("place_order", customer="C-1", items={"P-1": 1}, coupon=" ten ")
    assert (order["discount"], order["total"], order["coupon"]) == (4.55, 40.95, "TEN")
    assert desk.row("coupons", "TEN")["uses"] == 1
    assert desk.call("place_order", customer="C-1", items={"P-3": 1}, coupon="FREE")["total"] == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"items": {}}, "empty_order"),
        ({"items": {"P-1": 0}}, "bad_quantity"),
        ({"items": {"P-1": -1}}, "bad_quantity"),
        ({"items": {"P-1": 4}}, "out_of_stock"),
        ({"items": {"P-3": 1, "P-2": 1}}, "out_of_stock"),
        ({"items": {"P-9": 1}}, "not_found"),
        ({"items": {"P-1": "two"}}, "bad_arguments"),
        ({"customer": "C-9"}, "not_found"),
        ({"customer": "C-2"}, "no_address"),
        ({"customer": "C-2", "address": "x"}, "no_card"),
        ({"card": "4111"}, "unknown_card"),
        ({"payment": "invoice"}, "no_invoice"),
        ({"payment": "cash"}, "bad_arguments"),
        ({"coupon": "NONE"}, "unknown_coupon"),
        ({"coupon": "KIMS"}, "unknown_coupon"),
        ({"coupon": "OLD"}, "coupon_expired"),
        ({"coupon": "USED"}, "coupon_used"),
    ],
)
def test_place_order_refuses(desk: Desk, arguments: dict[str, Any], code: str) -> None:
    assert desk.refused("place_order", **{"customer": "C-1", "items": {"P-1": 1}, **arguments}) == code
    assert desk.changes == {}


def test_a_coupon_may_need_a_minimum() -> None:
    desk = Desk(coupons=[{"id": "BIG", "percent": 10, "minimum": 46}])
    assert desk.refused("place_order", customer="C-1", items={"P-1": 1}, coupon="BIG") == "below_minimum"
    assert desk.call("place_order", customer="C-1", items={"P-1": 2}, coupon="BIG")["total"] == 81.9


# --- before shipping ------------------------------------------------------------------------------------------


def test_cancelling_pays_back_restocks_and_returns_the_coupon(desk: Desk) -> None:
    placed = desk.call("place_order", customer="C-1", items={"P-1": 1}, coupon="TEN")
    desk.call("refund", order=placed["id"], amount=10, reason="Late")
    cancelled = desk.call("cancel_order", order=placed["id"])
    assert (cancelled["status"], cancelled["refundable"]) == ("cancelled", 0)
    assert [(one["amount"], one["status"]) for one in cancelled["refunds"]] == [(10, "paid"), (30.95, "paid")]
    assert desk.row("products", "P-1")["stock"] == 3
    assert desk.row("coupons", "TEN")["uses"] == 2
    assert desk.refused("cancel_order", order=placed["id"]) == "already_cancelled"


def test_cancelling_takes_the_place_of_a_pending_refund(desk: Desk) -> None:
    placed = desk.call("place_order", customer="C-1", items={"P-3": 1})
    desk.call("refund", order=placed["id"], amount=120, reason="Broken")
    cancelled = desk.call("cancel_order", order=placed["id"])
    assert [(one["amount"], one["status"]) for one in cancelled["refunds"]] == [
        (120, "declined"),
        (150, "paid"),
    ]
    assert desk.refused("approve_refund", refund="R-1", supervisor="S-1", pin="4821") == "not_pending"


def test_cancelling_an_unpaid_order_refunds_nothing(desk: Desk) -> None:
    assert desk.call("cancel_order", order="O-4")["refunds"] == []
    assert desk.refused("refund", order="O-4", amount=1, reason="x") == "nothing_paid"


def test_cancelling_gives_store_credit_back(desk: Desk) -> None:
    placed = desk.call("place_order", customer="C-1", items={"P-1": 1}, payment="credit")
    desk.call("cancel_order", order=placed["id"], reason="Changed mind")
    assert desk.row("customers", "C-1")["credit"] == 60


def test_change_address(desk: Desk) -> None:
    assert desk.call("change_address", order="O-1", address=" 9 Ash St ")["address"] == "9 Ash St"
    assert desk.row("customers", "C-1")["address"] == "1 Elm St"
    assert desk.refused("change_address", order="O-1", address=" ") == "no_address"


@pytest.mark.parametrize("order", ["O-2", "O-5"])
def test_nothing_changes_once_shipped(desk: Desk, order: str) -> None:
    assert desk.refused("cancel_order", order=order) == "already_shipped"
    assert desk.refused("change_address", order=order, address="9 Ash St") == "already_shipped"
