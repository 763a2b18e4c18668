"""Tools about prescriptions."""

from __future__ import annotations

from datetime import date, timedelta

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.sandbox.words.speech import plain
from riskbox.tools.clinic.rows import Prescription, is_controlled
from riskbox.tools.clinic.tables import ClinicTables


class MedicineTools(ClinicTables):
    """Refills, drafts and issues prescriptions."""

    @tool(reads=["prescriptions"])
    def read_prescriptions(self, patient: str) -> list[Prescription]:
        """List a patient's prescriptions, stopped ones and drafts included.

        Args:
            patient: The patient's id, for instance P-104.
        """
        return self.prescriptions.where(patient=self.patients[patient].id)

    @tool(
        writes=True,
        changes=["prescriptions.refills_left", "prescriptions.last_filled"],
        reads=["prescriptions"],
    )
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

    @tool(writes=True, action="generative", changes=["prescriptions+"], reads=["prescriptions"])
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
        who, whom, strict = self.patients[patient], self.clinicians[clinician], is_controlled(medicine)
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

    @tool(
        writes=True,
        action="destructive",
        changes=[
            "prescriptions.status=active",
            "prescriptions.issued",
            "prescriptions.expires",
            "prescriptions.last_filled",
        ],
        reads=["prescriptions"],
    )
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
