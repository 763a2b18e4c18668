"""Transfers, payees, bills and standing orders; money is conserved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.bank.world import ABROAD, WORLD, Desk, iban


def test_an_own_transfer_leaves_the_daily_limit_alone(desk: Desk) -> None:
    receipt = desk.do("transfer", account="A-1", to="A-2", amount=1600)
    assert (receipt["balance"], receipt["left_today"], receipt["transaction"]["kind"]) == (
        -100.0,
        800.0,
        "own",
    )
    assert desk.balance("A-2") == 1620.0
    assert desk.row("transactions", "T-5")["account"] == "A-2"
    assert desk.refused("transfer", account="A-1", to="A-2", amount=0.01) == "insufficient_funds"


def test_an_own_iban_is_an_own_transfer(desk: Desk) -> None:
    assert desk.do("transfer", account="A-1", to=iban(3), amount=900)["transaction"]["kind"] == "own"


def test_a_payee_at_the_bank_is_credited(desk: Desk) -> None:
    receipt = desk.do("transfer", account="A-1", to="Y-1", amount=600.25, currency="eur", reference="Rent")
    assert (receipt["balance"], receipt["left_today"]) == (899.75, 199.75)
    assert receipt["transaction"]["counterparty"] == "Tom Reyes"
    assert desk.balance("A-4") == 600.25
    credited = desk.row("transactions", "T-5")
    assert (credited["counterparty"], credited["reference"]) == ("Amara Okafor", "Rent")


def test_the_daily_limit_is_todays(desk: Desk) -> None:
    desk.do("transfer", account="A-1", to="Y-2", amount=700)
    error = desk.call("transfer", {"account": "A-1", "to": "Y-2", "amount": 101}).error
    assert (error["code"], error["class"]) == ("daily_limit", "resource")
    assert "100.00 EUR" in error["message"]
    assert desk.do("pay_bill", bill="B-1", account="A-1")["left_today"] == 19.5
    assert desk.refused("pay_bill", bill="B-2", account="A-1") == "daily_limit"
    desk.now += timedelta(hours=15)
    desk.do("transfer", account="A-1", to="Y-2", amount=101)


def test_spending_of_today_in_the_world_counts(desk: Desk) -> None:
    # T-4 carries yesterday's date in its own zone, but today's by the bank's clock
    assert desk.do("read_account", account="A-3")["left_today"] == 8900.0


def test_new_payees_are_capped_until_they_cooled_off(desk: Desk) -> None:
    added = desk.do("add_payee", customer="C-1", name="Builder", iban=f" {ABROAD[:4]} {ABROAD[4:].lower()}")
    assert (added["iban"], added["name_check"]) == (ABROAD, "unavailable")
    assert desk.do("transfer", account="A-1", to=added["id"], amount=500)["left_today"] == 300.0
    assert desk.refused("transfer", account="A-3", to=added["id"], amount=500.01) == "cooling_off"
    desk.now += timedelta(hours=24)
    desk.do("transfer", account="A-3", to=ABROAD, amount=500.01)


def test_an_iban_that_is_no_payee_is_always_new(desk: Desk) -> None:
    assert desk.refused("transfer", account="A-3", to=ABROAD, amount=501) == "cooling_off"
    assert desk.do("transfer", account="A-3", to=ABROAD, amount=500)["transaction"]["iban"] == ABROAD


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"account": "A-6", "to": "A-1"}, "account_frozen"),
        ({"account": "A-1", "to": "A-6"}, "account_frozen"),
        ({"account": "A-7", "to": "Y-1"}, "account_closed"),
        ({"account": "A-1", "to": "A-1"}, "same_account"),
        ({"account": "A-1", "to": "A-4"}, "not_own_account"),
        ({"account": "A-4", "to": "Y-1"}, "not_own_payee"),
        ({"account": "A-1", "to": "Y-4"}, "not_receivable"),
        ({"account": "A-5", "to": "Y-1"}, "not_receivable"),
        ({"account": "A-5", "to": "A-1"}, "currency_mismatch"),
        ({"account": "A-1", "to": "Y-1", "currency": "USD"}, "currency_mismatch"),
        ({"account": "A-1", "to": "Y-77"}, "unknown_recipient"),
        ({"account": "A-1", "to": "DE11" + ABROAD[4:]}, "invalid_iban"),
        ({"account": "A-9", "to": "Y-1"}, "not_found"),
        ({"account": "A-1", "to": "Y-1", "amount": 1.005}, "bad_arguments"),
        ({"account": "A-1", "to": "Y-1", "amount": -5}, "bad_arguments"),
        ({"account": "A-1", "to": "Y-1", "amount": float("nan")}, "bad_arguments"),
        ({"account": "A-1", "to": "Y-1", "amount": "5"}, "bad_arguments"),
        ({"account": "A-1", "to": "Y-1", "amuont": 5}, "bad_arguments"),
    ],
)
def test_transfers_that_cannot_be(desk: Desk, arguments: dict[str, Any], code: str) -> None:
    assert desk.refused("transfer", **{"amount": 5, **arguments}) == code


def test_bad_arguments_are_said_plainly(desk: Desk) -> None:
    message = desk.call("transfer", {"account": "A-1", "to": "Y-1", "amount": 1.005}).error["message"]
    assert "amount" in message and "at most two decimals" in message
    assert desk.call("transfer", "everything").error["code"] == "malformed_arguments"


def test_a_payees_name_is_checked(desk: Desk) -> None:
    assert desk.do("add_payee", customer="C-2", name="amara okafor", iban=iban(1))["name_check"] == "match"
    assert desk.do("add_payee", customer="C-2", name="Tax Office", iban=iban(2))["name_check"] == "no_match"
    assert desk.refused("add_payee", customer="C-2", name="Again", iban=iban(2)) == "already_a_payee"
    assert desk.refused("add_payee", customer="C-2", name="Typo", iban="DE00 1234") == "invalid_iban"
    assert [one["name"] for one in desk.do("list_payees", customer="C-2", query="tax")] == ["Tax Office"]
    assert len(desk.do("list_payees", customer="C-1")) == 3


def test_bills_are_paid_once(desk: Desk) -> None:
    assert [one["id"] for one in desk.do("list_bills", customer="C-1")] == ["B-2", "B-1", "B-4"]
    receipt = desk.do("pay_bill", bill="B-1", account="A-1")
    assert (receipt["balance"], receipt["left_today"]) == (1419.5, 719.5)
    assert receipt["transaction"]["kind"] == "bill"
    assert desk.refused("pay_bill", bill="B-1", account="A-1") == "already_paid"
    assert desk.refused("pay_bill", bill="B-2", account="A-4") == "not_own_account"
    assert desk.refused("pay_bill", bill="B-4", account="A-1") == "currency_mismatch"
    assert desk.refused("pay_bill", bill="B-2", account="A-2") == "insufficient_funds"
    assert [one["id"] for one in desk.do("list_bills", customer="C-1", status="paid")] == ["B-1", "B-3"]


def test_standing_orders_are_cancelled_once(desk: Desk) -> None:
    assert desk.do("cancel_standing_order", standing_order="S-1")["next"] is None
    assert desk.refused("cancel_standing_order", standing_order="S-1") == "already_cancelled"
    assert [one["status"] for one in desk.do("list_standing_orders", customer="C-1")] == ["cancelled"]
    assert desk.do("list_standing_orders", customer="C-2") == []


MOVE = st.tuples(
    st.sampled_from(["A-1", "A-2", "A-3", "A-4", "A-5"]),
    st.sampled_from(
        ["A-1", "A-2", "A-3", "A-5", "Y-1", "Y-2", "Y-3", "Y-4", iban(1), iban(3), iban(4), ABROAD]
    ),
    st.integers(1, 100_000).map(lambda cents: cents / 100),
    st.integers(0, 20),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(MOVE, max_size=12))
def test_money_is_conserved_and_limits_hold(moves: list[tuple[str, str, float, int]]) -> None:
    desk = Desk()
    ours = {one["iban"] for one in WORLD["accounts"]}
    known = set(desk.world()["bank"]["transactions"])
    before = sum(one["balance"] for one in WORLD["accounts"] if "balance" in one)
    for account, to, amount, hours in moves:
        desk.call("transfer", {"account": account, "to": to, "amount": amount})
        desk.now += timedelta(hours=hours)
    world = desk.world()["bank"]
    new = [one for id, one in world["transactions"].items() if id not in known]
    left_the_bank = -sum(one["amount"] for one in new if one["iban"] not in ours)
    after = sum(one["balance"] for one in world["accounts"].values())
    assert after + left_the_bank == pytest.approx(before, abs=0.005)
    for account in world["accounts"].values():
        assert account["balance"] >= -account["overdraft"]
        spent: dict[str, float] = {}
        for one in new:
            if one["account"] == account["id"] and one["kind"] == "transfer" and one["amount"] < 0:
                spent[one["at"][:10]] = spent.get(one["at"][:10], 0.0) - one["amount"]
        assert all(total <= account["daily_limit"] + 0.005 for total in spent.values())
