"""A few seeds of the chaos suite; `RISKBOX_CHAOS_SEEDS=50`, or `make chaos`, for more."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.chaos.judging import judging
from tests.chaos.trial import tried, undisturbed

pytestmark = pytest.mark.long

SEEDS = int(os.environ.get("RISKBOX_CHAOS_SEEDS", "0"))
LOCAL = range(1, 1 + SEEDS) if SEEDS else (5, 9)
RAY = range(101, 101 + SEEDS // 4) if SEEDS else (101,)

Expected = dict[bool, dict[str, str]]


@pytest.fixture(scope="module")
def judge() -> Iterator[str]:
    """The URL of a server of the model that judges."""
    with judging() as url:
        yield url


@pytest.fixture(scope="module")
def expected(judge: str) -> Expected:
    """What a run stores that nothing disturbs, without and with a judge."""
    return {False: undisturbed(""), True: undisturbed(judge)}


@pytest.mark.parametrize(
    ("engine", "seed"), [*[("local", one) for one in LOCAL], *[("ray", one) for one in RAY]]
)
def test_every_episode_is_stored_exactly_once_whatever_happens(
    engine: str, seed: int, expected: Expected, judge: str
) -> None:
    trial = tried(seed, expected, judge, engine)
    again = f"python -m tests.chaos --first {seed} --seeds 1 --engine {engine}"
    assert not trial.wrong, f"{trial}\nagain: {again}"
