"""Runs on a real Redis server that is killed, fills up, or speaks TLS, and on a disk that is full."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from riskbox.sandbox.stores import open_store
from tests.command import invoke
from tests.sandbox.batch.test_spill import RECORDS, Playing, gone, resumed, runs
from tests.sandbox.stores.conftest import Server, redis_binary, unused_port

pytestmark = pytest.mark.long


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A Redis server with a password, which the test may kill."""
    (tmp_path / "redis").mkdir()
    made = Server(tmp_path / "redis")
    made.start()
    yield made
    made.process.kill()
    made.process.wait()


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[..., Playing]]:
    """Starts a run in a fresh folder."""
    started: list[Playing] = []

    def start(*words: str, **env: str) -> Playing:
        started.append(Playing(tmp_path, *words, **env))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def kill(server: Server) -> None:
    server.process.kill()
    server.process.wait()


def count(url: str) -> int:
    with open_store(url) as store:
        return store.count(store.run().run)


def whole(episodes: list[dict[str, Any]]) -> bool:
    return len({one["id"] for one in episodes}) == len(episodes) == 12


def test_a_server_that_is_killed_and_comes_back_is_waited_for(
    play: Callable[..., Playing], server: Server, tmp_path: Path
) -> None:
    running = play("--store", server.url)
    running.asked(8)
    kill(server)
    (tmp_path / "go").touch()
    time.sleep(3)  # it finishes what it has begun, and tries again meanwhile
    assert running.process.poll() is None
    server.start()
    code, told = running.go()
    assert code == 0, told
    ((one,), told) = runs(tmp_path, "--store", server.url)
    assert (one["state"], one["episodes"], told) == ("done", 12, "")


def test_a_server_that_stays_away_leaves_a_spill_file(
    play: Callable[..., Playing], server: Server, tmp_path: Path
) -> None:
    running = play("--store", server.url, "--store-seconds", "1")
    running.asked(8)
    kill(server)
    file = gone(*running.go(), tmp_path, "no connection", least=1)
    assert file.parent == tmp_path / "state" / "riskbox"
    assert str(urlsplit(server.url).password) not in file.name + file.read_text()
    server.start()
    before = redis.Redis.from_url(server.url)
    stored = sum(before.zcard(one) for one in before.keys("riskbox:v1:run:*:order"))
    before.close()
    ((one,), told) = runs(tmp_path, "--store", server.url)
    assert told.startswith(f"riskbox: {file} held ") and told.count("\n") == 1
    assert one["episodes"] > stored and one["state"] == "stopped" and not file.exists()
    assert whole(resumed(tmp_path, "--store", server.url))


def test_a_server_that_has_lost_the_run_gets_it_anew(
    play: Callable[..., Playing], server: Server, tmp_path: Path
) -> None:
    running = play("--store", server.url, "--store-seconds", "1")
    running.asked(8)
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
    file = gone(*running.go(), tmp_path, "has no run", least=1)
    ((one,), told) = runs(tmp_path, "--store", server.url)
    assert one["state"] == "stopped" and one["planned"] == 12 and str(file) in told
    assert whole(resumed(tmp_path, "--store", server.url))


@pytest.mark.parametrize("how", ["memory", "replica"])
def test_a_server_that_takes_no_more(
    play: Callable[..., Playing], server: Server, tmp_path: Path, how: str
) -> None:
    running = play("--store", server.url, "--store-seconds", "1")
    running.asked(8)
    with redis.Redis.from_url(server.url) as client:
        if how == "memory":
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", 1)
        else:
            client.replicaof("127.0.0.1", str(unused_port()))
        file = gone(
            *running.go(), tmp_path, "memory is full" if how == "memory" else "this is a replica", least=1
        )
        ((one,), told) = runs(tmp_path, "--store", server.url)
        # it is still so: the file stays, and is spoken of
        assert file.exists() and f"{file} could not be put back into redis://" in told
        before = one["episodes"]
        if how == "memory":
            client.config_set("maxmemory", 0)
        else:
            client.replicaof("NO", "ONE")
    ((one,), told) = runs(tmp_path, "--store", server.url)
    assert one["episodes"] > before and one["state"] == "stopped" and not file.exists()
    assert whole(resumed(tmp_path, "--store", server.url))


def test_a_run_over_tls_with_a_password(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate, and is not installed")
    certificate, key, port = tmp_path / "cert.pem", tmp_path / "key.pem", unused_port()
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    served = [
        redis_binary(),
        "--port",
        "0",
        "--tls-port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--requirepass",
        "opensesame",
    ]
    served += [
        "--tls-cert-file",
        str(certificate),
        "--tls-key-file",
        str(key),
        "--tls-auth-clients",
        "no",
        "--save",
        "",
    ]
    process = subprocess.Popen(
        [*served, "--dir", str(tmp_path)], text=True, stdout=-1, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    try:
        said = ""
        while "Ready to accept connections" not in said:
            line = process.stdout.readline()
            said += line
            if not line:
                if "tls-port" in said:
                    pytest.skip("this redis-server was built without TLS")
                pytest.fail(said)
        url = f"rediss://:opensesame@127.0.0.1:{port}/0?ssl_ca_certs={certificate}"
        done = invoke(
            "run", RECORDS, "--agent", "reference", "--local", "--quiet", "--store", url, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        assert "opensesame" not in done.stdout + done.stderr
        assert count(url) > 0
        refused = invoke("list", "--store", url.partition("?")[0], cwd=tmp_path)
        assert refused.returncode == 3 and "no TLS connection" in refused.stderr
    finally:
        process.kill()
        process.communicate()


def test_a_full_disk_leaves_a_spill_file_elsewhere(play: Callable[..., Playing], tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this platform lets nobody mount a small disk")
    try:
        url = f"sqlite:///{small}/runs.db"
        running = play("--store", url, "--store-seconds", "1")
        running.asked(8)
        with (small / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"\0" * 4096)
            except OSError:
                pass
        file = gone(*running.go(), tmp_path, "runs.db", least=1)
        assert re.search(r"/state/riskbox/\w+\.\w+\.spill$", str(file))
        os.unlink(small / "filler")
        ((one,), told) = runs(tmp_path, "--store", url)
        assert str(file) in told and one["state"] == "stopped"
        assert whole(resumed(tmp_path, "--store", url))
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)
