"""Products, customers and orders are found and read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.shop.world import Desk


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
