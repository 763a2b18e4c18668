"""Calendars, events, free slots: what one may read."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.diary.world import World, at


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
