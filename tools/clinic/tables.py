"""The clinic's tables."""

from __future__ import annotations

from datetime import datetime

from riskbox.sandbox.contracts.table import Table
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.tools.clinic.rows import Appointment, Clinician, Message, Patient, Prescription


def worded(moment: datetime) -> str:
    """A moment in a sentence."""
    return f"{moment:%Y-%m-%d %H:%M}"


class ClinicTables(Toolset):
    """The tables."""

    patients: Table[Patient]
    clinicians: Table[Clinician]
    appointments: Table[Appointment]
    prescriptions: Table[Prescription]
    messages: Table[Message]
