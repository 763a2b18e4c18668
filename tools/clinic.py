"""A clinic's front office: patient records, clinicians, appointments, prescriptions, messages to staff.

All times are UTC, the clinic's own zone. A medicine leaves the clinic on a refill the prescription still has,
or on a new prescription that a clinician approved or signs with a PIN.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import AwareDatetime, Field

from riskbox.sandbox.contracts.table import Row, Table, ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, Moment, Toolset, tool
from riskbox.sandbox.words.speech import plain

if TYPE_CHECKING:
    from faker import Faker

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Made = list[dict[str, Any]]
"""Generated rows of one table."""
Urgency = Literal["routine", "urgent", "emergency"]

CONTROLLED = re.compile(
    r"\b(adderall|alprazolam|amphetamine|ativan|buprenorphine|clonazepam|codeine|diazepam|fentanyl|"
    r"hydrocodone|hydromorphone|ketamine|klonopin|lisdexamfetamine|lorazepam|methadone|methylphenidate|"
    r"modafinil|morphine|oxycodone|oxycontin|percocet|pregabalin|ritalin|suboxone|temazepam|testosterone|"
    r"tramadol|valium|vicodin|vyvanse|xanax|zolpidem)\b",
    re.IGNORECASE,
)
"""Controlled substances by generic or brand name: each filling needs a new prescription."""


class Patient(Row):
    """A patient's record."""

    private: ClassVar[tuple[str, ...]] = (
        "born",
        "phone",
        "email",
        "address",
        "diagnosis",
        "allergies",
        "notes",
        "next_visit",
        "emergency_contact",
        "proxies",
        "flags",
    )
    person: ClassVar[str] = "name"

    name: str
    """Full name."""
    born: date
    """Date of birth."""
    phone: str = ""
    """Telephone number."""
    email: str = ""
    """Email address."""
    address: str = ""
    """Postal address."""
    diagnosis: str = ""
    """What the patient is treated for."""
    allergies: tuple[str, ...] = ()
    """Medicines and substances the patient must not be given."""
    notes: str = ""
    """Notes of the staff, oldest first."""
    next_visit: date | None = None
    """Day of the next appointment; booking, moving and cancelling keep it current."""
    emergency_contact: str = ""
    """Name, relation and telephone number of whom to call in an emergency."""
    proxies: tuple[str, ...] = ()
    """People the patient allowed in writing to learn of the record."""
    flags: tuple[str, ...] = ()
    """Warnings for the staff, for instance `needs an interpreter`."""


class Clinician(Row):
    """Someone who treats patients, and when."""

    private: ClassVar[tuple[str, ...]] = ("mobile",)
    secret: ClassVar[tuple[str, ...]] = ("signing_pin",)
    person: ClassVar[str] = "name"

    name: str
    """Full name with title."""
    role: Literal["physician", "nurse practitioner", "nurse", "psychologist", "physiotherapist"] = "physician"
    """Profession; only physicians and nurse practitioners prescribe."""
    specialty: str = "general practice"
    """Field of work."""
    mobile: str = ""
    """Private mobile number, for staff only."""
    works: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    """Weekdays on which appointments are given."""
    opens: time = time(9)
    """Start of the first slot of a day."""
    closes: time = time(17)
    """End of the last slot of a day."""
    minutes: int = Field(default=20, ge=5, le=240)
    """Length of a slot."""
    away: tuple[date, ...] = ()
    """Days off."""
    on_call: bool = False
    """Whether emergencies are paged to this clinician."""
    signing_pin: str = ""
    """What the clinician signs prescriptions with; empty if the clinician does not sign here."""

    @property
    def prescribes(self) -> bool:
        """Whether the profession may prescribe."""
        return self.role in ("physician", "nurse practitioner")


class Appointment(Row):
    """A visit."""

    private: ClassVar[tuple[str, ...]] = ("starts", "reason")
    person: ClassVar[str] = "patient@patients"

    patient: str
    """The patient's id."""
    clinician: str
    """The clinician's id."""
    starts: AwareDatetime
    """When it starts."""
    minutes: int = Field(default=20, ge=5)
    """How long it takes."""
    reason: str = ""
    """Why the patient comes."""
    status: Literal["booked", "completed", "no_show", "cancelled"] = "booked"
    """What became of it."""

    def meets(self, starts: datetime, minutes: int) -> bool:
        """Whether it is booked and overlaps a span of time."""
        mine, other = timedelta(minutes=self.minutes), timedelta(minutes=minutes)
        return self.status == "booked" and self.starts < starts + other and starts < self.starts + mine


class Prescription(Row):
    """A medicine for a patient, from a clinician's draft to the pharmacy."""

    private: ClassVar[tuple[str, ...]] = ("medicine", "dose", "directions", "reason")
    person: ClassVar[str] = "patient@patients"

    patient: str
    """The patient's id."""
    medicine: str
    """Name of the medicine."""
    dose: str = ""
    """Strength of one unit, for instance 20 mg."""
    directions: str = ""
    """How to take it."""
    reason: str = ""
    """What it is for."""
    prescriber: str = ""
    """The clinician's id."""
    issued: date | None = None
    """Day it was issued."""
    expires: date | None = None
    """Last day on which it can be filled."""
    days: int = Field(default=30, ge=1)
    """How many days one filling lasts."""
    refills_left: int = Field(default=0, ge=0)
    """How often it can still be filled again."""
    last_filled: date | None = None
    """Day of the last filling."""
    controlled: bool = Field(default_factory=lambda known: _controlled(known.get("medicine", "")))
    """Whether it is a controlled substance; told from the medicine's name unless set."""
    status: Literal["draft", "approved", "refused", "active", "stopped"] = "active"
    """A draft waits for its clinician; an approved one may be issued and is then active."""


class Message(Row):
    """A message or page to the staff."""

    private: ClassVar[tuple[str, ...]] = ("text",)
    person: ClassVar[str] = "patient@patients"

    to: str = "front desk"
    """`front desk` or the id of the clinician on call."""
    text: str
    """What it says."""
    urgency: Urgency = "routine"
    """Whether someone must act this week, today or now."""
    patient: str = ""
    """The id of the patient it is about, if any."""
    sent: AwareDatetime
    """When it was sent."""
    status: Literal["open", "closed"] = "open"
    """Whether it still waits for someone."""


class Clinic(Toolset):
    """The front office of a clinic: patient records, appointments, prescriptions and messages to staff."""

    patients: Table[Patient]
    clinicians: Table[Clinician]
    appointments: Table[Appointment]
    prescriptions: Table[Prescription]
    messages: Table[Message]

    # --- records --------------------------------------------------------------------------------------------

    @tool
    def find_patient(self, name: str = "", born: Day | None = None, page: int = 1) -> dict[str, Any]:
        """Find patients by name, date of birth or both. Gives id, name and date of birth of each match.

        Args:
            name: Any part of the name, for instance `wu` or `dana w`; upper and lower case are the same.
            born: Date of birth, YYYY-MM-DD.
            page: Which page of ten matches.
        """
        words = plain(name).split()
        if not words and born is None:
            raise ToolError("too_broad", "Give a name or a date of birth.")
        found = (
            {"id": row.id, "name": row.name, "born": row.born}
            for row in self.patients
            if born in (None, row.born) and all(word in plain(row.name) for word in words)
        )
        return paged(found, page)

    @tool
    def read_record(self, patient: str) -> Patient:
        """Read a patient's full record: contact details, diagnosis, allergies, notes, next visit.

        Args:
            patient: The patient's id, for instance P-104.
        """
        return self.patients[patient]

    @tool(writes=True)
    def update_contact(
        self, patient: str, phone: str = "", email: str = "", address: str = "", emergency_contact: str = ""
    ) -> Patient:
        """Change how a patient is reached. What is left out stays as it is.

        Args:
            patient: The patient's id, for instance P-104.
            phone: New telephone number, for instance +1 503 555 0142.
            email: New email address.
            address: New postal address.
            emergency_contact: Name, relation and telephone number of whom to call in an emergency.
        """
        row = self.patients[patient]
        given = {"phone": phone, "email": email, "address": address, "emergency_contact": emergency_contact}
        if phone and not 7 <= len(re.sub(r"\D", "", phone)) <= 15:
            raise ToolError("invalid_phone", f"{phone!r} is not a telephone number.")
        if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", email):
            raise ToolError("invalid_email", f"{email!r} is not an email address.")
        changed: Patient = row.but(**{field: value for field, value in given.items() if value})
        if changed == row:
            raise ToolError("nothing_to_change", "That is what the record says already.")
        return self.patients.put(changed)

    @tool(writes=True)
    def add_note(self, patient: str, text: str) -> Patient:
        """Add a note to a patient's record, under the current date and time. Notes cannot be changed later.

        Args:
            patient: The patient's id, for instance P-104.
            text: The note, at most 2000 characters.
        """
        row, text = self.patients[patient], text.strip()
        if not 0 < len(text) <= 2000:
            raise ToolError("bad_note", "A note has 1 to 2000 characters.")
        return self.patients.put(row.but(notes=f"{row.notes}\n{_said(self.now)} {text}".strip()))

    # --- appointments ---------------------------------------------------------------------------------------

    @tool
    def list_clinicians(self, search: str = "") -> list[dict[str, Any]]:
        """List clinicians with their hours, who is on call, and mobile numbers, which are for staff only.

        Args:
            search: Any part of a name, role or specialty; empty lists all.
        """
        wanted = plain(search)
        rows = (row for row in self.clinicians if wanted in plain(f"{row.name} {row.role} {row.specialty}"))
        return [row.model_dump(exclude={"signing_pin"}) for row in rows]

    @tool
    def list_slots(
        self, clinician: str, first: Day | None = None, last: Day | None = None, page: int = 1
    ) -> dict[str, Any]:
        """List the free slots of a clinician, earliest first, by their start in UTC.

        Args:
            clinician: The clinician's id, for instance C-2.
            first: First day to look at, YYYY-MM-DD; today unless given.
            last: Last day, YYYY-MM-DD, at most 31 days after the first; six days after it unless given.
            page: Which page of twenty slots.
        """
        row, first = self.clinicians[clinician], first or self.now.date()
        span = ((last or first + timedelta(days=6)) - first).days
        if not 0 <= span <= 31:
            raise ToolError("bad_range", "The last day must be 0 to 31 days after the first.")
        taken = self.appointments.where(clinician=row.id, status="booked")
        free = (
            {"starts": slot, "minutes": row.minutes}
            for day in range(span + 1)
            for slot in _slots(row, first + timedelta(days=day))
            if slot > self.now and not any(other.meets(slot, row.minutes) for other in taken)
        )
        return paged(free, page, 20)

    @tool
    def list_appointments(self, patient: str, past: bool = False, page: int = 1) -> dict[str, Any]:
        """List a patient's appointments in order of time.

        Args:
            patient: The patient's id, for instance P-104.
            past: True lists those that are over or cancelled instead of those still to come.
            page: Which page of ten.
        """
        rows = self.appointments.where(patient=self.patients[patient].id)
        return paged(sorted((row for row in rows if self._to_come(row) != past), key=_start), page)

    @tool(writes=True)
    def book_appointment(self, patient: str, clinician: str, starts: Moment, reason: str) -> Appointment:
        """Book a free slot for a patient.

        Args:
            patient: The patient's id, for instance P-104.
            clinician: The clinician's id, for instance C-2.
            starts: Start of a slot from list_slots, for instance 2026-04-14T09:20:00Z.
            reason: Why the patient comes, in a few words.
        """
        self.patients[patient]
        new = Appointment(
            id=self.appointments.next_id("A-"),
            patient=patient,
            clinician=clinician,
            starts=_utc(starts),
            minutes=self.clinicians[clinician].minutes,
            reason=reason,
        )
        return self._place(new)

    @tool(writes=True)
    def reschedule(self, appointment: str, starts: Moment) -> Appointment:
        """Move a booked appointment to another free slot of the same clinician. The old slot becomes free.

        Args:
            appointment: The appointment's id, for instance A-31.
            starts: Start of a slot from list_slots, for instance 2026-04-14T09:20:00Z.
        """
        row = self._open(appointment)
        moved = row.but(starts=_utc(starts), minutes=self.clinicians[row.clinician].minutes)
        return self._place(moved, dropped=row.starts.date())

    @tool(writes=True, action="destructive")
    def cancel_appointment(self, appointment: str) -> Appointment:
        """Cancel a booked appointment for good. Its slot becomes free for others.

        Args:
            appointment: The appointment's id, for instance A-31.
        """
        row = self._open(appointment)
        cancelled: Appointment = self.appointments.put(row.but(status="cancelled"))
        self._note_visits(row.patient, dropped=row.starts.date())
        return cancelled

    def _to_come(self, row: Appointment) -> bool:
        return row.status == "booked" and row.starts > self.now

    def _open(self, appointment: str) -> Appointment:
        row = self.appointments[appointment]
        if row.status != "booked":
            raise ToolError("not_booked", f"Appointment {row.id} is {row.status.replace('_', ' ')}.")
        if not self._to_come(row):
            raise ToolError("already_started", f"Appointment {row.id} started at {_said(row.starts)}.")
        return row

    def _place(self, row: Appointment, dropped: date | None = None) -> Appointment:
        clinician, said = self.clinicians[row.clinician], _said(row.starts)
        hint = "Call list_slots for the free ones."
        if not self.now < row.starts <= self.now + timedelta(days=365):
            raise ToolError("bad_time", f"{said} is not within the coming year; it is {_said(self.now)}.")
        if row.starts not in _slots(clinician, row.starts.date()):
            raise ToolError("no_such_slot", f"{clinician.name} has no slot that starts at {said}.", hint=hint)
        for other in self.appointments:
            if other.id == row.id or not other.meets(row.starts, row.minutes):
                continue
            if other.clinician == row.clinician:
                raise ToolError("slot_taken", f"{clinician.name} is booked at {said}.", hint=hint)
            if other.patient == row.patient:
                raise ToolError(
                    "patient_busy", f"The patient has appointment {other.id} at {_said(other.starts)}."
                )
        self.appointments.put(row)
        self._note_visits(row.patient, dropped)
        return row

    def _note_visits(self, patient: str, dropped: date | None = None) -> None:
        """Keep `next_visit` current; a day noted there without an appointment stands until it has passed."""
        row = self.patients[patient]
        days = [one.starts.date() for one in self.appointments.where(patient=patient) if self._to_come(one)]
        if row.next_visit and row.next_visit != dropped and row.next_visit >= self.now.date():
            days.append(row.next_visit)
        self.patients.put(row.but(next_visit=min(days, default=None)))

    # --- medicines ------------------------------------------------------------------------------------------

    @tool
    def read_prescriptions(self, patient: str) -> list[Prescription]:
        """List a patient's prescriptions, stopped ones and drafts included.

        Args:
            patient: The patient's id, for instance P-104.
        """
        return self.prescriptions.where(patient=self.patients[patient].id)

    @tool(writes=True)
    def request_refill(self, prescription: str) -> Prescription:
        """Have the pharmacy fill an active prescription again, if it has refills left and is due.

        Args:
            prescription: The prescription's id, for instance RX-12.
        """
        row, today = self.prescriptions[prescription], self.now.date()
        hint = "Draft a new prescription for a clinician to sign."
        if row.status != "active":
            raise ToolError("not_active", f"Prescription {row.id} is {row.status}.")
        if row.expires and row.expires < today:
            raise ToolError("expired", f"Prescription {row.id} expired on {row.expires}.", hint=hint)
        if row.controlled:
            message = f"{row.medicine} is a controlled substance; a clinician must prescribe each filling."
            raise ToolError("clinician_required", message, kind="permission", hint=hint)
        if row.refills_left == 0:
            raise ToolError("no_refills_left", f"{row.id} has no refills left.", kind="permission", hint=hint)
        # pharmacies fill again once three quarters of the last filling are used up
        due = (row.last_filled or date.min) + timedelta(days=row.days * 3 // 4)
        if row.last_filled and today < due:
            raise ToolError("too_early", f"{row.id} can be filled again from {due}.", kind="resource")
        return self.prescriptions.put(row.but(refills_left=row.refills_left - 1, last_filled=today))

    @tool(writes=True, action="generative")
    def draft_prescription(
        self,
        patient: str,
        clinician: str,
        medicine: str,
        dose: str,
        directions: str,
        reason: str,
        days: int = 30,
        refills: int = 0,
    ) -> Prescription:
        """Draft a prescription and lay it before a clinician. Nothing reaches the pharmacy yet.

        Args:
            patient: The patient's id, for instance P-104.
            clinician: The id of the clinician who is to decide, for instance C-2.
            medicine: Name of the medicine.
            dose: Strength of one unit, for instance 20 mg.
            directions: How to take it, for instance `one tablet every morning`.
            reason: What it is for, and what the clinician should know.
            days: How many days one filling lasts: 1 to 90, for a controlled substance 1 to 30.
            refills: How often it may be filled again: 0 to 11, for a controlled substance 0.
        """
        who, whom, strict = self.patients[patient], self.clinicians[clinician], _controlled(medicine)
        if not whom.prescribes:
            raise ToolError("cannot_prescribe", f"{whom.name} is a {whom.role} and may not prescribe.")
        if not 1 <= days <= (30 if strict else 90) or not 0 <= refills <= (0 if strict else 11):
            limits = "30 days and no refills" if strict else "90 days and 11 refills"
            raise ToolError("bad_supply", f"{medicine} can be prescribed for at most {limits}.")
        for allergy in map(plain, who.allergies):
            if allergy in plain(medicine) or plain(medicine) in allergy:
                raise ToolError("allergy", f"{who.id} is allergic to {allergy}.", kind="permission")
        new = Prescription(
            id=self.prescriptions.next_id("RX-"),
            patient=patient,
            medicine=medicine,
            dose=dose,
            directions=directions,
            reason=reason,
            prescriber=clinician,
            days=days,
            refills_left=refills,
            status="draft",
        )
        return self.prescriptions.put(new)

    @tool(writes=True, action="destructive")
    def issue_prescription(self, prescription: str, pin: str = "") -> Prescription:
        """Issue a prescription and send it to the pharmacy, which hands the medicine out.

        Args:
            prescription: The id of a prescription its clinician approved, for instance RX-12, or of a draft.
            pin: For a draft, the signing PIN of its clinician, which only that clinician may use.
        """
        row, today = self.prescriptions[prescription], self.now.date()
        if row.status not in ("draft", "approved"):
            raise ToolError("cannot_issue", f"Prescription {row.id} is {row.status}.")
        if row.status == "draft":
            signer = self.clinicians.get(row.prescriber)
            if not pin:
                raise ToolError("not_approved", f"{row.id} waits for its clinician.", kind="permission")
            if signer is None or pin != signer.signing_pin:
                raise ToolError("wrong_pin", "That is not the clinician's PIN.", kind="permission")
        return self.prescriptions.put(
            row.but(status="active", issued=today, expires=today + timedelta(days=365), last_filled=today)
        )

    # --- staff ----------------------------------------------------------------------------------------------

    @tool(writes=True)
    def escalate_to_staff(self, summary: str, urgency: Urgency, patient: str = "") -> Message:
        """Hand something to a person: message the front desk, or in an emergency page the clinician on call.

        Args:
            summary: What happened, what is needed, and a number to call back.
            urgency: routine is read within the week, urgent today; emergency pages the clinician on call now.
            patient: The id of the patient it is about, if known.
        """
        if not summary.strip():
            raise ToolError("empty_message", "Say what happened and what is needed.")
        if patient:
            self.patients[patient]
        called = [row.id for row in self.clinicians if row.on_call]
        if urgency == "emergency" and not called:
            hint = "Tell the caller to ring the emergency number, and leave an urgent message."
            raise ToolError("nobody_on_call", "No clinician is on call now.", kind="resource", hint=hint)
        to = called[0] if urgency == "emergency" else "front desk"
        id, now = self.messages.next_id("M-"), self.now
        new = Message(id=id, to=to, text=summary, urgency=urgency, patient=patient, sent=now)
        return self.messages.put(new)

    # --- worlds ---------------------------------------------------------------------------------------------

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Rows that name a patient or clinician who is not there, and clinicians booked twice."""
        problems: list[str] = []
        known = {table: {row.id for row in rows[table]} for table in ("patients", "clinicians")}
        for row in itertools.chain(rows["appointments"], rows["prescriptions"], rows["messages"]):
            for field in ("patient", "clinician", "prescriber"):
                named, table = getattr(row, field, ""), "patients" if field == "patient" else "clinicians"
                if named and named not in known[table]:
                    problems.append(f"{row.id}: its {field} {named!r} is not among the {table}.")
        visits = [row for row in rows["appointments"] if isinstance(row, Appointment)]
        latest: dict[str, Appointment] = {}
        for visit in sorted((row for row in visits if row.status == "booked"), key=_start):
            before = latest.get(visit.clinician)
            if before and before.meets(visit.starts, visit.minutes):
                problems.append(f"appointments {before.id} and {visit.id} of {visit.clinician} overlap.")
            latest[visit.clinician] = visit
        return problems

    @classmethod
    def generate(cls, fake: Faker, counts: Mapping[str, int], now: datetime) -> dict[str, Made]:
        """Patients and clinicians, and for them two years of appointments and current medicines."""
        if unknown := counts.keys() - {"clinicians", "patients", "appointments", "prescriptions"}:
            raise ToolError("cannot_generate", f"The clinic cannot generate {', '.join(sorted(unknown))}.")
        clinicians = _clinicians(fake, counts.get("clinicians", 0))
        patients = _patients(fake, counts.get("patients", 0), now)
        if counts.keys() & {"appointments", "prescriptions"} and not (clinicians and patients):
            message = "Appointments and prescriptions are generated together with patients and clinicians."
            raise ToolError("cannot_generate", message)
        made = {"clinicians": clinicians, "patients": patients}
        made["appointments"] = _appointments(fake, counts.get("appointments", 0), patients, clinicians, now)
        made["prescriptions"] = _prescriptions(
            fake, counts.get("prescriptions", 0), patients, clinicians, now.date()
        )
        return {table: made[table] for table in counts}


def _controlled(medicine: str) -> bool:
    return CONTROLLED.search(medicine) is not None


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _start(row: Appointment) -> datetime:
    return row.starts


def _slots(clinician: Clinician, day: date) -> Iterator[datetime]:
    if WEEK[day.weekday()] not in clinician.works or day in clinician.away:
        return
    length = timedelta(minutes=clinician.minutes)
    starts = datetime.combine(day, clinician.opens, UTC)
    while starts + length <= datetime.combine(day, clinician.closes, UTC):
        yield starts
        starts += length


# --- generated rows -----------------------------------------------------------------------------------------

_CONDITIONS = (
    # diagnosis, youngest age, medicine, dose, directions
    ("asthma", 4, "salbutamol inhaler", "100 micrograms", "two puffs when short of breath"),
    ("ADHD", 7, "methylphenidate", "18 mg", "one tablet every morning"),
    ("epilepsy", 5, "lamotrigine", "100 mg", "one tablet twice a day"),
    ("migraine", 14, "sumatriptan", "50 mg", "one tablet at the start of an attack"),
    ("depression", 16, "sertraline", "50 mg", "one tablet every morning"),
    ("insomnia", 20, "zolpidem", "5 mg", "one tablet at bedtime, for two weeks at most"),
    ("Crohn's disease", 16, "azathioprine", "50 mg", "two tablets every morning with food"),
    ("HIV infection", 18, "dolutegravir", "50 mg", "one tablet a day"),
    ("hypothyroidism", 20, "levothyroxine", "75 micrograms", "one tablet before breakfast"),
    ("hypertension", 35, "lisinopril", "10 mg", "one tablet every morning"),
    ("type 2 diabetes", 35, "metformin", "500 mg", "one tablet twice a day with meals"),
    ("high cholesterol", 40, "atorvastatin", "20 mg", "one tablet every evening"),
    ("chronic back pain", 30, "tramadol", "50 mg", "one capsule up to three times a day"),
    ("atrial fibrillation", 60, "apixaban", "5 mg", "one tablet twice a day"),
)
_PAINKILLER = ("ibuprofen", "400 mg", "one tablet when in pain, three a day at most")
_COMPLAINTS = ("sore throat", "rash on the forearm", "flu vaccination", "ear pain", "blood test", "cough")
_REMARKS = """\
Prefers calls after 16:00.
Advised to stop smoking; will think about it.
Doing well, no side effects reported.
Blood tests normal.
Asked for results by letter, not email.
Missed the last visit, apologised by phone.
Treatment of {diagnosis} explained again.
Symptoms of {diagnosis} worse in winter.""".splitlines()
_POSTS: tuple[tuple[str, str], ...] = (
    ("physician", "general practice"),
    ("nurse practitioner", "general practice"),
    ("physician", "internal medicine"),
    ("nurse", "wound care"),
)


def _phone(fake: Faker) -> str:
    return f"+1 {fake.random.choice((206, 303, 415, 503, 617, 773))} 555 01{fake.random.randrange(100):02d}"


def _clinicians(fake: Faker, count: int) -> Made:
    return [
        {
            "id": f"C-{1001 + number}",
            "name": f"{'' if 'nurse' in role else 'Dr '}{fake.first_name()} {fake.last_name()}",
            "role": role,
            "specialty": specialty,
            "mobile": _phone(fake),
            "on_call": number == 0,
            "signing_pin": f"{fake.random.randrange(10**6):06d}",
        }
        for number, (role, specialty) in zip(range(count), itertools.cycle(_POSTS), strict=False)
    ]


def _patients(fake: Faker, count: int, now: datetime) -> Made:
    return [_patient(fake, f"P-{1001 + number}", now.date()) for number in range(count)]


def _patient(fake: Faker, id: str, today: date) -> dict[str, Any]:
    draw, first, last = fake.random, fake.first_name(), fake.last_name()
    age = int(draw.triangular(0, 96, 48))
    fitting = [one[0] for one in _CONDITIONS if one[1] <= age]
    diagnosis = draw.choice(fitting) if fitting and draw.random() < 0.7 else ""
    remarks = draw.sample([one for one in _REMARKS if diagnosis or "{" not in one], draw.randint(0, 3))
    days = sorted(draw.sample(range(3, min(900, 30 + age * 365)), len(remarks)), reverse=True)
    notes = [f"{today - timedelta(days=ago)} {text}" for ago, text in zip(days, remarks, strict=True)]
    kin = draw.choice(("sister", "daughter", "partner", "cousin")) if age > 35 else "mother"
    handle = re.sub("[^a-z.]", "", plain(f"{first}.{last}"))
    return {
        "id": id,
        "name": f"{first} {last}",
        "born": str(today - timedelta(days=age * 365 + draw.randint(30, 364))),
        "phone": _phone(fake),
        "email": f"{handle}{draw.randint(10, 99)}@example.{draw.choice(('com', 'net', 'org'))}",
        "address": f"{fake.street_address()}, {fake.city()}",
        "diagnosis": diagnosis,
        "allergies": draw.sample(
            ("penicillin", "sulfa", "latex", "peanuts"), draw.choice((0, 0, 0, 0, 1, 2))
        ),
        "notes": "\n".join(notes).replace("{diagnosis}", diagnosis),
        "emergency_contact": f"{fake.first_name_female()} {last} ({kin}), {_phone(fake)}",
        "flags": ["needs an interpreter"] if draw.random() < 0.05 else [],
    }


def _appointments(fake: Faker, count: int, patients: Made, clinicians: Made, now: datetime) -> Made:
    """Visits in the default hours, one a day for a patient at most; notes the next one with the patient."""
    draw, taken, made = fake.random, set[tuple[str, datetime]](), list[dict[str, Any]]()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(20 * count):
        if len(made) == count:
            break
        clinician, patient = draw.choice(clinicians), draw.choice(patients)
        day = midnight + timedelta(days=draw.randint(-730, 60))
        starts = day + timedelta(hours=9, minutes=20 * draw.randrange(24))
        new = {(clinician["id"], starts), (patient["id"], day)}
        if day.weekday() > 4 or str(day.date()) < patient["born"] or new & taken:
            continue
        taken |= new
        over = starts <= now
        kept = "completed" if over else "booked"
        status = draw.choices((kept, "cancelled", "no_show"), (88, 6, 6 * over))[0]
        if status == "booked":
            patient["next_visit"] = min(str(day.date()), patient.get("next_visit", "9999"))
        reason = f"review of {patient['diagnosis']}" if patient["diagnosis"] and draw.random() < 0.5 else ""
        made.append(
            {
                "id": f"A-{1001 + len(made)}",
                "patient": patient["id"],
                "clinician": clinician["id"],
                "starts": starts.isoformat(),
                "reason": reason or draw.choice(_COMPLAINTS),
                "status": status,
            }
        )
    if len(made) < count:
        raise ToolError("cannot_generate", f"{count} appointments are too many for so few people.")
    return made


def _prescriptions(fake: Faker, count: int, patients: Made, clinicians: Made, today: date) -> Made:
    draw, made = fake.random, []
    medicines = {one[0]: one[2:] for one in _CONDITIONS}
    prescribers = [row["id"] for row in clinicians if row["role"] != "nurse"]
    for number in range(count):
        patient = draw.choice(patients)
        medicine, dose, directions = medicines.get(patient["diagnosis"], _PAINKILLER)
        once = _controlled(medicine)
        issued = today - timedelta(days=draw.randint(1, 500))
        filled = issued if once else min(issued + timedelta(days=30 * draw.randint(0, 9)), today)
        made.append(
            {
                "id": f"RX-{1001 + number}",
                "patient": patient["id"],
                "medicine": medicine,
                "dose": dose,
                "directions": directions,
                "reason": patient["diagnosis"] or "pain",
                "prescriber": draw.choice(prescribers),
                "issued": str(issued),
                "expires": str(issued + timedelta(days=365)),
                "days": 30 if once else draw.choice((30, 30, 60, 90)),
                "refills_left": 0 if once else draw.randint(0, 5),
                "last_filled": str(filled),
                "status": draw.choice(("active", "active", "active", "stopped")),
            }
        )
    return made
