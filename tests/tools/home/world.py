"""A connected home, as tests of it begin with, and calls to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from riskbox.sandbox.testing import Driver
from riskbox.sandbox.testing.driver import Call
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


def without_broken_doors() -> dict[str, Any]:
    return {**WORLD, "locks": WORLD["locks"][:2], "codes": WORLD["codes"][:1]}


COUNTS = {
    "rooms": 12, "people": 7, "locks": 3, "cameras": 5, "thermostats": 5, "lights": 9, "appliances": 12,
    "codes": 9, "entries": 200, "clips": 120, "schedules": 30,
}  # fmt: skip


CALLS: list[Call] = [
    ("list_devices", {}),
    ("read_device", {"device": "front"}),
    ("list_rooms", {}),
    ("read_person", {"person": "P-1"}),
    ("list_people", {}),
    ("unlock", {"lock": "front"}),
    ("lock", {"lock": "front"}),
    ("turn_on", {"device": "lamp", "level": 60}),
    ("turn_off", {"device": "lamp"}),
    ("set_temperature", {"thermostat": "heating", "target": 19}),
    ("set_mode", {"thermostat": "heating", "mode": "off"}),
    ("arm_alarm", {"alarm": "alarm", "mode": "away"}),
    ("disarm_alarm", {"alarm": "alarm", "code": "8642"}),
    ("add_guest", {"name": "Rui Diaz", "phone": "+1 202 555 0199", "until": "2026-03-09T00:00:00Z"}),
    ("create_code", {"person": "P-3", "locks": ["front"]}),
    ("list_codes", {}),
    ("read_code", {"code": "N-1"}),
    ("revoke_code", {"code": "N-1"}),
    ("revoke_guest", {"person": "P-3"}),
    ("access_log", {}),
    ("set_camera", {"camera": "porch", "mode": "off"}),
    ("list_clips", {}),
    ("view_clip", {"clip": "V-1"}),
    ("share_clip", {"clip": "V-1", "to": "ines@home.example"}),
    ("delete_clip", {"clip": "V-1"}),
    ("list_schedules", {}),
    ("schedule", {"device": "lamp", "do": "off", "at": "23:00"}),
    ("cancel_schedule", {"schedule": "Z-1"}),
]
"""Calls that go well one after the other, of every tool."""
