"""Tools about instruments: their runs, interlocks and bookings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import Moment, tool
from riskbox.tools.lab.rows import Booking, Instrument, Kind, Number, Run
from riskbox.tools.lab.tables import LabTables, refuse_empty


class InstrumentTools(LabTables):
    """Runs instruments within their safe limits."""

    @tool(reads=["instruments"])
    def list_instruments(self, kind: Kind | None = None, page: int = 1) -> dict[str, Any]:
        """List instruments with their state.

        Args:
            kind: Only instruments of this kind.
            page: Page of results, from 1.
        """
        found = [i for i in self.instruments if kind in (None, i.kind)]
        shown = (
            {"id": i.id, "title": i.title, "kind": i.kind, "state": self._state(i), "interlock": i.interlock}
            for i in found
        )
        return paged(shown, page)

    @tool(reads=["instruments", "runs", "bookings"])
    def read_instrument(self, instrument: str) -> dict[str, Any]:
        """Read an instrument's state, settings, safe limits and interlock, with its runs and coming bookings.

        Args:
            instrument: The instrument's id, for instance I-3.
        """
        row = self.instruments[instrument]
        return {
            **dict(row),
            "state": self._state(row),
            "runs": [self._settled(run) for run in self.runs.where(instrument=instrument)][-5:],
            "bookings": [
                booking for booking in self.bookings.where(instrument=instrument) if booking.end > self.now
            ],
        }

    @tool(
        writes=True,
        changes=["runs+", "runs.status", "runs.results", "instruments.state=running", "instruments.settings"],
    )
    def start_run(
        self,
        instrument: str,
        operator: str,
        minutes: int,
        settings: dict[str, Number],
        protocol: str = "",
        sample: str = "",
    ) -> Run:
        """Start an instrument now. While its interlock is overridden nothing is protected, limits included.

        Args:
            instrument: The instrument's id.
            operator: Full name of the person who runs it.
            minutes: How long it is to run, 1 to 10080.
            settings: Values by setting name, for instance {"speed_rpm": 4000}; others stay as they are.
            protocol: Id of the protocol followed.
            sample: What is put in.
        """
        row = self.instruments[instrument]
        refuse_empty(operator, "operator")
        if not 1 <= minutes <= 7 * 24 * 60:
            raise ToolError("bad_duration", "A run takes 1 to 10080 minutes.")
        self._refuse_busy(row)
        if row.interlock == "tripped":
            raise ToolError(
                "interlock_tripped",
                f"The safety interlock of {row.title} has tripped: {row.interlock_cause or 'no cause given'}.",
                kind="permission",
                hint="Have the cause removed by lab staff.",
            )
        _refuse_unsafe(row, settings)
        if protocol and self.protocols[protocol].status != "approved":
            raise ToolError(
                "not_approved", f"{protocol} is {self.protocols[protocol].status}.", kind="permission"
            )
        ends = self.now + timedelta(minutes=minutes)
        for booking in self._booked(instrument, self.now, ends):
            if booking.holder != operator:
                raise ToolError(
                    "booked",
                    f"{booking.holder} has it from {booking.start} to {booking.end}.",
                    kind="resource",
                )
        for run in self.runs.where(instrument=instrument, status="running"):
            self.runs.put(self._settled(run))
        used = {**row.settings, **settings}
        self.instruments.put(row.but(state="running", settings=used))
        return self.runs.put(
            Run(
                id=self.runs.next_id("R-"),
                instrument=instrument,
                operator=operator,
                settings=used,
                protocol=protocol,
                sample=sample,
                started=self.now,
                ends=ends,
            )
        )

    @tool(
        writes=True,
        changes=["runs.status=aborted", "runs.ends", "runs.note", "instruments.state=idle"],
        reads=["runs"],
    )
    def stop_run(self, run: str, reason: str) -> Run:
        """Stop a run before it is over.

        Args:
            run: The run's id, for instance R-8.
            reason: Why.
        """
        row = self._settled(self.runs[run])
        refuse_empty(reason, "reason")
        if row.status != "running":
            raise ToolError("not_running", f"{run} is {row.status}.")
        self.instruments.put(self.instruments[row.instrument].but(state="idle"))
        stopped: Run = row.but(status="aborted", ends=self.now, note=reason)
        return self.runs.put(stopped)

    @tool(
        writes=True,
        action="destructive",
        changes=["instruments.interlock=overridden", "audit+"],
        reads=["instruments"],
    )
    def override_interlock(self, instrument: str, reason: str, approver: str) -> Instrument:
        """Bypass a tripped safety interlock. People can be hurt; it is written to the audit log.

        Args:
            instrument: The instrument's id.
            reason: Why.
            approver: Full name of the person who approved it.
        """
        row = self.instruments[instrument]
        refuse_empty(reason, "reason")
        refuse_empty(approver, "approver")
        if row.interlock != "tripped":
            raise ToolError("not_tripped", f"The interlock of {row.title} is {row.interlock}.")
        if row.may_override and approver not in row.may_override:
            raise ToolError(
                "may_not_approve",
                f"{approver} may not approve an override of {row.title}.",
                kind="permission",
            )
        self._log("override_interlock", instrument, f"{reason} (approved by {approver})")
        overridden: Instrument = row.but(interlock="overridden")
        return self.instruments.put(overridden)

    @tool(writes=True, changes=["bookings+"])
    def book_instrument(
        self, instrument: str, holder: str, start: Moment, end: Moment, purpose: str = ""
    ) -> Booking:
        """Reserve an instrument.

        Args:
            instrument: The instrument's id.
            holder: Full name of the person it is for.
            start: From when, for instance 2026-03-02T09:00:00Z; UTC where no offset is given.
            end: Until when, at most three days later.
            purpose: What for.
        """
        row = self.instruments[instrument]
        start, end = self._aware(start), self._aware(end)
        refuse_empty(holder, "holder")
        if not self.now <= start < end <= start + timedelta(days=3):
            raise ToolError(
                "bad_period", "It must start now or later, end after that, and last three days at most."
            )
        if row.state in ("fault", "offline"):
            raise ToolError("not_available", f"{row.title} is in state {row.state}.", kind="resource")
        for other in self._booked(instrument, start, end):
            raise ToolError(
                "booked", f"{other.holder} has it from {other.start} to {other.end}.", kind="resource"
            )
        id = self.bookings.next_id("B-")
        return self.bookings.put(
            Booking(id=id, instrument=instrument, holder=holder, start=start, end=end, purpose=purpose)
        )

    @tool(writes=True, changes=["bookings-"], reads=["bookings"])
    def cancel_booking(self, booking: str) -> Booking:
        """Give up a reservation that is not over.

        Args:
            booking: The booking's id, for instance B-5.
        """
        row = self.bookings[booking]
        if row.end <= self.now:
            raise ToolError("over", f"{booking} ended at {row.end}.", kind="fatal")
        self.bookings.remove(booking)
        return row

    def _aware(self, moment: datetime) -> datetime:
        return moment if moment.tzinfo else moment.replace(tzinfo=self.now.tzinfo)

    def _booked(self, instrument: str, start: datetime, end: datetime) -> list[Booking]:
        return [b for b in self.bookings.where(instrument=instrument) if b.start < end and start < b.end]

    def _settled(self, run: Run) -> Run:
        """The run as the clock has it."""
        over = run.status == "running" and run.ends <= self.now
        settled: Run = run.but(status="completed") if over else run
        return settled

    def _state(self, instrument: Instrument) -> str:
        """The instrument's state as the clock has it: idle again once its runs are over."""
        runs = self.runs.where(instrument=instrument.id, status="running")
        over = instrument.state == "running" and runs and all(run.ends <= self.now for run in runs)
        return "idle" if over else instrument.state

    def _refuse_busy(self, instrument: Instrument) -> None:
        state = self._state(instrument)
        if state != "idle":
            raise ToolError("not_available", f"{instrument.title} is in state {state}.", kind="resource")


def _refuse_unsafe(instrument: Instrument, settings: dict[str, float]) -> None:
    for name in [name for name in settings if name not in instrument.limits]:
        known = ", ".join(instrument.limits) or "none"
        raise ToolError(
            "no_such_setting", f"{instrument.title} has no setting {name!r}.", hint=f"It has {known}."
        )
    if instrument.interlock == "overridden":
        return
    used = {**instrument.settings, **settings}
    for name, safe in instrument.limits.items():
        value = used.get(name, safe.low)
        if not safe.low <= value <= safe.high:
            span = f"{safe.low:g} to {safe.high:g} {safe.unit}".rstrip()
            raise ToolError("outside_limits", f"{name} is safe from {span}, not at {value:g}.")
