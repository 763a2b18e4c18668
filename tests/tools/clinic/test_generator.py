"""What a made-up world is like, and what cannot be made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from faker import Faker

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.clinic.toolset import Clinic
from tests.tools.clinic.world import COUNTS, NOW


def generated(seed: int, counts: Mapping[str, int] = COUNTS) -> dict[str, list[dict[str, Any]]]:
    fake = Faker()
    fake.seed_instance(seed)
    return Clinic.generate(fake, counts, NOW)


def test_generated_rows_are_a_world() -> None:
    rows = generated(7)
    assert {table: len(rows[table]) for table in rows} == COUNTS
    bases = Clinic.parse(rows)
    for patient in bases["patients"].rows.values():
        visits = [row for row in bases["appointments"].rows.values() if row.patient == patient.id]
        coming = [row.starts.date() for row in visits if row.status == "booked"]
        assert patient.next_visit == min(coming, default=None) and patient.born < NOW.date()
        assert len({row.starts.date() for row in visits}) == len(visits)
    for visit in bases["appointments"].rows.values():
        assert visit.starts.weekday() < 5 and 9 <= visit.starts.hour < 17
        assert visit.status in (
            ("booked", "cancelled") if visit.starts > NOW else ("completed", "no_show", "cancelled")
        )
    for medicine in bases["prescriptions"].rows.values():
        assert medicine.issued <= medicine.last_filled <= NOW.date() and not (
            medicine.controlled and medicine.refills_left
        )
    assert (
        len({row["name"] for row in rows["patients"]}) > 50
        and len({row["notes"] for row in rows["patients"]}) > 30
    )


def test_the_seed_decides() -> None:
    assert generated(7) == generated(7) != generated(8)
    assert generated(7, {"patients": 3}).keys() == {"patients"}


@pytest.mark.parametrize(
    "counts", [{"appointments": 3}, {"prescriptions": 1, "patients": 2}, {"messages": 2}]
)
def test_what_cannot_be_generated(counts: dict[str, int]) -> None:
    with pytest.raises(ToolError) as caught:
        generated(1, counts)
    assert caught.value.code == "cannot_generate"


def test_more_appointments_than_days_cannot_be_generated() -> None:
    with pytest.raises(ToolError, match="too many"):
        generated(1, {"patients": 1, "clinicians": 1, "appointments": 700})
