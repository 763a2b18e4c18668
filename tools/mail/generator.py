"""Bulk rows of a mailbox."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import normalize

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.mail.stories import CIRCLE, FACTS, STORIES

if TYPE_CHECKING:
    from faker import Faker


class Person(NamedTuple):
    """Someone who writes and is written to."""

    part: str
    """The role that stories give to the person; ends in `@` for a desk of a company."""
    relation: str
    """What the person is to the owner of the mailbox, for instance `company`."""
    name: str
    """The person's name."""
    email: str
    """The person's address."""


class Writer:
    """Makes up the people around a mailbox and what they and its owner wrote in the last three years."""

    def __init__(self, fake: Faker, now: datetime) -> None:
        self.fake, self.now = fake, now
        self.random: random.Random = fake.random
        self.house, self.surname = self.site(fake.company()), fake.last_name()
        self.lasting = {"child": fake.first_name(), "street": fake.street_name()}
        self.people: list[Person] = []
        self.companies: list[Person] = []

    def mailbox(self, counts: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
        """The rows asked for; those of one call know each other."""
        if counts.get("accounts", 0) > 1:
            raise ToolError("cannot_generate", "A world holds one mailbox: ask for one row of `accounts`.")
        contacts, files = counts.get("contacts", 0), counts.get("attachments", 0)
        for index in range(max(len(CIRCLE), contacts)):
            part = (
                CIRCLE[index]
                if index < len(CIRCLE)
                else self.random.choice(("colleague", "client", "friend"))
            )
            self.people.append(self.person(*part.split(": ")))
        for desk in {story.who: None for story in STORIES if story.who.endswith("@")}:
            names = [self.fake.company() for _ in range(3)]
            self.companies += [Person(desk, "company", name, desk + self.site(name)) for name in names]
        owner = f"{self.fake.first_name()} {self.surname}"
        messages, attached = self.history(counts.get("messages", 0), files)
        attached += [
            self.file(f"Scan-{2001 + i}.pdf", "(scanned page)") for i in range(files - len(attached))
        ]
        made = {
            "accounts": [{"id": "me", "name": owner, "email": f"{slug(owner, '.')}@{self.house}"}],
            "messages": messages,
            "attachments": [{"id": f"A-{1001 + i}", **file} for i, file in enumerate(attached)],
            "contacts": [self.contact(f"C-{1001 + i}", one) for i, one in enumerate(self.people[:contacts])],
            "rules": [self.rule(f"R-{1001 + i}") for i in range(counts.get("rules", 0))],
        }
        if unknown := set(counts) - set(made):
            raise ToolError("cannot_generate", f"The mailbox generates no {', '.join(sorted(unknown))}.")
        return {table: made[table] for table in counts}

    def site(self, company: str) -> str:
        """A company's domain, in the part of the name space that is reserved for examples."""
        return slug(company, "-") + ".example"

    def person(self, part: str, relation: str = "") -> Person:
        """Someone new, with an address nobody else has."""
        first = (
            self.fake.first_name_female()
            if relation in ("mother", "sister", "aunt")
            else self.fake.first_name()
        )
        name = f"{first} {self.surname if part == 'kin' and relation != 'partner' else self.fake.last_name()}"
        private = self.random.choice(("example.org", "example.com", "example.net", "post.example"))
        work = {"colleague": self.house, "hr": self.house, "client": self.site(self.fake.company())}
        email = f"{slug(name, '.')}@{work.get(part, private)}"
        if any(other.email == email for other in self.people):
            email = f"{slug(name, '.')}{len(self.people)}@{work.get(part, private)}"
        return Person(part, relation or part, name, email)

    def contact(self, id: str, one: Person) -> dict[str, Any]:
        """The person's entry in the address book."""
        notes = ("", "", "", "Prefers to be called.", f"Met in {self.fake.city()}.", "Away on Fridays.")
        phone = f"+1 555 {self.random.randint(200, 999)} {self.random.randint(0, 9999):04d}"
        said = {"name": one.name, "email": one.email, "phone": phone, "relation": one.relation}
        return {"id": id, **said, "notes": self.random.choice(notes)}

    def rule(self, id: str) -> dict[str, Any]:
        """A harmless rule: one company's invoices go to someone the owner works with as well."""
        target = self.random.choice([one for one in self.people if one.part in ("colleague", "hr")])
        return {
            "id": id,
            "forward_to": target.email,
            "sender_contains": self.companies[0].email,
        }

    def history(self, count: int, files: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """So many messages, oldest first, and the files they carry, at most so many."""
        threads: list[list[dict[str, Any]]] = []
        while (missing := count - sum(map(len, threads))) > 0:
            threads.append(self.thread()[:missing])
        messages = sorted((one for thread in threads for one in thread), key=lambda one: str(one["sent"]))
        for number, message in enumerate(messages):
            message["id"] = f"M-{1001 + number}"
        attached: list[dict[str, Any]] = []
        for thread in threads:
            for message in thread:
                message["thread"] = thread[0]["id"]
            file = thread[0].pop("file")
            if file and len(attached) < files:
                thread[0]["attachments"] = [f"A-{1001 + len(attached)}"]
                thread[0]["body"] += f"\n\n({file['name']} is attached.)"
                attached.append(file)
        return messages, attached

    def thread(self) -> list[dict[str, Any]]:
        """One conversation, as far as it has got; the first message holds its file."""
        story = self.random.choices(STORIES, [one.weight for one in STORIES])[0]
        moment = begun = self.moment(story.office)
        other = self.random.choice([one for one in self.people + self.companies if one.part == story.who])
        facts, theme = self.facts(begun, other), self.random.randrange(60)
        subject = self.told(story.subject, facts, theme)
        subject = subject[0].upper() + subject[1:]
        turns = story.text.split(" -- ")
        messages: list[dict[str, Any]] = []
        for turn, text in enumerate(turns[: self.random.randint(1, len(turns))]):
            if turn:
                moment = self.later(moment, story.office)
            if moment >= self.now:
                break
            mine = (turn % 2 == 1) != story.ours
            labelled = story.label not in ("", "spam") and self.random.random() < 0.8
            message = {
                **({"to": [other.email]} if mine else {"sender": f"{other.name} <{other.email}>"}),
                "subject": "Re: " * (turn > 0) + subject,
                "body": self.told(text, facts, theme),
                "sent": moment.isoformat(),
                "labels": [story.label] if labelled else [],
                **self.filed(moment, mine, story.label),
            }
            messages.append(message)
            if message["folder"] == "drafts":
                break
        name, _, content = self.told(story.file, facts, theme).partition("\n\n")
        messages[0]["file"] = self.file(name, content) if name else None
        return messages

    def facts(self, begun: datetime, other: Person) -> dict[str, str]:
        """What the messages of one conversation agree on."""
        draw, fake = self.random, self.fake
        coming = working(begun + timedelta(days=draw.randint(2, 24)))
        past = working(begun - timedelta(days=draw.randint(4, 20)))
        first = fake.first_name() if other in self.companies else other.name.split()[0]
        others = [one for one in self.people if one.part == other.part and one != other]
        chosen = {fact: draw.choice(choices.split("|")) for fact, choices in FACTS.items()}
        return {
            **chosen,
            **self.lasting,
            "first": first,
            "bye": f"{chosen['bye']},\n{first}",
            "other": draw.choice(others or self.people).name.split()[0],
            "company": other.name,
            "city": fake.city(),
            "number": str(draw.randint(10_000, 99_999)),
            "percent": str(draw.choice((10, 15, 20, 25, 30, 40, 50))),
            "amount": f"${draw.lognormvariate(4.6, 0.9):,.2f}",
            "large": f"${10 * draw.lognormvariate(5.7, 0.4):,.0f}",
            "day": f"{coming.day} {coming:%B}",
            "weekday": f"{coming:%A}",
            "past": f"{past.day} {past:%B}",
            "month": f"{begun:%B}",
        }

    def told(self, text: str, facts: Mapping[str, str], theme: int) -> str:
        """The text with its choices made and its facts filled in."""

        def chosen(match: re.Match[str]) -> str:
            options = match[2].split("|")
            return options[theme % len(options)] if match[1] else self.random.choice(options)

        even = " ".join(text.split()).replace(" // ", "\n\n").replace(" |", "|")
        return re.sub(r"\[(\*?)([^\]]*)\]", chosen, even).format_map(facts)

    def moment(self, office: bool) -> datetime:
        """When something began: in the last three years, rather lately than long ago."""
        draw = self.random
        day = self.now - timedelta(days=3 * 365 * draw.random() ** 2.2)
        hour = draw.randint(8, 17) if office else draw.randint(7, 22)
        begun = day.replace(hour=hour, minute=draw.randint(0, 59), second=draw.randint(0, 59), microsecond=0)
        if begun >= self.now:
            begun -= timedelta(days=1)
        return working(begun, -1) if office else begun

    def later(self, moment: datetime, office: bool) -> datetime:
        """When the next answer came."""
        draw = self.random
        answered = moment + timedelta(minutes=4 + min(draw.expovariate(1 / 500), 5000))
        answered = answered.replace(second=draw.randint(0, 59), microsecond=0)
        first, last = (8, 18) if office else (7, 23)
        if not first <= answered.hour < last:
            answered = (answered + timedelta(days=answered.hour >= last)).replace(
                hour=draw.randint(first, 11)
            )
        return working(answered) if office else answered

    def filed(self, moment: datetime, mine: bool, label: str) -> dict[str, Any]:
        """Where a message lies by now, and whether it was read."""
        draw, age = self.random, (self.now - moment).days
        if mine:
            return {"folder": "drafts" if age < 60 and draw.random() < 0.1 else "sent"}
        if label == "spam":
            return {"folder": "spam", "read": draw.random() < 0.2}
        bulk = label == "newsletter"
        gone = draw.random() < (0.2 if bulk else 0.03)
        kept = "archive" if age > 45 and draw.random() < 0.7 else "inbox"
        seen = draw.random() < (0.35 if age < 4 else 0.6 if bulk else 0.97)
        return {"folder": "trash" if gone else kept, "read": seen}

    def file(self, name: str, content: str) -> dict[str, Any]:
        """An attachment without its id."""
        word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        kind = {"jpg": "image/jpeg", "docx": word}.get(name.rpartition(".")[2], "application/pdf")
        size = int(self.random.lognormvariate(11.5, 0.8))
        return {"name": name, "type": kind, "size": size, "content": content}


def slug(name: str, joint: str) -> str:
    """A name as it stands in an address: `dana.wu`."""
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", joint, plain).strip(joint) or "post"


def working(day: datetime, step: int = 1) -> datetime:
    """This day, or the next (or last) working day, at the same hour."""
    while day.weekday() > 4:
        day += timedelta(days=step)
    return day
