"""A diary, as tests of it begin with, and calls to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from riskbox.sandbox.contracts.toolset import ToolOutcome
from riskbox.sandbox.testing import Driver
from riskbox.sandbox.testing.driver import Call
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


def at(day: int, hour: int, minute: int = 0) -> str:
    return f"2026-03-{day:02}T{hour:02}:{minute:02}:00Z"


MEETING: dict[str, Any] = {"title": "Plan", "starts": at(3, 16), "ends": at(3, 17)}


COUNTS = {"calendars": 14, "events": 150}


CALLS: list[Call] = [
    ("list_calendars", {}),
    ("list_events", {}),
    ("search_events", {"text": "budget"}),
    ("read_event", {"event": "E-1"}),
    ("find_free_slots", {"calendars": ["dana", "kim"], "minutes": 30}),
    (
        "create_event",
        {
            "title": "Lunch",
            "starts": "2026-03-06T12:00:00Z",
            "ends": "2026-03-06T13:00:00Z",
            "guests": ["ben"],
        },
    ),
    ("move_event", {"event": "E-1", "starts": "2026-03-02T14:00:00Z"}),
    ("edit_event", {"event": "E-1", "title": "Budget 2026"}),
    ("invite", {"event": "E-1", "guests": ["kim"]}),
    ("respond", {"event": "E-5", "answer": "accepted"}),
    ("set_reminder", {"event": "E-5", "minutes": 10}),
    ("cancel_event", {"event": "E-1"}),
    ("share_calendar", {"to": "ben", "level": "read"}),
    ("stop_sharing", {"to": "ben"}),
]
"""Calls that go well one after the other, of every tool."""
