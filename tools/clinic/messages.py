"""Tools that reach the staff."""

from __future__ import annotations

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.clinic.rows import Message, Urgency
from riskbox.tools.clinic.tables import ClinicTables


class StaffTools(ClinicTables):
    """Passes a matter on to people."""

    @tool(writes=True, changes=["messages+"], reads=["messages.to"])
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
