"""Cases made from the example scenario, and episodes of them played in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.contracts.model import Ledger
from riskbox.sandbox.episode.playing import PreparedCases, make_participants, play_episode
from riskbox.sandbox.loading.loader import load, loads
from riskbox.sandbox.models.client import Clients, ModelOptions
from riskbox.sandbox.registry.evaluators import evaluator
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.modelcall import ModelRole
from riskbox.sandbox.words.run import Spec
from tests.sandbox.rows import hostile, row
from tests.sandbox.seats import Seated, reached

__all__ = ["hostile", "row"]  # fixtures of rows.py, for the folders that read rows

if TYPE_CHECKING:
    from riskbox.sandbox.stub.server import Stub


@pytest.fixture(scope="session")
def by_id(records: Path) -> dict[str, Case]:
    """The example's cases: owner, neighbour, owner+injection=mail, ..."""
    return {case.id.partition("/")[2]: case for case in cases([load(records)])}


Play = Callable[..., Played]


@pytest.fixture(scope="session")
def played() -> Play:
    """Plays a case with a built-in agent: `played(case, "reference:0", seed=1)`."""

    def one(case: Case, agent: str, seed: int = 1) -> Played:
        prepared = PreparedCases({case.hash: case})
        spec = Spec.of(case.hash, Cast(agent=agent), seed)
        return asyncio.run(
            play_episode(
                "test", spec, prepared.of(case.hash), make_participants(spec, case), [evaluator("checks")]
            )
        )

    return one


@pytest.fixture(scope="session")
def case_of(records: Path) -> Callable[[str], Case]:
    """The first case of a scenario text, rows relative to the example's folder."""

    def one(text: str) -> Case:
        return cases([loads(text, records)])[0]

    return one


@pytest.fixture
async def sit(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Seated]]:
    """Seats a model that the stub plays, over a transport: `http`, or a name of litellm's."""
    for name, value in reached(stub.url).items():
        monkeypatch.setenv(name, value)
    opened: list[Clients] = []

    def one(
        transport: str = "http",
        settings: dict[str, Any] | None = None,
        *,
        seat: ModelRole = "agent",
        seed: int = 1,
        clients: Clients | None = None,
        ledger: Ledger | None = None,
        **terms: Any,
    ) -> Seated:
        if clients is None:
            opened.append(clients := Clients(ModelOptions(**{"retries": 0, "seconds": 20.0, **terms})))
        name = f"{stub.url}/v1#stub" if transport == "http" else transport
        ledger = ledger or Ledger()
        return Seated(clients.model(name, seat, ledger, seed, settings), clients, ledger)

    yield one
    for clients in opened:
        await clients.close()
