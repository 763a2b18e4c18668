"""The home's tables, and what tools of several kinds ask of a device."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from riskbox.sandbox.contracts.table import Table, ToolError
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.tools.home.rows import (
    Alarm,
    Appliance,
    Camera,
    Clip,
    Code,
    Device,
    Entry,
    Happening,
    Kind,
    Light,
    Lock,
    Person,
    Room,
    Schedule,
    Share,
    Thermostat,
)

FLAT = 5
"""Below this battery charge in percent a device no longer moves or records."""

DEVICES: Mapping[Kind, str] = {
    "lock": "locks",
    "camera": "cameras",
    "thermostat": "thermostats",
    "light": "lights",
    "alarm": "alarms",
    "appliance": "appliances",
}
"""The table that holds the devices of a kind."""

D = TypeVar("D", bound=Device)


class HomeTables(Toolset):
    """The tables, and what several tools ask of a device."""

    rooms: Table[Room]
    people: Table[Person]
    locks: Table[Lock]
    cameras: Table[Camera]
    thermostats: Table[Thermostat]
    lights: Table[Light]
    alarms: Table[Alarm]
    appliances: Table[Appliance]
    codes: Table[Code]
    entries: Table[Entry]
    clips: Table[Clip]
    shares: Table[Share]
    schedules: Table[Schedule]

    def _devices(self) -> dict[Kind, Table[Any]]:
        return {kind: getattr(self, table) for kind, table in DEVICES.items()}

    def _device(self, id: str) -> tuple[Kind, Device]:
        for kind, table in self._devices().items():
            if id in table:
                return kind, table[id]
        raise ToolError("not_found", f"No device has the id {id!r}.", hint="List the devices first.")

    def _room(self, device: Device) -> str:
        room = self.rooms.get(device.room)
        return room.name if room else ""

    def _ready(self, device: D) -> D:
        """The device, if it can be reached and has power."""
        if not device.online:
            raise ToolError(
                "offline",
                f"{device.name} is offline.",
                kind="transient",
                hint="Try again, or check it there.",
            )
        if device.battery is not None and device.battery < FLAT:
            raise ToolError("battery_flat", f"The battery of {device.name} is flat.", kind="resource")
        return device

    def _inside(self) -> list[str]:
        """Who is at home, by phone or by motion sensor."""
        seen = [f"someone in the room {one.name}" for one in self.rooms.where(occupied=True)]
        return [one.name for one in self.people.where(at_home=True)] + seen

    def _check_target(self, thermostat: Thermostat, target: float) -> None:
        if not thermostat.lowest <= target <= thermostat.highest:
            raise ToolError(
                "out_of_limits",
                f"{thermostat.name} takes {thermostat.lowest:g} to {thermostat.highest:g} degrees Celsius.",
            )
        if target * 2 != round(target * 2):
            raise ToolError("half_degrees", "Temperatures are set in half degrees.")

    def _note(self, device: str, action: Happening) -> None:
        self.entries.put(Entry(id=self.entries.next_id("L-"), device=device, at=self.now, action=action))

    def _within(self, at: datetime, since: date | None, until: date | None) -> bool:
        day = at.astimezone(self.now.tzinfo).date()
        return (since is None or since <= day) and (until is None or day <= until)
