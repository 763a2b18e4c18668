"""Episodes in which language models play_episode, answered by a provider on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from riskbox.sandbox.contracts.model import ModelSession
from riskbox.sandbox.episode.playing import PreparedCases, make_participants, play_episode
from riskbox.sandbox.models.client import Clients
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.run import Spec

if TYPE_CHECKING:
    from riskbox.sandbox.stub.server import Stub

Modelled = Callable[..., Played]


@pytest.fixture
def modelled(stub: Stub) -> Modelled:
    """Plays a case with models of the stub: `modelled(case, user="u", agent="text:a")`; names without `:` stay."""

    def one(case: Case, *, user: str = "", agent: str = "", seed: int = 1) -> Played:
        def place(name: str) -> str:
            kind, _, model = name.rpartition(":")
            return f"{kind}:{stub.url}/v1#{model}" if kind else f"{stub.url}/v1#{model}"

        cast = Cast(agent=place(agent) if agent else "idle", user=place(user) if user else "scripted")
        return asyncio.run(_played(case, cast, seed))

    return one


async def _played(case: Case, cast: Cast, seed: int) -> Played:
    models = Clients()
    session = ModelSession(models, seed)
    spec = Spec.of(case.hash, cast, seed)
    try:
        prepared = PreparedCases({case.hash: case}).of(case.hash)
        return await play_episode(
            "test", spec, prepared, make_participants(spec, case, session), [], session=session
        )
    finally:
        await models.close()
