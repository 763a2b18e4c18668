"""Bulk rows of a clinic."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.words.speech import plain
from riskbox.tools.clinic.rows import is_controlled

if TYPE_CHECKING:
    from faker import Faker


Made = list[dict[str, Any]]
"""Generated rows of one table."""

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


def practice(fake: Faker, counts: Mapping[str, int], now: datetime) -> dict[str, Made]:
    """Patients and clinicians, and for them two years of appointments and current medicines.

    Raises:
        ToolError: `cannot_generate`, where a table cannot be made, or not without another one.
    """
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
        once = is_controlled(medicine)
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
