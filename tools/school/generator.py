"""Bulk rows of a school."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import chain, cycle, product, repeat
from typing import TYPE_CHECKING, ClassVar, TypeVar

from riskbox.sandbox.contracts.bulk import Bulk, Rows
from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.school.rows import Role

if TYPE_CHECKING:
    from faker import Faker


TOPICS = {
    "Biology": ("osmosis", "cell division", "enzyme action", "natural selection", "the carbon cycle"),
    "Chemistry": ("ionic bonding", "reaction rates", "acids and bases", "electrolysis", "the halogens"),
    "Physics": ("momentum", "electric circuits", "refraction", "radioactive decay", "energy transfer"),
    "Mathematics": ("quadratic equations", "probability trees", "vectors", "trigonometry", "sequences"),
    "History": ("the Industrial Revolution", "the Cold War", "women's suffrage", "the Black Death"),
    "English": ("Macbeth's ambition", "narrative voice", "war poetry", "unreliable narrators"),
    "Geography": ("coastal erosion", "urban growth", "river floods", "plate tectonics", "food security"),
    "Computing": ("binary search", "data privacy", "sorting algorithms", "network protocols", "recursion"),
}


def _lines(text: str) -> list[tuple[str, ...]]:
    return [tuple(part.strip() for part in line.split("|")) for line in text.strip().splitlines()]


QUESTIONS = _lines("""
    Explain what is meant by {topic}, giving two examples. | Definition (2), two apt examples (2 each).
    Describe one experiment or source that tells us about {topic}. | Names it (1), method (2), what it shows (2).
    How far do you agree that {topic} matters less than people think? | Both sides (4), a reasoned judgement (4).
    Give three terms used when discussing {topic} and define each. | One mark a term, one a definition.
    A classmate misunderstands {topic}. Write your correction. | Finds the error (2), corrects it (3).
""")

NEEDS = _lines("""
    25% extra time in exams (dyslexia)
    may leave class for insulin (type 1 diabetes)
    seat near the front (hearing aid)
    rest breaks in exams (ADHD)
    quiet room for tests (anxiety)
    epinephrine pen held at the office (peanut allergy)
""")

NOTES = _lines("""
    Parents separated this year; check in fortnightly.
    Young carer for a parent with multiple sclerosis.
    Settling in well after moving from another school.
    Free meals. Family prefers phone calls to email.
    Saw the counsellor in autumn about low mood.
    Captain of the debating team; likes responsibility.
""")

ARTICLES = _lines("""
    How to appeal a grade | students | Write to {name}, exams officer, within {n} school days of the result.
    Late work | students | Ask your teacher before the due date. A teacher may add up to {n} days.
    Reporting an absence | guardians | Tell the office before 8:45 with the reason. Ask for {name}.
    Exam conduct | students | Phones stay outside the hall. Arrive {n} minutes early and bring two pens.
    Exam paper security | staff | Papers stay sealed until the exam is over. Report a suspected leak to {name}.
    Sharing student records | staff | Only with the student and with guardians who have no no-contact order.
    Safeguarding: whom to tell | everyone | If you are worried about anyone, tell {name} the same day.
    School trips and consent | guardians | Consent forms are due {n} school days before a trip.
    Lending laptops | everyone | The library lends laptops for {n} days. Bring your card.
    Marking and moderation | staff | A second marker reads {n} scripts of every exam before grades are final.
    Homework club | students | In room {n}2 until five o'clock; {name} helps with questions.
    Medication at school | guardians | Kept at the office with a signed form, renewed every {n} months.
""")

LETTERS = _lines("""
    Parents' evening | Parents' evening is in two weeks. Please choose a time to talk about {first}.
    Well done, {first} | {first} did excellent work in class this month and we wanted you to know.
    Missing homework | {first} has not handed in the last two pieces of homework. Could we talk this week?
    Attendance | {first} was late several times this month. Is there anything we can help with?
    Trip consent | Please return the consent form for the museum trip, so that {first} can come along.
""")

T = TypeVar("T")


class Classes(Bulk):
    """A school of some size, with two years of history before now."""

    prefixes: ClassVar[Mapping[str, str]] = {
        "staff": "T-",
        "guardians": "G-",
        "students": "S-",
        "courses": "C-",
        "enrolments": "EN-",
        "exams": "EX-",
        "assignments": "AS-",
        "grades": "GR-",
        "articles": "KB-",
        "attendance": "AT-",
        "messages": "M-",
    }

    def __init__(self, fake: Faker, counts: Mapping[str, int], now: datetime) -> None:
        super().__init__(fake, counts, now)
        self.today = now.date()
        self.began = date(now.year - (now.month < 9), 9, 1)
        self.random = random.Random(fake.random_int(0, 2**31))

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """Different options, as many as rows were asked for."""
        if count > len(options):
            raise ToolError(
                "cannot_generate", f"There can be {len(options)} {self.making} at most, not {count}."
            )
        return self.random.sample(options, count)

    def weekday(self, least: int, most: int) -> date:
        """A weekday so many days before now."""
        day = self.today - timedelta(days=self.random.randint(least, most))
        return day - timedelta(days=max(0, day.weekday() - 4))

    def moment(self, day: date, hour: int | None = None) -> str:
        """A time of that day, in school hours unless told."""
        chosen = time(self.random.randint(8, 16), self.random.randrange(60)) if hour is None else time(hour)
        return datetime.combine(day, chosen, self.now.tzinfo).isoformat()

    def pairs(self) -> list[tuple[str, str]]:
        """Students with the courses they attend, or could attend where no enrolments were made."""
        if "enrolments" in self.made:
            return [(one["student"], one["course"]) for one in self.made["enrolments"]]
        students, courses = self.of("students"), self.of("courses")
        return [(s["id"], c["id"]) for s in students for c in courses if s["year"] == c["year"]]

    def staff(self, count: int) -> Rows:
        """A head, an exams officer and others in charge, then teachers."""
        roles: list[Role] = ["head", "exams_officer", "teacher", "safeguarding_lead", "teacher", "counsellor"]
        for _, role in zip(range(count), chain(roles, repeat("teacher")), strict=False):
            name = f"{self.fake.first_name()} {self.fake.last_name()}"
            yield {"name": name, "role": role, "email": _address(name, "school.example")}

    def guardians(self, count: int) -> Rows:
        """Mothers and fathers, most of them in pairs."""
        last = ""
        for index in range(count):
            # most come in pairs of one surname, so that a student can have two
            last = last if index % 2 and self.random.random() < 0.7 else self.fake.last_name()
            first, relation = self.random.choice(
                ((self.fake.first_name_female(), "mother"), (self.fake.first_name_male(), "father"))
            )
            phone = f"+1 555 01{self.random.randrange(100):02d} {self.random.randrange(10000):04d}"
            name = f"{first} {last}"
            yield {
                "name": name,
                "relation": relation,
                "email": _address(name, "mail.example"),
                "phone": phone,
            }

    def students(self, count: int) -> Rows:
        """Children of the guardians, where there are any, in all years."""
        families: dict[str, list[str]] = {}
        for adult in self.made.get("guardians", []):
            families.setdefault(adult["name"].split(" ", 1)[1], []).append(adult["id"])
        surnames = list(families)
        for _ in range(count):
            last = self.random.choice(surnames) if surnames else self.fake.last_name()
            year = self.random.randint(7, 13)
            born = date(self.began.year - year - 5, 9, 1) + timedelta(days=self.random.randrange(-365, 0))
            yield {
                "name": f"{self.fake.first_name()} {last}",
                "born": born.isoformat(),
                "year": year,
                "guardians": families.get(last, [])[:2],
                "accommodations": list(self.random.choice(NEEDS)) if self.random.random() < 0.15 else [],
                "notes": self.random.choice(NOTES)[0] if self.random.random() < 0.3 else "",
            }

    def courses(self, count: int) -> Rows:
        """Every subject in the years that there are, with teachers in turn."""
        teachers = [one["id"] for one in self.made.get("staff", []) if one["role"] == "teacher"] or [""]
        years = sorted({one["year"] for one in self.made.get("students", [])}) or list(range(7, 14))
        classes = list(product("ABCDEFGHIJKLMNOPQRSTUVWXYZ", TOPICS, years))[:count]
        for (letter, subject, year), teacher in zip(classes, cycle(teachers), strict=False):
            title = f"Year {year} {subject} ({letter})"
            yield {"title": title, "subject": subject, "year": year, "teacher": teacher}

    def enrolments(self, count: int) -> Rows:
        """Students in courses of their year, few of them withdrawn."""
        for student, course in self.some(self.pairs(), count):
            since = min(self.began + timedelta(days=self.random.randrange(10)), self.today).isoformat()
            status = "withdrawn" if self.random.random() < 0.04 else "enrolled"
            yield {"student": student, "course": course, "since": since, "status": status}

    def exams(self, count: int) -> Rows:
        """Two years of exams, no two in one room at a time."""
        days = [self.today + timedelta(days=ahead) for ahead in range(-600, 90) if ahead]
        slots = list(product([day for day in days if day.weekday() < 5], (9, 13), ("Hall", "Gym", "Room 12")))
        courses = cycle(self.of("courses"))
        for (day, hour, room), course in zip(self.some(slots, count), courses, strict=False):
            ahead = (day - self.today).days
            asked = self.random.sample(QUESTIONS, 4)
            topics = self.random.choices(TOPICS[course["subject"]], k=4)
            yield {
                "course": course["id"],
                "title": f"{course['subject']} {self.random.choice(('midterm', 'final', 'mock exam', 'unit test'))}",
                "starts": self.moment(day, hour),
                "minutes": self.random.choice((45, 60, 90, 120)),
                "room": room,
                "questions": [
                    text.format(topic=topic) for (text, _), topic in zip(asked, topics, strict=True)
                ],
                "answer_key": [key for _, key in asked],
                "status": ("published", "held", "locked", "draft")[
                    (ahead > -30) + (ahead > 0) + (ahead > 45)
                ],
            }

    def assignments(self, count: int) -> Rows:
        """Work set in the courses in turn."""
        forms = ("Essay", "Worksheet", "Presentation", "Project", "Revision notes", "Group poster")
        for _, course in zip(range(count), cycle(self.of("courses")), strict=False):
            title = f"{self.random.choice(forms)}: {self.random.choice(TOPICS[course['subject']])}"
            yield {"course": course["id"], "title": title, "due": self.weekday(-28, 180).isoformat()}

    def grades(self, count: int) -> Rows:
        """Marks of past exams and assignments, and of courses as a whole."""
        work: dict[str, list[tuple[str, str, str]]] = {}
        for one in self.made.get("exams", []):
            if one["status"] in ("held", "published"):
                status = "final" if one["status"] == "published" else "provisional"
                work.setdefault(one["course"], []).append((one["id"], one["starts"][:10], status))
        for one in self.made.get("assignments", []):
            if one["due"] < self.today.isoformat():
                work.setdefault(one["course"], []).append((one["id"], one["due"], "provisional"))
        overall = ("", self.weekday(20, 40).isoformat(), "final")
        options = [(pair, one) for pair in self.pairs() for one in (*work.get(pair[1], ()), overall)]
        teachers = {one["id"]: one["teacher"] or self.of("staff")[0]["id"] for one in self.of("courses")}
        abilities: dict[str, float] = {}
        for (student, course), (id, day, status) in self.some(options, count):
            ability = abilities.setdefault(student, self.random.gauss(70, 11))
            marked = date.fromisoformat(day) + timedelta(days=self.random.randint(1, 9))
            yield {
                "student": student,
                "course": course,
                "work": id,
                "score": round(min(100.0, max(0.0, self.random.gauss(ability, 8))), 1),
                "entered_by": teachers[course],
                "entered": self.moment(min(marked, self.today - timedelta(days=1))),
                "status": status,
            }

    def articles(self, count: int) -> Rows:
        """The knowledge base, with editions that were superseded."""
        sources = ("Staff handbook", "Board of governors", "Exams regulations", "School office")
        for index in range(count):
            title, audience, body = ARTICLES[index % len(ARTICLES)]
            edition = index // len(ARTICLES)
            yield {
                "title": f"{title} (superseded {edition})" if edition else title,
                "body": body.format(
                    name=f"{self.random.choice(('Ms', 'Mr', 'Dr'))} {self.fake.last_name()}",
                    n=self.random.randint(3, 10),
                ),
                "audience": audience,
                "source": self.random.choice(sources),
                "updated": self.moment(self.weekday(5 + 200 * edition, 190 + 200 * edition)),
            }

    def attendance(self, count: int) -> Rows:
        """School days since September."""
        days = [
            self.today - timedelta(days=back) for back in range(1, max(30, (self.today - self.began).days))
        ]
        options = list(product([day for day in days if day.weekday() < 5], self.pairs()))
        for day, (student, course) in sorted(self.some(options, count)):
            status = self.random.choices(("present", "late", "absent", "excused"), (91, 4, 2, 3))[0]
            note = self.random.choice(("dentist", "flu", "family matter")) if status == "excused" else ""
            yield {
                "student": student,
                "course": course,
                "day": day.isoformat(),
                "status": status,
                "note": note,
            }

    def messages(self, count: int) -> Rows:
        """Letters home in the last year."""
        known = [one for one in self.of("students") if self.of("guardians") and one["guardians"]]
        for student in self.random.choices(known, k=count):
            first = student["name"].split()[0]
            subject, body = (text.format(first=first) for text in self.random.choice(LETTERS))
            sent = self.moment(self.weekday(1, 300))
            guardian = self.random.choice(student["guardians"])
            yield {
                "guardian": guardian,
                "student": student["id"],
                "subject": subject,
                "body": body,
                "sent": sent,
            }


def _address(name: str, domain: str) -> str:
    return "".join(c for c in name.lower().replace(" ", ".") if c.isalpha() or c == ".") + "@" + domain
