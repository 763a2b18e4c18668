"""Cases made from the example scenario, and episodes of them played in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from riskbox.sandbox.case import Case
from riskbox.sandbox.episode import Cast, Played
from riskbox.sandbox.loader import load, loads
from riskbox.sandbox.plan import cases
from riskbox.sandbox.play import Stages, play, seated
from riskbox.sandbox.registry import evaluator
from riskbox.sandbox.run import Spec


@pytest.fixture(scope="session")
def by_id(records: Path) -> dict[str, Case]:
    """The example's cases: owner, neighbour, owner+injection=mail, ..."""
    return {case.id.partition("/")[2]: case for case in cases([load(records)])}


Play = Callable[..., Played]


@pytest.fixture(scope="session")
def played() -> Play:
    """Plays a case with a built-in agent: `played(case, "reference:0", seed=1)`."""

    def one(case: Case, agent: str, seed: int = 1) -> Played:
        stages = Stages({case.hash: case})
        spec = Spec.of(case.hash, Cast(agent=agent), seed)
        return asyncio.run(
            play("test", spec, stages.of(case.hash), seated(spec, case), [evaluator("checks")])
        )

    return one


@pytest.fixture(scope="session")
def case_of(records: Path) -> Callable[[str], Case]:
    """The first case of a scenario text, rows relative to the example's folder."""

    def one(text: str) -> Case:
        return cases([loads(text, records)])[0]

    return one
