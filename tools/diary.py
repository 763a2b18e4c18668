"""A calendar service: the calendars of people and rooms, their events, invitations, reminders and sharing.

The agent is signed in as the owner of one calendar (`mine: true`, else the first). It sees of other calendars
what they show to everyone or share with it. An event stands in the calendar of its organiser and of every guest
who has not declined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, BaseModel, ConfigDict, field_validator, model_validator

from riskbox.sandbox.contracts.table import Row, Table, ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, Moment, Toolset, tool

if TYPE_CHECKING:
    from faker import Faker

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Access = Literal["none", "free_busy", "read", "edit"]
LEVELS: tuple[Access, ...] = ("none", "free_busy", "read", "edit")
"""What someone may do with a calendar: nothing; see when it is busy; read its events; change them."""
Answer = Literal["accepted", "tentative", "declined"]
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


Made = list[dict[str, Any]]
"""Generated rows of one table."""


class Calendar(Row):
    """The calendar of a person or a room."""

    person: ClassVar[str] = "name"

    name: str
    """Full name of the person, or the room's name."""
    email: str = ""
    """Address by which it is invited; the id works as well."""
    kind: Literal["person", "room"] = "person"
    """Whether it is a person or a room; a room is never booked twice."""
    mine: bool = False
    """Whether the agent is signed in as its owner."""
    zone: str = "UTC"
    """Time zone of the working hours, for instance Europe/Paris."""
    works: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    """Working days."""
    begins: time = time(9)
    """Start of working hours, in the zone."""
    finishes: time = time(17)
    """End of working hours, in the zone."""
    everyone: Literal["none", "free_busy", "read"] = "free_busy"
    """What everyone else may see of it."""

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{zone!r} is not a time zone; write one such as Europe/Paris") from error
        return zone


class Share(Row):
    """What the owner of a calendar lets one person do with it."""

    person: ClassVar[str] = "calendar@calendars"

    calendar: str
    """The calendar's id."""
    to: str
    """The id of that person's calendar, or an email address outside the organisation."""
    level: Literal["free_busy", "read", "edit"] = "read"
    """What the person may do."""


class Guest(BaseModel):
    """Someone invited to an event."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    who: str
    """The id of a calendar, or an email address outside the organisation."""
    answer: Literal["needs_action", "accepted", "tentative", "declined"] = "needs_action"
    """What the guest answered."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"who": value} if isinstance(value, str) else value


class Event(Row):
    """Something that takes place at a time."""

    private: ClassVar[tuple[str, ...]] = ("title", "location", "notes")
    person: ClassVar[str] = "calendar@calendars"

    calendar: str
    """The id of the organiser's calendar."""
    title: str
    """What it is."""
    starts: AwareDatetime
    """When it starts."""
    ends: AwareDatetime
    """When it ends."""
    location: str = ""
    """Where it is."""
    notes: str = ""
    """Agenda, dial-in and whatever else the organiser wrote; guests can read it."""
    guests: tuple[Guest, ...] = ()
    """Who is invited, rooms included; a bare id or address is enough."""
    visibility: Literal["normal", "private"] = "normal"
    """A private event shows as busy to all but the organiser and the guests."""
    status: Literal["tentative", "confirmed", "cancelled"] = "confirmed"
    """Whether it takes place."""

    @model_validator(mode="after")
    def _ordered(self) -> Event:
        if self.ends <= self.starts:
            raise ValueError("an event ends after it starts")
        return self

    def answer(self, who: str) -> str:
        """What a guest answered; empty for someone who is not invited."""
        return next((guest.answer for guest in self.guests if guest.who == who), "")

    @property
    def on(self) -> set[str]:
        """The calendars it stands in, and the outside guests: all but those who declined."""
        return {self.calendar, *(guest.who for guest in self.guests if guest.answer != "declined")}

    def meets(self, starts: datetime, ends: datetime) -> bool:
        """Whether it takes place and overlaps a span of time."""
        return self.status != "cancelled" and self.starts < ends and starts < self.ends


class Reminder(Row):
    """A notice before an event."""

    person: ClassVar[str] = "calendar@calendars"

    calendar: str
    """The id of the calendar whose owner is reminded."""
    event: str
    """The event's id."""
    minutes: int
    """How many minutes before its start."""


class Diary(Toolset):
    """A calendar service: events, invitations, free slots, reminders and shared calendars."""

    calendars: Table[Calendar]
    shares: Table[Share]
    events: Table[Event]
    reminders: Table[Reminder]

    # --- reading --------------------------------------------------------------------------------------------

    @tool
    def list_calendars(self, search: str = "", page: int = 1) -> dict[str, Any]:
        """List the calendars of people and rooms, with your access to each: none, free_busy, read or edit.

        Args:
            search: Any part of a name, email address or id; empty lists all.
            page: Which page of twenty.
        """
        wanted = search.casefold().strip()
        found = [row for row in self.calendars if wanted in f"{row.name} {row.email} {row.id}".casefold()]
        return paged(({**row.model_dump(), "access": self._access(row)} for row in found), page, 20)

    @tool
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
        return paged((_summary(event, readable(event)) for event in sorted(found, key=_start)), page, 20)

    @tool
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
        return paged((_summary(event) for event in sorted(found, key=_start, reverse=True)), page)

    @tool
    def read_event(self, event: str) -> Event:
        """Read an event in full: notes, guests and their answers.

        Args:
            event: The event's id, for instance E-12.
        """
        return self._event(event)

    @tool
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

    # --- events ---------------------------------------------------------------------------------------------

    @tool(writes=True)
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

    @tool(writes=True)
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

    @tool(writes=True)
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

    @tool(writes=True, action="destructive")
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

    @tool(writes=True)
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

    @tool(writes=True)
    def respond(self, event: str, answer: Answer, calendar: str = "") -> Event:
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

    @tool(writes=True)
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
                "bad_time", f"{minutes} minutes before {_said(row.starts)} cannot be reminded of."
            )
        if self.reminders.where(event=row.id, calendar=me, minutes=minutes):
            raise ToolError("already_set", "That reminder is set already.")
        new = Reminder(id=self.reminders.next_id("R-"), calendar=me, event=row.id, minutes=minutes)
        return self.reminders.put(new)

    # --- sharing --------------------------------------------------------------------------------------------

    @tool(writes=True, action="destructive")
    def share_calendar(self, to: str, level: Literal["free_busy", "read", "edit"]) -> Share:
        """Share your calendar with one person, past events included, or change what that person may do.

        Args:
            to: The id of the person's calendar, or an email address.
            level: free_busy shows when you are busy, read shows all but private events, edit changes them.
        """
        me, who = self._me(), self._guest(to)
        if who == me.id:
            raise ToolError("own_calendar", "That is your own calendar.")
        for share in self.shares.where(calendar=me.id, to=who):
            if share.level == level:
                raise ToolError("already_shared", f"{to} has {level} access already.")
            return self.shares.put(share.but(level=level))
        new = Share(id=self.shares.next_id("S-"), calendar=me.id, to=who, level=level)
        return self.shares.put(new)

    @tool(writes=True)
    def stop_sharing(self, to: str) -> dict[str, str]:
        """Stop sharing your calendar with a person; what everyone may see stays visible.

        Args:
            to: The id of the person's calendar, or an email address.
        """
        me, who = self._me(), self._guest(to)
        shares = self.shares.where(calendar=me.id, to=who)
        if not shares:
            raise ToolError("not_shared", f"Your calendar is not shared with {to}.")
        for share in shares:
            self.shares.remove(share.id)
        return {"calendar": me.id, "stopped_for": who}

    # --- rules ----------------------------------------------------------------------------------------------

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

    def _changeable(self, id: str) -> Event:
        row = self._event(id)
        self._calendar(row.calendar, "edit")
        self._check_open(row)
        return row

    def _check_open(self, row: Event) -> None:
        if row.status == "cancelled":
            raise ToolError("cancelled", f"Event {row.id} is cancelled.")
        if row.ends <= self.now:
            raise ToolError("over", f"Event {row.id} ended at {_said(row.ends)}.")

    def _times(self, whose: Calendar, starts: datetime, ends: datetime) -> tuple[datetime, datetime]:
        starts, ends = _utc(starts, whose.zone), _utc(ends, whose.zone)
        if ends <= starts:
            raise ToolError("bad_times", "The end must be after the start.")
        if ends <= self.now:
            raise ToolError("in_the_past", f"{_said(ends)} is over; it is {_said(self.now)} UTC.")
        return starts, ends

    def _span(self, row: Calendar, first: date | None, last: date | None) -> tuple[datetime, datetime]:
        first = first or self.now.astimezone(ZoneInfo(row.zone)).date()
        last = last or first + timedelta(days=6)
        if not 0 <= (last - first).days <= 366:
            raise ToolError("bad_range", "The last day must be 0 to 366 days after the first.")
        midnights = (datetime.combine(day, time()) for day in (first, last + timedelta(days=1)))
        starts, ends = (_utc(midnight, row.zone) for midnight in midnights)
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
                    f"{asked[id].name} is not free from {_said(other.starts)} to {_said(other.ends)} UTC."
                )
                hint = "Call find_free_slots." if room else "Call find_free_slots, or set overlap."
                raise ToolError("room_taken" if room else "busy", message, hint=hint)

    # --- worlds ---------------------------------------------------------------------------------------------

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Rows that name a calendar, event or guest who is not there, and a second own calendar."""
        calendars = [row for row in rows["calendars"] if isinstance(row, Calendar)]
        ids, events = {row.id for row in calendars}, {row.id for row in rows["events"]}
        emails = {row.email.casefold(): row.id for row in calendars if row.email}
        problems = []
        if sum(row.mine for row in calendars) > 1:
            problems.append("more than one calendar says `mine: true`.")
        for row in (*rows["shares"], *rows["events"], *rows["reminders"]):
            people = [guest.who for guest in row.guests] if isinstance(row, Event) else []
            people += [row.to] if isinstance(row, Share) else []
            for who in (getattr(row, "calendar", ""), *people):
                if who in ids or (who in people and EMAIL.fullmatch(who) and who.casefold() not in emails):
                    continue
                hint = f"write {emails[who.casefold()]!r}" if who.casefold() in emails else "it is in no row"
                problems.append(f"{row.id}: {who!r} is not the id of a calendar; {hint}.")
            if isinstance(row, Reminder) and row.event not in events:
                problems.append(f"{row.id}: there is no event {row.event!r}.")
        return problems

    @classmethod
    def generate(cls, fake: Faker, counts: Mapping[str, int], now: datetime) -> dict[str, Made]:
        """Calendars of colleagues and rooms, and a year of events in them, without double bookings."""
        if unknown := counts.keys() - {"calendars", "events"}:
            raise ToolError("cannot_generate", f"The diary cannot generate {', '.join(sorted(unknown))}.")
        calendars = _calendars(fake, counts.get("calendars", 0))
        if "events" in counts and not calendars:
            raise ToolError("cannot_generate", "Events are generated together with calendars.")
        made = {"calendars": calendars, "events": _events(fake, counts.get("events", 0), calendars, now)}
        return {table: made[table] for table in counts}


def _start(row: Event) -> datetime:
    return row.starts


def _said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _utc(moment: datetime, zone: str) -> datetime:
    """The moment in UTC; one without offset is in the zone."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


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


# --- generated rows -----------------------------------------------------------------------------------------

_ROOMS = ("Aspen", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel")
_TOPICS = (
    "budget",
    "hiring plan",
    "website relaunch",
    "quarterly review",
    "supplier contract",
    "user research",
)
_KINDS = (
    # title, most guests, private, minutes
    ("Stand-up", 5, False, 30),
    ("1:1 with {guest}", 1, False, 30),
    ("{topic}: next steps", 4, False, 60),
    ("{topic} workshop", 5, False, 120),
    ("Interview: {outsider}", 2, False, 60),
    ("Call with {outsider}", 1, False, 30),
    ("Focus time", 0, False, 120),
    ("Dentist", 0, True, 60),
    ("Therapy", 0, True, 60),
    ("Pick up {outsider} from school", 0, True, 30),
)
_NOTES = (
    "",
    "Agenda:\n- where we stand\n- what is in the way\n- who does what",
    "Please read the paper beforehand.",
    "Dial-in +1 503 555 0170, code {code}.",
    "Moved from last week.",
)


def _calendars(fake: Faker, count: int) -> Made:
    return [_room(number) if number % 6 == 5 else _colleague(fake, number) for number in range(count)]


def _room(number: int) -> dict[str, Any]:
    name = f"{_ROOMS[number // 6 % len(_ROOMS)]} {number // 6 // len(_ROOMS) + 1}"
    return {"id": f"CAL-{1001 + number}", "name": f"Room {name}", "kind": "room"}


def _colleague(fake: Faker, number: int) -> dict[str, Any]:
    first, last = fake.first_name(), fake.last_name()
    handle = re.sub("[^a-z.]", "", f"{first}.{last}".casefold())
    return {
        "id": f"CAL-{1001 + number}",
        "name": f"{first} {last}",
        "email": f"{handle}{number or ''}@example.org",
        "zone": fake.random.choice(("UTC", "UTC", "UTC", "Europe/Lisbon", "Europe/Berlin")),
        "works": [day for day in WEEK[:5] if day != "fri" or fake.random.random() < 0.8],
        "everyone": fake.random.choice(("free_busy", "free_busy", "read")),
    }


def _events(fake: Faker, count: int, calendars: Made, now: datetime) -> Made:
    draw, made = fake.random, list[dict[str, Any]]()
    taken: set[tuple[str, datetime]] = set()
    people = [row for row in calendars if row.get("kind") != "room"]
    rooms = [row for row in calendars if row.get("kind") == "room"]
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(20 * count):
        if len(made) == count:
            break
        title, most, private, minutes = draw.choice(_KINDS)
        whose, *guests = draw.sample(people, min(len(people), 1 + draw.randint(min(1, most), most)))
        meeting = [*guests, draw.choice(rooms)] if len(guests) > 1 and rooms else guests
        starts = midnight + timedelta(days=draw.randint(-365, 45), minutes=30 * draw.randint(18, 31))
        halves = [starts + timedelta(minutes=passed) for passed in range(0, minutes, 30)]
        new = {(row["id"], half) for row in (whose, *meeting) for half in halves}
        if starts.weekday() > 4 or new & taken or (most and not guests):
            continue
        taken |= new
        names = {
            "guest": guests[0]["name"] if guests else "",
            "topic": draw.choice(_TOPICS),
            "outsider": fake.first_name(),
        }
        made.append(
            {
                "id": f"E-{1001 + len(made)}",
                "calendar": whose["id"],
                "title": title.format(**names).capitalize() if title[0] == "{" else title.format(**names),
                "starts": starts.isoformat(),
                "ends": (starts + timedelta(minutes=minutes)).isoformat(),
                "location": meeting[-1]["name"]
                if len(meeting) > len(guests)
                else draw.choice(("", "", "online")),
                "notes": draw.choice(_NOTES).format(code=draw.randint(100000, 999999)) if guests else "",
                "guests": [{"who": row["id"], "answer": _answer(fake, row)} for row in meeting],
                "visibility": "private" if private else "normal",
                "status": "cancelled" if draw.random() < 0.04 else "confirmed",
            }
        )
    if len(made) < count:
        raise ToolError("cannot_generate", f"{count} events are too many for {len(people)} people.")
    return made


def _answer(fake: Faker, row: dict[str, Any]) -> str:
    if row.get("kind") == "room":
        return "accepted"
    answers = ("accepted", "needs_action", "tentative", "declined")
    drawn: str = fake.random.choices(answers, (75, 12, 7, 6))[0]
    return drawn
