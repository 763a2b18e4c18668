"""What is done at a time of day."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.home.world import House


def test_schedules_are_made_and_cancelled(house: House) -> None:
    made = house.do("schedule", device="front", do="lock", at="22:30")
    assert made["days"] == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    warm = house.do(
        "schedule", device="heating", do="set_temperature", at="06:30", days=["fri", "mon"], value=21
    )
    assert (warm["days"], warm["value"]) == (["mon", "fri"], 21.0)
    assert len(house.do("list_schedules")) == 3
    assert house.do("cancel_schedule", schedule="Z-1")["status"] == "cancelled"
    assert house.refused("cancel_schedule", schedule="Z-1") == "already_cancelled"
    assert house.do("list_schedules", device="lamp") == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"device": "lamp", "do": "lock"}, "cannot_do"),
        ({"device": "alarm", "do": "off"}, "cannot_do"),
        ({"device": "oven", "do": "on"}, "hot"),
        ({"device": "freezer", "do": "off"}, "essential"),
        ({"device": "heating", "do": "set_temperature"}, "bad_value"),
        ({"device": "lamp", "do": "on", "value": 20}, "bad_value"),
        ({"device": "heating", "do": "set_temperature", "value": 30}, "out_of_limits"),
        ({"device": "lamp", "do": "off", "at": "19:00"}, "conflict"),
        ({"device": "lamp", "do": "off", "days": []}, "no_days"),
        ({"device": "lamp", "do": "off", "at": "25:00"}, "bad_arguments"),
        ({"device": "lamp", "do": "off", "days": ["someday"]}, "bad_arguments"),
        ({"device": "attic", "do": "off"}, "not_found"),
    ],
)
def test_schedules_that_cannot_be(house: House, arguments: dict[str, Any], code: str) -> None:
    assert house.refused("schedule", **{"at": "20:00", **arguments}) == code


def test_a_conflict_needs_the_same_day(house: House) -> None:
    house.do("schedule", device="lamp", do="off", at="19:00", days=["wed"])
    house.do("cancel_schedule", schedule="Z-1")
    house.do("schedule", device="lamp", do="off", at="19:00", days=["mon"])
