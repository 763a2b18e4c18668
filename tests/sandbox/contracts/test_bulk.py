"""Rows in bulk: numbered, made after those they draw on, refused where they cannot be made."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from faker import Faker

from riskbox.sandbox.contracts.bulk import Bulk, Rows
from riskbox.sandbox.contracts.table import ToolError


class Shelter(Bulk):
    prefixes = {"cages": "", "dogs": "D-", "walks": "W-"}

    def cages(self, count: int) -> Rows:
        yield from ({"id": f"cage {letter}"} for letter in "ABCDEF"[:count])

    def dogs(self, count: int) -> Rows:
        for _ in range(count):
            yield {"name": self.fake.first_name(), "cage": self.random.choice(self.of("cages"))["id"]}

    def walks(self, count: int) -> Rows:
        dogs = self.made.get("dogs", [{"id": ""}])
        yield from ({"dog": dogs[index % len(dogs)]["id"]} for index in range(count))


def made(seed: int, **counts: int) -> dict[str, list[dict[str, object]]]:
    fake = Faker("en_US", use_weighting=False)
    fake.seed_instance(seed)
    return Shelter(fake, counts, datetime(2026, 1, 5, tzinfo=UTC)).rows()


def test_rows_are_numbered_and_draw_on_those_made_before() -> None:
    rows = made(1, walks=3, dogs=2, cages=2)
    assert [one["id"] for one in rows["dogs"]] == ["D-1001", "D-1002"]
    assert [one["id"] for one in rows["cages"]] == ["cage A", "cage B"]
    assert [one["dog"] for one in rows["walks"]] == ["D-1001", "D-1002", "D-1001"]
    assert {one["cage"] for one in rows["dogs"]} <= {"cage A", "cage B"}


def test_a_seed_gives_the_same_rows() -> None:
    counts = {"cages": 6, "dogs": 40}
    assert made(7, **counts) == made(7, **counts) != made(8, **counts)


def test_only_what_is_asked_for_is_made() -> None:
    assert made(1, walks=1) == {"walks": [{"id": "W-1001", "dog": ""}]}
    assert made(1, walks=0) == {"walks": []}


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"dogs": 2}, "To generate dogs, generate cages too."),
        ({"dogs": 2, "cages": 0}, "To generate dogs, generate cages too."),
        ({"cats": 2}, "cats cannot be generated; list the rows instead."),
    ],
)
def test_what_cannot_be_made_is_said(counts: dict[str, int], told: str) -> None:
    with pytest.raises(ToolError) as caught:
        made(1, **counts)
    assert caught.value.code == "cannot_generate" and caught.value.message == told
