"""Bulk rows of a shared drive."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.contracts.bulk import FIRST
from riskbox.sandbox.contracts.table import ToolError

if TYPE_CHECKING:
    from faker import Faker


TEAMS = ("finance", "people", "operations", "product", "engineering", "support", "legal")

TOPICS = (
    "onboarding",
    "renewals",
    "budget",
    "migration",
    "audit",
    "hiring",
    "roadmap",
    "incident",
    "pricing",
    "travel",
)

REMARKS = (
    "The numbers were checked against last quarter and agree within two percent.",
    "We wait for the supplier before anything is announced.",
    "Nobody objected, so this goes ahead on Monday.",
    "The old spreadsheet stays read-only until the switch is done.",
    "Two questions are open; both need an answer from the customer.",
    "Cost went up because of the second review, not because of hours.",
    "The draft is fine, apart from the section on refunds.",
    "Please do not send this outside before it is signed.",
    "Testing took longer than planned; the date moves by a week.",
    "The contract runs out in the spring and renews by itself unless we write.",
)

EXPENSES = (("train", 18, 140), ("hotel", 80, 260), ("meal", 9, 60), ("taxi", 8, 55), ("software", 15, 400))

EVENTS = (
    ("INFO", "backup finished in {n} s"),
    ("INFO", "user {who} signed in"),
    ("INFO", "job nightly-report done, {n} rows"),
    ("WARN", "disk at {n}% of quota"),
    ("WARN", "slow query took {n} ms"),
    ("ERROR", "could not reach mail relay, retry in {n} s"),
)

PROGRAMS = (
    "/usr/sbin/cron -f",
    "/usr/bin/backupd --daily",
    "python3 worker.py --queue mail",
    "nginx: worker process",
    "postgres: checkpointer",
    "/usr/sbin/sshd -D",
    "python3 report.py --month",
    "rsync --daemon",
)


def drive(fake: Faker, counts: Mapping[str, int], now: datetime) -> dict[str, list[dict[str, Any]]]:
    """Colleagues, their documents on the shared drive below /srv/shared, and what runs on the machine.

    Raises:
        ToolError: `cannot_generate`, where a table cannot be made.
    """
    for table in counts:
        if table not in ("accounts", "files", "processes"):
            raise ToolError("cannot_generate", f"files cannot generate {table}; list its rows instead.")
    accounts = [_colleague(fake, FIRST + n) for n in range(counts.get("accounts", 0))]
    made: dict[str, list[dict[str, Any]]] = {"accounts": accounts}
    authors = accounts or [{"id": "", "name": fake.name(), "groups": ["staff", ""]} for _ in range(12)]
    made["files"] = [_document(fake, FIRST + n, authors, now) for n in range(counts.get("files", 0))]
    made["processes"] = [_process(fake, FIRST + n, accounts, now) for n in range(counts.get("processes", 0))]
    return {table: made[table] for table in counts}


def _colleague(fake: Faker, number: int) -> dict[str, Any]:
    first, last = fake.first_name(), fake.last_name()
    login = re.sub("[^a-z]", "", (first[0] + last).lower())
    groups = ["staff", *fake.random.sample(TEAMS, 1)]
    return {"id": f"{login}{number}", "name": f"{first} {last}", "groups": groups}


def _workday(fake: Faker, now: datetime) -> datetime:
    """A moment in office hours of a weekday in the last four years, recent ones more often."""
    back = int(1 + 1_400 * fake.random.random() ** 2)
    day = now - timedelta(days=back)
    day -= timedelta(days=max(0, day.weekday() - 4))
    return day.replace(
        hour=fake.random.randint(8, 17), minute=fake.random.randint(0, 59), second=0, microsecond=0
    )


def _document(fake: Faker, number: int, authors: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    random = fake.random
    when = _workday(fake, now)
    owner = random.choice(authors)
    team = owner["groups"][-1] or random.choice(TEAMS)
    topic = random.choice(TOPICS)
    write, ending = random.choices([one[:2] for one in _WRITERS], [one[2] for one in _WRITERS])[0]
    label = random.choices(("none", "internal", "confidential", "restricted"), (50, 35, 12, 3))[0]
    return {
        "id": f"/srv/shared/{team}/{when.year}/{topic}-{number}.{ending}",
        "content": write(
            fake, topic, [owner["name"], *(one["name"] for one in authors if one is not owner)], when
        ),
        "owner": owner["id"],
        "group": "staff",
        "mode": random.choice(("644", "644", "664", "640")),
        "modified": when.isoformat(),
        "label": label,
    }


def _minutes(fake: Faker, topic: str, people: list[str], when: datetime) -> str:
    random = fake.random
    present = people[:1] + random.sample(people[1:], min(random.randint(2, 4), len(people) - 1))
    points = "\n".join(f"- {remark}" for remark in random.sample(REMARKS, random.randint(2, 5)))
    todo = "\n".join(f"- [ ] {name}: {fake.bs()}" for name in present[:2])
    return f"# {topic.capitalize()}, {when:%d %B %Y}\n\nPresent: {', '.join(present)}\n\n{points}\n\n## To do\n\n{todo}\n"


def _expenses(fake: Faker, topic: str, people: list[str], when: datetime) -> str:
    random = fake.random
    rows = ["date,employee,category,amount_eur"]
    for _ in range(random.randint(6, 30)):
        what, low, high = random.choice(EXPENSES)
        day = when.date() - timedelta(days=random.randint(0, 28))
        rows.append(f"{day},{people[0]},{what},{random.triangular(low, high, low):.2f}")
    return "\n".join([rows[0], *sorted(rows[1:])]) + "\n"


def _letter(fake: Faker, topic: str, people: list[str], when: datetime) -> str:
    remarks = " ".join(fake.random.sample(REMARKS, 3))
    return (
        f"{fake.company()}\n{fake.street_address()}\n{fake.city()}\n\n{when:%d %B %Y}\n\n"
        f"Dear {fake.name()},\n\nthank you for your letter about {topic}. {remarks}\n\nKind regards,\n{people[0]}\n"
    )


def _log(fake: Faker, topic: str, people: list[str], when: datetime) -> str:
    random = fake.random
    at, rows = when, []
    logins = [name.split()[-1].lower() for name in people]
    for _ in range(random.randint(10, 40)):
        at += timedelta(seconds=random.randint(1, 900))
        level, text = random.choices(EVENTS, (5, 6, 4, 2, 2, 1))[0]
        said = text.format(n=random.randint(2, 97), who=random.choice(logins))
        rows.append(f"{at:%Y-%m-%dT%H:%M:%SZ} {level} {said}")
    return "\n".join(rows) + "\n"


def _settings(fake: Faker, topic: str, people: list[str], when: datetime) -> str:
    random = fake.random
    return (
        f"# {topic} settings, kept by {people[0]}\n[service]\nhost = {topic}.internal\nport = {random.randint(8000, 8999)}\n"
        f"workers = {random.choice((2, 4, 8))}\ntimeout_seconds = {random.choice((5, 10, 30, 60))}\n\n"
        f"[mail]\nfrom = {topic}@{fake.domain_name()}\nretries = {random.randint(1, 5)}\n"
    )


_WRITERS = (
    (_minutes, "md", 40),
    (_expenses, "csv", 20),
    (_letter, "txt", 20),
    (_log, "log", 12),
    (_settings, "ini", 8),
)


def _process(fake: Faker, number: int, accounts: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    random = fake.random
    owner = random.choice(accounts)["id"] if accounts and random.random() < 0.5 else "root"
    started = now - timedelta(minutes=random.randint(5, 40_000))
    return {
        "id": str(number),
        "command": random.choice(PROGRAMS),
        "owner": owner,
        "started": started.isoformat(),
    }
