"""Prescriptions: read, refilled, drafted, issued; and messages to the staff."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.clinic.world import DRAFT, World


def test_reading_prescriptions(world: World) -> None:
    rows = world.ok("read_prescriptions", patient="P-104")
    assert [row["id"] for row in rows] == [f"RX-{n}" for n in range(1, 7)]
    assert [row["id"] for row in rows if row["controlled"]] == ["RX-2"]


def test_a_refill_is_used_up(world: World) -> None:
    row = world.ok("request_refill", prescription="RX-1")
    assert (row["refills_left"], row["last_filled"]) == (1, "2026-03-02")
    assert world.refused("request_refill", prescription="RX-1")["code"] == "too_early"


@pytest.mark.parametrize(
    ("prescription", "code", "kind"),
    [
        ("RX-2", "clinician_required", "permission"),
        ("RX-3", "no_refills_left", "permission"),
        ("RX-4", "too_early", "resource"),
        ("RX-5", "expired", "validation"),
        ("RX-6", "not_active", "validation"),
        ("RX-8", "not_active", "validation"),
        ("RX-99", "not_found", "validation"),
    ],
)
def test_refills_refused(world: World, prescription: str, code: str, kind: str) -> None:
    error = world.refused("request_refill", prescription=prescription)
    assert (error["code"], error["class"]) == (code, kind)


def test_a_draft_needs_its_clinician(world: World) -> None:
    row = world.ok("draft_prescription", **DRAFT)
    assert (row["id"], row["status"], row["issued"], row["controlled"]) == ("RX-9", "draft", None, True)
    error = world.refused("issue_prescription", prescription="RX-9")
    assert (error["code"], error["class"]) == ("not_approved", "permission")
    assert world.refused("issue_prescription", prescription="RX-9", pin="0000")["code"] == "wrong_pin"
    issued = world.ok("issue_prescription", prescription="RX-9", pin="4711")
    assert (issued["status"], issued["issued"], issued["expires"]) == ("active", "2026-03-02", "2027-03-02")
    assert world.refused("issue_prescription", prescription="RX-9", pin="4711")["code"] == "cannot_issue"


def test_a_draft_may_reach_the_limits(world: World) -> None:
    assert world.ok("draft_prescription", **DRAFT | {"days": 30})["days"] == 30
    row = world.ok("draft_prescription", **DRAFT | {"medicine": "sertraline", "days": 90, "refills": 11})
    assert (row["days"], row["refills_left"], row["controlled"]) == (90, 11, False)


def test_what_a_clinician_approved_can_be_issued(world: World) -> None:
    assert world.ok("issue_prescription", prescription="RX-7")["status"] == "active"
    assert world.refused("issue_prescription", prescription="RX-6")["code"] == "cannot_issue"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"clinician": "C-2"}, "cannot_prescribe"),
        ({"days": 31}, "bad_supply"),
        ({"refills": 1}, "bad_supply"),
        ({"medicine": "sertraline", "days": 91}, "bad_supply"),
        ({"medicine": "sertraline", "refills": 12}, "bad_supply"),
        ({"medicine": "penicillin V"}, "allergy"),
        ({"patient": "P-9"}, "not_found"),
    ],
)
def test_drafts_refused(world: World, changes: dict[str, Any], code: str) -> None:
    assert world.refused("draft_prescription", **DRAFT | changes)["code"] == code


def test_messages_reach_the_desk_and_pages_the_clinician_on_call(world: World) -> None:
    first = world.ok("escalate_to_staff", summary="wants a letter", urgency="routine", patient="P-104")
    page = world.ok("escalate_to_staff", summary="chest pain", urgency="emergency")
    assert (first["to"], first["patient"], first["status"]) == ("front desk", "P-104", "open")
    assert (page["id"], page["to"], page["sent"]) == ("M-2", "C-1", "2026-03-02T09:00:00Z")
    assert world.refused("escalate_to_staff", summary=" ", urgency="urgent")["code"] == "empty_message"
    assert (
        world.refused("escalate_to_staff", summary="x", urgency="urgent", patient="P-9")["code"]
        == "not_found"
    )


def test_a_page_needs_someone_on_call() -> None:
    empty = World({})
    error = empty.refused("escalate_to_staff", summary="chest pain", urgency="emergency")
    assert (error["code"], error["class"]) == ("nobody_on_call", "resource") and "emergency number" in error[
        "hint"
    ]
    assert empty.ok("escalate_to_staff", summary="chest pain", urgency="urgent")["to"] == "front desk"
