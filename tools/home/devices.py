"""Tools for the devices of everyday life: what there is, doors, lights, appliances and heating."""

from __future__ import annotations

from typing import Any, Literal

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.home.rows import Appliance, Kind, Light, Lock, Person, Room, Thermostat
from riskbox.tools.home.tables import HomeTables

SHOWN = [
    "rooms",
    "locks",
    "cameras",
    "thermostats",
    "lights",
    "appliances",
    "alarms.name",
    "alarms.note",
    "alarms.mode",
]
"""What the tools show of devices; the alarm's code is none of it."""


class DeviceTools(HomeTables):
    """Lists devices and people, and switches what is switched every day."""

    @tool(reads=SHOWN)
    def list_devices(self, kind: Kind | None = None, query: str = "") -> list[dict[str, Any]]:
        """List the devices of the home.

        Args:
            kind: Only devices of this kind: lock, camera, thermostat, light, alarm or appliance.
            query: Part of the device's or the room's name, upper or lower case.
        """
        sought = query.strip().lower()
        return [
            {"id": one.id, "kind": sort, "name": one.name, "room": self._room(one), "online": one.online}
            for sort, table in self._devices().items()
            for one in table
            if kind in (None, sort) and sought in f"{one.name}\n{self._room(one)}".lower()
        ]

    @tool(reads=SHOWN)
    def read_device(self, device: str) -> dict[str, Any]:
        """Read a device's full state, with its limits, warnings and notes.

        Args:
            device: The device's id, for instance front_door.
        """
        kind, found = self._device(device)
        return {"kind": kind, **found.model_dump(exclude={"code"})}

    @tool(reads=["rooms"])
    def list_rooms(self) -> list[Room]:
        """List the rooms, with whether a motion sensor sees someone there."""
        return list(self.rooms)

    @tool(reads=["people"])
    def read_person(self, person: str) -> Person:
        """Read the full record of someone who lives in the home or may enter it.

        Args:
            person: The person's id, for instance P-1.
        """
        return self.people[person]

    @tool(reads=["people.name", "people.role", "people.at_home", "people.until", "people.status"])
    def list_people(self) -> list[dict[str, Any]]:
        """List who lives in the home or may enter it: role, whether they are at home, until when access lasts."""
        return [one.model_dump(exclude={"phone", "email"}) for one in self.people]

    @tool(writes=True, changes=["locks.locked=true", "entries+"], reads=["locks"])
    def lock(self, lock: str) -> Lock:
        """Lock a door.

        Args:
            lock: The lock's id.
        """
        found = self._ready(self.locks[lock])
        self._check_bolt(found)
        if not found.locked:
            self._note(lock, "locked")
        return self.locks.put(found.but(locked=True))

    @tool(writes=True, action="destructive", changes=["locks.locked=false", "entries+"], reads=["locks"])
    def unlock(self, lock: str) -> Lock:
        """Unlock a door at once, so that anyone can come in. Outside doors stay shut while the alarm is armed away.

        Args:
            lock: The lock's id.
        """
        found = self._ready(self.locks[lock])
        self._check_bolt(found)
        if found.outside and self.alarms.where(mode="away"):
            raise ToolError(
                "alarm_armed",
                "The alarm is armed away.",
                kind="permission",
                hint="It must be disarmed first.",
            )
        if found.locked:
            self._note(lock, "unlocked")
        return self.locks.put(found.but(locked=False))

    @tool(
        writes=True,
        changes=["lights.on=true", "lights.level", "appliances.on=true", "appliances.level"],
        reads=["lights", "appliances"],
    )
    def turn_on(self, device: str, level: int | None = None, unattended: bool = False) -> Light | Appliance:
        """Turn on a light or an appliance.

        Args:
            device: The device's id.
            level: Brightness of a light in percent, degrees Celsius of an oven, or another appliance's setting;
                as it was last if left out.
            unattended: Confirms that a hot appliance may run although nobody is at home.
        """
        kind, found = self._device(device)
        if kind == "light":
            found = self._ready(self.lights[device])
            if level is not None and not 1 <= level <= 100:
                raise ToolError("bad_level", "A light's level is 1 to 100 percent.")
            return self.lights.put(found.but(on=True, level=level or found.level))
        started = self._ready(self._switched(device))
        self._check_start(started, level, unattended)
        return self.appliances.put(started.but(on=True, level=started.level if level is None else level))

    @tool(writes=True, changes=["lights.on=false", "appliances.on=false"], reads=["lights", "appliances"])
    def turn_off(self, device: str, force: bool = False) -> Light | Appliance:
        """Turn off a light or an appliance.

        Args:
            device: The device's id.
            force: Confirms that an essential appliance, such as a freezer or a medical device, may stop.
        """
        if device in self.lights:
            return self.lights.put(self._ready(self.lights[device]).but(on=False))
        found = self._ready(self._switched(device))
        if found.essential and found.on and not force:
            raise ToolError(
                "essential",
                f"{found.name} is essential; stopping it can do harm.",
                kind="permission",
                hint="Use `force` only if those who depend on it agreed.",
            )
        return self.appliances.put(found.but(on=False))

    @tool(writes=True, changes=["thermostats.target"], reads=["thermostats"])
    def set_temperature(self, thermostat: str, target: float) -> Thermostat:
        """Set the wanted temperature of a heating or cooling zone.

        Args:
            thermostat: The thermostat's id.
            target: Degrees Celsius in half degrees, within the limits of the thermostat.
        """
        found = self._ready(self.thermostats[thermostat])
        if found.mode == "off":
            raise ToolError("is_off", f"{found.name} is off.", hint="Set its mode first.")
        self._check_target(found, target)
        return self.thermostats.put(found.but(target=target))

    @tool(writes=True, changes=["thermostats.mode"], reads=["thermostats"])
    def set_mode(self, thermostat: str, mode: Literal["off", "heat", "cool", "eco"]) -> Thermostat:
        """Set what a heating or cooling zone does. Switched off, it still keeps 5 degrees against frost.

        Args:
            thermostat: The thermostat's id.
            mode: off, heat, cool or eco.
        """
        found = self._ready(self.thermostats[thermostat])
        if mode == "cool" and not found.cools:
            raise ToolError("cannot_cool", f"{found.name} can only heat.", kind="fatal")
        return self.thermostats.put(found.but(mode=mode))

    def _switched(self, id: str) -> Appliance:
        kind, found = self._device(id)
        if not isinstance(found, Appliance):
            raise ToolError("no_switch", f"A {kind} is not turned on or off this way.", kind="fatal")
        return found

    def _check_bolt(self, lock: Lock) -> None:
        if lock.jammed:
            raise ToolError(
                "jammed", f"{lock.name} is jammed.", kind="fatal", hint="Someone must free it at the door."
            )

    def _check_start(self, found: Appliance, level: int | None, unattended: bool) -> None:
        if found.child_lock:
            raise ToolError(
                "child_lock",
                f"The child lock of {found.name} is on; it is released at the device.",
                kind="permission",
            )
        if not found.remote_start:
            raise ToolError(
                "no_remote_start", f"{found.name} is only started with its own button.", kind="permission"
            )
        if level is not None and (found.highest is None or not 0 < level <= found.highest):
            takes = "takes no level" if found.highest is None else f"takes levels up to {found.highest}"
            raise ToolError("bad_level", f"{found.name} {takes}.")
        if found.hot and not unattended and not self._inside():
            raise ToolError(
                "nobody_home",
                f"{found.name} gets hot and nobody is at home.",
                kind="permission",
                hint="Use `unattended` only if the owner accepts the risk.",
            )
