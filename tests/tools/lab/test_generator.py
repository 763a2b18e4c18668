"""What a made-up world is like, and what cannot be made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from faker import Faker

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.lab.toolset import Lab
from tests.tools.lab.world import COUNTS, NOW, WORLD


def _generated(seed: int, counts: Mapping[str, int] = COUNTS) -> dict[str, list[dict[str, Any]]]:
    fake = Faker("en_US", use_weighting=False)
    fake.seed_instance(seed)
    return Lab.generate(fake, counts, NOW)


def test_generated_rows_parse_and_depend_on_the_seed_alone() -> None:
    made = _generated(1)
    assert {table: len(rows) for table, rows in made.items()} == COUNTS
    assert made == _generated(1) != _generated(2)
    bases = Lab.parse(made)
    written = {record["id"]: record["values"] for record in made["records"]}
    assert {id: record.values for id, record in bases["records"].rows.items()} == written
    assert all(run.started < NOW and run.started.weekday() < 5 for run in bases["runs"].rows.values())
    assert all(
        order.ordered_by in bases["reagents"].rows[order.reagent].licensed
        or not bases["reagents"].rows[order.reagent].controlled
        for order in bases["orders"].rows.values()
    )
    both = {table: [*WORLD.get(table, []), *made.get(table, [])] for table in {**WORLD, **made}}
    assert len(Lab.parse(both)["records"].rows) == 249


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"records": 5}, "generate tables too"),
        ({"audit": 5}, "audit cannot be generated"),
        ({"runs": 5}, "generate instruments too"),
    ],
)
def test_what_cannot_be_generated_is_said(counts: dict[str, int], said: str) -> None:
    with pytest.raises(ToolError, match=said):
        _generated(1, counts)
