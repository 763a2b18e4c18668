"""What a made-up world is like, and what cannot be made up."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.bank.toolset import Bank
from tests.tools.bank.world import COUNTS, NOW, Desk, generated


def test_generated_rows_are_believable() -> None:
    rows = generated(7)
    assert {table: len(listed) for table, listed in rows.items()} == COUNTS
    assert rows == generated(7) != generated(8)
    Bank.parse(rows)
    joined = {one["id"]: date.fromisoformat(one["since"]) for one in rows["customers"]}
    owner = {one["id"]: one["owner"] for one in rows["accounts"]}
    booked = [(datetime.fromisoformat(one["at"]), one) for one in rows["transactions"]]
    assert all(joined[owner[one["account"]]] <= at.date() and at <= NOW for at, one in booked)
    assert min(at for at, _ in booked) < NOW - timedelta(days=300)
    assert all(at.weekday() < 5 for at, one in booked if one["kind"] == "salary")
    assert len({one["counterparty"] for _, one in booked}) > 30


def test_generated_history_goes_back_years_and_never_overdraws() -> None:
    rows = generated(3, {"customers": 1, "accounts": 2, "transactions": 400})
    ats = [datetime.fromisoformat(one["at"]) for one in rows["transactions"]]
    assert max(ats) - min(ats) > timedelta(days=3 * 365)
    for account in rows["accounts"]:
        shown = Desk(rows).do("statement", account=account["id"], since="2000-01-01")
        balance = shown["opening_balance"]
        for one in rows["transactions"]:
            balance += one["amount"] if one["account"] == account["id"] else 0.0
            assert balance >= 0
        assert balance == pytest.approx(account["balance"])


@pytest.mark.parametrize(
    ("counts", "told"),
    [({"accounts": 3}, "generate customers too"), ({"alerts": 2}, "alerts cannot be generated")],
)
def test_what_cannot_be_generated_is_said(counts: dict[str, int], told: str) -> None:
    with pytest.raises(ToolError, match=told):
        generated(1, counts)
