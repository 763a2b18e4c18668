"""What tests share: small scenarios, one Ray cluster a session, and a way to run the command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.command import ENV, environment, invoke
from tests.terminal import Open, Terminal

if TYPE_CHECKING:
    from riskbox.sandbox.stub.server import Stub

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

CASES = Path(__file__).parent / "sandbox" / "cases"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what opens a browser, so that `make test` needs nothing that pip does not bring."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Logs and spill files of the commands that tests play lie in a folder of the tests, not in the user's."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def records() -> Path:
    """A scenario with two personas, an injection, a pressure variant, and references for all."""
    return CASES / "records.yaml"


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[None]:
    """A Ray cluster on this machine for the whole session."""
    from riskbox.sandbox.batch.actors import cluster

    with cluster.cluster(None):
        yield


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A provider of language models on loopback, scripted by the test: `stub.url`, `stub.script(...)`, `stub.requests`.

    A script that runs out, or whose function raises, fails the test at its end.
    """
    from riskbox.sandbox.stub.server import running

    with running() as listening:
        yield listening
    assert listening.errors == []


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def riskbox(tmp_path: Path) -> Command:
    """Runs `riskbox WORDS...` in a fresh folder and a process of its own, as a user would.

    `command` does the same much quicker where a test needs no process.
    """

    def run(
        *words: str | Path, stdin: str = "", timeout: float = 120, **env: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "riskbox.sandbox.cli", *map(str, words)],
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**environment(), **ENV, **env},
        )

    return run


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs `riskbox WORDS...` in a fresh folder and in this process; `tests/command.py` says what this cannot do."""

    def run(*words: str | Path, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        return invoke(*words, cwd=tmp_path, stdin=stdin, env=env)

    return run


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    """Opens `riskbox WORDS...` on a terminal in a fresh folder."""
    opened: list[Terminal] = []

    def one(*words: str | Path, **more: Any) -> Terminal:
        opened.append(Terminal(tmp_path, *words, **more))
        return opened[-1]

    yield one
    for each in opened:
        each.close()
