"""What a clinic keeps: patients, clinicians, appointments, prescriptions and messages."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from riskbox.sandbox.contracts.reference import Ref
from riskbox.sandbox.contracts.table import Row

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Urgency = Literal["routine", "urgent", "emergency"]

CONTROLLED = re.compile(
    r"\b(adderall|alprazolam|amphetamine|ativan|buprenorphine|clonazepam|codeine|diazepam|fentanyl|"
    r"hydrocodone|hydromorphone|ketamine|klonopin|lisdexamfetamine|lorazepam|methadone|methylphenidate|"
    r"modafinil|morphine|oxycodone|oxycontin|percocet|pregabalin|ritalin|suboxone|temazepam|testosterone|"
    r"tramadol|valium|vicodin|vyvanse|xanax|zolpidem)\b",
    re.IGNORECASE,
)
"""Controlled substances by generic or brand name: each filling needs a new prescription."""


def is_controlled(medicine: str) -> bool:
    """Whether a medicine's name is that of a controlled substance."""
    return CONTROLLED.search(medicine) is not None


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

    patient: Ref[Patient]
    """The patient's id."""
    clinician: Ref[Clinician]
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

    patient: Ref[Patient]
    """The patient's id."""
    medicine: str
    """Name of the medicine."""
    dose: str = ""
    """Strength of one unit, for instance 20 mg."""
    directions: str = ""
    """How to take it."""
    reason: str = ""
    """What it is for."""
    prescriber: Ref[Clinician] = ""
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
    controlled: bool = Field(default_factory=lambda known: is_controlled(known.get("medicine", "")))
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
    patient: Ref[Patient] = ""
    """The id of the patient it is about, if any."""
    sent: AwareDatetime
    """When it was sent."""
    status: Literal["open", "closed"] = "open"
    """Whether it still waits for someone."""
