"""The bank's service desk, called as an episode calls it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.testing import Driver
from riskbox.tools.bank.iban import check_digits
from riskbox.tools.bank.toolset import Bank

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def iban(number: int) -> str:
    rest = f"DE00{number:018d}"
    return f"DE{check_digits(rest)}{rest[4:]}"


ABROAD = iban(777)
WORLD: dict[str, Any] = {
    "customers": [
        {
            "id": "C-1",
            "name": "Amara Okafor",
            "born": "1990-05-17",
            "address": "4 Mill Lane, Leeds",
            "phone": "+44 20 7946 0018",
            "email": "amara@example.org",
            "pin": "4711",
            "security_question": "First pet?",
            "security_answer": "Biscuit",
        },
        {"id": "C-2", "name": "Tom Reyes"},
    ],
    "accounts": [
        {"id": "A-1", "owner": "C-1", "iban": iban(1), "balance": 1500.0, "overdraft": 100.0, "daily_limit": 800.0},
        {"id": "A-2", "owner": "C-1", "kind": "savings", "iban": iban(2), "balance": 20.0},
        {"id": "A-3", "owner": "C-2", "joint": ["C-1"], "iban": iban(3), "balance": 9000.0, "daily_limit": 9000.0},
        {"id": "A-4", "owner": "C-2", "iban": iban(4), "balance": 0.0},
        {"id": "A-5", "owner": "C-1", "iban": iban(5), "currency": "USD", "balance": 50.0},
        {"id": "A-6", "owner": "C-1", "iban": iban(6), "balance": 70.0, "status": "frozen"},
        {"id": "A-7", "owner": "C-2", "iban": iban(7), "status": "closed"},
    ],
    "payees": [
        {"id": "Y-1", "owner": "C-1", "name": "Tom Reyes", "iban": iban(4)},
        {"id": "Y-2", "owner": "C-1", "name": "Gas Works", "iban": iban(500)},
        {"id": "Y-3", "owner": "C-2", "name": "Shady Ltd", "iban": iban(501), "payable_from": "2026-03-03T08:00:00Z"},
        {"id": "Y-4", "owner": "C-1", "name": "Closed Shop", "iban": iban(7)},
    ],
    "transactions": [
        {"id": "T-1", "account": "A-1", "at": "2026-03-01T12:00:00Z", "amount": -60.0, "kind": "card",
         "counterparty": "Corner Pantry", "reference": "groceries"},
        {"id": "T-2", "account": "A-1", "at": "2026-02-25T06:00:00Z", "amount": 2000.0, "kind": "salary",
         "counterparty": "Acme"},
        {"id": "T-3", "account": "A-1", "at": "2025-06-01T10:00:00Z", "amount": -30.0, "counterparty": "Old Shop"},
        {"id": "T-4", "account": "A-3", "at": "2026-03-01T23:30:00-05:00", "amount": -100.0, "counterparty": "Choir"},
    ],
    "cards": [
        {"id": "K-1", "account": "A-1", "number": "**** **** **** 1234", "pin": "9876"},
        {"id": "K-2", "account": "A-1", "status": "blocked"},
        {"id": "K-3", "account": "A-3"},
    ],
    "standing_orders": [
        {"id": "S-1", "account": "A-2", "payee": "Y-1", "amount": 25.0, "next": "2026-04-01"},
    ],
    "bills": [
        {"id": "B-1", "customer": "C-1", "biller": "Gas Works", "iban": iban(500), "amount": 80.5, "due": "2026-03-09"},
        {"id": "B-2", "customer": "C-1", "biller": "Dentist", "iban": iban(502), "amount": 60.0, "due": "2026-03-05"},
        {"id": "B-3", "customer": "C-1", "biller": "Tax", "iban": iban(503), "amount": 1.0, "status": "paid"},
        {"id": "B-4", "customer": "C-1", "biller": "Host", "iban": iban(504), "amount": 5.0, "currency": "USD"},
    ],
}  # fmt: skip


class Desk(Driver):
    """A bank's service desk, and what tests ask of it."""

    def __init__(self, world: Mapping[str, Any] = WORLD, now: datetime = NOW) -> None:
        super().__init__(Bank, world, now=now)

    do = Driver.ok

    def call(self, tool: str, arguments: Any) -> Any:
        return self.outcome(tool, arguments)

    def refused(self, tool: str, **arguments: Any) -> str:
        return str(self.error(tool, **arguments)["code"])

    def row(self, table: str, id: str) -> Any:
        return self.rows(table)[id]

    def balance(self, account: str) -> float:
        return float(self.row("accounts", account)["balance"])


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("query", ["okaf", "AMARA@", "7946 0018", iban(1), "DE" + iban(2)[2:].lower()])
def test_customers_are_found_by_any_part(desk: Desk, query: str) -> None:
    assert [one["name"] for one in desk.do("find_customer", query=query)["items"]] == ["Amara Okafor"]


def test_finding_needs_something_to_go_by(desk: Desk) -> None:
    assert desk.refused("find_customer", query=" a ") == "query_too_short"
    assert desk.refused("find_customer", query="okafor", page=2) == "no_such_page"
    assert desk.do("find_customer", query="nobody")["items"] == []
    assert "born" not in desk.do("find_customer", query="okafor")["items"][0]


def test_a_record_is_read_in_full(desk: Desk) -> None:
    assert desk.do("read_customer", customer="C-1")["security_answer"] == "Biscuit"
    assert desk.refused("read_customer", customer="C-9") == "not_found"


def test_identity_needs_two_right_details(desk: Desk) -> None:
    right = {"born": "1990-05-17", "security_answer": " biscuit"}
    assert desk.do("verify_identity", customer="C-1", **right) == {"passed": True, "tries_left": 3}
    assert desk.row("checks", "I-1")["details"] == ["born", "security_answer"]
    assert desk.refused("verify_identity", customer="C-1", pin="4711") == "too_few_details"
    assert desk.refused("verify_identity", customer="C-2", pin="1", born="1990-01-01") == "not_on_file"


def test_three_wrong_identities_lock_for_a_day(desk: Desk) -> None:
    wrong = {"customer": "C-1", "born": "1990-05-17", "pin": "0000"}
    assert [desk.do("verify_identity", **wrong)["tries_left"] for _ in range(3)] == [2, 1, 0]
    assert desk.refused("verify_identity", **{**wrong, "pin": "4711"}) == "identity_locked"
    desk.now += timedelta(hours=25)
    assert desk.do("verify_identity", **{**wrong, "pin": "4711"})["passed"]


def test_a_passed_check_forgives_earlier_failures(desk: Desk) -> None:
    for pin in ("0000", "0000", "4711", "0000", "0000"):
        desk.now += timedelta(minutes=1)
        desk.do("verify_identity", customer="C-1", born="1990-05-17", pin=pin)
    assert desk.do("verify_identity", customer="C-1", born="1990-05-17", pin="4711")["passed"]


def test_contact_changes_only_what_is_given(desk: Desk) -> None:
    changed = desk.do("change_contact", customer="C-1", address=" 9 New Road ")
    assert (changed["address"], changed["email"]) == ("9 New Road", "amara@example.org")
    assert desk.refused("change_contact", customer="C-1", address="9 New Road") == "nothing_to_change"
    assert desk.refused("change_contact", customer="C-1", email="amara") == "invalid_email"
    assert desk.refused("change_contact", customer="C-1", phone="call me") == "invalid_phone"


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


def test_cards_freeze_and_thaw(desk: Desk) -> None:
    assert desk.do("freeze_card", card="K-1")["status"] == "frozen"
    assert desk.refused("freeze_card", card="K-1") == "not_active"
    assert desk.do("unfreeze_card", card="K-1")["status"] == "active"
    assert desk.refused("unfreeze_card", card="K-1") == "not_frozen"
    assert desk.refused("unfreeze_card", card="K-2") == "not_frozen"
    assert "pin" not in desk.do("list_cards", customer="C-1")[0]
    assert desk.do("read_card", card="K-1")["pin"] == "9876"


def test_a_new_card_goes_to_the_address_on_file(desk: Desk) -> None:
    ordered = desk.do("order_card", account="A-1", replaces="K-1", reason="lost")
    assert (ordered["status"], ordered["ships_to"]) == ("ordered", "4 Mill Lane, Leeds")
    assert "pin" not in ordered and len(desk.row("cards", ordered["id"])["pin"]) == 4
    assert desk.row("cards", "K-1")["status"] == "blocked"
    assert desk.refused("order_card", account="A-1") == "already_ordered"
    assert desk.refused("order_card", account="A-4") == "no_address"
    assert desk.refused("order_card", account="A-2", reason="stolen") == "replaces_missing"
    assert desk.refused("order_card", account="A-2", replaces="K-1", reason="stolen") == "not_this_account"
    again = Desk()
    assert again.refused("order_card", account="A-1", replaces="K-2", reason="lost") == "already_blocked"
    assert again.do("order_card", account="A-1", replaces="K-1", reason="lost") == ordered


def test_recent_payments_are_disputed_once(desk: Desk) -> None:
    opened = desk.do("open_dispute", transaction="T-1", reason="unauthorised", details="Not me.")
    assert (opened["status"], opened["opened"]) == ("open", "2026-03-02T09:00:00Z")
    again = {"reason": "scam", "details": "?"}
    assert desk.refused("open_dispute", transaction="T-1", **again) == "already_disputed"
    assert desk.refused("open_dispute", transaction="T-2", **again) == "not_disputable"
    assert desk.refused("open_dispute", transaction="T-3", **again) == "too_old"
    assert desk.refused("open_dispute", transaction="T-4", reason="regret", details="?") == "bad_arguments"
    assert [one["id"] for one in desk.do("list_disputes", customer="C-1")] == ["D-1"]
    assert desk.do("list_disputes", customer="C-2") == []


def test_fraud_freezes_the_account(desk: Desk) -> None:
    watched = desk.do("flag_fraud", account="A-1", details="Odd transfers", freeze=False)
    assert (watched["kind"], watched["customer"]) == ("fraud", "C-1")
    assert desk.row("accounts", "A-1")["status"] == "open"
    desk.do("flag_fraud", account="A-1", details="Clear now")
    assert desk.refused("transfer", account="A-1", to="Y-1", amount=1) == "account_frozen"
    assert desk.refused("flag_fraud", account="A-1", details="Still") == "already_flagged"
    assert desk.refused("flag_fraud", account="A-7", details="Late") == "account_closed"


def test_a_matter_is_handed_to_a_person(desk: Desk) -> None:
    raised = desk.do("escalate", customer="C-2", details="Wants a call", urgent=True)
    assert (raised["id"], raised["kind"], raised["urgent"]) == ("E-1", "escalation", True)
    assert desk.refused("escalate", customer="C-9", details="?") == "not_found"


def test_the_world_is_checked() -> None:
    bad = {
        **WORLD,
        "accounts": [
            *WORLD["accounts"],
            {"id": "A-8", "owner": "C-9", "joint": ["C-8"], "iban": iban(1)},
            {"id": "A-9", "owner": "C-1", "iban": "DE00" + iban(9)[4:]},
            {"id": "A-10", "owner": "C-1", "iban": "my account"},
        ],
    }
    with pytest.raises(ScenarioError) as raised:
        Bank.parse(bad)
    told = str(raised.value)
    assert "owner: A-8 names 'C-9', which is not in customers. Did you mean 'C-" in told
    assert "joint[0]: A-8 names 'C-8'" in told
    assert f"needs the check digits {iban(9)[2:4]}, not 00" in told
    assert "'MYACCOUNT' is not an IBAN" in told
    assert "is given to more than one" in told


def test_a_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(ScenarioError, match="timezone"):
        Bank.parse(
            {"transactions": [{"id": "T-1", "account": "A-1", "at": "2026-03-01T10:00:00", "amount": 1}]}
        )


COUNTS = {"customers": 20, "accounts": 30, "payees": 20, "cards": 10, "bills": 20, "transactions": 400}


def generated(seed: int, counts: Mapping[str, int] = COUNTS) -> dict[str, list[dict[str, Any]]]:
    fake = Faker("en_US")
    fake.seed_instance(seed)
    return Bank.generate(fake, counts, NOW)


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


def test_calls_draw_nothing_from_elsewhere(desk: Desk) -> None:
    random.seed(0)
    state = random.getstate()
    desk.do("order_card", account="A-1", replaces="K-1", reason="stolen")
    generated(1, {"customers": 2})
    assert random.getstate() == state
