"""A calendar service: the calendars of people and rooms, their events, invitations, reminders and sharing.

The agent is signed in as the owner of one calendar (`mine: true`, else the first). It sees of other calendars
what they show to everyone or share with it. An event stands in the calendar of its organiser and of every guest
who has not declined.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from riskbox.sandbox.contracts.table import Row
from riskbox.tools.diary.events import EventTools
from riskbox.tools.diary.generator import Made, office
from riskbox.tools.diary.reading import ReadingTools
from riskbox.tools.diary.rows import EMAIL, Calendar, Event, Reminder, Share
from riskbox.tools.diary.sharing import SharingTools

if TYPE_CHECKING:
    from faker import Faker


class Diary(ReadingTools, EventTools, SharingTools):
    """A calendar service: events, invitations, free slots, reminders and shared calendars."""

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
        """The rows of an office; see `office`."""
        return office(fake, counts, now)
