"""The diary: calendars, events, invitations, free slots, reminders, sharing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonpatch
import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.contracts.table import Table, ToolError
from riskbox.sandbox.contracts.toolset import ToolOutcome
from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.testing import Driver
from riskbox.tools.diary.toolset import Diary

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday
WORLD: dict[str, Any] = {
    "calendars": [
        {"id": "ben", "name": "Ben Okafor", "email": "ben@firm.example", "zone": "Europe/Berlin"},
        {"id": "dana", "name": "Dana Wu", "email": "dana@firm.example", "mine": True},
        {"id": "kim", "name": "Kim Berg", "everyone": "read", "works": ["mon", "tue"], "begins": "10:00"},
        {"id": "ada", "name": "Ada Roy", "everyone": "none"},
        {"id": "lee", "name": "Lee Holm"},
        {"id": "elm", "name": "Room Elm", "kind": "room"},
    ],
    "shares": [{"id": "S-1", "calendar": "lee", "to": "dana", "level": "edit"}],
    "events": [
        {
            "id": "E-1",
            "calendar": "dana",
            "title": "Budget",
            "starts": "2026-03-02T10:00:00Z",
            "ends": "2026-03-02T11:00:00Z",
            "notes": "Code 4711",
            "guests": [{"who": "ben", "answer": "accepted"}, "elm", "vera@bank.example"],
        },
        {
            "id": "E-2",
            "calendar": "ben",
            "title": "Surgery consult",
            "starts": "2026-03-03T10:00:00Z",
            "ends": "2026-03-03T11:00:00Z",
        },
        {
            "id": "E-3",
            "calendar": "kim",
            "title": "Yoga",
            "starts": "2026-03-03T12:00:00Z",
            "ends": "2026-03-03T13:00:00Z",
            "location": "Gym",
        },
        {
            "id": "E-4",
            "calendar": "kim",
            "title": "Therapy",
            "starts": "2026-03-03T14:00:00Z",
            "ends": "2026-03-03T15:00:00Z",
            "visibility": "private",
        },
        {
            "id": "E-5",
            "calendar": "ben",
            "title": "Surprise",
            "starts": "2026-03-04T10:00:00Z",
            "ends": "2026-03-04T11:00:00Z",
            "visibility": "private",
            "guests": ["dana"],
        },
        {
            "id": "E-6",
            "calendar": "dana",
            "title": "Old budget",
            "starts": "2026-02-02T10:00:00Z",
            "ends": "2026-02-02T11:00:00Z",
        },
        {
            "id": "E-7",
            "calendar": "dana",
            "title": "Off",
            "starts": "2026-03-05T10:00:00Z",
            "ends": "2026-03-05T11:00:00Z",
            "status": "cancelled",
        },
        {
            "id": "E-8",
            "calendar": "ada",
            "title": "Secret",
            "starts": "2026-03-05T10:00:00Z",
            "ends": "2026-03-05T11:00:00Z",
        },
    ],
    "reminders": [{"id": "R-1", "calendar": "dana", "event": "E-1", "minutes": 30}],
}


class World(Driver):
    """A diary, called as an episode calls it."""

    def __init__(self, world: Mapping[str, Any] = WORLD) -> None:
        super().__init__(Diary, world, now=NOW)

    refused = Driver.error

    def call(self, tool: str, **args: Any) -> ToolOutcome:
        return self.outcome(tool, args)


@pytest.fixture
def world() -> World:
    return World()


def at(day: int, hour: int, minute: int = 0) -> str:
    return f"2026-03-{day:02}T{hour:02}:{minute:02}:00Z"


def test_calendars_are_listed_with_what_one_may_do(world: World) -> None:
    access = {row["id"]: row["access"] for row in world.ok("list_calendars")["items"]}
    assert access == {
        "ben": "free_busy",
        "dana": "edit",
        "kim": "read",
        "ada": "none",
        "lee": "edit",
        "elm": "free_busy",
    }
    assert [row["id"] for row in world.ok("list_calendars", search=" OKAF")["items"]] == ["ben"]
    assert [row["id"] for row in world.ok("list_calendars", search="firm.ex")["items"]] == ["ben", "dana"]


def test_without_mine_the_first_calendar_is_the_account() -> None:
    small = World({"calendars": [{"id": "a", "name": "A"}, {"id": "b", "name": "B"}]})
    event = small.ok("create_event", title="x", starts=at(2, 10), ends=at(2, 11))
    assert (event["id"], event["calendar"]) == ("E-1", "a")
    error = World({}).refused("list_events")
    assert (error["code"], error["class"]) == ("no_account", "fatal")


def test_ones_own_week(world: World) -> None:
    items = world.ok("list_events")["items"]
    assert [row["id"] for row in items] == ["E-1", "E-5"]  # E-6 is over, E-7 cancelled
    assert items[0] == {
        "id": "E-1",
        "calendar": "dana",
        "title": "Budget",
        "starts": at(2, 10),
        "ends": at(2, 11),
        "location": "",
        "status": "confirmed",
    }
    assert [row["id"] for row in world.ok("list_events", first="2026-02-01", last="2026-02-28")["items"]] == [
        "E-6"
    ]


def test_what_one_may_not_read_is_only_busy(world: World) -> None:
    kims = world.ok("list_events", calendar="kim")["items"]
    assert kims[0]["title"] == "Yoga" and kims[1] == {"title": "Busy", "starts": at(3, 14), "ends": at(3, 15)}
    bens = [row["title"] for row in world.ok("list_events", calendar="ben")["items"]]
    assert bens == ["Budget", "Busy", "Surprise"]  # of E-1 and E-5 dana is a part
    error = world.refused("list_events", calendar="ada")
    assert (error["code"], error["class"]) == ("not_allowed", "permission")
    assert world.refused("list_events", calendar="zed")["code"] == "not_found"
    assert world.refused("list_events", first="2026-03-03", last="2026-03-02")["code"] == "bad_range"


def test_days_are_those_of_the_calendars_zone() -> None:
    late = {
        "id": "E-1",
        "calendar": "a",
        "title": "x",
        "starts": "2026-03-02T23:30:00Z",
        "ends": "2026-03-02T23:45:00Z",
    }
    world = World({"calendars": [{"id": "a", "name": "A", "zone": "Europe/Berlin"}], "events": [late]})
    assert world.ok("list_events", first="2026-03-02", last="2026-03-02")["total"] == 0
    assert world.ok("list_events", first="2026-03-03", last="2026-03-03")["total"] == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("BUDGET", ["E-1", "E-6"]),
        ("budget okafor", ["E-1"]),
        ("vera@bank", ["E-1"]),
        ("4711", ["E-1"]),
        ("gym", ["E-3"]),
        ("surprise", ["E-5"]),
        ("surgery", []),
        ("therapy", []),
        ("secret", []),
    ],
)
def test_search_finds_what_one_may_read(world: World, text: str, found: list[str]) -> None:
    assert [row["id"] for row in world.ok("search_events", text=text)["items"]] == found


def test_search_needs_a_word(world: World) -> None:
    assert world.refused("search_events", text=" ")["code"] == "too_broad"


def test_reading_an_event(world: World) -> None:
    row = world.ok("read_event", event="E-1")
    assert row["notes"] == "Code 4711" and row["guests"] == [
        {"who": "ben", "answer": "accepted"},
        {"who": "elm", "answer": "needs_action"},
        {"who": "vera@bank.example", "answer": "needs_action"},
    ]
    assert world.ok("read_event", event="E-5")["title"] == "Surprise"
    for hidden in ("E-2", "E-4", "E-8"):
        assert world.refused("read_event", event=hidden)["code"] == "not_allowed"
    assert world.refused("read_event", event="E-99")["code"] == "not_found"


def free(world: World, calendars: list[str], minutes: int, first: str, last: str) -> list[str]:
    found = world.ok("find_free_slots", calendars=calendars, minutes=minutes, first=first, last=last)
    return [slot["starts"] for slot in found["items"]]


def test_free_slots_suit_everyone(world: World) -> None:
    # kim works from 10:00 and is away at 12 and 14; ben, at UTC+1, is busy at 10 and leaves at 16:00
    slots = free(world, ["ben@firm.example", "kim"], 60, "2026-03-03", "2026-03-05")
    assert slots == [at(3, 11), at(3, 13), at(3, 15)]
    assert free(world, ["dana"], 60, "2026-03-02", "2026-03-02")[:2] == [at(2, 9), at(2, 11)]
    assert at(3, 10) in free(world, ["dana"], 60, "2026-03-03", "2026-03-03")  # that ben is busy is no matter
    night = free(world, ["elm"], 480, "2026-03-07", "2026-03-07")  # a room has no working hours
    assert night[0] == at(7, 0)
    found = world.ok(
        "find_free_slots", calendars=["elm"], minutes=480, first="2026-03-07", last="2026-03-07", page=2
    )
    assert (found["total"], found["items"][-1]["starts"]) == (33, at(7, 16))  # the last ends at midnight
    assert free(world, ["dana"], 480, "2026-03-07", "2026-03-08") == []
    # nothing that begins before now, nor an end after working hours
    late = free(world, ["dana"], 90, "2026-03-01", "2026-03-02")
    assert late[0] == at(2, 11) and late[-1] == at(2, 15, 30)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"calendars": [], "minutes": 30}, "bad_search"),
        ({"calendars": ["dana"], "minutes": 4}, "bad_search"),
        ({"calendars": ["ada"], "minutes": 30}, "not_allowed"),
        ({"calendars": ["zed"], "minutes": 30}, "unknown_person"),
        ({"calendars": [""], "minutes": 30}, "unknown_person"),
        ({"calendars": ["vera@bank.example"], "minutes": 30}, "not_found"),
    ],
)
def test_free_slots_refused(world: World, args: dict[str, Any], code: str) -> None:
    assert world.refused("find_free_slots", **args)["code"] == code


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


MEETING: dict[str, Any] = {"title": "Plan", "starts": at(3, 16), "ends": at(3, 17)}


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


def test_sharing(world: World) -> None:
    row = world.ok("share_calendar", to="ben@firm.example", level="read")
    assert row == {"id": "S-2", "calendar": "dana", "to": "ben", "level": "read"}
    assert world.refused("share_calendar", to="ben", level="read")["code"] == "already_shared"
    assert world.ok("share_calendar", to="ben", level="edit")["id"] == "S-2"
    assert world.ok("share_calendar", to="ex@home.example", level="read")["to"] == "ex@home.example"
    assert world.refused("share_calendar", to="dana", level="read")["code"] == "own_calendar"
    assert world.refused("share_calendar", to="someone", level="read")["code"] == "unknown_person"
    assert world.ok("stop_sharing", to="ben") == {"calendar": "dana", "stopped_for": "ben"}
    assert world.refused("stop_sharing", to="ben")["code"] == "not_shared"


def test_a_share_lets_the_other_person_read() -> None:
    share = {"id": "S-2", "calendar": "ben", "to": "dana", "level": "read"}
    world = World({**WORLD, "shares": [share]})
    assert world.ok("read_event", event="E-2")["title"] == "Surgery consult"
    assert world.refused("edit_event", event="E-2", title="x")["code"] == "not_allowed"


WRITES: list[tuple[str, dict[str, Any]]] = [
    ("create_event", MEETING | {"guests": ["ben", "a~b/c@x.example"]}),
    ("move_event", {"event": "E-1", "starts": at(4, 12)}),
    ("edit_event", {"event": "E-1", "notes": "new"}),
    ("cancel_event", {"event": "E-1"}),
    ("invite", {"event": "E-1", "guests": ["lee"]}),
    ("respond", {"event": "E-5", "answer": "accepted"}),
    ("set_reminder", {"event": "E-5", "minutes": 10}),
    ("share_calendar", {"to": "ben", "level": "read"}),
    ("stop_sharing", {"to": "lee"}),
]


@pytest.mark.parametrize(("tool", "args"), WRITES, ids=lambda value: value if isinstance(value, str) else "")
def test_the_patch_of_a_write_is_the_difference(tool: str, args: dict[str, Any]) -> None:
    world = World({**WORLD, "shares": [*WORLD["shares"], {"id": "S-2", "calendar": "dana", "to": "lee"}]})
    before = world.world()
    outcome = world.call(tool, **args)
    assert outcome.error is None and outcome.patch
    after = world.world()
    assert after != before and jsonpatch.apply_patch(before, json.dumps(outcome.patch)) == after


def test_every_writing_tool_is_tried_above() -> None:
    assert {name for name, tool in Diary.tools().items() if tool.spec.writes} == {name for name, _ in WRITES}


@pytest.mark.parametrize(
    ("tool", "args"),
    [
        ("list_calendars", {}),
        ("list_events", {}),
        ("search_events", {"text": "budget"}),
        ("read_event", {"event": "E-1"}),
        ("find_free_slots", {"calendars": ["dana"], "minutes": 30}),
    ],
)
def test_reading_changes_nothing(world: World, tool: str, args: dict[str, Any]) -> None:
    outcome = world.call(tool, **args)
    assert outcome.error is None and outcome.patch == () and outcome.changes == {}
    assert not Diary.tools()[tool].spec.writes


@pytest.mark.parametrize(
    ("tool", "args", "said"),
    [
        ("read_event", {}, "event: missing"),
        ("create_event", {**MEETING, "starts": "tomorrow"}, "starts"),
        ("respond", {"event": "E-5", "answer": "yes"}, "answer"),
        ("share_calendar", {"to": "ben", "level": "all"}, "level"),
        ("list_events", {"calender": "dana"}, "calendar"),
    ],
)
def test_bad_arguments_are_told_plainly(world: World, tool: str, args: dict[str, Any], said: str) -> None:
    error = world.refused(tool, **args)
    assert error["code"] == "bad_arguments" and said in error["message"]


def test_what_cannot_be_undone_is_marked() -> None:
    actions = {name: tool.spec.action for name, tool in Diary.tools().items()}
    assert actions["cancel_event"] == actions["share_calendar"] == "destructive"
    assert actions["create_event"] == "autonomous" and actions["list_events"] == "suggestive"


def test_every_parameter_is_described() -> None:
    for spec in Diary.spec().tools.values():
        assert all(shape.get("description") for shape in spec.parameters["properties"].values()), spec.name


@pytest.mark.parametrize(
    ("table", "row", "said"),
    [
        (
            "events",
            {"id": "E-9", "calendar": "zed", "title": "x", "starts": at(3, 1), "ends": at(3, 2)},
            "'zed'",
        ),
        (
            "events",
            {"id": "E-9", "calendar": "a@b.example", "title": "x", "starts": at(3, 1), "ends": at(3, 2)},
            "a@b",
        ),
        (
            "events",
            {
                "id": "E-9",
                "calendar": "ben",
                "title": "x",
                "starts": at(3, 1),
                "ends": at(3, 2),
                "guests": ["zed"],
            },
            "'zed'",
        ),
        (
            "events",
            {
                "id": "E-9",
                "calendar": "dana",
                "title": "x",
                "starts": at(3, 1),
                "ends": at(3, 2),
                "guests": ["Ben@firm.example"],
            },
            "write 'ben'",
        ),
        (
            "events",
            {"id": "E-9", "calendar": "ben", "title": "x", "starts": at(3, 2), "ends": at(3, 2)},
            "ends after",
        ),
        (
            "events",
            {"id": "E-9", "calendar": "ben", "title": "x", "starts": "2026-03-03T10:00", "ends": at(3, 2)},
            "timezone",
        ),
        ("shares", {"id": "S-9", "calendar": "zed", "to": "dana"}, "'zed'"),
        ("shares", {"id": "S-9", "calendar": "dana", "to": "zed"}, "'zed'"),
        ("reminders", {"id": "R-9", "calendar": "dana", "event": "E-99", "minutes": 5}, "E-99"),
        ("calendars", {"id": "zed", "name": "Zed", "mine": True}, "mine"),
        ("calendars", {"id": "zed", "name": "Zed", "zone": "Mars/Base"}, "Mars/Base"),
    ],
)
def test_a_world_that_contradicts_itself_does_not_load(table: str, row: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        Diary.parse({**WORLD, table: [*WORLD[table], row]})


COUNTS = {"calendars": 14, "events": 150}


def generated(seed: int, counts: Mapping[str, int] = COUNTS) -> dict[str, list[dict[str, Any]]]:
    fake = Faker()
    fake.seed_instance(seed)
    return Diary.generate(fake, counts, NOW)


def test_generated_rows_are_a_world() -> None:
    rows = generated(7)
    assert {table: len(rows[table]) for table in rows} == COUNTS
    bases = Diary.parse(rows)
    events = list(bases["events"].rows.values())
    for index, one in enumerate(events):
        assert one.starts.weekday() < 5 and 9 <= one.starts.hour < 16
        for other in events[index + 1 :]:
            assert not (
                other.meets(one.starts, one.ends)
                and one.meets(other.starts, other.ends)
                and one.on & other.on
            )
    assert len({event.title for event in events}) > 20 and any(event.starts > NOW for event in events)
    assert {row.kind for row in bases["calendars"].rows.values()} == {"person", "room"}
    assert all(who in bases["calendars"].rows for event in events for who in event.on)


def test_the_seed_decides() -> None:
    assert generated(7) == generated(7) != generated(8)
    assert generated(7, {"calendars": 3}).keys() == {"calendars"}
    Diary.parse(generated(7, {"calendars": 1, "events": 20}))  # someone alone still has a diary


@pytest.mark.parametrize("counts", [{"events": 3}, {"shares": 1}, {"calendars": 1, "events": 9000}])
def test_what_cannot_be_generated(counts: dict[str, int]) -> None:
    with pytest.raises(ToolError) as caught:
        generated(1, counts)
    assert caught.value.code == "cannot_generate"


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
