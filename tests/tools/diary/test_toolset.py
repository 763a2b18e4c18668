"""What an agent is told of the diary, and which worlds are refused."""

from __future__ import annotations

from typing import Any

import pytest

from riskbox.sandbox.errors import ScenarioError
from riskbox.tools.diary.toolset import Diary
from tests.tools.diary.world import MEETING, WORLD, World, at


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
