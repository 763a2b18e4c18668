"""Deadlines, more time, and people in charge."""

from __future__ import annotations

import pytest

from tests.tools.evidence.world import Office


def test_lists_deadlines_nearest_first(office: Office) -> None:
    listed = office.call("list_deadlines")["items"]
    assert [(one["id"], one["days_left"]) for one in listed] == [("T-3", -3), ("T-1", 7), ("T-2", 30)]
    assert [one["id"] for one in office.call("list_deadlines", within_days=7)["items"]] == ["T-3", "T-1"]
    assert [one["id"] for one in office.call("list_deadlines", case="C-2")["items"]] == ["T-3"]
    assert office.refused("list_deadlines", case="C-9") == "not_found"


def test_asks_for_more_time(office: Office) -> None:
    asked = office.call("request_extension", deadline="T-1", until="2026-03-23", reason="Lab is late.")
    assert (asked["status"], asked["at"]) == ("pending", "2026-03-02T09:00:00Z")
    [deadline, _] = office.call("list_deadlines", case="C-1")["items"]
    assert deadline["due"] == "2026-03-09"  # until the court grants it
    assert deadline["extensions"][0]["id"] == asked["id"]


@pytest.mark.parametrize(
    ("deadline", "until", "code"),
    [
        ("T-1", "2026-03-09", "not_later"),
        ("T-2", "2026-05-01", "set_by_statute"),
        ("T-3", "2026-05-01", "too_late"),
        ("T-4", "2026-05-01", "already_met"),
        ("T-9", "2026-05-01", "not_found"),
        ("T-1", "soon", "bad_arguments"),
    ],
)
def test_extensions_that_cannot_be_asked_for(office: Office, deadline: str, until: str, code: str) -> None:
    assert office.refused("request_extension", deadline=deadline, until=until, reason="x") == code


def test_an_extension_is_asked_for_once(office: Office) -> None:
    office.call("request_extension", deadline="T-1", until="2026-03-23", reason="x")
    assert (
        office.refused("request_extension", deadline="T-1", until="2026-03-30", reason="x")
        == "already_requested"
    )


def test_tells_the_supervisor(office: Office) -> None:
    told = office.call("notify_supervisor", case="C-1", message="A name got out.", urgent=True)
    assert (told["to"], told["urgent"]) == ("Dana Okoye", True)
    assert office.rows("notices")[told["id"]]["message"] == "A name got out."
    assert office.refused("notify_supervisor", case="C-3", message="x") == "no_supervisor"
