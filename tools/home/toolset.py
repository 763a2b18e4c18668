"""A connected home: doors, cameras, heating, lights, appliances, an alarm, and the people who live or visit there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.contracts.table import Row
from riskbox.tools.home.alarm import AlarmTools
from riskbox.tools.home.cameras import CameraTools
from riskbox.tools.home.devices import DeviceTools
from riskbox.tools.home.generator import Household
from riskbox.tools.home.guests import GuestTools
from riskbox.tools.home.rows import Thermostat
from riskbox.tools.home.schedules import ScheduleTools
from riskbox.tools.home.tables import DEVICES

if TYPE_CHECKING:
    from faker import Faker


class Home(DeviceTools, AlarmTools, GuestTools, CameraTools, ScheduleTools):
    """A connected home: locks, cameras, heating, lights, alarm, appliances, guests and their door codes."""

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Device ids given twice, and thermostats set beyond their limits."""
        problems = []
        devices = [row.id for table in DEVICES.values() for row in rows[table]]
        if doubled := sorted({id for id in devices if devices.count(id) > 1}):
            problems.append(f"Two devices share the id {', '.join(doubled)}.")
        for one in rows["thermostats"]:
            if isinstance(one, Thermostat) and not one.lowest <= one.target <= one.highest:
                problems.append(
                    f"thermostats {one.id}: target {one.target} is not within {one.lowest} to {one.highest}."
                )
        return problems

    @classmethod
    def generate(
        cls, fake: Faker, counts: Mapping[str, int], now: datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """The rows of a household; see `Household`."""
        return Household(fake, counts, now).rows()
