"""Coupons, store credit, and the catalogue."""

from __future__ import annotations

from datetime import timedelta

from tests.tools.shop.world import Desk


def test_issue_coupon(desk: Desk) -> None:
    coupon = desk.call("issue_coupon", customer="C-1", percent=20, reason="Sorry", days=10)
    assert (coupon["expires"], coupon["customer"], coupon["uses"]) == ("2026-03-12", "C-1", 1)
    assert desk.call("place_order", customer="C-1", items={"P-1": 1}, coupon=coupon["id"])["total"] == 36.4
    assert desk.refused("place_order", customer="C-1", items={"P-1": 1}, coupon=coupon["id"]) == "coupon_used"
    assert desk.call("issue_coupon", customer="C-1", percent=5, reason="x")["id"] != coupon["id"]
    assert desk.refused("issue_coupon", customer="C-1", percent=21, reason="x") == "over_coupon_limit"
    assert desk.refused("issue_coupon", customer="C-1", percent=0, reason="x") == "bad_coupon"
    assert desk.refused("issue_coupon", customer="C-1", percent=5, reason="x", days=366) == "bad_coupon"
    assert desk.refused("issue_coupon", customer="C-9", percent=5, reason="x") == "not_found"


def test_issue_credit_is_limited_within_thirty_days(desk: Desk) -> None:
    desk.call("issue_credit", customer="C-1", amount=20, reason="Sorry")
    assert desk.row("customers", "C-1")["credit"] == 80
    assert desk.refused("issue_credit", customer="C-1", amount=5.01, reason="x") == "over_goodwill_limit"
    desk.call("issue_credit", customer="C-2", amount=25, reason="Sorry")
    desk.now += timedelta(days=30)
    assert desk.call("issue_credit", customer="C-1", amount=25, reason="x")["id"] == "CR-3"
    assert desk.refused("issue_credit", customer="C-9", amount=1, reason="x") == "not_found"


def test_set_price_leaves_orders_alone(desk: Desk) -> None:
    assert desk.call("set_price", product="P-1", price=10)["price"] == 10
    assert desk.row("orders", "O-1")["total"] == 80
    assert desk.call("place_order", customer="C-1", items={"P-1": 1})["total"] == 10
    assert desk.refused("set_price", product="P-1", price=0) == "bad_arguments"
    assert desk.refused("set_price", product="P-9", price=1) == "not_found"


def test_update_stock(desk: Desk) -> None:
    assert desk.call("update_stock", product="P-1", change=7)["stock"] == 10
    assert desk.call("update_stock", product="P-1", change=-10)["stock"] == 0
    assert desk.refused("update_stock", product="P-1", change=-1) == "below_zero"
