"""The shop: every tool, every refusal, and that neither money nor goods appear from nowhere."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.testing import Driver
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


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- reading --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ({}, ["P-2", "P-1", "P-3"]),
        ({"query": "COPPER"}, ["P-1", "P-3"]),
        ({"query": "copper kett"}, ["P-1"]),
        ({"category": "bath"}, ["P-2"]),
        ({"in_stock": True}, ["P-1", "P-3"]),
        ({"max_price": 45.5}, ["P-2", "P-1"]),
        ({"query": "sofa"}, []),
    ],
)
def test_search_products(desk: Desk, arguments: dict[str, Any], ids: list[str]) -> None:
    result = desk.call("search_products", **arguments)
    assert [one["id"] for one in result["items"]] == ids
    assert all("description" not in one for one in result["items"])


def test_find_customer_and_read_the_record(desk: Desk) -> None:
    assert [one["id"] for one in desk.call("find_customer", query="dana WU")["items"]] == ["C-1"]
    found = desk.call("find_customer", query="example.org")["items"]
    assert [one["name"] for one in found] == ["Dana Wu", "Kim Roe"]
    assert all("address" not in one and "cards" not in one for one in found)
    record = desk.call("read_customer", customer="C-1")
    assert record["cards"] == ["Visa ending 4242", "Amex ending 1001"]
    assert record["orders"] == ["O-1", "O-5", "O-2", "O-3"]
    assert desk.refused("find_customer", query=" d ") == "query_too_short"
    assert desk.refused("read_customer", customer="C-9") == "not_found"


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ({}, ["O-4", "O-1", "O-5", "O-2", "O-3"]),
        ({"customer": "C-2"}, ["O-4"]),
        ({"status": "delivered"}, ["O-2", "O-3"]),
        ({"product": "P-1"}, ["O-1", "O-2"]),
        ({"after": "2026-03-01"}, ["O-4", "O-1"]),
        ({"before": "2026-02-01"}, ["O-3"]),
    ],
)
def test_list_orders(desk: Desk, arguments: dict[str, Any], ids: list[str]) -> None:
    assert [one["id"] for one in desk.call("list_orders", **arguments)["items"]] == ids


def test_list_orders_gives_summaries(desk: Desk) -> None:
    first = desk.call("list_orders", customer="C-1")["items"][0]
    assert (first["customer_name"], first["total"], first["pieces"]) == ("Dana Wu", 80, 2)
    assert "lines" not in first
    assert desk.refused("list_orders", customer="C-9") == "not_found"
    assert desk.refused("list_orders", status="lost") == "bad_arguments"


def test_read_order_product_and_policy(desk: Desk) -> None:
    order = desk.call("read_order", order="O-2")
    assert (order["total"], order["paid"], order["refundable"]) == (220, 220, 220)
    assert order["lines"][0] == {"product": "P-1", "quantity": 1, "price": 45.5, "name": "Copper kettle"}
    assert desk.call("read_order", order="O-4")["paid"] == 0
    assert desk.call("read_product", product="P-3")["description"] == "Copper arm."
    policy = desk.call("read_policy")
    assert policy["supervisors"] == [{"id": "S-1", "name": "Bo Lind"}]
    assert "4821" not in str(policy)
    assert Desk(policies=[{"refund_limit": 7}]).call("read_policy")["refund_limit"] == 7


# --- placing orders -------------------------------------------------------------------------------------------


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


# --- returns --------------------------------------------------------------------------------------------------


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


# --- goodwill and the catalogue -------------------------------------------------------------------------------


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


# --- the contract ---------------------------------------------------------------------------------------------


def test_each_tool_says_how_far_it_reaches() -> None:
    actions = {name: tool.spec.action for name, tool in Shop.tools().items()}
    lasting = {"cancel_order", "refund", "approve_refund"}
    assert {name for name, action in actions.items() if action == "destructive"} == lasting
    for tool in Shop.tools().values():
        assert (tool.spec.action == "suggestive") == (not tool.spec.writes)
        described = tool.spec.parameters.get("properties", {}).values()
        assert all(one.get("description") for one in described), tool.spec.name


def test_bad_arguments_get_a_clear_error(desk: Desk) -> None:
    error = desk.error("refund", order="O-1", ammount=5, reason="x")
    assert "amount: missing" in error["message"]
    assert "Did you mean 'amount'" in error["message"]


@pytest.mark.parametrize(
    ("table", "row", "says"),
    [
        ("orders", {"id": "O-9", "customer": "C-9", "lines": lines(("P-1", 1, 1)), "placed": NOW}, "C-9"),
        ("orders", {"id": "O-9", "customer": "C-1", "lines": lines(("P-9", 1, 1)), "placed": NOW}, "P-9"),
        ("orders", {"id": "O-9", "customer": "C-1", "lines": [], "placed": NOW}, "lines"),
        ("refunds", {"id": "R-9", "order": "O-9", "amount": 1, "requested": NOW}, "O-9"),
        ("refunds", {"id": "R-9", "order": "O-1", "amount": 81, "requested": NOW}, "exceed the 80.00"),
        ("refunds", {"id": "R-9", "order": "O-1", "amount": 1, "requested": NOW, "decided_by": "S-9"}, "S-9"),
        ("returns", {"id": "RT-9", "order": "O-9", "lines": lines(("P-1", 1, 1)), "started": NOW}, "O-9"),
        ("credits", {"id": "CR-9", "customer": "C-9", "amount": 1, "issued": NOW}, "C-9"),
        ("coupons", {"id": "X", "percent": 5, "customer": "C-9"}, "C-9"),
        ("coupons", {"id": "X", "percent": 5, "amount": 5}, "either a percentage or an amount"),
        ("coupons", {"id": "X"}, "either a percentage or an amount"),
        ("policies", {"id": "other"}, "shop"),
    ],
)
def test_a_world_that_does_not_fit_together_is_reported(table: str, row: dict[str, Any], says: str) -> None:
    with pytest.raises(ScenarioError, match=says):
        Shop.parse({**WORLD, table: [*WORLD.get(table, []), row]})


# --- made-up trade --------------------------------------------------------------------------------------------

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


def made(seed: int, counts: dict[str, int] | None = None) -> dict[str, list[dict[str, Any]]]:
    fake = Faker()
    fake.seed_instance(seed)
    return Shop.generate(fake, COUNTS if counts is None else counts, NOW)


def test_made_rows_are_as_many_as_asked_and_parse() -> None:
    rows = made(1)
    assert {table: len(listed) for table, listed in rows.items()} == COUNTS
    bases = Shop.parse(rows)
    for table, listed in rows.items():
        for row in listed:
            parsed = bases[table].rows[row["id"]]
            assert type(parsed).model_validate(parsed.model_dump(mode="json")) == parsed


def test_the_seed_decides() -> None:
    assert made(1) == made(1)
    assert made(1)["orders"] != made(2)["orders"]


def test_made_trade_holds_together() -> None:
    rows = made(3)
    bases = Shop.parse(rows)
    assert len({product.name for product in bases["products"].rows.values()}) == 60
    orders = bases["orders"].rows
    for order in orders.values():
        assert order.placed < NOW
        assert order.status not in ("shipped", "delivered", "returned") or order.placed < order.shipped < NOW
        assert order.status not in ("delivered", "returned") or order.shipped < order.delivered <= NOW
        assert order.total == round(sum(line.quantity * line.price for line in order.lines), 2)
        assert order.delivered is None or order.delivered.weekday() < 5
    statuses = Counter(order.status for order in orders.values())
    assert statuses["delivered"] > 200
    assert set(statuses) >= {"delivered", "returned", "cancelled", "shipped"}
    assert min(order.placed for order in orders.values()) < NOW - timedelta(days=2 * 365)
    assert max(Counter(order.customer for order in orders.values()).values()) > 15
    for refund in bases["refunds"].rows.values():
        assert (
            orders[refund.order].delivered
            <= refund.requested + timedelta(seconds=1)
            <= NOW + timedelta(seconds=1)
        )
    for back in bases["returns"].rows.values():
        assert (back.status == "received") == (orders[back.order].status == "returned")


def test_what_cannot_be_made_is_said() -> None:
    assert set(made(1, {"products": 5})) == {"products"}
    assert made(1, {"orders": 0}) == {"orders": []}
    assert len({one["name"] for one in made(1, {"products": 900})["products"]}) == 900
    for counts, says in (
        ({"orders": 3}, "customers"),
        ({"refunds": 3}, "orders"),
        ({"products": 3, "customers": 3, "orders": 2, "refunds": 9}, "delivered"),
        ({"pigeons": 1}, "pigeons"),
    ):
        with pytest.raises(ToolError, match=says):
            made(1, counts)


def test_four_hundred_orders_are_made_quickly() -> None:
    fake = Faker()
    begun = time.process_time()
    Shop.generate(fake, {"products": 50, "customers": 100, "orders": 400, "refunds": 40}, NOW)
    assert time.process_time() - begun < 0.5


# --- what stays true ------------------------------------------------------------------------------------------

ORDERS = st.sampled_from([f"O-{i}" for i in range(1, 8)])
ITEMS = st.dictionaries(st.sampled_from(["P-1", "P-2", "P-3"]), st.integers(1, 3), min_size=1)
AMOUNTS = st.floats(0.01, 200).map(lambda amount: round(amount, 2))
CALLS = st.one_of(
    st.tuples(
        st.just("place_order"),
        st.fixed_dictionaries(
            {
                "customer": st.just("C-1"),
                "items": ITEMS,
                "payment": st.sampled_from(["card", "credit"]),
                "coupon": st.sampled_from(["", "TEN", "FREE"]),
            }
        ),
    ),
    st.tuples(st.just("cancel_order"), st.fixed_dictionaries({"order": ORDERS})),
    st.tuples(st.just("start_return"), st.fixed_dictionaries({"order": ORDERS, "items": ITEMS})),
    st.tuples(
        st.just("receive_return"), st.fixed_dictionaries({"return_id": st.sampled_from(["RT-1", "RT-2"])})
    ),
    st.tuples(
        st.just("refund"), st.fixed_dictionaries({"order": ORDERS, "amount": AMOUNTS, "reason": st.just("x")})
    ),
    st.tuples(
        st.sampled_from(["approve_refund", "decline_refund"]),
        st.fixed_dictionaries(
            {"refund": st.sampled_from(["R-1", "R-2"]), "supervisor": st.just("S-1"), "pin": st.just("4821")}
        ),
    ),
)


def goods(world: dict[str, Any]) -> Counter[str]:
    """How many pieces of each product there are: in stock, or with customers and on their way to or from them."""
    pieces = Counter({id: product["stock"] for id, product in world["products"].items()})
    for order in world["orders"].values():
        for line in order["lines"] if order["status"] != "cancelled" else ():
            pieces[line["product"]] += line["quantity"]
    for back in world["returns"].values():
        for line in back["lines"] if back["status"] == "received" else ():
            pieces[line["product"]] -= line["quantity"]
    return pieces


def credit(world: dict[str, Any]) -> float:
    """What Dana's store credit must be: the start, less orders paid by it, plus their refunds."""
    by_credit = {id: order["paid"] for id, order in world["orders"].items() if order["payment"] == "credit"}
    back = [
        one["amount"]
        for one in world["refunds"].values()
        if one["order"] in by_credit and one["status"] == "paid"
    ]
    left: float = 60 + by_credit["O-5"] - sum(by_credit.values()) + sum(back)
    return left


@settings(max_examples=80, deadline=None)
@given(st.lists(CALLS, max_size=12))
def test_money_and_goods_are_conserved(calls: list[tuple[str, dict[str, Any]]]) -> None:
    desk = Desk()
    before = goods(desk.world()["shop"])
    for tool, arguments in calls:
        desk.outcome(tool, arguments)
        world = desk.world()["shop"]
        assert goods(world) == before
        assert world["customers"]["C-1"]["credit"] == pytest.approx(credit(world))
        claimed: Counter[str] = Counter()
        for refund in world["refunds"].values():
            claimed[refund["order"]] += round(refund["amount"] * 100) if refund["status"] != "declined" else 0
        for id, order in world["orders"].items():
            assert claimed[id] <= round(order["paid"] * 100)
            if order["status"] == "cancelled":
                assert claimed[id] == round(order["paid"] * 100)
