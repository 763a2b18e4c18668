"""Bulk rows of an office."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.diary.rows import WEEK

if TYPE_CHECKING:
    from faker import Faker


Made = list[dict[str, Any]]
"""Generated rows of one table."""

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


def office(fake: Faker, counts: Mapping[str, int], now: datetime) -> dict[str, Made]:
    """Calendars of colleagues and rooms, and a year of events in them, without double bookings.

    Raises:
        ToolError: `cannot_generate`, where a table cannot be made, or not without another one.
    """
    if unknown := counts.keys() - {"calendars", "events"}:
        raise ToolError("cannot_generate", f"The diary cannot generate {', '.join(sorted(unknown))}.")
    calendars = _calendars(fake, counts.get("calendars", 0))
    if "events" in counts and not calendars:
        raise ToolError("cannot_generate", "Events are generated together with calendars.")
    made = {"calendars": calendars, "events": _events(fake, counts.get("events", 0), calendars, now)}
    return {table: made[table] for table in counts}


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
