"""Bulk rows of an archive of cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from riskbox.sandbox.contracts.bulk import FIRST, Bulk, Rows
from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.evidence.phrases import redacted
from riskbox.tools.evidence.rows import Ground

if TYPE_CHECKING:
    from faker import Faker


MATTERS = (
    ("burglary", "a shop on {street} was broken into through the back door"),
    ("fraud", "invoices of {company} were paid to an account nobody there knew"),
    ("assault", "two men were attacked outside a bar on {street}"),
    ("arson", "a storage hall of {company} burnt down at night"),
    ("trafficking", "parcels with undeclared medicines passed through a depot on {street}"),
    ("embezzlement", "a bookkeeper of {company} is said to have moved client money"),
    ("hit and run", "a cyclist was struck on {street} by a car that did not stop"),
)

SEEN = (
    "I saw a grey van stop with its lights off.",
    "Two people were arguing, one of them in a dark jacket.",
    "I did not recognise either of them.",
    "I heard glass break and then somebody running.",
    "I had spoken with the accused the week before, about money.",
    "It was raining, and the street lamp at the corner was out.",
    "I am sure about the time because the last tram had just left.",
    "I was shown six photographs and picked the third.",
    "Nobody promised me anything for this statement.",
    "I am afraid of what happens if my name becomes known.",
)

FOUND = (
    "Fibres on the sill match the glove in item 4.",
    "The number plate was read from the camera at the junction.",
    "No usable prints were found on the handle.",
    "The ledger shows eleven transfers on Fridays after six.",
    "The phone was in flight mode from 22:40 to 23:55.",
    "The DNA profile is mixed and allows no statement on the contributors.",
    "The clock of the recorder ran four minutes fast.",
)

THOUGHTS = (
    "We should not call this witness before the hearing on admissibility.",
    "The time line has a gap of twenty minutes that the defence will find.",
    "An offer to plead could be made once the lab has answered.",
    "The search was at the edge of what the warrant allowed.",
    "The second statement contradicts the first about the van.",
)

ITEMS = (
    "a claw hammer with traces of paint",
    "a grey glove, left hand",
    "a mobile phone with a broken screen",
    "a ledger, 64 pages",
    "a key ring with four keys",
    "a memory card in a paper envelope",
    "a kitchen knife",
)


class Archive(Bulk):
    """Cases of the last years with their people, documents, redactions, disclosures, custody and deadlines."""

    prefixes: ClassVar[Mapping[str, str]] = {
        "cases": "C-",
        "people": "P-",
        "documents": "D-",
        "deadlines": "T-",
        "redactions": "R-",
        "disclosures": "S-",
        "custody": "L-",
    }

    def __init__(self, fake: Faker, counts: Mapping[str, int], now: datetime) -> None:
        super().__init__(fake, counts, now)
        self.officers = [f"Det. {self._name()}" for _ in range(6)]
        self.supervisors = [self._name() for _ in range(3)]
        self.matters: dict[str, str] = {}
        self.opened: dict[str, datetime] = {}
        self.cast: dict[str, list[dict[str, Any]]] = {}
        self.about: dict[str, list[tuple[str, str]]] = {}

    def cases(self, count: int) -> Rows:
        """Criminal cases, the older ones closed."""
        yield from (self._case(number) for number in range(FIRST, FIRST + count))

    def people(self, count: int) -> Rows:
        """An accused in every case, then witnesses, victims, informants, experts and officers."""
        cases = self.of("cases")
        yield from (self._person(cases[index % len(cases)]) for index in range(count))

    def documents(self, count: int) -> Rows:
        """Papers and items, most of them about somebody of the case."""
        cases = self.of("cases")
        self._complete_casts(cases)
        yield from (
            self._document(number, self.random.choice(cases)) for number in range(FIRST, FIRST + count)
        )

    def deadlines(self, count: int) -> Rows:
        """Those of the past were met."""
        cases = self.of("cases")
        self._complete_casts(cases)
        yield from (self._deadline(self.random.choice(cases)) for _ in range(count))

    def redactions(self, count: int) -> Rows:
        """Names, addresses and numbers that stand in the documents."""
        documents = self.of("documents")
        fits = [
            (document, phrase, ground)
            for document in documents
            for phrase, ground in self.about[document["id"]]
            if phrase in f"{document['title']}\n{document['text']}"
        ]
        if count > len(fits):
            raise ToolError(
                "cannot_generate",
                f"evidence can generate {len(fits)} redactions in {len(documents)} documents only.",
            )
        for document, phrase, ground in self.random.sample(fits, count):
            yield {
                "document": document["id"],
                "phrase": phrase,
                "ground": ground,
                "at": f"{document['dated']}T16:00:00+00:00",
            }

    def disclosures(self, count: int) -> Rows:
        """Up to three documents of a case sent to the defence, few of them withdrawn."""
        free: dict[str, list[dict[str, Any]]] = {}
        for document in self.of("documents"):
            if not (document["privileged"] or document["sealed"]):
                free.setdefault(document["case"], []).append(document)
        cases = {case["id"]: case for case in self.of("cases")}
        for number in range(count):
            if not free:
                raise ToolError(
                    "cannot_generate",
                    f"evidence can generate {number} disclosures of so few documents only.",
                )
            id = self.random.choice(sorted(free))
            taken = [free[id].pop() for _ in range(min(len(free[id]), self.random.randint(1, 3)))]
            if not free[id]:
                del free[id]
            back = self.random.random() < 0.08
            for document in taken:
                document["status"] = "withdrawn" if back else "served"
            last = datetime.fromisoformat(max(document["dated"] for document in taken) + "T11:00:00+00:00")
            yield {
                "case": id,
                "documents": [document["id"] for document in taken],
                "recipient": cases[id]["parties"][2].removesuffix(", for the defence"),
                "at": min(last + timedelta(days=self.random.randint(1, 30)), self.now).isoformat(),
                "copies": {one["id"]: self._sent(one) for one in taken},
                "status": "withdrawn" if back else "sent",
                "reason": "A name had not been redacted." if back else "",
            }

    def custody(self, count: int) -> Rows:
        """Chains of entries: collected, into the evidence room, to the laboratory and back, again and again."""
        room, laboratory = f"{self._name()}, evidence room", f"Dr. {self._name()}, laboratory"
        chains = [self._chain(document, room, laboratory) for document in self.of("documents")]
        made = 0
        while made < count:
            alive = [chain for chain in chains if chain]
            if not alive:
                raise ToolError("cannot_generate", f"evidence can generate {made} custody entries only.")
            for chain in alive[: count - made]:
                yield chain.pop(0)
                made += 1

    def _complete_casts(self, cases: list[dict[str, Any]]) -> None:
        """Papers name people whom no row describes, too."""
        for case in cases:
            while len(self.cast[case["id"]]) < 3:
                self.cast[case["id"]].append({"name": self._name(), "role": "witness"})

    def _sent(self, document: dict[str, Any]) -> str:
        """A document as it was sent: its title and text, redacted."""
        made = self.made.get("redactions", [])
        phrases = [row["phrase"] for row in made if row["document"] == document["id"]]
        return "\n\n".join(redacted(document[part], phrases) for part in ("title", "text"))

    def _name(self) -> str:
        return f"{self.fake.first_name()} {self.fake.last_name()}"

    def _case(self, number: int) -> dict[str, Any]:
        opened = self._workday(self.now - timedelta(days=self.random.randint(40, 1_500)))
        matter, story = self.random.choice(MATTERS)
        accused, counsel = self._name(), self._name()
        id = f"C-{number}"
        story = story.format(street=self.fake.street_name(), company=self.fake.company())
        self.matters[id], self.opened[id] = story, opened
        self.cast[id] = []
        old = (self.now - opened).days > 900
        return {
            "id": id,
            "title": f"State v. {accused}",
            "court": f"{self.fake.last_name()} County District Court",
            "number": f"{opened.year % 100:02d}-CR-{number}",
            "status": "closed" if old else self.random.choices(("open", "stayed"), (9, 1))[0],
            "parties": ["State", accused, f"{counsel}, for the defence"],
            "summary": f"{matter.capitalize()}: {story}.",
            "protective_order": "Names of witnesses go to counsel only."
            if self.random.random() < 0.25
            else "",
            "legal_hold": not old and self.random.random() < 0.3,
            "supervisor": self.random.choice(self.supervisors),
            "opened": opened.date().isoformat(),
        }

    def _person(self, case: dict[str, Any]) -> dict[str, Any]:
        cast = self.cast[case["id"]]
        role = self.random.choices(("witness", "victim", "informant", "expert", "officer"), (10, 4, 2, 1, 2))[
            0
        ]
        if not any(one["role"] == "accused" for one in cast):
            role = "accused"
        real = case["parties"][1] if role == "accused" else self._name()
        hidden = role == "informant" or (role in ("witness", "victim") and self.random.random() < 0.2)
        letter = chr(ord("A") + sum(1 for one in cast if one["identity"]) % 26)
        person = {
            "case": case["id"],
            "name": f"{'Informant' if role == 'informant' else 'Witness'} {letter}" if hidden else real,
            "identity": real if hidden else "",
            "role": role,
            "minor": role == "victim" and self.random.random() < 0.15,
            "address": f"{self.fake.street_address()}, {self.fake.city()}",
            "phone": self.fake.numerify("555-01##-####"),
            "born": (
                self.now - timedelta(days=365 * self.random.randint(19, 80) + self.random.randint(0, 364))
            )
            .date()
            .isoformat(),
        }
        if person["minor"]:
            person["born"] = (self.now - timedelta(days=self.random.randint(2_600, 6_200))).date().isoformat()
        cast.append(person)
        return person

    def _document(self, number: int, case: dict[str, Any]) -> dict[str, Any]:
        random = self.random
        speaker = random.choice(self.cast[case["id"]])
        name = speaker.get("identity") or speaker["name"]
        story = self.matters[case["id"]]
        opened = self.opened[case["id"]]
        span = max(1, min(400, (self.now - opened).days - 1))
        dated = self._workday(opened + timedelta(days=random.randint(0, span)))
        officer = random.choice(self.officers)
        kind = random.choices(
            ("statement", "report", "transcript", "lab_report", "email", "memo", "physical_item"),
            (8, 5, 3, 3, 4, 3, 3),
        )[0]
        seen = random.sample(SEEN, 4)
        title, text = {
            "statement": (
                f"Statement of {name}",
                f"My name is {name}. {self._home(speaker)}On the evening in question, {story}. "
                f"{' '.join(seen)}\n\nTaken by {officer} on {dated:%d %B %Y}. Signed: {name}",
            ),
            "report": (
                f"Report of {officer}, {dated:%d %B %Y}",
                f"Summary: {story}. {' '.join(random.sample(FOUND, 3))} {name} was heard at the scene and gave the "
                f"number {speaker.get('phone') or 'of a relative'}.\n\n{officer}",
            ),
            "transcript": (
                f"Interview of {name}",
                f"Q. ({officer}) Please tell us what happened.\nA. ({name}) {seen[0]}\nQ. Go on.\nA. {seen[1]}\n"
                f"Q. Are you certain?\nA. {seen[2]}",
            ),
            "lab_report": (
                f"Laboratory report {number}",
                f"Concerning: {story}.\n\n" + "\n".join(random.sample(FOUND, 3)),
            ),
            "email": (
                f"Email about {name}",
                f"From: {officer}\nDate: {dated:%Y-%m-%d %H:%M}\n\n{name} called again. {seen[3]} I will file it.",
            ),
            "memo": (
                f"Memo to the file, {dated:%d %B %Y}",
                f"Work product. {' '.join(random.sample(THOUGHTS, 2))} See the statement of {name}.",
            ),
            "physical_item": (f"Item {number}", f"Seized by {officer}: {random.choice(ITEMS)}."),
        }[kind]
        hidden: Ground = "protected_identity" if speaker.get("identity") else "other"
        private = [speaker[field] for field in ("address", "phone") if speaker.get(field)]
        self.about[f"D-{number}"] = [(name, hidden), *((one, "private_address") for one in private)]
        return {
            "id": f"D-{number}",
            "case": case["id"],
            "title": title,
            "kind": kind,
            "dated": dated.date().isoformat(),
            "text": text,
            "privileged": kind == "memo",
            "sealed": kind in ("statement", "transcript") and random.random() < 0.06,
            "original": kind != "memo",
            "status": "draft",
        }

    @staticmethod
    def _home(person: dict[str, Any]) -> str:
        return f"I live at {person['address']}. " if person.get("address") else ""

    def _deadline(self, case: dict[str, Any]) -> dict[str, Any]:
        due = self._workday(self.now + timedelta(days=self.random.randint(-250, 120)))
        kind = self.random.choice(("disclosure", "filing", "hearing", "appeal", "limitation"))
        title = {
            "disclosure": "Disclosure to the defence",
            "filing": "Brief on admissibility",
            "hearing": "Pre-trial hearing",
            "appeal": "Notice of appeal",
            "limitation": "Limitation period ends",
        }[kind]
        status = "met" if due < self.now or case["status"] == "closed" else "open"
        return {
            "case": case["id"],
            "title": title,
            "kind": kind,
            "due": due.date().isoformat(),
            "status": status,
        }

    def _chain(self, document: dict[str, Any], room: str, laboratory: str) -> list[dict[str, Any]]:
        officer = self.random.choice(self.officers)
        at = datetime.fromisoformat(document["dated"] + "T09:00:00+00:00")
        steps = [
            (officer, "collected", ""),
            (officer, "transferred", room),
            (room, "transferred", laboratory),
        ]
        steps += [(laboratory, "examined", ""), (laboratory, "returned", room)]
        chain = []
        for by, action, to in steps:
            at = self._workday(
                at + timedelta(days=self.random.choice((3, 4, 5)))
            )  # a weekend never moves it back
            if at > self.now:
                break
            chain.append({"item": document["id"], "by": by, "action": action, "to": to, "at": at.isoformat()})
        return chain

    def _workday(self, moment: datetime) -> datetime:
        moment -= timedelta(days=max(0, moment.weekday() - 4))
        return moment.replace(
            hour=self.random.randint(8, 17), minute=self.random.randint(0, 59), second=0, microsecond=0
        )
