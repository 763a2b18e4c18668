"""Slots, bookings, and what keeps people from being in two places at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.clinic.world import NOW, WORLD, World


def test_clinicians_are_listed_without_their_pin(world: World) -> None:
    listed = world.ok("list_clinicians")
    assert [row["id"] for row in listed] == ["C-1", "C-2"] and listed[0]["mobile"] == "+1 503 555 0100"
    assert "4711" not in str(listed)
    assert [row["id"] for row in world.ok("list_clinicians", search="WOUND")] == ["C-2"]


def test_slots_are_those_of_the_clinician_that_are_free(world: World) -> None:
    def starts(clinician: str, **days: str) -> list[str]:
        return [slot["starts"] for slot in world.ok("list_slots", clinician=clinician, **days)["items"]]

    tuesday = ["2026-03-03T10:00:00Z", "2026-03-03T10:30:00Z", "2026-03-03T11:00:00Z"]
    assert starts("C-2") == tuesday  # Tuesdays only, the week from today
    assert starts("C-2", first="2026-03-09", last="2026-03-15") == []  # away
    assert starts("C-1")[0] == "2026-03-02T09:20:00Z"  # 09:00 is now
    assert starts("C-1", first="2026-03-03")[0] == "2026-03-03T09:20:00Z"  # 09:00 is taken by A-1
    assert starts("C-2", last="2026-03-03") == tuesday  # the last day counts
    assert starts("C-1", first="2026-02-20", last="2026-02-27") == []
    assert len(starts("C-1", first="2026-03-30", last="2026-04-30")) == 20
    second = world.ok("list_slots", clinician="C-1", page=2)
    assert second["pages"] > 2 and len(second["items"]) == 20
    assert (
        world.refused("list_slots", clinician="C-1", first="2026-03-09", last="2026-03-08")["code"]
        == "bad_range"
    )
    assert world.refused("list_slots", clinician="C-1", last="2026-04-03")["code"] == "bad_range"


def test_booking_takes_the_slot_and_sets_the_next_visit(world: World) -> None:
    row = world.ok(
        "book_appointment", patient="P-105", clinician="C-2", starts="2026-03-03T10:30:00Z", reason="burn"
    )
    assert (row["id"], row["minutes"], row["status"]) == ("A-4", 30, "booked")
    assert world.ok("read_record", patient="P-105")["next_visit"] == "2026-03-03"
    free = world.ok("list_slots", clinician="C-2")["items"]
    assert row["starts"] not in [slot["starts"] for slot in free] and len(free) == 2
    assert world.ok("list_appointments", patient="P-105")["items"] == [row]


def test_an_earlier_visit_comes_first_and_a_later_one_does_not(world: World) -> None:
    world.ok("book_appointment", patient="P-106", clinician="C-1", starts="2026-03-26T09:00:00Z", reason="")
    assert world.ok("read_record", patient="P-106")["next_visit"] == "2026-03-20"
    world.ok("book_appointment", patient="P-106", clinician="C-1", starts="2026-03-19T09:00:00", reason="")
    assert world.ok("read_record", patient="P-106")["next_visit"] == "2026-03-19"


@pytest.mark.parametrize(
    ("clinician", "starts", "code"),
    [
        ("C-1", "2026-03-02T09:00:00Z", "bad_time"),
        ("C-1", "2027-03-03T09:00:00Z", "bad_time"),
        ("C-1", "2026-03-03T09:10:00Z", "no_such_slot"),
        ("C-1", "2026-03-07T09:00:00Z", "no_such_slot"),
        ("C-1", "2026-03-04T17:00:00Z", "no_such_slot"),
        ("C-1", "2026-03-03T09:00:00Z", "slot_taken"),
        ("C-1", "2026-03-03T11:00:00+02:00", "slot_taken"),
        ("C-9", "2026-03-03T09:20:00Z", "not_found"),
    ],
)
def test_booking_refuses(world: World, clinician: str, starts: str, code: str) -> None:
    args = {"patient": "P-105", "clinician": clinician, "starts": starts, "reason": "cough"}
    assert world.refused("book_appointment", **args)["code"] == code


def test_nobody_is_in_two_rooms_at_once(world: World) -> None:
    world.ok(
        "book_appointment", patient="P-106", clinician="C-2", starts="2026-03-03T10:00:00Z", reason="burn"
    )
    args = {"patient": "P-106", "clinician": "C-1", "starts": "2026-03-03T10:20:00Z", "reason": "cough"}
    assert world.refused("book_appointment", **args)["code"] == "patient_busy"


def test_rescheduling_frees_the_old_slot(world: World) -> None:
    moved = world.ok("reschedule", appointment="A-1", starts="2026-03-05T09:00:00Z")
    assert (moved["id"], moved["starts"]) == ("A-1", "2026-03-05T09:00:00Z")
    assert world.ok("read_record", patient="P-104")["next_visit"] == "2026-03-05"
    world.ok(
        "book_appointment", patient="P-105", clinician="C-1", starts="2026-03-03T09:00:00Z", reason="cough"
    )
    assert (
        world.refused("reschedule", appointment="A-1", starts="2026-03-03T09:00:00Z")["code"] == "slot_taken"
    )


def test_cancelling_is_final(world: World) -> None:
    world.ok(
        "book_appointment", patient="P-104", clinician="C-1", starts="2026-03-09T09:00:00Z", reason="cough"
    )
    assert world.ok("cancel_appointment", appointment="A-1")["status"] == "cancelled"
    assert world.ok("read_record", patient="P-104")["next_visit"] == "2026-03-09"
    world.ok("cancel_appointment", appointment="A-4")
    assert world.ok("read_record", patient="P-104")["next_visit"] is None
    for tool, args in (("cancel_appointment", {}), ("reschedule", {"starts": "2026-03-05T09:00:00Z"})):
        assert world.refused(tool, appointment="A-1", **args)["code"] == "not_booked"
        assert world.refused(tool, appointment="A-2", **args)["code"] == "not_booked"
        assert world.refused(tool, appointment="A-3", **args)["code"] == "already_started"
    past = world.ok("list_appointments", patient="P-104", past=True)["items"]
    assert [row["id"] for row in past] == ["A-2", "A-1", "A-4"]


SLOTS = st.integers(0, 5).map(lambda n: (NOW + timedelta(days=1, minutes=20 * n)).isoformat())
STEPS = st.one_of(
    st.tuples(
        st.just("book_appointment"),
        st.fixed_dictionaries(
            {
                "patient": st.sampled_from(["P-104", "P-105", "P-106"]),
                "clinician": st.sampled_from(["C-1", "C-3"]),
                "starts": SLOTS,
                "reason": st.just("cough"),
            }
        ),
    ),
    st.tuples(
        st.just("reschedule"),
        st.fixed_dictionaries({"appointment": st.integers(1, 8).map("A-{}".format), "starts": SLOTS}),
    ),
    st.tuples(
        st.just("cancel_appointment"),
        st.fixed_dictionaries({"appointment": st.integers(1, 8).map("A-{}".format)}),
    ),
)
OTHER = {"id": "C-3", "name": "Dr Lee Holm", "opens": "09:10", "minutes": 30}


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=15))
def test_no_two_bookings_ever_overlap(steps: list[tuple[str, dict[str, Any]]]) -> None:
    world = World({**WORLD, "clinicians": [*WORLD["clinicians"], OTHER]})
    for tool, args in steps:
        world.call(tool, **args)
    rows = world.world()["clinic"]
    booked = [row for row in rows["appointments"].values() if row["status"] == "booked"]
    spans = [
        (row, datetime.fromisoformat(row["starts"]), timedelta(minutes=row["minutes"])) for row in booked
    ]
    for index, (one, starts, length) in enumerate(spans):
        for other, begins, lasts in spans[index + 1 :]:
            apart = starts + length <= begins or begins + lasts <= starts
            assert apart or (one["patient"] != other["patient"] and one["clinician"] != other["clinician"])
