"""A run on Redis whose episodes another process watches while they are played."""

from __future__ import annotations

import logging
import signal
import sys
import time
from pathlib import Path

import pytest
import redis

from riskbox.sandbox.batch import live
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.rules.state import PreparedCase
from riskbox.sandbox.rules.transition import begin, step
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing.samples import sample_case, sample_specs
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.event import Said
from riskbox.sandbox.words.input import Acted
from riskbox.sandbox.words.playing import Playing
from tests.sandbox.playing import playing, until
from tests.sandbox.stores.conftest import Server


def watched(store: Store) -> list[Playing]:
    feed = store.live()
    assert feed is not None
    return feed.playing(store.run().run) if store.runs() else []


def texts(store: Store, id: str) -> list[str]:
    feed = store.live()
    assert feed is not None
    return [one.text for one in feed.follow(store.run().run, id, wait=0.05).events if isinstance(one, Said)]


def keys(url: str) -> list[bytes]:
    with redis.Redis.from_url(url) as client:
        return list(client.keys("*:live*"))


@pytest.mark.long
def test_an_episode_is_read_while_it_is_played_and_nothing_is_left_of_it(
    own_server: Server, tmp_path: Path, records: Path
) -> None:
    url = own_server.url
    words = (records, "--local", "--quiet", "--store", url, "--persona", "neighbour", "--variant", "none")
    with playing(tmp_path, *words) as player, open_store(url) as store:
        until(lambda: len(watched(store)) == 1 and len(texts(store, watched(store)[0].id)) == 1)
        (one,) = watched(store)
        assert one.spec.cast.agent.startswith("slow.py:agent") and one.attempt == 1
        # the server dies and comes back in between, and the player plays on
        own_server.process.send_signal(signal.SIGKILL)
        own_server.process.wait()
        player.answer(1)
        assert "cannot be shown while they are played" in (player.process.stderr or sys.stderr).readline()
        own_server.start()
        until(lambda: len(texts(store, one.id)) == 3)
        assert texts(store, one.id)[1] == "Answer [bold]1[/] \x1b[31m."
        assert watched(store)[0].turn == 3
        code, told = player.finish()
        assert code == 0, told
        assert own_server.password not in told
        run = store.run()
        assert run.state == "done" and own_server.password not in run.model_dump_json()
        assert own_server.password not in store.episode(run.run, one.id).model_dump_json()
        assert watched(store) == []
        assert keys(url) == []


@pytest.mark.long
def test_what_a_killed_run_leaves_expires_and_the_run_that_goes_on_shows_its_own(
    own_server: Server, tmp_path: Path, records: Path
) -> None:
    url = own_server.url
    words = (records, "--local", "--store", url, "--persona", "neighbour", "--variant", "none")
    with playing(tmp_path, *words) as player, open_store(url) as store:
        until(lambda: len(watched(store)) == 1)
        player.process.kill()
    with redis.Redis.from_url(url) as client:
        assert keys(url) and all(0 < client.ttl(key) <= 120 for key in keys(url))
    with playing(tmp_path, "--no-live", *words) as player, open_store(url) as store:
        until(lambda: len(store.runs()) == 2)
        time.sleep(1.5)
        assert watched(store) == []
        assert player.finish()[0] == 0


def test_a_feed_that_cannot_be_reached_is_told_once_and_disturbs_nothing(
    free_port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live, "EVERY", 0.02)
    monkeypatch.setattr(live, "AWAY", 0.02)
    case = sample_case()
    (spec,) = sample_specs([case])
    state = begin(PreparedCase.of(case, {}), 1)
    caplog.set_level(logging.WARNING, "riskbox")
    publisher = live.LivePublisher("r", f"redis://:secret@127.0.0.1:{free_port}/0")
    watch = publisher.watcher(spec, 1)
    watch(state)
    until(lambda: bool(publisher.complaint))
    state, _ = step(state, Acted(by="user", action=Action(text="Hello?")))
    watch(state)
    time.sleep(0.3)
    publisher.over([spec.id])
    publisher.close()
    (said,) = [one.getMessage() for one in caplog.records]
    assert str(free_port) in said and "secret" not in said
