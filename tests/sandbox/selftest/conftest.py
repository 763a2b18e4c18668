"""Labelled agents of a shipped scenario, and a bench on which models are tried."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from riskbox.sandbox.loading.loader import load_all, shipped
from riskbox.sandbox.models.client import Clients, ModelOptions
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.selftest.bench import Bench
from riskbox.sandbox.selftest.sample import Labelled, labelled


@pytest.fixture(scope="session")
def agents_of_clinic() -> Sequence[Labelled]:
    """The labelled agents of one scenario."""
    toolbox = Toolbox()
    return labelled(load_all([shipped() / "healthcare" / "records_for_a_neighbour.yaml"], toolbox), toolbox)


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    """A bench on which one trial goes on at a time."""
    clients = Clients(ModelOptions(retries=0))
    yield Bench(clients, at_once=1)
    await clients.close()
