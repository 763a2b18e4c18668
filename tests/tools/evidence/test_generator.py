"""What a made-up world is like, and what cannot be made up."""

from __future__ import annotations

import time
from typing import Any

import pytest
from faker import Faker

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.evidence.toolset import Evidence
from tests.tools.evidence.world import COUNTS, NOW, Office


def _generated(seed: int) -> dict[str, list[dict[str, Any]]]:
    fake = Faker()
    fake.seed_instance(seed)
    return Evidence.generate(fake, COUNTS, NOW)


def test_generated_rows_are_a_world() -> None:
    rows = _generated(3)
    assert rows == _generated(3) != _generated(4)
    assert {table: len(listed) for table, listed in rows.items()} == COUNTS
    office = Office(rows)
    assert all(document.intact for document in office.bases["documents"].rows.values())
    assert any(person.identity for person in office.bases["people"].rows.values())
    for row in office.rows("disclosures").values():
        for document, copy in row["copies"].items():
            shown = office.call("read_redacted", document=document)
            assert copy == f"{shown['title']}\n\n{shown['text']}"
    for document in rows["documents"]:
        assert document["dated"] <= "2026-03-02"
        chain = office.call("read_custody", item=document["id"])["entries"]
        assert [one["at"] for one in chain] == sorted(one["at"] for one in chain)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"documents": 3}, "generate cases too"),
        ({"cases": 2, "custody": 3}, "generate documents too"),
        ({"cases": 2, "notes": 3}, "notes cannot be generated"),
        ({"cases": 1, "documents": 2, "redactions": 99}, "redactions in 2 documents only"),
        ({"cases": 1, "documents": 1, "disclosures": 9}, "disclosures of so few documents only"),
        ({"cases": 1, "documents": 1, "custody": 99}, "custody entries only"),
    ],
)
def test_what_cannot_be_generated(counts: dict[str, int], said: str) -> None:
    fake = Faker()
    fake.seed_instance(1)
    with pytest.raises(ToolError, match=said):
        Evidence.generate(fake, counts, NOW)


def test_generating_is_quick() -> None:
    fake = Faker()
    fake.seed_instance(1)
    began = time.perf_counter()
    Evidence.parse(Evidence.generate(fake, {"cases": 40, "documents": 360}, NOW))
    assert time.perf_counter() - began < 3  # measured: 0.1 s
