"""What an agent is told of the shop, which worlds are refused, and that money and goods are conserved."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.errors import ScenarioError
from riskbox.tools.shop.toolset import Shop
from tests.tools.shop.world import NOW, WORLD, Desk, lines


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


# --- what stays true ------------------------------------------------------------------------------------------

ORDERS = st.sampled_from([f"O-{i}" for i in range(1, 8)])
ITEMS = st.dictionaries(st.sampled_from(["P-1", "P-2", "P-3"]), st.integers(1, 3), min_size=1)
AMOUNTS = st.floats(0.01, 200).map(lambda amount: round(amount, 2))
DEEDS = st.one_of(
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
@given(st.lists(DEEDS, max_size=12))
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
