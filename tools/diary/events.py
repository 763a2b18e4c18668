"""Tools that make and change events."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import Moment, tool
from riskbox.tools.diary.rows import Calendar, Event, Guest, InvitationAnswer, Reminder
from riskbox.tools.diary.tables import DiaryTables, in_utc, worded


class EventTools(DiaryTables):
    """Creates, moves and cancels events, invites and answers."""

    @tool(writes=True, changes=["events+"], reads=["events"], sends=["guests.who"])
    def create_event(
        self,
        title: str,
        starts: Moment,
        ends: Moment,
        guests: list[str] | None = None,
        location: str = "",
        notes: str = "",
        private: bool = False,
        calendar: str = "",
        overlap: bool = False,
    ) -> Event:
        """Create an event and invite its guests. Refused if someone is busy, unless told to overlap.

        Args:
            title: What it is.
            starts: When it starts, for instance 2026-03-02T14:00:00Z; without offset, in the calendar's zone.
            ends: When it ends, written the same way.
            guests: Ids of calendars, rooms included, or email addresses.
            location: Where it is.
            notes: Agenda, dial-in; guests can read them.
            private: True shows it as busy to all but the organiser and the guests.
            calendar: The id of the organiser's calendar; yours unless given.
            overlap: True creates it even if people are busy; a room is never booked twice.
        """
        whose = self._calendar(calendar, "edit")
        starts, ends = self._times(whose, starts, ends)
        if not title.strip():
            raise ToolError("no_title", "Give the event a title.")
        new = Event(
            id=self.events.next_id("E-"),
            calendar=whose.id,
            title=title,
            starts=starts,
            ends=ends,
            location=location,
            notes=notes,
            visibility="private" if private else "normal",
        )
        new = self._with_guests(new, guests or [])
        self._check_free(new, new.on, overlap)
        return self.events.put(new)

    @tool(
        writes=True,
        changes=["events.starts", "events.ends", "events.guests"],
        reads=["events"],
        sends=["guests.who"],
    )
    def move_event(
        self, event: str, starts: Moment, ends: Moment | None = None, overlap: bool = False
    ) -> Event:
        """Move an event to another time. Its guests are told and asked to answer again.

        Args:
            event: The event's id, for instance E-12.
            starts: New start, for instance 2026-03-02T14:00:00Z; without offset, in the calendar's zone.
            ends: New end; the length stays the same unless given.
            overlap: True moves it even if people are busy then; a room is never booked twice.
        """
        row = self._changeable(event)
        starts, ends = self._times(
            self.calendars[row.calendar], starts, ends or starts + (row.ends - row.starts)
        )
        asked = tuple(Guest(who=guest.who, answer=self._first_answer(guest.who)) for guest in row.guests)
        moved: Event = row.but(starts=starts, ends=ends, guests=asked)
        self._check_free(moved, row.on, overlap)
        return self.events.put(moved)

    @tool(
        writes=True,
        changes=["events.title", "events.location", "events.notes", "events.visibility"],
        reads=["events"],
        sends=["guests.who"],
    )
    def edit_event(
        self,
        event: str,
        title: str | None = None,
        location: str | None = None,
        notes: str | None = None,
        private: bool | None = None,
    ) -> Event:
        """Change what an event says. What is left out stays as it is.

        Args:
            event: The event's id, for instance E-12.
            title: New title.
            location: New location.
            notes: New notes, which replace the old ones; guests can read them.
            private: True shows it as busy to all but the organiser and the guests, false undoes that.
        """
        row = self._changeable(event)
        given = {"title": title, "location": location, "notes": notes}
        changes: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
        if private is not None:
            changes["visibility"] = "private" if private else "normal"
        changed: Event = row.but(**changes)
        if changed == row:
            raise ToolError("nothing_to_change", "That is what the event says already.")
        return self.events.put(changed)

    @tool(
        writes=True,
        action="destructive",
        changes=["events.status=cancelled", "reminders-"],
        reads=["events"],
        sends=["guests.who"],
    )
    def cancel_event(self, event: str) -> Event:
        """Cancel an event for good and tell its guests. Its reminders are deleted.

        Args:
            event: The event's id, for instance E-12.
        """
        row = self._changeable(event)
        for reminder in self.reminders.where(event=row.id):
            self.reminders.remove(reminder.id)
        cancelled: Event = row.but(status="cancelled")
        return self.events.put(cancelled)

    @tool(writes=True, changes=["events.guests"], reads=["events"], sends=["guests.who"])
    def invite(self, event: str, guests: list[str]) -> Event:
        """Invite more guests to an event. They receive its title, time, location and notes.

        Args:
            event: The event's id, for instance E-12.
            guests: Ids of calendars, rooms included, or email addresses.
        """
        row = self._changeable(event)
        if not guests:
            raise ToolError("no_guests", "Name at least one guest.")
        changed = self._with_guests(row, guests)
        # people decide for themselves whether they can come, rooms cannot
        self._check_free(changed, changed.on - row.on, overlap=True)
        return self.events.put(changed)

    @tool(writes=True, changes=["events.guests"], reads=["events"])
    def respond(self, event: str, answer: InvitationAnswer, calendar: str = "") -> Event:
        """Answer an invitation.

        Args:
            event: The event's id, for instance E-12.
            answer: accepted, tentative or declined; a declined event leaves the calendar.
            calendar: The id of the invited calendar; yours unless given.
        """
        whose, row = self._calendar(calendar, "edit"), self._event(event)
        if not row.answer(whose.id):
            raise ToolError("not_invited", f"{whose.name} is not invited to event {row.id}.")
        self._check_open(row)
        given = Guest(who=whose.id, answer=answer)
        changed: Event = row.but(guests=tuple(given if one.who == given.who else one for one in row.guests))
        return self.events.put(changed)

    @tool(writes=True, changes=["reminders+"])
    def set_reminder(self, event: str, minutes: int) -> Reminder:
        """Be reminded of an event in your calendar.

        Args:
            event: The event's id, for instance E-12.
            minutes: How many minutes before its start, 0 to 40320.
        """
        row, me = self._event(event), self._me().id
        if me not in row.on:
            raise ToolError("not_in_calendar", f"Event {row.id} is not in your calendar.")
        self._check_open(row)
        if not 0 <= minutes <= 40320 or row.starts - timedelta(minutes=minutes) < self.now:
            raise ToolError(
                "bad_time", f"{minutes} minutes before {worded(row.starts)} cannot be reminded of."
            )
        if self.reminders.where(event=row.id, calendar=me, minutes=minutes):
            raise ToolError("already_set", "That reminder is set already.")
        new = Reminder(id=self.reminders.next_id("R-"), calendar=me, event=row.id, minutes=minutes)
        return self.reminders.put(new)

    def _changeable(self, id: str) -> Event:
        row = self._event(id)
        self._calendar(row.calendar, "edit")
        self._check_open(row)
        return row

    def _times(self, whose: Calendar, starts: datetime, ends: datetime) -> tuple[datetime, datetime]:
        starts, ends = in_utc(starts, whose.zone), in_utc(ends, whose.zone)
        if ends <= starts:
            raise ToolError("bad_times", "The end must be after the start.")
        if ends <= self.now:
            raise ToolError("in_the_past", f"{worded(ends)} is over; it is {worded(self.now)} UTC.")
        return starts, ends

    def _first_answer(self, who: str) -> Literal["needs_action", "accepted"]:
        room = self.calendars.get(who)
        return "accepted" if room and room.kind == "room" else "needs_action"

    def _with_guests(self, row: Event, names: list[str]) -> Event:
        for who in map(self._guest, names):
            if who == row.calendar or row.answer(who):
                raise ToolError("already_invited", f"{who} takes part already.")
            row = row.but(guests=(*row.guests, Guest(who=who, answer=self._first_answer(who))))
        return row

    def _check_free(self, row: Event, calendars: set[str], overlap: bool) -> None:
        asked = {}
        for id in calendars:
            calendar = self.calendars.get(id)
            # a calendar that shows the account nothing does not tell either that it is busy
            if calendar and (calendar.kind == "room" or not (overlap or self._access(calendar) == "none")):
                asked[id] = calendar
        for other in self.events:
            if other.id == row.id or not other.meets(row.starts, row.ends):
                continue
            for id in sorted(other.on & asked.keys()):
                room = asked[id].kind == "room"
                message = (
                    f"{asked[id].name} is not free from {worded(other.starts)} to {worded(other.ends)} UTC."
                )
                hint = "Call find_free_slots." if room else "Call find_free_slots, or set overlap."
                raise ToolError("room_taken" if room else "busy", message, hint=hint)
