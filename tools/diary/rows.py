"""What a calendar service keeps: calendars, shares, events with their guests, reminders."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, BaseModel, ConfigDict, field_validator, model_validator

from riskbox.sandbox.contracts.table import Row

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Access = Literal["none", "free_busy", "read", "edit"]

LEVELS: tuple[Access, ...] = ("none", "free_busy", "read", "edit")
"""What someone may do with a calendar: nothing; see when it is busy; read its events; change them."""

InvitationAnswer = Literal["accepted", "tentative", "declined"]

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


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
