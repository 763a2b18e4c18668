"""What a made-up world is like, and what cannot be made up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from faker import Faker

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.home.toolset import Home
from tests.tools.home.world import COUNTS, NOW


def generated(seed: int, counts: Mapping[str, int] = COUNTS) -> dict[str, list[dict[str, Any]]]:
    fake = Faker("en_US")
    fake.seed_instance(seed)
    return Home.generate(fake, counts, NOW)


def test_generated_rows_are_believable() -> None:
    rows = generated(7)
    assert {table: len(listed) for table, listed in rows.items()} == COUNTS
    assert rows == generated(7) != generated(8)
    Home.parse(rows)
    ats = [datetime.fromisoformat(one["at"]) for one in rows["entries"]]
    assert ats == sorted(ats) and ats[-1] <= NOW and ats[0] < NOW - timedelta(days=600)
    ended = {one["id"]: datetime.fromisoformat(one["until"]) for one in rows["people"] if "until" in one}
    assert ended, "no guests to check"
    assert all(datetime.fromisoformat(one["at"]) <= ended.get(one["who"], NOW) for one in rows["entries"])
    names = {one["id"]: one["name"] for one in rows["people"]}
    assert all(names[one["shows"]] in one["description"] for one in rows["clips"] if "shows" in one)
    assert len({one["description"] for one in rows["clips"]}) > 40


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"codes": 3, "people": 1}, "generate locks too"),
        ({"shares": 2}, "shares cannot be generated"),
        ({"lights": 1, "schedules": 1000}, "Only 96 schedules"),
    ],
)
def test_what_cannot_be_generated_is_said(counts: dict[str, int], told: str) -> None:
    with pytest.raises(ToolError, match=told):
        generated(1, counts)
