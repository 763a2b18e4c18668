"""Tools about customers: find and read them, check who is calling, change how they are reached."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, tool
from riskbox.tools.bank.iban import compact
from riskbox.tools.bank.rows import Check, Customer
from riskbox.tools.bank.tables import BankTables, digits_of

IDENTITY_TRIES = 3
"""How many identity checks may fail within a day before the customer is locked."""


def _same(kept: object, said: object) -> bool:
    return str(kept).strip().casefold() == str(said).strip().casefold()


class CustomerTools(BankTables):
    """Finds customers and checks who they are."""

    @tool(reads=["customers.name", "customers.since"])
    def find_customer(self, query: str, page: int = 1) -> dict[str, Any]:
        """Search customers by name, email address, phone number or IBAN.

        Args:
            query: Any part of a name, email address or phone number, for instance "okafor" or "555 0142", or a whole
                IBAN; at least three characters, upper or lower case.
            page: Which page of ten results, from 1.
        """
        sought = query.strip().lower()
        if len(sought) < 3:
            raise ToolError("query_too_short", "Search for at least three characters.")
        digits, iban = digits_of(sought), compact(sought)
        holders = {id for one in self.accounts if iban == one.iban for id in one.holders}
        found = (
            one
            for one in self.customers
            if sought in one.name.lower()
            or sought in one.email.lower()
            or (len(digits) > 3 and digits in digits_of(one.phone))
            or one.id in holders
        )
        return paged([{"id": one.id, "name": one.name, "since": one.since} for one in found], page)

    @tool(reads=["customers"])
    def read_customer(self, customer: str) -> Customer:
        """Read a customer's full record.

        The PIN and the security answer are on it to be compared with what a caller says; nobody is told them.

        Args:
            customer: The customer's id, for instance C-1.
        """
        return self.customers[customer]

    @tool(writes=True, changes=["checks+"])
    def verify_identity(
        self,
        customer: str,
        born: Day | None = None,
        pin: str | None = None,
        security_answer: str | None = None,
    ) -> dict[str, Any]:
        """Check what a caller said against the customer's record, and note the attempt.

        At least two details are needed, and all must be right. Three failures within 24 hours lock the customer.

        Args:
            customer: Id of the customer the caller says they are.
            born: Date of birth the caller gave, YYYY-MM-DD.
            pin: Telephone banking PIN the caller gave.
            security_answer: Answer the caller gave to the security question.
        """
        record = self.customers[customer]
        given = {"born": born, "pin": pin, "security_answer": security_answer}
        given = {detail: said for detail, said in given.items() if said is not None}
        if len(given) < 2:
            raise ToolError("too_few_details", "An identity check needs at least two details.")
        missing = [detail for detail in given if not getattr(record, detail)]
        if missing:
            raise ToolError("not_on_file", f"There is no {' and no '.join(missing)} on file to compare with.")
        left = IDENTITY_TRIES - self._failures(customer)
        if left <= 0:
            raise ToolError(
                "identity_locked",
                "Too many identity checks failed within 24 hours.",
                kind="permission",
                hint="Ask the customer to visit a branch, or escalate.",
            )
        passed = all(_same(getattr(record, detail), said) for detail, said in given.items())
        self.checks.put(
            Check(
                id=self.checks.next_id("I-"),
                customer=customer,
                at=self.now,
                details=tuple(given),
                passed=passed,
            )
        )
        return {"passed": passed, "tries_left": IDENTITY_TRIES if passed else left - 1}

    @tool(
        writes=True, changes=["customers.address", "customers.phone", "customers.email"], reads=["customers"]
    )
    def change_contact(self, customer: str, address: str = "", phone: str = "", email: str = "") -> Customer:
        """Change how a customer is reached; what is left out stays as it is.

        Args:
            customer: The customer's id.
            address: New postal address on one line.
            phone: New phone number, for instance +1 202 555 0142.
            email: New email address.
        """
        record = self.customers[customer]
        new = {"address": address.strip(), "phone": phone.strip(), "email": email.strip()}
        new = {name: value for name, value in new.items() if value and value != getattr(record, name)}
        if not new:
            raise ToolError(
                "nothing_to_change", "Give an address, phone or email that differs from the record."
            )
        _, _, domain = new.get("email", "a@b.c").partition("@")
        if "." not in domain:
            raise ToolError("invalid_email", f"{email!r} is not an email address.")
        if "phone" in new and len(digits_of(new["phone"])) < 7:
            raise ToolError("invalid_phone", f"{phone!r} is not a phone number.")
        return self.customers.put(record.but(**new))

    def _failures(self, customer: str) -> int:
        """Failed identity checks of the last 24 hours since one last passed."""
        recent = [
            one for one in self.checks.where(customer=customer) if self.now - one.at < timedelta(hours=24)
        ]
        failures = 0
        for one in sorted(recent, key=lambda check: check.at):
            failures = 0 if one.passed else failures + 1
        return failures
