"""A research data platform: SQL tables, datasets with validators, instruments, protocols and reagents."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.contracts.table import Row
from riskbox.tools.lab.database import Database
from riskbox.tools.lab.datasets import DatasetTools
from riskbox.tools.lab.generator import Laboratory
from riskbox.tools.lab.instruments import InstrumentTools
from riskbox.tools.lab.rows import Validator
from riskbox.tools.lab.sql import SqlTools
from riskbox.tools.lab.start import START, faults, fill_database
from riskbox.tools.lab.supplies import SupplyTools

if TYPE_CHECKING:
    from faker import Faker


class Lab(SqlTools, DatasetTools, InstrumentTools, SupplyTools):
    """A research data platform: SQL tables, datasets with validators, instruments, protocols and reagents."""

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Turn the bulk rows of the SQL tables into records, as SQLite stores them, and check every statement."""
        with closing(Database(START, random.Random(0))) as database:
            problems = list(fill_database(database, rows))
            for row in rows["validators"]:
                if isinstance(row, Validator) and not problems:
                    problems += faults(database, row)
        return problems

    @classmethod
    def generate(
        cls, fake: Faker, counts: Mapping[str, int], now: datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """The rows of a laboratory; see `Laboratory`."""
        return Laboratory(fake, counts, now).rows()
