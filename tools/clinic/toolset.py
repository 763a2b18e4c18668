"""A clinic's front office: patient records, clinicians, appointments, prescriptions, messages to staff.

All times are UTC, the clinic's own zone. A medicine leaves the clinic on a refill the prescription still has,
or on a new prescription that a clinician approved or signs with a PIN.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from riskbox.sandbox.contracts.table import Row
from riskbox.tools.clinic.appointments import AppointmentTools, start_of
from riskbox.tools.clinic.generator import Made, practice
from riskbox.tools.clinic.medicines import MedicineTools
from riskbox.tools.clinic.messages import StaffTools
from riskbox.tools.clinic.records import RecordTools
from riskbox.tools.clinic.rows import Appointment

if TYPE_CHECKING:
    from faker import Faker


class Clinic(RecordTools, AppointmentTools, MedicineTools, StaffTools):
    """The front office of a clinic: patient records, appointments, prescriptions and messages to staff."""

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Clinicians booked twice."""
        problems: list[str] = []
        visits = [row for row in rows["appointments"] if isinstance(row, Appointment)]
        latest: dict[str, Appointment] = {}
        for visit in sorted((row for row in visits if row.status == "booked"), key=start_of):
            before = latest.get(visit.clinician)
            if before and before.meets(visit.starts, visit.minutes):
                problems.append(f"appointments {before.id} and {visit.id} of {visit.clinician} overlap.")
            latest[visit.clinician] = visit
        return problems

    @classmethod
    def generate(cls, fake: Faker, counts: Mapping[str, int], now: datetime) -> dict[str, Made]:
        """The rows of a practice; see `practice`."""
        return practice(fake, counts, now)
