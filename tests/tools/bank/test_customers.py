"""Customers are found, identified, and their contacts changed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.tools.bank.world import Desk, iban


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
