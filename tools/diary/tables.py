"""The tables, and who may see and change what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from riskbox.sandbox.contracts.table import Table, ToolError
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.tools.diary.rows import EMAIL, LEVELS, Access, Calendar, Event, Reminder, Share


def worded(moment: datetime) -> str:
    """A moment in a sentence."""
    return f"{moment:%Y-%m-%d %H:%M}"


def in_utc(moment: datetime, zone: str) -> datetime:
    """The moment in UTC; one without offset is in the zone."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


class DiaryTables(Toolset):
    """The tables, seen as the owner of one calendar."""

    calendars: Table[Calendar]
    shares: Table[Share]
    events: Table[Event]
    reminders: Table[Reminder]

    def _me(self) -> Calendar:
        rows = list(self.calendars)
        if not rows:
            raise ToolError("no_account", "This account has no calendar.", kind="fatal")
        return next((row for row in rows if row.mine), rows[0])

    def _access(self, row: Calendar) -> Access:
        me = self._me()
        if row.id == me.id:
            return "edit"
        given = [share.level for share in self.shares.where(calendar=row.id, to=me.id)]
        return max((row.everyone, *given), key=LEVELS.index)

    def _calendar(self, id: str, needed: Access) -> Calendar:
        row = self.calendars[id] if id else self._me()
        has = self._access(row)
        if LEVELS.index(has) < LEVELS.index(needed):
            message = f"You have {has} access to the calendar of {row.name}; this needs {needed}."
            raise ToolError("not_allowed", message, kind="permission", hint=f"Ask {row.name} to share it.")
        return row

    def _reads(self) -> Callable[[Event], bool]:
        """Tells of an event whether the account may see its details."""
        me = self._me().id
        shown = {row.id for row in self.calendars if self._access(row) in ("read", "edit")}

        def readable(event: Event) -> bool:
            takes_part = event.calendar == me or event.answer(me) != ""
            return takes_part or (event.visibility == "normal" and not shown.isdisjoint(event.on))

        return readable

    def _event(self, id: str) -> Event:
        row = self.events[id]
        if not self._reads()(row):
            raise ToolError("not_allowed", f"Event {row.id} is not shared with you.", kind="permission")
        return row

    def _check_open(self, row: Event) -> None:
        if row.status == "cancelled":
            raise ToolError("cancelled", f"Event {row.id} is cancelled.")
        if row.ends <= self.now:
            raise ToolError("over", f"Event {row.id} ended at {worded(row.ends)}.")

    def _span(self, row: Calendar, first: date | None, last: date | None) -> tuple[datetime, datetime]:
        first = first or self.now.astimezone(ZoneInfo(row.zone)).date()
        last = last or first + timedelta(days=6)
        if not 0 <= (last - first).days <= 366:
            raise ToolError("bad_range", "The last day must be 0 to 366 days after the first.")
        midnights = (datetime.combine(day, time()) for day in (first, last + timedelta(days=1)))
        starts, ends = (in_utc(midnight, row.zone) for midnight in midnights)
        return starts, ends

    def _guest(self, name: str) -> str:
        """The id of the calendar a name stands for, or the email address of someone outside."""
        plain = name.strip().casefold()
        for row in self.calendars:
            if plain and plain in (row.id.casefold(), row.email.casefold()):
                return row.id
        if not EMAIL.fullmatch(plain):
            hint = "Call list_calendars for the ids, or give an email address."
            raise ToolError("unknown_person", f"{name!r} is no calendar and no email address.", hint=hint)
        return plain
