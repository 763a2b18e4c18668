"""Cards, disputes, and what is handed to a person."""

from __future__ import annotations

from tests.tools.bank.world import Desk


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
