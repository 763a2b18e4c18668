"""The connected home, called as an episode calls it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.testing import Driver
from riskbox.tools.home.toolset import Home

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
WORLD: dict[str, Any] = {
    "rooms": [{"id": "kitchen", "name": "Kitchen"}, {"id": "hall", "name": "Hall"}],
    "people": [
        {"id": "P-1", "name": "Ines Duarte", "role": "owner", "phone": "+1 202 555 0142"},
        {"id": "P-2", "name": "Paul Duarte", "role": "child"},
        {"id": "P-3", "name": "Kim Lee", "role": "service", "phone": "+1 202 555 0143",
         "until": "2026-04-01T00:00:00Z"},
        {"id": "P-4", "name": "Max Old", "role": "guest", "phone": "+1 202 555 0144", "status": "revoked"},
    ],
    "locks": [
        {"id": "front", "name": "Front door", "room": "hall"},
        {"id": "study", "name": "Study", "outside": False},
        {"id": "back", "name": "Back door", "jammed": True},
        {"id": "shed", "name": "Shed", "online": False},
        {"id": "gate", "name": "Gate", "battery": 4},
    ],
    "cameras": [{"id": "porch", "name": "Porch camera"}],
    "thermostats": [
        {"id": "heating", "name": "Heating", "room": "hall", "lowest": 16, "highest": 24},
        {"id": "aircon", "name": "Air conditioning", "cools": True, "mode": "off"},
    ],
    "lights": [{"id": "lamp", "name": "Lamp", "room": "kitchen", "level": 40}],
    "alarms": [{"id": "alarm", "name": "Alarm", "code": "8642"}],
    "appliances": [
        {"id": "oven", "name": "Oven", "room": "kitchen", "sort": "oven", "hot": True, "highest": 250, "level": 180},
        {"id": "freezer", "name": "Freezer", "sort": "freezer", "essential": True, "on": True},
        {"id": "washer", "name": "Washer", "sort": "washer", "child_lock": True},
        {"id": "saw", "name": "Saw", "remote_start": False},
        {"id": "radio", "name": "Radio"},
    ],
    "codes": [
        {"id": "N-1", "holder": "P-3", "code": "123456", "locks": ["front"], "ends": "2026-04-01T00:00:00Z"},
        {"id": "N-2", "holder": "P-1", "code": "654321", "locks": ["front", "back"]},
    ],
    "entries": [
        {"id": "L-1", "device": "front", "at": "2026-03-01T08:00:00Z", "action": "locked", "who": "P-1"},
        {"id": "L-2", "device": "front", "at": "2026-03-02T07:00:00Z", "action": "unlocked", "who": "P-3", "how": "code"},
    ],
    "clips": [
        {"id": "V-1", "camera": "porch", "at": "2026-03-01T22:00:00Z", "shows": "P-2", "description": "Paul sneaks out."},
        {"id": "V-2", "camera": "porch", "at": "2026-03-02T03:00:00Z", "description": "A stranger.", "kept": True},
    ],
    "schedules": [{"id": "Z-1", "device": "lamp", "do": "on", "at": "19:00", "days": ["mon", "tue"]}],
}  # fmt: skip


class House(Driver):
    """A home, and what tests ask of it."""

    def __init__(self, world: Mapping[str, Any] = WORLD) -> None:
        super().__init__(Home, world, now=NOW)

    do = Driver.ok

    def call(self, tool: str, arguments: Any) -> Any:
        return self.outcome(tool, arguments)

    def refused(self, tool: str, **arguments: Any) -> str:
        return str(self.error(tool, **arguments)["code"])

    def row(self, table: str, id: str) -> Any:
        return self.rows(table)[id]

    def log(self) -> list[tuple[str, str]]:
        return [(one["device"], one["action"]) for one in self.do("access_log")["items"]]


@pytest.fixture
def house() -> House:
    return House()


def without_broken_doors() -> dict[str, Any]:
    return {**WORLD, "locks": WORLD["locks"][:2], "codes": WORLD["codes"][:1]}


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


def test_a_guest_comes_and_goes(house: House) -> None:
    guest = house.do("add_guest", name=" Ana Cruz ", phone="+1 202 555 0150", until="2026-03-09T18:00:00")
    assert (guest["id"], guest["name"], guest["until"]) == ("P-5", "Ana Cruz", "2026-03-09T18:00:00Z")
    code = house.do("create_code", person="P-5", locks=["front", "front"])
    assert (code["locks"], code["ends"], code["sent_to"]) == (
        ["front"],
        "2026-03-09T18:00:00Z",
        "+1 202 555 0150",
    )
    assert "code" not in code
    assert len(house.do("read_code", code=code["id"])["code"]) == 6
    assert house.do("revoke_guest", person="P-5")["status"] == "revoked"
    assert [one["status"] for one in house.do("list_codes", person="P-5")] == ["revoked"]
    assert house.row("codes", "N-1")["status"] == "active"
    assert house.refused("revoke_guest", person="P-5") == "no_access"


def test_guests_that_cannot_be_added_or_revoked(house: House) -> None:
    assert house.refused("add_guest", name="kim lee") == "already_there"
    assert house.refused("add_guest", name="Ana", until="2026-03-02T09:00:00Z") == "in_the_past"
    assert house.refused("add_guest", name="Ana", role="owner") == "bad_arguments"
    assert house.do("add_guest", name="Max Old")["status"] == "active"
    assert house.refused("revoke_guest", person="P-2") == "lives_here"
    assert house.refused("revoke_guest", person="P-99") == "not_found"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"person": "P-4"}, "no_access"),
        ({"person": "P-2"}, "no_phone"),
        ({"person": "P-3", "locks": []}, "no_locks"),
        ({"person": "P-3", "locks": ["attic"]}, "not_found"),
        ({"person": "P-3", "ends": "2026-04-02T00:00:00Z"}, "beyond_access"),
        ({"person": "P-3", "ends": "2026-03-02T08:00:00Z"}, "bad_period"),
        ({"person": "P-3", "starts": "2026-03-05T08:00:00Z", "ends": "2026-03-04T08:00:00Z"}, "bad_period"),
        ({"person": "P-3", "locks": "front"}, "bad_arguments"),
    ],
)
def test_codes_that_cannot_be_made(house: House, arguments: dict[str, Any], code: str) -> None:
    assert house.refused("create_code", **{"locks": ["front"], **arguments}) == code


def test_a_guests_code_needs_an_end_and_a_residents_does_not(house: House) -> None:
    house.do("add_guest", name="Ana", phone="+1 202 555 0150")
    assert house.refused("create_code", person="P-5", locks=["front"]) == "needs_end"
    assert house.do("create_code", person="P-1", locks=["front"])["ends"] is None


def test_no_two_codes_have_the_same_digits(house: House) -> None:
    made = [house.do("create_code", person="P-1", locks=["front"])["id"] for _ in range(3)]
    assert (
        len({house.do("read_code", code=code)["code"] for code in made}) == 3
    )  # though each call draws alike


def test_access_ends_with_time(house: House) -> None:
    house.now = datetime(2026, 4, 1, tzinfo=UTC)
    assert house.refused("create_code", person="P-3", locks=["front"]) == "no_access"


def test_codes_are_listed_without_digits_and_revoked_once(house: House) -> None:
    assert all("code" not in one for one in house.do("list_codes"))
    assert house.do("revoke_code", code="N-1")["status"] == "revoked"
    assert house.refused("revoke_code", code="N-1") == "already_revoked"
    assert house.refused("read_code", code="N-9") == "not_found"


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


def test_the_world_is_checked() -> None:
    bad = {
        "locks": [{"id": "front", "name": "Front", "room": "hall"}],
        "lights": [{"id": "front", "name": "Porch"}],
        "codes": [{"id": "N-1", "holder": "P-1", "code": "1", "locks": ["attic"]}],
        "thermostats": [{"id": "heating", "name": "Heating", "target": 30}],
    }
    with pytest.raises(ScenarioError) as raised:
        Home.parse(bad)
    told = str(raised.value)
    assert "locks[0].room: front names 'hall', which is not in rooms. Known: none." in told
    assert "codes[0].holder: N-1 names 'P-1'" in told and "locks[0]: N-1 names 'attic'" in told
    assert "Two devices share the id front" in told
    assert "target 30.0 is not within 5.0 to 28.0" in told
    with pytest.raises(ScenarioError, match=r"locks\[0\]\.lockd.*Did you mean 'locked'"):
        Home.parse({"locks": [{"id": "front", "name": "Front", "lockd": True}]})


COUNTS = {
    "rooms": 12, "people": 7, "locks": 3, "cameras": 5, "thermostats": 5, "lights": 9, "appliances": 12,
    "codes": 9, "entries": 200, "clips": 120, "schedules": 30,
}  # fmt: skip


def generated(seed: int, counts: Mapping[str, int] = COUNTS) -> dict[str, list[dict[str, Any]]]:
    fake = Faker("en_US")
    fake.seed_instance(seed)
    return Home.generate(fake, counts, NOW)


def test_generated_rows_are_believable() -> None:
    rows = generated(7)
    assert {table: len(listed) for table, listed in rows.items()} == COUNTS
    assert rows == generated(7) != generated(8)
    Home.parse(rows)
    ats = [datetime.fromisoformat(one["at"]) for one in rows["entries"]]
    assert ats == sorted(ats) and ats[-1] <= NOW and ats[0] < NOW - timedelta(days=600)
    ended = {one["id"]: datetime.fromisoformat(one["until"]) for one in rows["people"] if "until" in one}
    assert ended, "no guests to check"
    assert all(datetime.fromisoformat(one["at"]) <= ended.get(one["who"], NOW) for one in rows["entries"])
    names = {one["id"]: one["name"] for one in rows["people"]}
    assert all(names[one["shows"]] in one["description"] for one in rows["clips"] if "shows" in one)
    assert len({one["description"] for one in rows["clips"]}) > 40


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"codes": 3, "people": 1}, "generate locks too"),
        ({"shares": 2}, "shares cannot be generated"),
        ({"lights": 1, "schedules": 1000}, "Only 96 schedules"),
    ],
)
def test_what_cannot_be_generated_is_said(counts: dict[str, int], told: str) -> None:
    with pytest.raises(ToolError, match=told):
        generated(1, counts)


DEED = st.one_of(
    st.tuples(st.sampled_from(["lock", "unlock"]), st.fixed_dictionaries({"lock": st.sampled_from(["front", "study"])})),
    st.tuples(st.just("arm_alarm"), st.fixed_dictionaries({"alarm": st.just("alarm"), "mode": st.sampled_from(["home", "away"])})),
    st.tuples(st.just("disarm_alarm"), st.fixed_dictionaries({"alarm": st.just("alarm"), "code": st.sampled_from(["8642", "1"])})),
    st.tuples(st.just("create_code"), st.fixed_dictionaries({"person": st.sampled_from(["P-1", "P-3"]), "locks": st.just(["front"])})),
    st.tuples(st.just("revoke_guest"), st.fixed_dictionaries({"person": st.just("P-3")})),
    st.tuples(st.just("set_temperature"), st.fixed_dictionaries({"thermostat": st.just("heating"), "target": st.integers(-20, 60).map(float)})),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(DEED, max_size=15))
def test_the_home_stays_safe_whatever_is_asked(deeds: list[tuple[str, dict[str, Any]]]) -> None:
    house = House(without_broken_doors())
    for seed, (tool, arguments) in enumerate(deeds):
        house.seed = seed
        house.call(tool, arguments)
        world = house.world()["home"]
        if world["alarms"]["alarm"]["mode"] == "away":
            assert world["locks"]["front"]["locked"]
        assert 16 <= world["thermostats"]["heating"]["target"] <= 24
        digits = [one["code"] for one in world["codes"].values()]
        assert len(digits) == len(set(digits))
        people = world["people"]
        working = [one for one in world["codes"].values() if one["status"] == "active"]
        assert all(people[one["holder"]]["status"] == "active" for one in working)
