"""The plan of a run as one record: small in the store, small in memory, and read whichever release wrote it."""

from __future__ import annotations

import json
import sys
import tracemalloc
import zlib
from dataclasses import replace
from typing import Any

import pytest

from riskbox.sandbox.errors import StoreError, StoreVersion
from riskbox.sandbox.stores import plan, record
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.run import Spec

CASTS = (
    Cast(agent="reference:0"),
    Cast(agent="a.py:f", settings={"agent": {"t": 0.5}}, code={"agent": "ab"}),
)


def some(count: int) -> list[Spec]:
    return [
        Spec.of(f"{n % 7:064x}", CASTS[n % 2].model_copy(), n // 14)
        if n % 5
        else replace(Spec.of(f"{n % 7:064x}", CASTS[0], n), retake=1)
        for n in range(count)
    ]


def test_a_plan_is_read_as_it_was_written() -> None:
    specs = [*some(200), Spec("no hash \ud800", "case \u2028", Cast(agent="\ud800"), -(10**30))]
    assert plan.unpacked(plan.packed(specs)) == specs
    assert plan.unpacked(plan.packed([])) == []


def test_the_plan_of_an_earlier_release_is_read() -> None:
    specs = some(50)
    written = [
        {"id": one.id, "case": one.case, "cast": one.cast.model_dump(mode="json"), "seed": one.seed}
        | ({"retake": one.retake} if one.retake else {})
        for one in specs
    ]
    for version in ({"version": 1}, {"version": 1, "later": 3}):
        assert plan.unpacked(zlib.compress(json.dumps({**version, "specs": written}).encode())) == specs


def test_specs_that_are_read_share_what_they_have_in_common() -> None:
    specs = plan.unpacked(plan.packed(some(200)))
    assert len({id(one.cast) for one in specs}) == 2 and len({id(one.case) for one in specs}) == 7


def test_a_spec_takes_less_than_300_bytes() -> None:
    blob = plan.packed(some(20_000))
    tracemalloc.start()
    try:
        specs = plan.unpacked(blob)
        held = {one.id: one for one in specs}
        size = tracemalloc.get_traced_memory()[0] / len(held)
    finally:
        tracemalloc.stop()
    assert size < 300 and not hasattr(specs[0], "__dict__"), (size, sys.getsizeof(specs[0]))


@pytest.mark.parametrize(
    "change",
    [
        {"ids": ["a"]},
        {"cases": []},
        {"case": [0, 9]},
        {"cast": [0, -9]},
        {"cast": [0, -1]},
        {"seeds": [1, "x"]},
        {"casts": [3]},
        {"version": 1},
        {"version": 1, "specs": [{"id": "a"}]},
    ],
)
def test_a_damaged_plan_is_said_to_be_damaged(change: dict[str, Any]) -> None:
    fields = json.loads(record.text(plan.Plan.of(some(2))))
    with pytest.raises(StoreError):
        plan.unpacked(zlib.compress(json.dumps({**fields, **change}).encode()))


def test_the_plan_of_a_later_release_is_refused() -> None:
    with pytest.raises(StoreVersion):
        plan.unpacked(zlib.compress(b'{"version": 3}'))
