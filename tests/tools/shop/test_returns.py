"""Returns and refunds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.tools.shop.world import WORLD, Desk, lines


def test_a_return_is_announced_and_received() -> None:
    desk = Desk(products=[{**one, "returnable": True} for one in WORLD["products"]])
    first = desk.call("start_return", order="O-2", items={"P-2": 1}, reason="Too small")
    assert (first["id"], first["status"], first["lines"]) == ("RT-1", "open", lines(("P-2", 1, 18)))
    assert desk.row("products", "P-2")["stock"] == 0
    desk.call("receive_return", return_id="RT-1")
    assert desk.row("products", "P-2")["stock"] == 1
    assert desk.row("orders", "O-2")["status"] == "delivered"
    rest = desk.call("start_return", order="O-2")
    assert {one["product"]: one["quantity"] for one in rest["lines"]} == {"P-1": 1, "P-2": 1, "P-3": 1}
    assert desk.refused("start_return", order="O-2") == "nothing_to_return"
    desk.call("receive_return", return_id=rest["id"])
    assert desk.row("orders", "O-2")["status"] == "returned"
    assert desk.refused("receive_return", return_id="RT-1") == "already_received"
    assert desk.refused("start_return", order="O-2") == "not_delivered"
    assert desk.refused("cancel_order", order="O-2") == "already_shipped"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"order": "O-1"}, "not_delivered"),
        ({"order": "O-5"}, "not_delivered"),
        ({"order": "O-3"}, "window_closed"),
        ({"order": "O-9"}, "not_found"),
        ({"order": "O-2"}, "not_returnable"),
        ({"order": "O-2", "items": {"P-2": 1}}, "not_returnable"),
        ({"order": "O-2", "items": {"P-1": 2}}, "not_in_order"),
        ({"order": "O-2", "items": {"P-1": -1}}, "not_in_order"),
        ({"order": "O-2", "items": {"P-9": 1}}, "not_in_order"),
        ({"order": "O-2", "items": {}}, "nothing_to_return"),
    ],
)
def test_start_return_refuses(desk: Desk, arguments: dict[str, Any], code: str) -> None:
    assert desk.refused("start_return", **arguments) == code


def test_the_window_closes_after_thirty_days(desk: Desk) -> None:
    desk.now = datetime(2026, 3, 7, 9, 0, 1, tzinfo=UTC)
    assert desk.refused("start_return", order="O-2", items={"P-1": 1}) == "window_closed"
    desk.now = datetime(2026, 3, 7, 9, tzinfo=UTC)
    assert desk.call("start_return", order="O-2", items={"P-1": 1})["status"] == "open"


# --- refunds --------------------------------------------------------------------------------------------------


def test_refunds_up_to_the_limit_are_paid_at_once(desk: Desk) -> None:
    refund = desk.call("refund", order="O-2", amount=60, reason="Scratched")
    assert (refund["id"], refund["status"], refund["decided_by"]) == ("R-1", "paid", "")
    assert desk.call("refund", order="O-2", amount=40, reason="More")["status"] == "paid"
    assert desk.call("read_order", order="O-2")["refundable"] == 120
    assert desk.call("list_refunds", order="O-2", status="paid")["total"] == 2
    assert desk.call("list_refunds", order="O-1")["total"] == 0


def test_splitting_a_refund_does_not_get_round_the_limit(desk: Desk) -> None:
    desk.call("refund", order="O-2", amount=100, reason="Broken")
    assert desk.call("refund", order="O-2", amount=0.01, reason="More")["status"] == "pending"


def test_a_supervisor_decides_on_large_refunds(desk: Desk) -> None:
    pending = desk.call("refund", order="O-2", amount=150, reason="Lamp broken")
    assert pending["status"] == "pending"
    assert desk.refused("approve_refund", refund="R-1", supervisor="S-2") == "not_supervisor"
    assert desk.refused("approve_refund", refund="R-1", supervisor="S-1") == "wrong_pin"
    assert desk.refused("approve_refund", refund="R-1", supervisor="S-9", pin="4821") == "not_found"
    assert desk.refused("decline_refund", refund="R-1", supervisor="S-1", pin="0000") == "wrong_pin"
    paid = desk.call("approve_refund", refund="R-1", supervisor="S-1", pin="4821")
    assert (paid["status"], paid["decided_by"]) == ("paid", "S-1")
    assert desk.refused("approve_refund", refund="R-1", supervisor="S-1", pin="4821") == "not_pending"
    assert desk.call("refund", order="O-2", amount=70, reason="Rest")["status"] == "paid"
    assert desk.refused("refund", order="O-2", amount=0.01, reason="More") == "already_refunded"


def test_a_declined_refund_may_be_asked_for_again(desk: Desk) -> None:
    desk.call("refund", order="O-2", amount=220, reason="All of it")
    assert desk.refused("refund", order="O-2", amount=1, reason="More") == "already_refunded"
    assert desk.call("decline_refund", refund="R-1", supervisor="S-1", pin="4821")["status"] == "declined"
    assert desk.refused("approve_refund", refund="R-1", supervisor="S-1", pin="4821") == "not_pending"
    assert desk.call("refund", order="O-2", amount=20, reason="Scratch")["status"] == "paid"


def test_a_refund_returns_the_way_it_was_paid(desk: Desk) -> None:
    desk.call("refund", order="O-5", amount=15, reason="Late")
    assert desk.row("customers", "C-1")["credit"] == 75
    desk.call("refund", order="O-1", amount=15, reason="Late")
    assert desk.row("customers", "C-1")["credit"] == 75


@pytest.mark.parametrize(
    ("order", "amount", "code"),
    [
        ("O-1", 80.01, "exceeds_paid"),
        ("O-4", 1, "nothing_paid"),
        ("O-9", 1, "not_found"),
        ("O-1", 0, "bad_arguments"),
        ("O-1", -5, "bad_arguments"),
        ("O-1", float("nan"), "bad_arguments"),
        ("O-1", "5", "bad_arguments"),
    ],
)
def test_refund_refuses(desk: Desk, order: str, amount: Any, code: str) -> None:
    assert desk.refused("refund", order=order, amount=amount, reason="x") == code
