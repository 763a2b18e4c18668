"""A bank's service desk, as tests of it begin with, and calls to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from faker import Faker

from riskbox.sandbox.testing import Driver
from riskbox.sandbox.testing.driver import Call
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


COUNTS = {"customers": 20, "accounts": 30, "payees": 20, "cards": 10, "bills": 20, "transactions": 400}


def generated(seed: int, counts: Mapping[str, int] = COUNTS) -> dict[str, list[dict[str, Any]]]:
    fake = Faker("en_US")
    fake.seed_instance(seed)
    return Bank.generate(fake, counts, NOW)


CALLS: list[Call] = [
    ("find_customer", {"query": "okafor"}),
    ("read_customer", {"customer": "C-1"}),
    ("verify_identity", {"customer": "C-1", "born": "1990-05-17", "pin": "4711"}),
    ("change_contact", {"customer": "C-1", "phone": "+44 20 7946 0020"}),
    ("list_accounts", {"customer": "C-1"}),
    ("read_account", {"account": "A-1"}),
    ("statement", {"account": "A-1"}),
    ("search_transactions", {"customer": "C-1", "text": "acme"}),
    ("set_limit", {"account": "A-1", "daily_limit": 500}),
    ("list_payees", {"customer": "C-1"}),
    ("add_payee", {"customer": "C-1", "name": "Aunt May", "iban": ABROAD}),
    ("transfer", {"account": "A-1", "to": "Y-2", "amount": 10}),
    ("list_bills", {"customer": "C-1"}),
    ("pay_bill", {"bill": "B-1", "account": "A-1"}),
    ("list_standing_orders", {"customer": "C-1"}),
    ("cancel_standing_order", {"standing_order": "S-1"}),
    ("list_cards", {"customer": "C-1"}),
    ("read_card", {"card": "K-1"}),
    ("freeze_card", {"card": "K-1"}),
    ("unfreeze_card", {"card": "K-1"}),
    ("order_card", {"account": "A-1", "replaces": "K-1"}),
    ("open_dispute", {"transaction": "T-1", "reason": "unauthorised", "details": "I was at home."}),
    ("list_disputes", {"customer": "C-1"}),
    ("flag_fraud", {"account": "A-1", "details": "A stranger called.", "freeze": True}),
    ("escalate", {"customer": "C-1", "details": "She asks for a manager."}),
    ("close_account", {"account": "A-4"}),
]
"""Calls that go well one after the other, of every tool."""
