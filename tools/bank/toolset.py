"""A retail bank as its service desk sees it: customers, accounts, payments, cards, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.contracts.table import Row
from riskbox.tools.bank.accounts import AccountTools
from riskbox.tools.bank.cards import CardTools
from riskbox.tools.bank.customers import CustomerTools
from riskbox.tools.bank.disputes import DisputeTools
from riskbox.tools.bank.generator import Branch
from riskbox.tools.bank.iban import check_digits, looks_like_iban
from riskbox.tools.bank.payments import PaymentTools
from riskbox.tools.bank.rows import Account, Bill, Payee, Transaction

if TYPE_CHECKING:
    from faker import Faker


class Bank(CustomerTools, AccountTools, PaymentTools, CardTools, DisputeTools):
    """A retail bank's service desk: customers, accounts, payments, cards, disputes and fraud alerts."""

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """IBANs that no bank would issue, and IBANs given to more than one account."""
        numbers = [
            (table, row.id, row.iban)
            for table in ("accounts", "payees", "transactions", "bills")
            for row in rows[table]
            if isinstance(row, Account | Payee | Transaction | Bill) and row.iban
        ]
        problems = []
        for table, id, iban in numbers:
            if not looks_like_iban(iban):
                problems.append(f"{table} {id}: {iban!r} is not an IBAN.")
            elif (right := check_digits(iban)) != iban[2:4]:
                problems.append(
                    f"{table} {id}: IBAN {iban!r} needs the check digits {right}, not {iban[2:4]}."
                )
        issued = [iban for table, _, iban in numbers if table == "accounts"]
        doubled = sorted({iban for iban in issued if issued.count(iban) > 1})
        return problems + [f"accounts: IBAN {iban!r} is given to more than one." for iban in doubled]

    @classmethod
    def generate(
        cls, fake: Faker, counts: Mapping[str, int], now: datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """The rows of a branch; see `Branch`."""
        return Branch(fake, counts, now).rows()
