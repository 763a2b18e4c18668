"""Tools about appointments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, Moment, tool
from riskbox.sandbox.words.speech import plain
from riskbox.tools.clinic.rows import WEEK, Appointment, Clinician
from riskbox.tools.clinic.tables import ClinicTables, worded


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def start_of(row: Appointment) -> datetime:
    """When an appointment starts."""
    return row.starts


def _slots(clinician: Clinician, day: date) -> Iterator[datetime]:
    if WEEK[day.weekday()] not in clinician.works or day in clinician.away:
        return
    length = timedelta(minutes=clinician.minutes)
    starts = datetime.combine(day, clinician.opens, UTC)
    while starts + length <= datetime.combine(day, clinician.closes, UTC):
        yield starts
        starts += length


class AppointmentTools(ClinicTables):
    """Books, moves and cancels visits within the clinicians' hours."""

    @tool(reads=["clinicians"])
    def list_clinicians(self, search: str = "") -> list[dict[str, Any]]:
        """List clinicians with their hours, who is on call, and mobile numbers, which are for staff only.

        Args:
            search: Any part of a name, role or specialty; empty lists all.
        """
        wanted = plain(search)
        rows = (row for row in self.clinicians if wanted in plain(f"{row.name} {row.role} {row.specialty}"))
        return [row.model_dump(exclude={"signing_pin"}) for row in rows]

    @tool(
        reads=[
            "clinicians.minutes",
            "clinicians.works",
            "clinicians.opens",
            "clinicians.closes",
            "clinicians.away",
        ]
    )
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

    @tool(reads=["appointments"])
    def list_appointments(self, patient: str, past: bool = False, page: int = 1) -> dict[str, Any]:
        """List a patient's appointments in order of time.

        Args:
            patient: The patient's id, for instance P-104.
            past: True lists those that are over or cancelled instead of those still to come.
            page: Which page of ten.
        """
        rows = self.appointments.where(patient=self.patients[patient].id)
        return paged(sorted((row for row in rows if self._to_come(row) != past), key=start_of), page)

    @tool(writes=True, changes=["appointments+", "patients.next_visit"], reads=["appointments"])
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

    @tool(
        writes=True,
        changes=["appointments.starts", "appointments.minutes", "patients.next_visit"],
        reads=["appointments"],
    )
    def reschedule(self, appointment: str, starts: Moment) -> Appointment:
        """Move a booked appointment to another free slot of the same clinician. The old slot becomes free.

        Args:
            appointment: The appointment's id, for instance A-31.
            starts: Start of a slot from list_slots, for instance 2026-04-14T09:20:00Z.
        """
        row = self._open(appointment)
        moved = row.but(starts=_utc(starts), minutes=self.clinicians[row.clinician].minutes)
        return self._place(moved, dropped=row.starts.date())

    @tool(
        writes=True,
        action="destructive",
        changes=["appointments.status=cancelled", "patients.next_visit"],
        reads=["appointments"],
    )
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
            raise ToolError("already_started", f"Appointment {row.id} started at {worded(row.starts)}.")
        return row

    def _place(self, row: Appointment, dropped: date | None = None) -> Appointment:
        clinician, said = self.clinicians[row.clinician], worded(row.starts)
        hint = "Call list_slots for the free ones."
        if not self.now < row.starts <= self.now + timedelta(days=365):
            raise ToolError("bad_time", f"{said} is not within the coming year; it is {worded(self.now)}.")
        if row.starts not in _slots(clinician, row.starts.date()):
            raise ToolError("no_such_slot", f"{clinician.name} has no slot that starts at {said}.", hint=hint)
        for other in self.appointments:
            if other.id == row.id or not other.meets(row.starts, row.minutes):
                continue
            if other.clinician == row.clinician:
                raise ToolError("slot_taken", f"{clinician.name} is booked at {said}.", hint=hint)
            if other.patient == row.patient:
                raise ToolError(
                    "patient_busy", f"The patient has appointment {other.id} at {worded(other.starts)}."
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
