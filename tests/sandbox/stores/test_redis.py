"""What is particular to the store in a Redis server: its errors, its keys, and what it asks of the server."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import pytest
import redis

from riskbox.sandbox.contracts.store import Packed, Where
from riskbox.sandbox.errors import InputError, StoreError, StoreVersion
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stores.redis.store import RedisStore
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
    sample_specs,
)

Configure: TypeAlias = Callable[[str, object], None]


@pytest.fixture
def client(redis_url: str) -> Iterator[Any]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def configure(client: Any) -> Iterator[Configure]:
    """Sets an option of the server until the end of the test."""
    former: dict[str, str] = {}

    def configure(name: str, value: object) -> None:
        former.setdefault(name, client.config_get(name)[name])
        client.config_set(name, value)

    yield configure
    for name, value in former.items():
        client.config_set(name, value)


@pytest.fixture
def store(redis_url: str) -> Iterator[RedisStore]:
    with RedisStore(redis_url) as store:
        yield store


def begun(store: RedisStore, episodes: int = 0) -> str:
    case = sample_case()
    manifest = sample_run([case])
    store.begin(manifest, [case], sample_specs([case]))
    store.write(manifest.run, [packed(sample_played(manifest.run, case, seed)) for seed in range(episodes)])
    return manifest.run


# What goes wrong.


def test_nobody_listens(free_port: int) -> None:
    with pytest.raises(
        StoreError, match=r"^redis://me:\*\*\*@127.0.0.1:\d+/0: no connection. Check that the server runs"
    ):
        open_store(f"redis://me:secret@127.0.0.1:{free_port}")


def test_a_wrong_password_is_told_and_not_shown(redis_url: str) -> None:
    password = urlsplit(redis_url).password
    for wrong in ("se%40cret", ""):
        with pytest.raises(StoreError, match="password") as refused:
            open_store(redis_url.replace(f":{password}@", f":{wrong}@"))
        assert "se@cret" not in str(refused.value) and "se%40cret" not in str(refused.value)
        assert refused.value.__suppress_context__
        assert refused.value.exit_code == 3


def test_no_error_shows_the_right_password_either(redis_url: str) -> None:
    password = str(urlsplit(redis_url).password)
    with RedisStore(redis_url) as store:
        assert password not in store.url and password not in repr(store)
        with pytest.raises(InputError) as refused:
            store.run("none")
    assert password not in str(refused.value)


def test_a_server_that_is_full_takes_nothing_of_a_batch(store: RedisStore, configure: Configure) -> None:
    run = begun(store, 3)
    more = [packed(sample_played(run, sample_case(), seed)) for seed in range(3, 9)]
    configure("maxmemory", 100_000)
    with pytest.raises(
        StoreError, match=r"memory is full\. Raise its `maxmemory`; nothing of this was stored"
    ):
        store.write(run, more)
    with pytest.raises(StoreError, match="memory is full"):
        begun(store)
    assert store.count(run) == len(store.follow(run)[0]) == len(store.done(run)) == 3
    configure("maxmemory", 0)
    assert store.write(run, more) == 6
    assert len(store.runs()) == 1


def test_a_server_that_would_forget_episodes_is_refused(redis_url: str, configure: Configure) -> None:
    configure("maxmemory", 1_000_000_000)
    configure("maxmemory-policy", "allkeys-lru")
    with pytest.raises(InputError, match=r"would drop .*allkeys-lru\)\. Set maxmemory-policy to noeviction"):
        open_store(redis_url)
    configure("maxmemory-policy", "noeviction")
    open_store(redis_url).close()


def test_a_user_who_may_not_write_may_read(store: RedisStore, redis_url: str, client: Any) -> None:
    run = begun(store, 3)
    client.acl_setuser(
        "reader",
        enabled=True,
        passwords=["+hidden"],
        keys=["riskbox:*"],
        commands=["-@all", "+hget", "+hexists", "+zcard"],
    )
    try:
        password = urlsplit(redis_url).password
        with open_store(redis_url.replace(f":{password}@", "reader:hidden@"), create=False) as reader:
            assert reader.count(run) == 3
            with pytest.raises(
                StoreError, match=r"reader:\*\*\*@.*may not do this. Grant it `~riskbox:\* \+@all`"
            ):
                reader.finish(run, "done")
    finally:
        client.acl_deluser("reader")


def test_keys_that_are_not_ours(redis_url: str, client: Any) -> None:
    client.set("riskbox:v1:meta", "something else")
    with pytest.raises(StoreError, match="keys beginning `riskbox:v1:` are not ours"):
        open_store(redis_url)


def test_a_server_that_stops_and_comes_back(own_server: Any) -> None:
    with RedisStore(own_server.url) as store:
        run = begun(store, 5)
        own_server.stop()
        with pytest.raises(StoreError, match=r"^redis://:\*\*\*@.*no connection"):
            store.count(run)
        own_server.start()
        assert store.count(run) == 5
        assert store.write(run, [packed(sample_played(run, sample_case(), 7))]) == 1


# The schema.


def test_a_store_of_a_later_release_is_refused(redis_url: str, client: Any) -> None:
    open_store(redis_url).close()
    client.hset("riskbox:v1:meta", "schema", 9)
    with pytest.raises(StoreVersion, match=r"schema version 9, .* up to 1\. Upgrade riskbox") as refused:
        open_store(redis_url, create=False)
    assert refused.value.exit_code == 2


def test_an_empty_database_is_not_read(redis_url: str, client: Any) -> None:
    with pytest.raises(InputError, match=r"is empty\. Run `riskbox run` first"):
        open_store(redis_url, create=False)
    assert client.dbsize() == 0


def test_every_key_has_the_prefix_and_none_expires(store: RedisStore, client: Any) -> None:
    begun(store, 3)
    keys = list(client.scan_iter())
    assert keys and all(key.startswith(b"riskbox:v1:") and client.ttl(key) == -1 for key in keys)


def test_databases_are_apart(own_server: Any) -> None:
    with RedisStore(own_server.url) as store, RedisStore(own_server.url[:-1] + "5") as other:
        begun(store)
        assert len(store.runs()) == 1 and other.runs() == []
        assert other.url == f"redis://:***@127.0.0.1:{own_server.port}/5"


# What it asks of the server.


def test_a_batch_beginning_twice_is_one(store: RedisStore) -> None:
    """A request that is sent again after its answer was lost."""
    case = sample_case()
    manifest = sample_run([case])
    for _ in range(2):
        store.begin(manifest, [case], sample_specs([case]))
    assert store.runs() == [manifest]


def test_reading_goes_page_by_page(
    store: RedisStore, client: Any, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(store)
    one = packed(sample_played(run, sample_case()))
    store.write(
        run, [Packed(row=one.row.model_copy(update={"id": f"{n:016x}"}), blob=one.blob) for n in range(450)]
    )
    monkeypatch.setattr("riskbox.sandbox.stores.redis.store.PAGE", 50)
    monkeypatch.setattr("riskbox.sandbox.stores.redis.store.ID_PAGE", 200)
    configure("slowlog-max-len", 1000)
    configure("slowlog-log-slower-than", 0)
    client.slowlog_reset()
    assert len(list(store.rows(run))) == len(store.done(run)) == len(store.follow(run)[0]) == 450
    assert store.count(run, Where(text="owner")) == len(list(store.rows(run, Where(text="owner")))) == 450
    assert len(store.find("00000")) == 450
    asked = Counter(entry["command"].split()[0] for entry in client.slowlog_get(1000))
    assert not asked.keys() & {b"KEYS", b"HGETALL", b"HVALS", b"SMEMBERS", b"LRANGE", b"SCAN"}
    assert asked[b"ZRANGE"] >= 10 + 3  # rows, ids
    assert asked[b"EVALSHA"] + asked[b"EVAL"] >= 10 + 3 + 3  # follow, count, filtered rows
    assert asked[b"HMGET"] >= 9 + 9  # rows, filtered rows
    assert asked[b"ZRANGEBYLEX"] >= 3


def test_an_assessment_is_not_lost_to_another(
    store: RedisStore, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two evaluators write between each other's reading and writing of one row."""
    run = begun(store, 1)
    (id,) = store.done(run)
    read, other = store._row, RedisStore(redis_url)
    between = [sample_assessment(version="a"), sample_assessment(version="b")]

    def row(run: str, id: str) -> bytes:
        found = read(run, id)
        if between:
            other.assess(run, id, [between.pop()])
        return found

    monkeypatch.setattr(store, "_row", row)
    store.assess(run, id, [sample_assessment(version="mine")])
    assert [one.version for one in store.episode(run, id).assessments] == ["b", "a", "mine"]
    assert [one.version for one in next(store.rows(run)).summaries] == ["b", "a", "mine"]
    other.close()


def test_no_command_prints_the_password_of_its_store(
    redis_url: str, records: Path, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    url = redis_url.replace("redis://:", "redis://default:")
    password = str(urlsplit(url).password)
    said = ""
    for words in (
        ("run", "--help"),
        ("run", records, "--local"),
        ("run", "--resume", "latest"),
        ("play", records, "--as", "agent"),
        ("report",),
        ("list",),
        ("show",),
    ):
        for store in ((), ("--store", url)):
            done = command(*words, *store, RISKBOX_STORE=url)
            assert done.returncode == 0, done.stderr
            said += done.stdout + done.stderr
    assert password not in said and "riskbox show latest" in said
