"""Episodes that are being played, seen through a real Redis server by another process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from riskbox.sandbox.contracts.live import LiveFeed, News
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import StoreError
from riskbox.sandbox.stores import has_feed, open_feed, open_store
from riskbox.sandbox.testing.samples import packed, sample_case, sample_played, sample_run, sample_specs
from riskbox.sandbox.words.event import Event, Said
from riskbox.sandbox.words.playing import Playing
from riskbox.sandbox.words.run import Manifest, Spec
from tests.sandbox.stores.conftest import Server

CASE = sample_case()
SPECS = sample_specs([CASE], seeds=3)


@pytest.fixture
def store(redis_url: str) -> Iterator[Store]:
    with open_store(redis_url) as store:
        yield store


@pytest.fixture
def run(store: Store) -> str:
    begun = sample_run([CASE], seeds=3)
    store.begin(begun, [CASE], SPECS)
    return begun.run


@pytest.fixture
def feed(redis_url: str) -> Iterator[LiveFeed]:
    """A worker's own connection."""
    feed = open_feed(redis_url)
    yield feed
    feed.close()


def reader(store: Store) -> LiveFeed:
    found = store.live()
    assert found is not None
    return found


def said(first: int, last: int) -> list[Event]:
    """What the user says, event by event."""
    return [
        Said(index=n, time=n, audience=("agent", "user"), by="user", text=f"line {n}")
        for n in range(first, last)
    ]


def news(events: list[Event], spec: Spec = SPECS[0], *, attempt: int = 1, since: float = 1.0) -> News:
    playing = Playing(spec=spec, case=CASE.id, attempt=attempt, turn=len(events), since=since, host="here")
    return News(playing, events)


def keys(url: str, pattern: str = "*:live*") -> list[bytes]:
    with redis.Redis.from_url(url) as client:
        return sorted(client.keys(pattern))


def test_what_is_played_is_listed_and_read_from_any_place_on(store: Store, feed: LiveFeed, run: str) -> None:
    assert reader(store).playing(run) == []
    assert feed.publish(run, "w1", [news([], SPECS[1], since=2.0), news(said(0, 2))]) == set()
    first, second = reader(store).playing(run)
    assert (first.id, first.case, first.turn, first.host) == (SPECS[0].id, CASE.id, 2, "here")
    assert second.spec == SPECS[1]
    seen = reader(store).follow(run, first.id)
    assert (seen.attempt, list(seen.events)) == (1, said(0, 2))
    feed.publish(run, "w1", [news(said(2, 3))])
    assert reader(store).follow(run, first.id, seen.after).events == said(2, 3)
    assert reader(store).follow(run, first.id).events == said(0, 3)
    nothing = reader(store).follow(run, second.id, reader(store).follow(run, second.id).after, wait=0.01)
    assert nothing.events == [] and nothing.attempt == 0


def test_the_stored_episode_ends_what_was_shown_of_it(
    store: Store, feed: LiveFeed, run: str, redis_url: str
) -> None:
    feed.publish(run, "w1", [news(said(0, 2)), news(said(0, 1), SPECS[1])])
    store.write(run, [packed(sample_played(run, CASE, SPECS[0].seed))])
    assert [one.id for one in reader(store).playing(run)] == [SPECS[1].id]
    # what was still on its way comes too late
    assert feed.publish(run, "w1", [news(said(2, 3))]) == set()
    assert [key for key in keys(redis_url, "*:live:events:*") if SPECS[0].id.encode() in key] == []
    store.finish(run, "done")
    assert feed.publish(run, "w1", [news(said(1, 2), SPECS[1])]) == set()
    assert keys(redis_url) == []


def test_a_later_attempt_takes_the_place_of_an_earlier_one(store: Store, feed: LiveFeed, run: str) -> None:
    feed.publish(run, "w1", [news(said(0, 3))])
    seen = reader(store).follow(run, SPECS[0].id)
    # at once, within the millisecond by which the server numbers entries
    feed.publish(run, "w2", [news(said(0, 1), attempt=2)])
    assert feed.publish(run, "w1", [news(said(3, 4))]) == set()
    later = reader(store).follow(run, SPECS[0].id, seen.after)
    assert (later.attempt, later.events) == (2, said(0, 1))
    assert [(one.id, one.attempt) for one in reader(store).playing(run)] == [(SPECS[0].id, 2)]
    # an episode whose worker died is stored as the attempt that ended
    store.write(run, [packed(sample_played(run, CASE, SPECS[0].seed, attempt=1))])
    assert [one.attempt for one in reader(store).playing(run)] == [2]
    assert feed.publish(run, "w2", [news(said(1, 2), attempt=2)]) == {SPECS[0].id}


def test_a_worker_that_leaves_takes_all_of_its_own_along(
    store: Store, feed: LiveFeed, run: str, redis_url: str
) -> None:
    feed.publish(run, "w1", [news(said(0, 2)), news(said(0, 1), SPECS[1])])
    feed.publish(run, "w2", [news(said(0, 1), SPECS[2], since=2.0)])
    feed.drop(run, "w1", [SPECS[0].id])
    assert [one.id for one in reader(store).playing(run)] == [SPECS[1].id, SPECS[2].id]
    feed.leave(run, "w1")
    assert [one.id for one in reader(store).playing(run)] == [SPECS[2].id]
    feed.leave(run, "w2")
    assert keys(redis_url) == []


def test_what_a_killed_worker_leaves_expires_unless_it_is_renewed(
    store: Store, feed: LiveFeed, run: str, redis_url: str
) -> None:
    feed.publish(run, "w1", [news(said(0, 2))])
    with redis.Redis.from_url(redis_url) as client:
        assert len(keys(redis_url)) == 3
        for key in keys(redis_url):
            assert 0 < client.ttl(key) <= 120
            client.expire(key, 5)
        assert feed.renew(run, "w1", [SPECS[0].id]) == set()
        assert all(client.ttl(key) > 100 for key in keys(redis_url))
        client.unlink(*keys(redis_url))
    assert feed.renew(run, "w1", [SPECS[0].id]) == {SPECS[0].id}


def test_an_episode_has_a_bounded_stream(store: Store, feed: LiveFeed, run: str, redis_url: str) -> None:
    for n in range(600):
        feed.publish(run, "w1", [news(said(n, n + 1))])
    seen = reader(store).follow(run, SPECS[0].id)
    assert [one.index for one in seen.events] == list(range(100, 600))
    huge = Said(index=600, time=0, audience=(), by="user", text="x" * 300_000)
    feed.publish(run, "w1", [news([huge, *said(601, 602)])])
    assert [one.index for one in reader(store).follow(run, SPECS[0].id, seen.after).events] == [601]


def test_a_thousand_episodes_take_little_memory_and_leave_nothing(
    store: Store, feed: LiveFeed, redis_url: str
) -> None:
    begun: Manifest = sample_run([CASE], seeds=1000)
    specs = sample_specs([CASE], seeds=1000)
    store.begin(begun, [CASE], specs)
    with redis.Redis.from_url(redis_url) as client:
        before = client.info("memory")["used_memory"]
        for n in range(20):
            assert not feed.publish(begun.run, "w1", [news(said(n, n + 1), spec) for spec in specs])
        assert len(reader(store).playing(begun.run)) == 1000
        used = client.info("memory")["used_memory"] - before
        assert used < 8 * 2**20
        store.finish(begun.run, "stopped")
        assert keys(redis_url) == []


def test_a_server_that_is_away_is_told_in_one_sentence_without_the_password(own_server: Server) -> None:
    feed = open_feed(own_server.url)
    own_server.stop()
    with pytest.raises(StoreError) as told:
        feed.publish("r", "w", [news(said(0, 1))])
    assert own_server.password not in str(told.value) and str(own_server.port) in str(told.value)
    own_server.start()


def test_only_redis_has_a_feed(tmp_path: object) -> None:
    assert has_feed("redis://host") and has_feed("rediss://host/1") and not has_feed("runs.db")
    with open_store(f"sqlite:///{tmp_path}/runs.db") as store:
        assert store.live() is None


def test_reading_waits_for_what_happens(store: Store, feed: LiveFeed, run: str) -> None:
    feed.publish(run, "w1", [news(said(0, 1))])
    after = reader(store).follow(run, SPECS[0].id).after
    assert reader(store).follow(run, SPECS[0].id, after, wait=0.01).after == after
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(reader(store).follow, run, SPECS[0].id, after, 20.0)
        feed.publish(run, "w1", [news(said(1, 2))])
        assert waiting.result().events == said(1, 2)
