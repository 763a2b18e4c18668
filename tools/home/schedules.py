"""Tools for what the home does by itself."""

from __future__ import annotations

from collections.abc import Mapping

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.home.rows import WEEK, Appliance, Clock, Do, Kind, Schedule, Thermostat, Weekday
from riskbox.tools.home.tables import HomeTables

CAN: Mapping[Kind, tuple[Do, ...]] = {
    "lock": ("lock", "unlock"),
    "thermostat": ("set_temperature",),
    "light": ("on", "off"),
    "appliance": ("on", "off"),
}
"""What a kind of device can be scheduled to do."""


class ScheduleTools(HomeTables):
    """Schedules what devices do."""

    @tool(reads=["schedules"])
    def list_schedules(self, device: str = "") -> list[Schedule]:
        """List what the home does by itself.

        Args:
            device: Only schedules of the device with this id.
        """
        return [one for one in self.schedules.where(status="active") if device in ("", one.device)]

    @tool(
        writes=True,
        changes=["schedules+"],
        later=["locks.locked", "lights.on", "appliances.on", "thermostats.target"],
    )
    def schedule(
        self, device: str, do: Do, at: Clock, days: list[Weekday] | None = None, value: float | None = None
    ) -> Schedule:
        """Have a device do something by itself at a time of day.

        Args:
            device: The device's id.
            do: lock or unlock a lock, on or off a light or appliance, set_temperature of a thermostat.
            at: Time of day, HH:MM.
            days: Days of the week, for instance ["mon", "fri"]; every day if left out.
            value: Target in degrees Celsius, for set_temperature only.
        """
        kind, found = self._device(device)
        if do not in CAN.get(kind, ()):
            raise ToolError(
                "cannot_do", f"A {kind} cannot be scheduled to {do.replace('_', ' ')}.", kind="fatal"
            )
        if do == "on" and isinstance(found, Appliance) and found.hot:
            raise ToolError(
                "hot", f"{found.name} gets hot and is never started by schedule.", kind="permission"
            )
        if do == "off" and isinstance(found, Appliance) and found.essential:
            raise ToolError(
                "essential", f"{found.name} is essential and never stopped by schedule.", kind="permission"
            )
        if (do == "set_temperature") != (value is not None):
            raise ToolError("bad_value", "Give a value for set_temperature, and for nothing else.")
        if isinstance(found, Thermostat) and value is not None:
            self._check_target(found, value)
        on = tuple(day for day in WEEK if days is None or day in days)
        self._check_free(device, at, on)
        return self.schedules.put(
            Schedule(id=self.schedules.next_id("Z-"), device=device, do=do, at=at, days=on, value=value)
        )

    @tool(writes=True, changes=["schedules.status=cancelled"], reads=["schedules"])
    def cancel_schedule(self, schedule: str) -> Schedule:
        """Cancel a schedule.

        Args:
            schedule: The schedule's id, for instance Z-1.
        """
        found = self.schedules[schedule]
        if found.status == "cancelled":
            raise ToolError("already_cancelled", f"{schedule} was already cancelled.", kind="fatal")
        return self.schedules.put(found.but(status="cancelled"))

    def _check_free(self, device: str, at: str, days: tuple[Weekday, ...]) -> None:
        if not days:
            raise ToolError("no_days", "A schedule needs at least one day.")
        for one in self.schedules.where(device=device, at=at, status="active"):
            if set(one.days) & set(days):
                raise ToolError(
                    "conflict",
                    f"Schedule {one.id} already has it {one.do} at {at}.",
                    hint="Cancel that one first.",
                )
