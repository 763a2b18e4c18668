"""What a made-up world is like, and what cannot be made up."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from faker import Faker

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.shop.toolset import Shop
from tests.tools.shop.world import COUNTS, NOW


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
