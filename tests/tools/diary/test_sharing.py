"""Calendars are shared with others, and no longer."""

from __future__ import annotations

from tests.tools.diary.world import WORLD, World


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
