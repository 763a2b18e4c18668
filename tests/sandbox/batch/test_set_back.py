"""A Redis server that comes back as it was before: what it forgot is played again, and what it no longer takes is kept."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from riskbox.sandbox.batch.keeper import Keeper, whole_run
from riskbox.sandbox.batch.work import Judged
from riskbox.sandbox.stores import open_store
from tests.sandbox.batch.test_redis_runs import count, kill, whole
from tests.sandbox.batch.test_spill import Playing, gone, resumed, runs
from tests.sandbox.stores.conftest import Server

pytestmark = pytest.mark.long


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A Redis server with a password, which the test may kill."""
    (tmp_path / "redis").mkdir()
    made = Server(tmp_path / "redis")
    made.start()
    yield made
    kill(made)


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[..., Playing]]:
    """Starts a run in a fresh folder."""
    started: list[Playing] = []

    def start(*words: str) -> Playing:
        started.append(Playing(tmp_path, *words))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def keep(server: Server) -> None:
    """Take a copy of what the server has on its disk."""
    kill(server)
    shutil.copytree(server.folder, server.folder.with_name("before"))
    server.start()


def set_back(server: Server) -> None:
    """Start the server as it was when the copy was taken."""
    if server.process.poll() is None:
        kill(server)
    shutil.rmtree(server.folder)
    shutil.copytree(server.folder.with_name("before"), server.folder)
    server.start()


def test_a_run_plays_again_what_its_server_has_forgotten(
    play: Callable[..., Playing], server: Server, tmp_path: Path
) -> None:
    running = play("--store", server.url)
    running.asked(6)
    keep(server)
    before = count(server.url)
    running.asked(14)
    assert count(server.url) > before
    set_back(server)
    assert count(server.url) == before
    code, told = running.go()
    assert code == 0, told
    ((one,), told) = runs(tmp_path, "--store", server.url)
    assert (one["state"], one["episodes"], told) == ("done", 12, "")


def test_what_a_server_takes_no_more_because_it_forgot_the_driver_is_kept(
    play: Callable[..., Playing], server: Server, tmp_path: Path
) -> None:
    first = play("--store", server.url)
    first.asked(6)
    first.process.kill()
    first.process.wait()
    keep(server)
    for one in tmp_path.glob("asked*"):
        one.unlink()
    running = play("--store", server.url, "--resume", "latest")
    running.asked(4)
    kill(server)
    (tmp_path / "go").touch()
    time.sleep(2)  # it finishes what it has begun, and tries again meanwhile
    set_back(server)
    before = count(server.url)
    # told that it lost the run, it may find the server still on its way up
    file = gone(*running.go(), tmp_path, "(?:set back|no connection)", least=1)
    ((one,), told) = runs(tmp_path, "--store", server.url)
    assert one["state"] == "stopped" and one["episodes"] > before and str(file) in told
    assert whole(resumed(tmp_path, "--store", server.url))


def test_what_a_server_has_forgotten_is_not_judged(
    play: Callable[..., Playing], server: Server, tmp_path: Path
) -> None:
    running = play("--store", server.url)
    running.asked(6)
    keep(server)
    code, told = running.go()
    assert code == 0, told
    with open_store(server.url) as store:
        run = store.run().run
        played = store.done(run)
    set_back(server)
    with open_store(server.url) as store:
        (lost, *_) = played - store.done(run)
        (held, *_) = store.done(run)
        keeper = Keeper(store, whole_run(store, run, {}, (), is_new=False), 1)
        assert [one.id for one in keeper.judging([lost, held])] == [held]
        assert keeper.judged([Judged(lost, [])]) == [] and keeper.failed is None
