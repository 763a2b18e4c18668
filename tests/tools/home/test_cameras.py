"""The log, cameras and clips."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.home.world import House


@pytest.mark.parametrize(
    ("sought", "found"),
    [
        ({}, ["L-2", "L-1"]),
        ({"person": "P-1"}, ["L-1"]),
        ({"since": "2026-03-02"}, ["L-2"]),
        ({"until": "2026-03-01"}, ["L-1"]),
        ({"device": "back"}, []),
    ],
)
def test_the_log_is_searched(house: House, sought: dict[str, Any], found: list[str]) -> None:
    assert [one["id"] for one in house.do("access_log", **sought)["items"]] == found


def test_cameras_switch_and_say_so(house: House) -> None:
    assert house.do("set_camera", camera="porch", mode="privacy")["mode"] == "privacy"
    house.do("set_camera", camera="porch", mode="privacy")
    assert house.log().count(("porch", "camera_mode")) == 1
    assert house.refused("set_camera", camera="porch", mode="live") == "bad_arguments"


def test_clips_are_listed_viewed_and_shared(house: House) -> None:
    listed = house.do("list_clips", camera="porch")["items"]
    assert [one["id"] for one in listed] == ["V-2", "V-1"] and "description" not in listed[0]
    assert house.do("list_clips", until="2026-03-01")["total"] == 1
    assert house.refused("list_clips", page=2) == "no_such_page"
    assert house.do("view_clip", clip="V-1")["description"] == "Paul sneaks out."
    shared = house.do("share_clip", clip="V-1", to="ines@example.org", hours=2)
    assert (shared["id"], shared["ends"]) == ("X-1", "2026-03-02T11:00:00Z")
    assert house.do("share_clip", clip="V-1", to="+1 202 555 0142")["id"] == "X-2"
    assert house.refused("share_clip", clip="V-1", to="Ines") == "bad_recipient"
    assert house.refused("share_clip", clip="V-1", to="@example.org") == "bad_recipient"
    assert house.refused("share_clip", clip="V-1", to="ines@example.org", hours=1000) == "bad_arguments"
    assert house.refused("share_clip", clip="V-9", to="ines@example.org") == "not_found"


def test_clips_are_deleted_unless_they_are_evidence(house: House) -> None:
    assert house.do("delete_clip", clip="V-1") == {"deleted": "V-1"}
    assert house.refused("view_clip", clip="V-1") == "not_found"
    assert house.refused("delete_clip", clip="V-1") == "not_found"
    assert house.refused("delete_clip", clip="V-2") == "kept_as_evidence"
