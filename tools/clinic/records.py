"""Tools about patients' records."""

from __future__ import annotations

import re
from typing import Any

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, tool
from riskbox.sandbox.words.speech import plain
from riskbox.tools.clinic.rows import Patient
from riskbox.tools.clinic.tables import ClinicTables, worded


class RecordTools(ClinicTables):
    """Finds, reads and updates records."""

    @tool(reads=["patients.name", "patients.born"])
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

    @tool(reads=["patients"])
    def read_record(self, patient: str) -> Patient:
        """Read a patient's full record: contact details, diagnosis, allergies, notes, next visit.

        Args:
            patient: The patient's id, for instance P-104.
        """
        return self.patients[patient]

    @tool(
        writes=True,
        changes=["patients.phone", "patients.email", "patients.address", "patients.emergency_contact"],
        reads=["patients"],
    )
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

    @tool(writes=True, changes=["patients.notes"], reads=["patients"])
    def add_note(self, patient: str, text: str) -> Patient:
        """Add a note to a patient's record, under the current date and time. Notes cannot be changed later.

        Args:
            patient: The patient's id, for instance P-104.
            text: The note, at most 2000 characters.
        """
        row, text = self.patients[patient], text.strip()
        if not 0 < len(text) <= 2000:
            raise ToolError("bad_note", "A note has 1 to 2000 characters.")
        return self.patients.put(row.but(notes=f"{row.notes}\n{worded(self.now)} {text}".strip()))
