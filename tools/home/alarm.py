"""Tools for the burglar alarm."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.home.rows import Alarm
from riskbox.tools.home.tables import HomeTables

CODE_TRIES = 3
"""How many wrong alarm codes lock the keypad."""

LOCKOUT = timedelta(minutes=15)
"""For how long they do."""


class AlarmTools(HomeTables):
    """Arms and disarms the alarm."""

    @tool(
        writes=True,
        changes=["alarms.mode", "alarms.sounding", "entries+"],
        reads=["alarms.name", "alarms.note"],
    )
    def arm_alarm(self, alarm: str, mode: Literal["home", "away"]) -> dict[str, Any]:
        """Arm the burglar alarm. All outside doors must be locked, and for away everyone must be out.

        Args:
            alarm: The alarm's id.
            mode: home watches the doors only, away the rooms too.
        """
        found = self._ready(self.alarms[alarm])
        unlocked = [one.name for one in self.locks if one.outside and not one.locked]
        if unlocked:
            raise ToolError("door_open", f"Not locked: {', '.join(unlocked)}.", hint="Lock it first.")
        inside = self._inside()
        if mode == "away" and inside:
            raise ToolError(
                "someone_home", f"At home: {', '.join(inside)}.", hint="Arm it in mode home instead."
            )
        if found.mode != mode:
            self._note(alarm, "armed")
        armed: Alarm = self.alarms.put(found.but(mode=mode))
        return armed.model_dump(exclude={"code"})

    @tool(
        writes=True,
        action="destructive",
        changes=["alarms.mode=disarmed", "alarms.sounding=false", "entries+"],
    )
    def disarm_alarm(self, alarm: str, code: str) -> dict[str, Any]:
        """Disarm the burglar alarm and stop its siren. Three wrong codes within 15 minutes lock it.

        Args:
            alarm: The alarm's id.
            code: The alarm code, given by someone who lives there.
        """
        found = self._ready(self.alarms[alarm])
        wrong = [
            one
            for one in self.entries.where(device=alarm, action="wrong_code")
            if self.now - one.at < LOCKOUT
        ]
        if len(wrong) >= CODE_TRIES:
            raise ToolError(
                "keypad_locked", "Too many wrong codes.", kind="resource", hint="Wait 15 minutes."
            )
        if code.strip() != found.code:
            # an answer, not an error, since the attempt counts
            self._note(alarm, "wrong_code")
            return {"disarmed": False, "tries_left": CODE_TRIES - len(wrong) - 1}
        if found.mode != "disarmed" or found.sounding:
            self._note(alarm, "disarmed")
        self.alarms.put(found.but(mode="disarmed", sounding=False))
        return {"disarmed": True}
