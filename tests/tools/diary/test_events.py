"""Events are created, moved, edited, cancelled; guests invited; reminders set."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.contracts.table import Table
from tests.tools.diary.world import MEETING, NOW, WORLD, World, at


def test_creating_an_event_invites_its_guests(world: World) -> None:
    guests = ["BEN@firm.example", "elm", "Zoe@Home.example"]
    row = world.ok(
        "create_event", title="Plan", starts=at(2, 14), ends=at(2, 15), guests=guests, private=True
    )
    assert (row["id"], row["calendar"], row["visibility"]) == ("E-9", "dana", "private")
    assert row["guests"] == [
        {"who": "ben", "answer": "needs_action"},
        {"who": "elm", "answer": "accepted"},
        {"who": "zoe@home.example", "answer": "needs_action"},
    ]
    assert "E-9" in [event.get("id") for event in world.ok("list_events", calendar="ben")["items"]]


def test_times_without_offset_are_local_to_the_calendar() -> None:
    world = World({"calendars": [{"id": "a", "name": "A", "zone": "Europe/Berlin"}]})
    row = world.ok("create_event", title="x", starts="2026-03-02T14:00:00", ends="2026-03-02T15:00:00")
    assert (row["starts"], row["ends"]) == (at(2, 13), at(2, 14))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title": " "}, "no_title"),
        ({"ends": at(3, 16)}, "bad_times"),
        ({"starts": at(1, 9), "ends": at(1, 10)}, "in_the_past"),
        ({"starts": at(2, 10, 30), "ends": at(2, 12)}, "busy"),
        ({"starts": at(3, 10, 30), "ends": at(3, 12), "guests": ["ben"]}, "busy"),
        ({"starts": at(2, 10, 30), "ends": at(2, 12), "guests": ["elm"], "overlap": True}, "room_taken"),
        ({"guests": ["nobody"]}, "unknown_person"),
        ({"guests": ["dana"]}, "already_invited"),
        ({"guests": ["ben", "ben@firm.example"]}, "already_invited"),
        ({"calendar": "kim"}, "not_allowed"),
        ({"calendar": "zed"}, "not_found"),
    ],
)
def test_creating_refused(world: World, changes: dict[str, Any], code: str) -> None:
    assert world.refused("create_event", **MEETING | changes)["code"] == code


def test_overlap_is_allowed_when_asked_for_and_back_to_back_always(world: World) -> None:
    world.ok("create_event", title="x", starts=at(2, 11), ends=at(2, 12), guests=["elm", "ben"])
    world.ok("create_event", title="y", starts=at(2, 10), ends=at(2, 12), overlap=True)


def test_a_hidden_calendar_does_not_tell_that_it_is_busy(world: World) -> None:
    world.ok("create_event", title="x", starts=at(5, 10), ends=at(5, 11), guests=["ada"])


def test_who_declined_is_free(world: World) -> None:
    world.ok("respond", event="E-5", answer="declined")
    world.ok("create_event", title="x", starts=at(4, 10), ends=at(4, 11))


def test_one_can_write_into_a_calendar_shared_for_it(world: World) -> None:
    row = world.ok("create_event", **MEETING | {"calendar": "lee"})
    assert row["calendar"] == "lee"
    assert world.ok("move_event", event=row["id"], starts=at(4, 10))["ends"] == at(4, 11)


def test_moving_keeps_the_length_and_asks_again(world: World) -> None:
    row = world.ok("move_event", event="E-1", starts=at(2, 10, 30))  # it does not collide with itself
    assert (row["starts"], row["ends"]) == (at(2, 10, 30), at(2, 11, 30))
    assert [guest["answer"] for guest in row["guests"]] == ["needs_action", "accepted", "needs_action"]
    assert world.ok("move_event", event="E-1", starts=at(4, 12), ends=at(4, 15))["ends"] == at(4, 15)
    assert world.refused("move_event", event="E-1", starts=at(3, 10))["code"] == "busy"  # ben
    assert world.ok("move_event", event="E-1", starts=at(3, 10), overlap=True)["starts"] == at(3, 10)
    assert world.refused("move_event", event="E-1", starts=at(3, 10), ends=at(3, 9))["code"] == "bad_times"


def test_a_room_is_not_taken_twice_by_moving_or_inviting(world: World) -> None:
    other = world.ok("create_event", **MEETING | {"guests": ["elm"]})
    error = world.refused("move_event", event=other["id"], starts=at(2, 10), overlap=True)
    assert error["code"] == "room_taken"
    third = world.ok("create_event", **MEETING | {"overlap": True})
    assert world.refused("invite", event=third["id"], guests=["elm"])["code"] == "room_taken"


def test_editing_changes_what_is_given(world: World) -> None:
    row = world.ok("edit_event", event="E-1", location="Elm", notes="", private=True)
    assert (row["title"], row["location"], row["notes"], row["visibility"]) == (
        "Budget",
        "Elm",
        "",
        "private",
    )
    assert world.ok("edit_event", event="E-1", title="Money", private=False)["visibility"] == "normal"
    assert world.refused("edit_event", event="E-1", title="Money")["code"] == "nothing_to_change"


def test_cancelling_is_final_and_drops_reminders(world: World) -> None:
    assert world.ok("cancel_event", event="E-1")["status"] == "cancelled"
    assert world.world()["diary"]["reminders"] == {}
    assert "E-1" not in [row.get("id") for row in world.ok("list_events")["items"]]
    world.ok("create_event", title="x", starts=at(2, 10), ends=at(2, 11), guests=["elm", "ben"])


@pytest.mark.parametrize(("event", "code"), [("E-7", "cancelled"), ("E-6", "over"), ("E-3", "not_allowed")])
@pytest.mark.parametrize(
    ("tool", "args"),
    [
        ("move_event", {"starts": at(9, 10)}),
        ("edit_event", {"title": "x"}),
        ("cancel_event", {}),
        ("invite", {"guests": ["lee"]}),
    ],
)
def test_only_open_events_of_ones_own_change(
    world: World, tool: str, args: dict[str, Any], event: str, code: str
) -> None:
    assert world.refused(tool, event=event, **args)["code"] == code


def test_a_guest_reads_but_does_not_change(world: World) -> None:
    assert world.refused("cancel_event", event="E-5")["code"] == "not_allowed"


def test_inviting(world: World) -> None:
    row = world.ok("invite", event="E-1", guests=["lee", "press@news.example"])
    assert [guest["who"] for guest in row["guests"]][-2:] == ["lee", "press@news.example"]
    busy = world.ok("create_event", **MEETING | {"starts": at(3, 10)})
    assert world.ok("invite", event=busy["id"], guests=["ben"])["guests"][0]["who"] == "ben"
    assert world.refused("invite", event="E-1", guests=["lee"])["code"] == "already_invited"
    assert world.refused("invite", event="E-1", guests=["dana"])["code"] == "already_invited"
    assert world.refused("invite", event="E-1", guests=[])["code"] == "no_guests"


def test_answering(world: World) -> None:
    for answer in ("tentative", "declined", "accepted"):
        row = world.ok("respond", event="E-5", answer=answer)
        assert row["guests"] == [{"who": "dana", "answer": answer}]
    assert world.refused("respond", event="E-3", answer="accepted")["code"] == "not_invited"
    assert world.refused("respond", event="E-2", answer="accepted")["code"] == "not_allowed"
    assert world.refused("respond", event="E-1", answer="declined", calendar="ben")["code"] == "not_allowed"
    world.ok("invite", event="E-1", guests=["lee"])
    world.ok("respond", event="E-1", answer="accepted", calendar="lee")
    world.ok("cancel_event", event="E-1")
    assert world.refused("respond", event="E-1", answer="accepted", calendar="lee")["code"] == "cancelled"


def test_reminders(world: World) -> None:
    row = world.ok("set_reminder", event="E-5", minutes=1440)
    assert row == {"id": "R-2", "calendar": "dana", "event": "E-5", "minutes": 1440}
    assert world.ok("set_reminder", event="E-1", minutes=60)["id"] == "R-3"
    assert world.ok("set_reminder", event="E-1", minutes=0)["id"] == "R-4"
    assert world.refused("set_reminder", event="E-5", minutes=1440)["code"] == "already_set"
    assert world.refused("set_reminder", event="E-1", minutes=61)["code"] == "bad_time"
    assert world.refused("set_reminder", event="E-1", minutes=-1)["code"] == "bad_time"
    assert world.refused("set_reminder", event="E-3", minutes=5)["code"] == "not_in_calendar"
    assert world.refused("set_reminder", event="E-7", minutes=5)["code"] == "cancelled"


HOURS = st.integers(0, 6).map(lambda n: NOW + timedelta(days=1, minutes=30 * n))
GUESTS = st.lists(st.sampled_from(["ben", "kim", "lee", "elm"]), unique=True, max_size=3)
IDS = st.integers(1, 6).map("E-{}".format)
CREATE = st.builds(
    lambda starts, half_hours, guests: {
        "title": "x",
        "starts": starts.isoformat(),
        "ends": (starts + timedelta(minutes=30 * half_hours)).isoformat(),
        "guests": guests,
    },
    HOURS,
    st.integers(1, 3),
    GUESTS,
)
MOVE = st.fixed_dictionaries({"event": IDS, "starts": HOURS.map(datetime.isoformat)})
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("create_event"), CREATE),
        st.tuples(st.just("create_event"), CREATE),
        st.tuples(st.just("move_event"), MOVE),
        st.tuples(st.just("invite"), st.fixed_dictionaries({"event": IDS, "guests": GUESTS})),
        st.tuples(st.just("cancel_event"), st.fixed_dictionaries({"event": IDS})),
    ),
    max_size=15,
)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.booleans())
def test_rooms_are_never_booked_twice_and_people_only_when_asked_for(
    steps: list[tuple[str, dict[str, Any]]], overlap: bool
) -> None:
    world = World({"calendars": WORLD["calendars"], "shares": WORLD["shares"]})
    for tool, args in steps:
        world.call(tool, **args | ({"overlap": overlap} if tool in ("create_event", "move_event") else {}))
    tables = {name: Table(base, world.changes.get(name, {}), ()) for name, base in world.bases.items()}
    invited = any(tool == "invite" for tool, _ in steps)
    guarded = {"elm"} if overlap or invited else {row.id for row in tables["calendars"]}
    events = [event for event in tables["events"] if event.status != "cancelled"]
    for index, one in enumerate(events):
        for other in events[index + 1 :]:
            assert not (one.meets(other.starts, other.ends) and one.on & other.on & guarded)
