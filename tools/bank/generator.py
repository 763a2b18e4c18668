"""Bulk rows of a branch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from riskbox.sandbox.contracts.bulk import FIRST, Bulk, Rows
from riskbox.tools.bank.iban import check_digits
from riskbox.tools.bank.rows import Kind

if TYPE_CHECKING:
    from faker import Faker


SHOPS: tuple[tuple[Kind, float, float, str, tuple[str, ...]], ...] = (
    # kind, median amount, how often compared with the others, reference, who is paid
    ("card", 34.0, 9, "groceries", ("Harvest Lane Market", "Freshway", "Corner Pantry", "Bio Garten")),
    ("card", 19.0, 6, "table", ("Cafe Lumen", "Noodle Yard", "The Copper Kettle", "Trattoria Nino")),
    ("card", 42.0, 4, "order", ("Parcelo", "Nordwear", "Book Harbour", "Gadgetry Online", "Petalbox")),
    ("card", 11.0, 4, "ticket", ("City Transit", "Regional Rail", "Zip Scooters", "Riverside Parking")),
    ("card", 56.0, 2, "fuel", ("Eastgate Fuel", "Orbit Station", "Ring Road Services")),
    ("card", 16.0, 2, "pharmacy", ("Linden Pharmacy", "Well & Co", "St. Mark Pharmacy")),
    ("cash", 60.0, 2, "withdrawal", ("Cash machine Main Street", "Cash machine Central Station")),
    ("transfer", 45.0, 2, "thanks", ("Sports club", "Parents' association", "Choir", "Neighbourhood fund")),
    ("fee", 4.9, 1, "account fee", ("Account services",)),
)

MONTHLY: tuple[tuple[Kind, float, int, str, tuple[str, ...]], ...] = (
    # kind, median amount, day of the month, reference, who is paid
    ("standing_order", 870.0, 1, "rent", ("Hausverwaltung Krug", "Lakeview Lettings", "Old Mill Housing")),
    ("direct_debit", 74.0, 4, "electricity", ("Volta Energy", "Stadtwerke", "Brightgrid")),
    ("direct_debit", 29.0, 12, "mobile", ("Tellio", "Pulse Mobile", "Fonix")),
)

BILLERS = (
    ("Volta Energy", 120.0),
    ("City Waterworks", 64.0),
    ("Tellio", 31.0),
    ("Dr. Brandt Dental", 180.0),
)

QUESTIONS = (
    "What was your first pet called?",
    "In which street did you grow up?",
    "Your mother's maiden name?",
)


class Branch(Bulk):
    """A branch's customers with their accounts, years of bookings that add up to the balances, payees, cards, bills."""

    prefixes: ClassVar[Mapping[str, str]] = {
        "customers": "C-",
        "accounts": "A-",
        "payees": "Y-",
        "cards": "K-",
        "bills": "B-",
        "transactions": "T-",
    }

    def __init__(self, fake: Faker, counts: Mapping[str, int], now: datetime) -> None:
        super().__init__(fake, counts, now)
        self.today = now.date()
        self._ibans: dict[str, str] = {}

    def customers(self, count: int) -> Rows:
        """Adults of all ages who joined over the last decades."""
        for number in range(FIRST, FIRST + count):
            first, last = self.fake.first_name(), self.fake.last_name()
            born = self.today - timedelta(days=round(self.random.triangular(23, 92, 41) * 365.25))
            age = (self.today - born).days
            yield {
                "name": f"{first} {last}",
                "born": born.isoformat(),
                "address": self.fake.address().replace("\n", ", "),
                "phone": self.fake.numerify("+1 %## 555 01##"),
                "email": f"{first}.{last}{number % 100}@{self.random.choice(('example.com', 'example.org'))}".lower(),
                "pin": f"{self.random.randrange(10_000):04d}",
                "security_question": self.random.choice(QUESTIONS),
                "security_answer": self.fake.last_name(),
                "since": (
                    self.today - timedelta(days=self.random.randrange(5 * 365, age - 17 * 365))
                ).isoformat(),
            }

    def accounts(self, count: int) -> Rows:
        """A current account for everyone, then savings."""
        customers = self.of("customers")
        for index in range(count):
            first = index < len(customers)
            owner = customers[index] if first else self.random.choice(customers)
            yield {
                "owner": owner["id"],
                "kind": "current" if first else "savings",
                "iban": self._iban(f"account {index}"),
                "balance": self._amount(1400 if first else 5200, 0.9),
                "overdraft": self.random.choice((0.0, 0.0, 500.0, 1000.0)) if first else 0.0,
                "daily_limit": self.random.choice((1000.0, 2000.0, 2000.0, 3000.0, 5000.0)),
            }

    def payees(self, count: int) -> Rows:
        """Landlords, tradespeople and relatives, all long-standing."""
        for _ in range(count):
            relative = self.random.random() < 0.6
            name = f"{self.fake.first_name()} {self.fake.last_name()}" if relative else self.fake.company()
            yield {"owner": self._payer(), "name": name, "iban": self._iban(name)}

    def cards(self, count: int) -> Rows:
        """Mostly active cards; a few frozen or blocked."""
        accounts = [one for one in self.of("accounts") if one["kind"] == "current"]
        for index in range(count):
            expires = (self.today + timedelta(days=self.random.randrange(20, 4 * 365))).replace(day=28)
            yield {
                "account": accounts[index % len(accounts)]["id"],
                "number": f"**** **** **** {self.random.randrange(10_000):04d}",
                "expires": expires.isoformat(),
                "status": self.random.choices(("active", "frozen", "blocked"), (90, 4, 6))[0],
                "pin": f"{self.random.randrange(10_000):04d}",
            }

    def bills(self, count: int) -> Rows:
        """Utility, medical and trade bills, the older ones mostly paid."""
        for _ in range(count):
            biller, median = self.random.choice(BILLERS)
            due = self.today + timedelta(days=self.random.randrange(-300, 30))
            paid = due < self.today and self.random.random() < 0.95
            yield {
                "customer": self._payer(),
                "biller": biller,
                "iban": self._iban(biller),
                "amount": self._amount(median, 0.4),
                "due": due.isoformat(),
                "reference": f"{due.year}-{self.random.randrange(100_000):05d}",
                "status": "paid" if paid else "open",
            }

    def transactions(self, count: int) -> Rows:
        """Up to four years of bookings, oldest first; opening balances are raised so that none overdraws."""
        accounts = self.of("accounts")
        booked = []
        for index, account in enumerate(accounts):
            share = len(range(index, count, len(accounts)))
            history = sorted(self._history(account, share), key=lambda one: one["at"])
            total, lowest = 0.0, 0.0
            for one in history:
                total = round(total + one["amount"], 2)
                lowest = min(lowest, total)
            account["balance"] = round(account["balance"] + total - lowest, 2)
            booked += history
        for one in sorted(booked, key=lambda one: one["at"]):
            yield {**one, "at": one["at"].isoformat()}

    def _history(self, account: dict[str, Any], count: int) -> list[dict[str, Any]]:
        """Some bookings of an account: half of them the latest monthly ones, the rest scattered over at least a year."""
        months = max(12, min(48, count // 4))
        monthly = sorted(self._monthly(account, months), key=lambda one: one["at"], reverse=True)
        regular = monthly[: (count + 1) // 2]
        return regular + [self._purchase(account, months * 30) for _ in range(count - len(regular))]

    def _monthly(self, account: dict[str, Any], months: int) -> list[dict[str, Any]]:
        """Salary, rent and the like for some months back; interest for savings."""
        if account["kind"] == "savings":
            habits = [("interest", account["balance"] * 0.002, 28, "interest", "Savings")]
        else:
            pay = self._amount(2600, 0.35)
            habits = [("salary", pay, 25, "salary", self.fake.company())]
            # without it, years of salary would pile up
            habits.append(("standing_order", -round(pay / 2, -1), 27, "household", "Household account"))
            habits += [
                (kind, -self._amount(median, 0.2), day, reference, self.random.choice(names))
                for kind, median, day, reference, names in MONTHLY
            ]
        booked = []
        for kind, amount, day, reference, name in habits:
            month = self.today
            for _ in range(months):
                at = datetime.combine(_banking_day(month.replace(day=day)), time(6), self.now.tzinfo)
                if at <= self.now:
                    booked.append(self._booking(account, at, amount, kind, name, reference))
                month = month.replace(day=1) - timedelta(days=1)
        return booked

    def _purchase(self, account: dict[str, Any], days: int) -> dict[str, Any]:
        at = self.now - timedelta(days=self.random.uniform(0, days))
        at = min(self.now, at.replace(hour=self.random.randrange(7, 22), second=0, microsecond=0))
        if account["kind"] == "savings":
            amount = float(round(self._amount(150, 0.6), -1)) * self.random.choice((1, 1, 1, -1))
            return self._booking(account, at, amount or 50.0, "own", self._name(account), "savings")
        kind, median, _, reference, names = self.random.choices(SHOPS, [shop[2] for shop in SHOPS])[0]
        spent = self._amount(median, 0.6) if kind != "cash" else self.random.choice((20, 50, 50, 100, 200))
        return self._booking(account, at, -spent, kind, self.random.choice(names), reference)

    def _booking(
        self, account: dict[str, Any], at: datetime, amount: float, kind: str, name: str, reference: str
    ) -> dict[str, Any]:
        paid = {"account": account["id"], "at": at, "amount": round(float(amount), 2), "kind": kind}
        return {**paid, "counterparty": name, "reference": reference}

    def _name(self, account: dict[str, Any]) -> str:
        return next(str(one["name"]) for one in self.of("customers") if one["id"] == account["owner"])

    def _payer(self) -> str:
        """A customer's id, of one who has an account where there are any."""
        if accounts := self.made.get("accounts"):
            return str(self.random.choice(accounts)["owner"])
        return str(self.random.choice(self.of("customers"))["id"])

    def _amount(self, median: float, spread: float) -> float:
        return round(float(self.random.lognormvariate(math.log(median), spread)), 2)

    def _iban(self, whose: str) -> str:
        """The same IBAN for the same name, as billers have."""
        if whose not in self._ibans:
            rest = f"DE00{self.random.randrange(10**18):018d}"
            self._ibans[whose] = f"DE{check_digits(rest)}{rest[4:]}"
        return self._ibans[whose]


def _banking_day(day: date) -> date:
    """The day itself, or the Friday before a weekend."""
    return day - timedelta(days=max(0, day.weekday() - 4))
