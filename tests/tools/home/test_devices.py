"""Devices, doors, alarm, heat: what they do and what they refuse."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.tools.home.world import WORLD, House, without_broken_doors


def test_devices_are_listed_and_read(house: House) -> None:
    assert len(house.do("list_devices")) == 15
    assert [one["id"] for one in house.do("list_devices", query="KITCHEN")] == ["lamp", "oven"]
    assert [one["name"] for one in house.do("list_devices", kind="alarm")] == ["Alarm"]
    assert house.do("list_devices", kind="lock", query="lamp") == []
    assert "code" not in house.do("read_device", device="alarm")
    assert (
        house.do("read_device", device="oven")["kind"],
        house.do("read_device", device="front")["locked"],
    ) == (
        "appliance",
        True,
    )
    assert house.refused("read_device", device="fridge") == "not_found"
    assert house.refused("list_devices", kind="robot") == "bad_arguments"


def test_people_and_rooms_are_read(house: House) -> None:
    assert [one["name"] for one in house.do("list_rooms")] == ["Kitchen", "Hall"]
    assert "phone" not in house.do("list_people")[0]
    assert house.do("read_person", person="P-1")["phone"] == "+1 202 555 0142"


def test_doors_lock_and_unlock_with_a_line_in_the_log(house: House) -> None:
    assert house.do("unlock", lock="front")["locked"] is False
    house.do("unlock", lock="front")
    house.now += timedelta(minutes=1)
    assert house.do("lock", lock="front")["locked"] is True
    house.do("lock", lock="front")
    assert house.log() == [
        ("front", "locked"),
        ("front", "unlocked"),
        ("front", "unlocked"),
        ("front", "locked"),
    ]


@pytest.mark.parametrize("tool", ["lock", "unlock"])
def test_broken_doors_do_not_move(house: House, tool: str) -> None:
    assert house.refused(tool, lock="back") == "jammed"
    assert house.refused(tool, lock="shed") == "offline"
    assert house.refused(tool, lock="gate") == "battery_flat"
    assert house.refused(tool, lock="lamp") == "not_found"


def test_the_alarm_wants_locked_doors_and_an_empty_home() -> None:
    house = House(without_broken_doors())
    house.do("unlock", lock="study")
    house.do("unlock", lock="front")
    assert house.refused("arm_alarm", alarm="alarm", mode="away") == "door_open"
    house.do("lock", lock="front")
    assert house.do("arm_alarm", alarm="alarm", mode="away")["mode"] == "away"
    assert house.refused("unlock", lock="front") == "alarm_armed"
    house.do("lock", lock="study")
    house.do("unlock", lock="study")
    assert house.do("disarm_alarm", alarm="alarm", code=" 8642 ") == {"disarmed": True}
    house.do("unlock", lock="front")
    assert [action for _, action in house.log()].count("armed") == 1


@pytest.mark.parametrize(
    "change",
    [{"people": [{"id": "P-1", "name": "Ines", "at_home": True}]}, {"rooms": [{"id": "r", "name": "R", "occupied": True}]}],
)  # fmt: skip
def test_away_is_not_armed_around_people(change: dict[str, Any]) -> None:
    house = House({"locks": [], "alarms": WORLD["alarms"], **change})
    assert house.refused("arm_alarm", alarm="alarm", mode="away") == "someone_home"
    assert "code" not in house.do("arm_alarm", alarm="alarm", mode="home")


def test_wrong_codes_lock_the_keypad(house: House) -> None:
    tries = [house.do("disarm_alarm", alarm="alarm", code="0000") for _ in range(3)]
    assert [one["tries_left"] for one in tries] == [2, 1, 0]
    assert house.refused("disarm_alarm", alarm="alarm", code="8642") == "keypad_locked"
    house.now += timedelta(minutes=15)
    assert house.do("disarm_alarm", alarm="alarm", code="8642") == {"disarmed": True}
    assert [action for _, action in house.log()].count("wrong_code") == 3


def test_the_siren_stops() -> None:
    house = House(
        {"alarms": [{"id": "alarm", "name": "Alarm", "code": "1", "mode": "home", "sounding": True}]}
    )
    house.do("disarm_alarm", alarm="alarm", code="1")
    assert house.row("alarms", "alarm")["sounding"] is False


def test_lights_are_dimmed(house: House) -> None:
    assert house.do("turn_on", device="lamp")["level"] == 40
    assert house.do("turn_on", device="lamp", level=70)["level"] == 70
    assert house.do("turn_off", device="lamp")["on"] is False
    assert house.refused("turn_on", device="lamp", level=0) == "bad_level"
    assert house.refused("turn_on", device="lamp", level=101) == "bad_level"
    assert house.refused("turn_on", device="heating") == "no_switch"
    assert house.refused("turn_off", device="front") == "no_switch"
    assert house.refused("turn_on", device="candle") == "not_found"


def test_hot_appliances_do_not_start_in_an_empty_home(house: House) -> None:
    assert house.refused("turn_on", device="oven") == "nobody_home"
    assert house.do("turn_on", device="oven", level=200, unattended=True)["level"] == 200
    at_home = House({**WORLD, "people": [{**one, "at_home": True} for one in WORLD["people"]]})
    assert at_home.do("turn_on", device="oven")["level"] == 180


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"device": "washer"}, "child_lock"),
        ({"device": "saw"}, "no_remote_start"),
        ({"device": "oven", "level": 300, "unattended": True}, "bad_level"),
        ({"device": "oven", "level": 0, "unattended": True}, "bad_level"),
        ({"device": "radio", "level": 3}, "bad_level"),
        ({"device": "oven", "level": "hot"}, "bad_arguments"),
    ],
)
def test_appliances_that_do_not_start(house: House, arguments: dict[str, Any], code: str) -> None:
    assert house.refused("turn_on", **arguments) == code


def test_essential_appliances_stop_only_by_force(house: House) -> None:
    assert house.refused("turn_off", device="freezer") == "essential"
    assert house.do("turn_off", device="freezer", force=True)["on"] is False
    house.do("turn_off", device="freezer")
    house.do("turn_on", device="radio")
    assert house.do("turn_off", device="radio")["on"] is False


def test_temperatures_keep_their_limits(house: House) -> None:
    assert house.do("set_temperature", thermostat="heating", target=16)["target"] == 16.0
    assert house.refused("set_temperature", thermostat="heating", target=15.5) == "out_of_limits"
    assert house.refused("set_temperature", thermostat="heating", target=24.5) == "out_of_limits"
    assert house.refused("set_temperature", thermostat="heating", target=20.3) == "half_degrees"
    assert house.refused("set_temperature", thermostat="aircon", target=20) == "is_off"
    house.do("set_mode", thermostat="aircon", mode="cool")
    assert house.refused("set_temperature", thermostat="aircon", target=4.5) == "out_of_limits"
    assert house.do("set_temperature", thermostat="aircon", target=5)["target"] == 5.0
    assert house.refused("set_mode", thermostat="heating", mode="cool") == "cannot_cool"
    assert house.do("set_mode", thermostat="heating", mode="off")["mode"] == "off"
