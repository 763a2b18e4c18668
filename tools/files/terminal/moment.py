"""Times as people write them for date and touch: 2026-06-10, yesterday, 3 days ago, next friday."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

UNITS = {
    "second": 1,
    "sec": 1,
    "minute": 60,
    "min": 60,
    "hour": 3_600,
    "day": 86_400,
    "week": 604_800,
    "fortnight": 1_209_600,
}
MONTHS = {"month": 1, "year": 12}
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WORDS = {"now": 0, "today": 0, "yesterday": -1, "tomorrow": 1}
FORMS = (
    "%d %b %Y",
    "%d %B %Y",
    "%b %d %Y",
    "%B %d %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%m/%d/%Y",
    "%d-%b-%Y",
    "%Y%m%d",
    "%Y/%m/%d",
)

CLOCK = re.compile(r"(?:^|\s)t?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(am|pm)?(?=\s|$|z|utc)")
STEP = re.compile(
    r"([+-]?\s*\d{1,6}|next|last|an?)\s*(" + "|".join([*UNITS, *MONTHS, *DAYS]) + r")s?\b(\s+ago)?"
)


def moment(said: str, now: datetime) -> datetime | None:
    """The time meant, in UTC, seen from now; None where it cannot be read."""
    text = said.strip().lower()
    if re.fullmatch(r"@-?\d{1,11}", text):
        return datetime.fromtimestamp(int(text[1:]), UTC)
    try:
        exact = datetime.fromisoformat(text.upper())
    except ValueError:
        pass
    else:
        return exact.replace(tzinfo=UTC) if exact.tzinfo is None else exact.astimezone(UTC)
    try:
        return _read(
            re.sub(r"\s*(utc|gmt|\dz$)", lambda found: found[0].strip("utcgmz ") or "", text),
            now.astimezone(UTC),
        )
    except (ValueError, OverflowError):
        return None


def _read(text: str, now: datetime) -> datetime | None:
    when = now.replace(microsecond=0)
    if day := re.search(r"\d{4}-\d{2}-\d{2}", text):
        when = datetime.fromisoformat(day[0]).replace(tzinfo=UTC)
        text = text.replace(day[0], " ").strip()
    else:
        for form in FORMS:
            try:
                return datetime.strptime(text, form).replace(tzinfo=UTC)
            except ValueError:
                continue
    if clock := CLOCK.search(text):
        hour = int(clock[1]) % 12 + 12 * (clock[4] == "pm") if clock[4] else int(clock[1])
        when = when.replace(hour=hour, minute=int(clock[2]), second=int(clock[3] or 0))
        text = text.replace(clock[0], " ", 1)
    for step in STEP.finditer(text):
        when = _stepped(when, step)
    for word in STEP.sub(" ", text).split():
        if word in DAYS:
            when = (when + timedelta(days=(DAYS.index(word) - when.weekday()) % 7)).replace(
                hour=0, minute=0, second=0
            )
        elif word == "midnight":
            when = when.replace(hour=0, minute=0, second=0)
        elif word in WORDS:
            when += timedelta(days=WORDS[word])
        else:
            return None
    return when


def _stepped(when: datetime, step: re.Match[str]) -> datetime:
    count = {"next": 1, "last": -1, "a": 1, "an": 1}.get(step[1]) or int(step[1].replace(" ", ""))
    count = -count if step[3] else count
    if step[2] in UNITS:
        return when + timedelta(seconds=count * UNITS[step[2]])
    if step[2] in MONTHS:
        months = when.year * 12 + when.month - 1 + count * MONTHS[step[2]]
        # as date does, 31 January and a month is 3 March
        return when.replace(year=months // 12, month=months % 12 + 1, day=1) + timedelta(days=when.day - 1)
    ahead = (DAYS.index(step[2]) - when.weekday()) % 7 or 7
    days = ahead + 7 * (count - 1) if count > 0 else ahead - 7
    return (when + timedelta(days=days)).replace(hour=0, minute=0, second=0)
