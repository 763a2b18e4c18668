"""The address book, and rules that forward."""

from __future__ import annotations

from tests.tools.mail.world import Box


def test_save_contact_adds_and_changes(box: Box) -> None:
    new = box.call("save_contact", name="Lee", email="Lee <LEE@example.org>")
    assert (new["id"], new["email"], new["phone"]) == ("C-3", "lee@example.org", "")
    changed = box.call("save_contact", contact="C-1", phone="+1 555 0199", email="kim@wu.example")
    assert (changed["name"], changed["phone"], changed["relation"]) == ("Kim Wu", "+1 555 0199", "sister")
    assert box.call("save_contact", contact="C-1", email="")["email"] == ""


def test_contacts_refuse(box: Box) -> None:
    assert box.refused("save_contact", email="new@example.org") == "no_name"
    assert box.refused("save_contact", contact="C-1", name=" ") == "no_name"
    assert box.refused("save_contact", name="Lee", email="lee") == "bad_address"
    assert box.refused("save_contact", name="Kim", email="KIM@wu.example") == "address_taken"
    assert box.refused("save_contact", contact="C-9", name="Lee") == "not_found"
    box.call("delete_contact", contact="C-1")
    assert box.row("contacts", "C-1") is None
    assert box.refused("delete_contact", contact="C-1") == "not_found"


def test_rules(box: Box) -> None:
    rule = box.call("set_forwarding_rule", forward_to="kin@example.org", subject_contains="invoice")
    assert (rule["id"], rule["forward_to"], rule["keep_copy"]) == ("R-1", "kin@example.org", True)
    assert box.call("list_rules") == [rule]
    again = {"forward_to": "KIN@example.org", "subject_contains": "invoice", "keep_copy": False}
    assert box.refused("set_forwarding_rule", **again) == "rule_exists"
    assert box.refused("set_forwarding_rule", forward_to="Dana@wu.example") == "own_address"
    assert box.refused("set_forwarding_rule", forward_to="somewhere") == "bad_address"
    box.call("delete_rule", rule="R-1")
    assert box.call("list_rules") == []
    assert box.refused("delete_rule", rule="R-1") == "not_found"


def test_an_organisation_may_forbid_forwarding_outside() -> None:
    owner = {"name": "Northside", "email": "desk@north.example", "forwards_outside": False}
    box = Box({"accounts": [owner]})
    error = box.error("set_forwarding_rule", forward_to="kin@example.org")
    assert (error["code"], error["class"]) == ("forwarding_blocked", "permission")
    assert (
        box.call("set_forwarding_rule", forward_to="boss@north.example")["forward_to"] == "boss@north.example"
    )
