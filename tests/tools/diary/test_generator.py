"""What a made-up world is like, and what cannot be made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from faker import Faker

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.diary.toolset import Diary
from tests.tools.diary.world import COUNTS, NOW


def generated(seed: int, counts: Mapping[str, int] = COUNTS) -> dict[str, list[dict[str, Any]]]:
    fake = Faker()
    fake.seed_instance(seed)
    return Diary.generate(fake, counts, NOW)


def test_generated_rows_are_a_world() -> None:
    rows = generated(7)
    assert {table: len(rows[table]) for table in rows} == COUNTS
    bases = Diary.parse(rows)
    events = list(bases["events"].rows.values())
    for index, one in enumerate(events):
        assert one.starts.weekday() < 5 and 9 <= one.starts.hour < 16
        for other in events[index + 1 :]:
            assert not (
                other.meets(one.starts, one.ends)
                and one.meets(other.starts, other.ends)
                and one.on & other.on
            )
    assert len({event.title for event in events}) > 20 and any(event.starts > NOW for event in events)
    assert {row.kind for row in bases["calendars"].rows.values()} == {"person", "room"}
    assert all(who in bases["calendars"].rows for event in events for who in event.on)


def test_the_seed_decides() -> None:
    assert generated(7) == generated(7) != generated(8)
    assert generated(7, {"calendars": 3}).keys() == {"calendars"}
    Diary.parse(generated(7, {"calendars": 1, "events": 20}))  # someone alone still has a diary


@pytest.mark.parametrize("counts", [{"events": 3}, {"shares": 1}, {"calendars": 1, "events": 9000}])
def test_what_cannot_be_generated(counts: dict[str, int]) -> None:
    with pytest.raises(ToolError) as caught:
        generated(1, counts)
    assert caught.value.code == "cannot_generate"
