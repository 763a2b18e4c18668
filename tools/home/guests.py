"""Tools about who may come in: guests, door codes and the access log."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, Moment, tool
from riskbox.tools.home.rows import Code, Person
from riskbox.tools.home.tables import HomeTables


class GuestTools(HomeTables):
    """Lets people in and keeps them out."""

    @tool(writes=True, changes=["people+"], reads=["people"])
    def add_guest(
        self,
        name: str,
        phone: str = "",
        email: str = "",
        until: Moment | None = None,
        role: Literal["guest", "service"] = "guest",
    ) -> Person:
        """Let someone be given access to the home. It opens no door yet; for that, create a code.

        Args:
            name: Full name.
            phone: Mobile number; door codes are sent there.
            email: Email address.
            until: When their access ends, ISO 8601, for instance 2026-03-09T18:00:00Z; no end if left out.
            role: guest, or service for cleaners, carers and tradespeople.
        """
        ends = self._zoned(until)
        if ends and ends <= self.now:
            raise ToolError("in_the_past", f"{ends.isoformat()} has passed.")
        known = [
            one
            for one in self.people.where(status="active")
            if one.name.casefold() == name.strip().casefold()
        ]
        if known:
            raise ToolError("already_there", f"{known[0].name} already has access as {known[0].id}.")
        return self.people.put(
            Person(
                id=self.people.next_id("P-"),
                name=name.strip(),
                role=role,
                phone=phone,
                email=email,
                until=ends,
            )
        )

    @tool(writes=True, changes=["people.status=revoked", "codes.status=revoked"], reads=["people"])
    def revoke_guest(self, person: str) -> Person:
        """End a guest's or service's access and all their door codes.

        Args:
            person: The person's id.
        """
        found = self._allowed(self.people[person])
        if found.role not in ("guest", "service"):
            raise ToolError(
                "lives_here",
                f"{found.name} lives here.",
                kind="permission",
                hint="Only the owner can do this, in the app.",
            )
        for one in self.codes.where(holder=person, status="active"):
            self.codes.put(one.but(status="revoked"))
        return self.people.put(found.but(status="revoked"))

    @tool(
        reads=["codes.holder", "codes.locks", "codes.starts", "codes.ends", "codes.sent_to", "codes.status"]
    )
    def list_codes(self, person: str = "") -> list[dict[str, Any]]:
        """List door codes without their digits: whose they are, which locks they open, and when.

        Args:
            person: Only codes of the person with this id.
        """
        return [one.model_dump(exclude={"code"}) for one in self.codes if person in ("", one.holder)]

    @tool(reads=["codes"])
    def read_code(self, code: str) -> Code:
        """Read a door code with its digits.

        Args:
            code: The code's id, for instance N-1.
        """
        return self.codes[code]

    @tool(
        writes=True,
        changes=["codes+"],
        later=["locks.locked=false"],
        reads=["people.phone"],
        sends=["sent_to"],
    )
    def create_code(
        self, person: str, locks: list[str], starts: Moment | None = None, ends: Moment | None = None
    ) -> dict[str, Any]:
        """Create a door code for a person. Its digits are sent to their phone and not shown here.

        Guests and services need an end; it cannot lie after the end of their access.

        Args:
            person: The person's id.
            locks: Ids of the locks it opens, for instance ["front_door"].
            starts: From when it works, ISO 8601; at once if left out.
            ends: Until when it works, ISO 8601; the end of the person's access if left out.
        """
        holder = self._allowed(self.people[person])
        if not holder.phone:
            raise ToolError("no_phone", f"There is no phone number for {holder.name} to send the code to.")
        opened = tuple(dict.fromkeys(self.locks[lock].id for lock in locks))
        first, last = self._zoned(starts), self._zoned(ends) or holder.until
        self._check_period(holder, opened, first, last)
        made = self.codes.put(
            Code(
                id=self.codes.next_id("N-"),
                holder=person,
                code=self._unused_digits(),
                locks=opened,
                starts=first,
                ends=last,
                sent_to=holder.phone,
            )
        )
        return made.model_dump(exclude={"code"})

    @tool(
        writes=True,
        changes=["codes.status=revoked"],
        reads=["codes.holder", "codes.locks", "codes.starts", "codes.ends", "codes.sent_to", "codes.status"],
    )
    def revoke_code(self, code: str) -> dict[str, Any]:
        """Stop a door code from working, for good.

        Args:
            code: The code's id.
        """
        found = self.codes[code]
        if found.status == "revoked":
            raise ToolError("already_revoked", f"Code {code} was already revoked.", kind="fatal")
        revoked: Code = self.codes.put(found.but(status="revoked"))
        return revoked.model_dump(exclude={"code"})

    @tool(reads=["entries", "people.name"])
    def access_log(
        self,
        device: str = "",
        person: str = "",
        since: Day | None = None,
        until: Day | None = None,
        page: int = 1,
    ) -> dict[str, Any]:
        """Read who came and went and what was armed or switched, newest first.

        Args:
            device: Only the lock, camera or alarm with this id.
            person: Only the person with this id.
            since: First day, YYYY-MM-DD.
            until: Last day, YYYY-MM-DD.
            page: Which page of 20 lines, from 1.
        """
        found = (
            one
            for one in self.entries
            if device in ("", one.device) and person in ("", one.who) and self._within(one.at, since, until)
        )
        return paged(sorted(found, key=lambda entry: entry.at, reverse=True), page, size=20)

    def _allowed(self, person: Person) -> Person:
        if person.status == "revoked" or (person.until and person.until <= self.now):
            raise ToolError("no_access", f"The access of {person.name} has ended.", kind="permission")
        return person

    def _check_period(
        self, holder: Person, locks: tuple[str, ...], first: datetime | None, last: datetime | None
    ) -> None:
        if not locks:
            raise ToolError("no_locks", "A code must open at least one lock.")
        if last is None and holder.role in ("guest", "service"):
            raise ToolError("needs_end", f"A code for {holder.name} needs an end.")
        if last and last <= max(self.now, first or self.now):
            raise ToolError("bad_period", f"The code would end at {last.isoformat()}, before it works.")
        if last and holder.until and last > holder.until:
            raise ToolError(
                "beyond_access", f"The access of {holder.name} ends at {holder.until.isoformat()}."
            )

    def _unused_digits(self) -> str:
        used = {one.code for one in self.codes}
        while (digits := f"{self.random.randrange(1_000_000):06d}") in used:
            pass
        return digits

    def _zoned(self, moment: datetime | None) -> datetime | None:
        return moment.replace(tzinfo=self.now.tzinfo) if moment and moment.tzinfo is None else moment
