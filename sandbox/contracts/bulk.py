"""Rows in bulk: what the generators of toolsets share.

class Branch(Bulk):
    '''A branch's customers and their accounts.'''

    prefixes = {"customers": "C-", "accounts": "A-"}

    def customers(self, count: int) -> Rows:
        for _ in range(count):
            yield {"name": self.fake.name()}

    def accounts(self, count: int) -> Rows:
        for _ in range(count):
            yield {"owner": self.random.choice(self.of("customers"))["id"]}

Branch(fake, {"customers": 40, "accounts": 55}, now).rows()
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from riskbox.sandbox.contracts.table import ToolError

if TYPE_CHECKING:
    from faker import Faker

Rows = Iterator[dict[str, Any]]
"""Rows as JSON, made one by one."""

FIRST = 1001
"""The number of a table's first generated id, clear of ids written by hand."""


class Bulk:
    """Makes the bulk rows of one world, table by table. Subclass it with one method a table.

    A method is named as its table, takes how many rows to make, and yields them as JSON. An id is added to a row that
    brings none.

    Args:
        fake: A seeded Faker; the same seed gives the same rows.
        counts: How many rows of which table are asked for.
        now: The world's clock at the start.
    """

    prefixes: ClassVar[Mapping[str, str]] = {}
    """The tables that can be made, each after those it draws on, and what their ids begin with."""

    def __init__(self, fake: Faker, counts: Mapping[str, int], now: datetime) -> None:
        self.fake, self.counts, self.now = fake, counts, now
        self.random: Random = fake.random
        self.made: dict[str, list[dict[str, Any]]] = {}
        self.making = ""
        """The table being made."""

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """The rows asked for, by table.

        Raises:
            ToolError: `cannot_generate`, where a table cannot be made, or not without another one.
        """
        for table in self.counts:
            if table not in self.prefixes:
                raise ToolError("cannot_generate", f"{table} cannot be generated; list the rows instead.")
        for table, prefix in self.prefixes.items():
            if count := self.counts.get(table, 0):
                self.making = table
                made = getattr(self, table)(count)
                self.made[table] = [{"id": f"{prefix}{FIRST + i}", **row} for i, row in enumerate(made)]
        return {table: self.made.get(table, []) for table in self.counts}

    def of(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table that the one being made cannot do without.

        Raises:
            ToolError: `cannot_generate`, where there are none.
        """
        if not self.made.get(table):
            raise ToolError("cannot_generate", f"To generate {self.making}, generate {table} too.")
        return self.made[table]
