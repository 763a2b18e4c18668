"""Environments of the visits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.gym import SandboxEnv
from riskbox.sandbox.registry import users
from tests.sandbox.gym.visits import REMOTE, SCENARIO, Person


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenarios")
    (folder / "remote.py").write_text(REMOTE)
    (folder / "remote.yaml").write_text(SCENARIO.replace("tools: [clinic", "tools: [remote, clinic", 1))
    found = folder / "visit.yaml"
    found.write_text(SCENARIO)
    return found


@pytest.fixture
def env(path: Path) -> Iterator[SandboxEnv]:
    made = SandboxEnv(path)
    yield made
    made.close()


@pytest.fixture
def remote(path: Path) -> Callable[..., SandboxEnv]:
    return lambda **more: SandboxEnv(
        path.with_name("remote.yaml"), toolsets=[f"{path.with_name('remote.py')}:Remote"], **more
    )


@pytest.fixture
def seat(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Person]:
    def seated(*moves: Any) -> Person:
        person = Person(*moves)
        monkeypatch.setattr(users, "user", lambda name, case, session=None: person)
        return person

    return seated
