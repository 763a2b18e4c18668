"""Accounts, statements, limits, and how an account closes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.bank.world import Desk


def test_accounts_are_listed_for_every_holder(desk: Desk) -> None:
    assert [one["id"] for one in desk.do("list_accounts", customer="C-1")] == [
        "A-1",
        "A-2",
        "A-3",
        "A-5",
        "A-6",
    ]
    assert [one["id"] for one in desk.do("list_accounts", customer="C-2")] == ["A-3", "A-4", "A-7"]
    assert desk.do("read_account", account="A-1")["left_today"] == 800.0
    assert desk.refused("list_accounts", customer="C-9") == "not_found"


def test_a_statement_adds_up(desk: Desk) -> None:
    shown = desk.do("statement", account="A-1", since="2026-02-01", until="2026-02-28")
    assert [one["id"] for one in shown["items"]] == ["T-2"]
    assert (shown["opening_balance"], shown["closing_balance"]) == (-440.0, 1560.0)
    assert [one["id"] for one in desk.do("statement", account="A-1")["items"]] == ["T-1", "T-2"]
    assert desk.refused("statement", account="A-1", since="2026-03-02", until="2026-03-01") == "bad_range"
    assert desk.refused("statement", account="A-1", page=2) == "no_such_page"
    assert desk.do("statement", account="A-1", until="0001-01-01")["items"] == []
    assert "date" in desk.call("statement", {"account": "A-1", "since": "last May"}).error["message"]


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ({"text": "PANTRY"}, ["T-1"]),
        ({"text": "salary"}, ["T-2"]),
        ({"least": 90}, ["T-4", "T-2"]),
        ({"most": 59.99}, ["T-3"]),
        ({"since": "2026-02-26"}, ["T-4", "T-1"]),
        ({"until": "2025-12-31"}, ["T-3"]),
        ({"since": "2026-03-02"}, ["T-4"]),  # booked on the evening of the first five hours west
    ],
)
def test_bookings_are_searched(desk: Desk, sought: dict[str, Any], found: list[str]) -> None:
    assert [one["id"] for one in desk.do("search_transactions", customer="C-1", **sought)["items"]] == found


def test_limits_are_set_within_the_desks_power(desk: Desk) -> None:
    desk.do("set_limit", account="A-1", daily_limit=1000)
    assert desk.do("read_account", account="A-1")["left_today"] == 1000.0
    assert desk.refused("set_limit", account="A-1", daily_limit=25_000.01) == "limit_too_high"
    assert desk.refused("set_limit", account="A-6", daily_limit=1) == "account_frozen"
    assert desk.refused("set_limit", account="A-1", daily_limit=-1) == "bad_arguments"


def test_only_an_empty_account_closes(desk: Desk) -> None:
    assert desk.refused("close_account", account="A-3") == "balance_not_zero"
    desk.do("transfer", account="A-2", to="A-1", amount=20)
    assert desk.refused("close_account", account="A-2") == "standing_orders_active"
    desk.do("cancel_standing_order", standing_order="S-1")
    assert desk.do("close_account", account="A-2")["status"] == "closed"
    assert desk.refused("close_account", account="A-2") == "account_closed"
    assert desk.refused("transfer", account="A-1", to="A-2", amount=1) == "account_closed"
    desk.do("transfer", account="A-3", to="A-1", amount=9000)
    desk.do("close_account", account="A-3")
    assert desk.row("cards", "K-3")["status"] == "blocked"
