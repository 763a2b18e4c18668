"""Tools that read calendars and find free time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, tool
from riskbox.tools.diary.rows import WEEK, Calendar, Event
from riskbox.tools.diary.tables import DiaryTables


class ReadingTools(DiaryTables):
    """Lists, searches and reads."""

    @tool(reads=["calendars"])
    def list_calendars(self, search: str = "", page: int = 1) -> dict[str, Any]:
        """List the calendars of people and rooms, with your access to each: none, free_busy, read or edit.

        Args:
            search: Any part of a name, email address or id; empty lists all.
            page: Which page of twenty.
        """
        wanted = search.casefold().strip()
        found = [row for row in self.calendars if wanted in f"{row.name} {row.email} {row.id}".casefold()]
        return paged(({**row.model_dump(), "access": self._access(row)} for row in found), page, 20)

    @tool(reads=["events", "calendars.name"])
    def list_events(
        self, calendar: str = "", first: Day | None = None, last: Day | None = None, page: int = 1
    ) -> dict[str, Any]:
        """List what stands in a calendar, in order of time. What you may not read is listed as busy.

        Args:
            calendar: The calendar's id; yours unless given.
            first: First day in the calendar's time zone, YYYY-MM-DD; today unless given.
            last: Last day, YYYY-MM-DD; six days after the first unless given.
            page: Which page of twenty.
        """
        row, readable = self._calendar(calendar, "free_busy"), self._reads()
        starts, ends = self._span(row, first, last)
        found = [event for event in self.events if row.id in event.on and event.meets(starts, ends)]
        return paged((_summary(event, readable(event)) for event in sorted(found, key=start_of)), page, 20)

    @tool(reads=["events", "calendars.name"])
    def search_events(self, text: str, page: int = 1) -> dict[str, Any]:
        """Find events you may read by words in their title, location, notes or guests, latest first.

        Args:
            text: Words that must all occur, for instance `budget dana`; upper and lower case are the same.
            page: Which page of ten.
        """
        words = text.casefold().split()
        if not words:
            raise ToolError("too_broad", "Give at least one word.")
        names = {row.id: f"{row.name} {row.email}" for row in self.calendars}
        found = []
        for event in filter(self._reads(), self.events):
            people = " ".join(f"{who} {names.get(who, '')}" for who in event.on)
            told = f"{event.title} {event.location} {event.notes} {people}".casefold()
            if all(word in told for word in words):
                found.append(event)
        return paged((_summary(event) for event in sorted(found, key=start_of, reverse=True)), page)

    @tool(reads=["events"])
    def read_event(self, event: str) -> Event:
        """Read an event in full: notes, guests and their answers.

        Args:
            event: The event's id, for instance E-12.
        """
        return self._event(event)

    @tool(reads=["events.starts", "events.ends"])
    def find_free_slots(
        self,
        calendars: list[str],
        minutes: int,
        first: Day | None = None,
        last: Day | None = None,
        page: int = 1,
    ) -> dict[str, Any]:
        """Find times when people and rooms are all free in working hours, on the half hour, earliest first.

        Args:
            calendars: Ids or email addresses of the calendars, yours included if you take part.
            minutes: How long it takes, 5 to 480.
            first: First day, YYYY-MM-DD; today unless given.
            last: Last day, YYYY-MM-DD; six days after the first unless given.
            page: Which page of twenty.
        """
        if not calendars or not 5 <= minutes <= 480:
            raise ToolError("bad_search", "Give at least one calendar and 5 to 480 minutes.")
        rows = [self._calendar(self._guest(name), "free_busy") for name in calendars]
        starts, ends = self._span(rows[0], first, last)
        wanted, length = {row.id for row in rows}, timedelta(minutes=minutes)
        busy = [event for event in self.events if event.meets(starts, ends) and event.on & wanted]
        free = (
            {"starts": slot, "ends": slot + length}
            for slot in _half_hours(max(starts, self.now), ends - length)
            if all(_at_work(row, slot, slot + length) for row in rows)
            and not any(event.meets(slot, slot + length) for event in busy)
        )
        return paged(free, page, 20)


def start_of(row: Event) -> datetime:
    """When an event starts."""
    return row.starts


def _summary(event: Event, readable: bool = True) -> dict[str, Any]:
    if not readable:
        return {"title": "Busy", "starts": event.starts, "ends": event.ends}
    return event.model_dump(include={"id", "calendar", "title", "starts", "ends", "location", "status"})


def _half_hours(starts: datetime, last: datetime) -> Iterator[datetime]:
    half = timedelta(minutes=30)
    slot = starts - (starts - starts.replace(minute=0, second=0, microsecond=0)) % half
    while slot <= last:
        if slot >= starts:
            yield slot
        slot += half


def _at_work(row: Calendar, starts: datetime, ends: datetime) -> bool:
    if row.kind == "room":
        return True
    zone = ZoneInfo(row.zone)
    come, leave = starts.astimezone(zone), ends.astimezone(zone)
    works = WEEK[come.weekday()] in row.works and come.date() == leave.date()
    return works and row.begins <= come.time() and leave.time() <= row.finishes
