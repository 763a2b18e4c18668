"""Runs in a Redis server: shared and live, for several machines and viewers at once.

What changes together changes in one Lua script, which Redis runs alone and as a whole: a batch is stored or
it is not, and of two writers with one episode the later attempt stays, whoever comes first. What is
acknowledged survives the death of this process; how much survives the server's own is for its configuration
to say (`appendonly yes`), and a server that evicts keys when its memory is full is refused. Redis Cluster is
not supported: the scripts touch many keys.

Keys, all under `riskbox:v1:`

    meta                   hash     schema: the version of this layout
    runs, states           hashes   manifest and state by run
    begun                  zset     runs in the order they began
    drivers, heartbeats    hashes   the token of a run's driver, and what it last said, by run
    cases                  hash     packed case by hash
    removed                set      runs that are removed, and whose data may still be there in part
    ids                    zset     "episode NUL run" of every episode, to find one by its beginning
    run:R:specs            string   the packed plan
    run:R:rows, :blobs     hashes   row and packed episode by id
    run:R:facets           hash     what filters look at, by id, so that they need not read rows
    run:R:attempts         hash     attempt by id
    run:R:order, :cursor   zsets    ids by first and by latest storing
    run:R:seq              string   the last number given out in them
    run:R:assessed:E       hash     assessments added to episode E later, by evaluator, version and settings

and what `stores.redis.live` keeps of episodes that are being played.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

import redis

from riskbox.sandbox.contracts.live import LiveFeed
from riskbox.sandbox.contracts.store import ALL, AS_STORED, Packed, Store, Where
from riskbox.sandbox.errors import InputError, StoreVersion, UnknownName
from riskbox.sandbox.stores import plan as plans
from riskbox.sandbox.stores import record
from riskbox.sandbox.stores.liveness import is_living, stamped
from riskbox.sandbox.stores.redis.connection import PREFIX, connection
from riskbox.sandbox.stores.redis.filter import FITTING, arguments, facets, ordered
from riskbox.sandbox.stores.redis.live import RedisFeed
from riskbox.sandbox.stores.redis.scripts import ASSESS, BEAT, BEGIN, FINISH, FOLLOW, REMOVE, WRITE
from riskbox.sandbox.stores.redis.wrong import masked, told
from riskbox.sandbox.stores.shared import (
    Added,
    assessed,
    chosen,
    identity,
    is_news,
    located,
    manifest,
    no_episode,
    no_run,
    require_facet,
    resummarised,
    taken_over,
    unfinished,
    wanted_facets,
)
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.facet import Order
from riskbox.sandbox.words.heartbeat import Heartbeat
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest, RunState, Spec
from riskbox.sandbox.words.verdict import Assessment

SCHEMA = 1
"""Version of the layout this release writes."""
PAGE = 500
"""Rows read at once."""
ID_PAGE = 2000
"""Ids read, and facets looked at, at once: some 10 ms of the server's time."""


class RedisStore(Store):
    """Runs in one database of a Redis server. `url` is without the password."""

    def __init__(self, url: str, *, create: bool = True, prefix: str = PREFIX) -> None:
        self.url = masked(url)
        self._prefix = prefix
        self._redis = connection(url)
        self._feed = RedisFeed(self._redis, self.url, prefix)
        self._reader = record.RowReader()
        self._begin = self._redis.register_script(BEGIN)
        self._write = self._redis.register_script(WRITE)
        self._assess = self._redis.register_script(ASSESS)
        self._follow = self._redis.register_script(FOLLOW)
        self._remove = self._redis.register_script(REMOVE)
        self._beat = self._redis.register_script(BEAT)
        self._finish = self._redis.register_script(FINISH)
        self._held: dict[str, str] = {}
        self._fit = self._redis.register_script(FITTING)
        try:
            with self._told():
                self._prepare(create)
        except BaseException:
            self.close()
            raise

    def begin(self, manifest: Manifest, cases: Iterable[Case], specs: Sequence[Spec]) -> None:
        """Create a run with all it will play."""
        run, plan = manifest.run, plans.packed(specs)
        keys = [self._key("runs"), self._key("states"), self._key("begun"), self._key("run", run, "specs")]
        with self._told():
            # named by their hashes, so that they do no harm should the run itself not come to be
            for case in cases:
                self._redis.hsetnx(self._key("cases"), case.hash, record.pack(case))
            if not self._begin(keys=keys, args=[run, record.text(manifest), manifest.state, plan]):
                raise InputError(f"{self.url} already has a run {run!r}.")

    def write(self, run: str, episodes: Sequence[Packed]) -> int:
        """Store finished episodes, all or none; a superseding attempt is not counted as new."""
        parts = ("rows", "blobs", "facets", "attempts", "order", "cursor", "seq")
        keys = [self._key("runs"), self._key("ids"), *(self._key("run", run, part) for part in parts)]
        keys.append(self._key("drivers"))
        args: list[Any] = [run, self._key("run", run, "assessed", ""), self._held.get(run, "")]
        for one in episodes:
            args += [one.row.id, one.row.attempt, record.row_text(one.row), facets(one.row), one.blob]
        with self._told():
            new = int(self._write(keys=keys, args=args))
            if new < 0:
                self._require(run)
                raise taken_over(run, self.heartbeat(run), self.now())
        self._feed.stored(run, [one.row.id for one in episodes])
        return new

    def assess(self, run: str, episode: str, assessments: Sequence[Assessment]) -> None:
        """Add assessments to a stored episode; each replaces one of its evaluator, version and settings."""
        keys = [
            self._key("run", run, "rows"),
            self._key("run", run, "facets"),
            self._key("run", run, "assessed", episode),
            self._key("run", run, "cursor"),
            self._key("run", run, "seq"),
            self._key("drivers"),
        ]
        added: list[Any] = []
        for one in assessments:
            added += [json.dumps(identity(one)), record.pack(Added(assessment=one))]
        with self._told():
            while True:
                former = self._row(run, episode)
                with located(f"{self.url}, run {run}, episode {episode}"):
                    before = record.parse(EpisodeRow, former)
                    row = resummarised(before, assessments)
                changed = [record.row_text(row), facets(row), int(is_news(before, assessments))]
                held = [run, self._held.get(run, "")]
                changes = int(self._assess(keys=keys, args=[*held, episode, former, *changed, *added]))
                if changes < 0:
                    raise taken_over(run, self.heartbeat(run), self.now())
                if changes:
                    return

    def finish(self, run: str, state: RunState) -> None:
        """Say how a run ended, or with `running` that it goes on."""
        keys = [self._key(name) for name in ("states", "drivers", "heartbeats")]
        with self._told():
            self._require(run)
            if not self._finish(keys=keys, args=[run, self._held.get(run, ""), state]):
                raise taken_over(run, self.heartbeat(run), self.now())
        if state != "running":
            self._held.pop(run, None)
            self._feed.clear(run)

    def live(self) -> LiveFeed:
        """Where episodes are seen while they are played."""
        return self._feed

    def beat(self, run: str, heartbeat: Heartbeat, *, take: bool = False) -> Heartbeat | None:
        """Say that a driver plays a run, and take the run for it the first time."""
        keys = [self._key("drivers"), self._key("heartbeats")]
        held = self._held.get(run)
        with self._told():
            self._require(run)
            while True:
                former, now = self._redis.hget(keys[1], run), self.now()
                before = None if former is None else record.parse(Heartbeat, former)
                if held is not None and (before is None or before.driver != held):
                    raise taken_over(run, before, now)
                if before and before.driver != heartbeat.driver and not take and is_living(before, now):
                    return before
                made = record.text(stamped(heartbeat, now))
                if self._beat(keys=keys, args=[run, former or "", heartbeat.driver, made]):
                    self._held[run] = heartbeat.driver
                    return None

    def heartbeat(self, run: str) -> Heartbeat | None:
        """The last heartbeat of whoever plays a run."""
        with self._told():
            self._require(run)
            found = self._redis.hget(self._key("heartbeats"), run)
        return None if found is None else record.parse(Heartbeat, found)

    def now(self) -> float:
        """The time of the server's clock."""
        with self._told():
            seconds, microseconds = self._redis.time()
        return float(seconds + microseconds / 1e6)

    def runs(self) -> list[Manifest]:
        """Every run, latest first."""
        found: list[Manifest] = []
        with self._told():
            for page in self._ids(self._key("begun"), PAGE):
                found += self._manifests(page)
        return sorted(found, key=lambda one: one.created)[::-1]

    def run(self, name: str = "latest") -> Manifest:
        """One run: by id, by the beginning of one, by name, or the latest."""
        with self._told():
            if self._redis.hexists(self._key("runs"), name):
                return self._manifests([_bytes(name)])[0]
        return chosen(name, self.runs(), self.url, self.count)

    def specs(self, run: str) -> list[Spec]:
        """All that a run was to play, in order."""
        with self._told():
            self._require(run)
            blob = self._redis.get(self._key("run", run, "specs"))
        with located(f"{self.url}, run {run}"):
            return plans.unpacked(blob or b"")

    def done(self, run: str) -> set[str]:
        """The ids of the episodes a run has stored."""
        with self._told():
            self._require(run)
            return {_str(id) for page in self._ids(self._key("run", run, "order"), ID_PAGE) for id in page}

    def count(self, run: str, where: Where = ALL) -> int:
        """How many rows fit."""
        wanted_facets(where)
        with self._told():
            self._require(run)
            if where == ALL:
                return int(self._redis.zcard(self._key("run", run, "order")))
            return sum(1 for _ in self._fitting(run, where))

    def rows(
        self,
        run: str,
        where: Where = ALL,
        *,
        offset: int = 0,
        limit: int | None = None,
    ) -> Iterator[EpisodeRow]:
        """The rows that fit, in the order they were stored, read as they are iterated.

        A later attempt takes the place of the one it supersedes.
        """
        wanted_facets(where)
        with self._told():
            self._require(run)
        if where != ALL:
            stop = None if limit is None else offset + limit
            fitting = (id for id, _ in self._fitting(run, where))
            return self._rows_of(run, islice(fitting, offset, stop))
        pages = self._ids(self._key("run", run, "order"), PAGE, offset, limit)
        return self._rows_of(run, (id for page in pages for id in page))

    def ids(
        self, run: str, where: Where = ALL, order: Order = AS_STORED, *, limit: int | None = None
    ) -> list[str]:
        """The ids of the rows that fit, sorted; the first of them, with a limit."""
        require_facet(order)
        wanted_facets(where)
        with self._told():
            self._require(run)
            found = [(_str(id), key) for id, key in self._fitting(run, where, order)]
        return ordered(found, order)[:limit]

    def pick(self, run: str, ids: Sequence[str]) -> list[EpisodeRow]:
        """The rows of these ids, in this order; ids that the run does not have are left out."""
        with self._told():
            self._require(run)
        return list(self._rows_of(run, map(_bytes, ids)))

    def cursor(self, run: str) -> int:
        """From where `follow` sees only what will be stored from now on."""
        with self._told():
            self._require(run)
            return int(self._redis.get(self._key("run", run, "seq")) or 0)

    def follow(self, run: str, after: int = 0) -> tuple[list[EpisodeRow], int]:
        """The rows stored since a cursor, and the next cursor; begin at 0."""
        keys = [self._key("run", run, "cursor"), self._key("run", run, "rows")]
        rows: list[EpisodeRow] = []
        with self._told():
            self._require(run)
            while True:
                cursor, page = self._follow(keys=keys, args=[after, PAGE])
                after = int(cursor)
                rows += self._read(run, page)
                if len(page) < PAGE:
                    return rows, after

    def episode(self, run: str, id: str) -> Played:
        """One episode with its assessments."""
        with self._told():
            # one transaction, lest a later attempt comes between the parts
            pipe = self._redis.pipeline(transaction=True)
            pipe.hget(self._key("run", run, "rows"), id)
            pipe.hget(self._key("run", run, "blobs"), id)
            pipe.hvals(self._key("run", run, "assessed", id))
            row, blob, later = pipe.execute()
            if row is None:
                self._require(run)
                raise no_episode(run, id)
        with located(f"{self.url}, run {run}, episode {id}"):
            added = [record.unpack(Added, one).assessment for one in later]
            return assessed(record.unpack(Played, blob or b""), record.parse(EpisodeRow, row), added)

    def find(self, id: str) -> list[tuple[str, str]]:
        """(run, id) of every episode whose id begins so, latest run first."""
        found: dict[str, list[str]] = {}
        with self._told():
            for member in self._beginning(_bytes(id)):
                episode, _, run = _str(member).partition("\0")
                found.setdefault(run, []).append(episode)
        return [(one.run, episode) for one in self.runs() for episode in found.get(one.run, ())]

    def case(self, hash: str) -> Case:
        """A case by its hash."""
        with self._told():
            blob = self._redis.hget(self._key("cases"), hash)
        if blob is None:
            raise UnknownName(f"no run in {self.url} has played a case {hash!r}.")
        with located(f"{self.url}, case {hash}"):
            return record.unpack(Case, blob)

    def remove(self, run: str) -> None:
        """Remove a run with its episodes, and the cases that no other run has.

        It is gone at once; its data goes page by page. Where that was interrupted, the next removal goes on.
        """
        names = ("runs", "states", "begun", "drivers", "heartbeats", "removed")
        with self._told():
            self._require(run)
            hashes = set(self.run(run).cases.values())
            if int(self._remove(keys=[self._key(name) for name in names], args=[run])) == -2:
                raise unfinished(run)
            for one in self._redis.smembers(self._key("removed")):
                self._sweep(_str(one))
            if unused := hashes - {hash for one in self.runs() for hash in one.cases.values()}:
                self._redis.hdel(self._key("cases"), *unused)

    def _sweep(self, run: str) -> None:
        order = self._key("run", run, "order")
        while page := self._redis.zrange(order, 0, ID_PAGE - 1):
            pipe = self._redis.pipeline(transaction=False)
            pipe.zrem(self._key("ids"), *(id + b"\0" + _bytes(run) for id in page))
            pipe.unlink(*(_bytes(self._key("run", run, "assessed", "")) + id for id in page))
            for part in ("rows", "blobs", "facets", "attempts"):
                pipe.hdel(self._key("run", run, part), *page)
            pipe.zrem(self._key("run", run, "cursor"), *page)
            pipe.zrem(order, *page)  # last, so that whatever is left is found again
            pipe.execute()
        parts = ("specs", "rows", "blobs", "facets", "attempts", "order", "cursor", "seq")
        self._redis.unlink(*(self._key("run", run, part) for part in parts))
        self._redis.srem(self._key("removed"), run)

    def close(self) -> None:
        """Let go of the store."""
        self._redis.close()

    def _prepare(self, create: bool) -> None:
        key = self._key("meta")
        found = self._redis.hget(key, "schema")
        if found is None and not create:
            raise InputError(f"{self.url} is empty. Run `riskbox run` first, or name another store.")
        if found is None:
            self._refuse_eviction()
            self._redis.hsetnx(key, "schema", SCHEMA)
            found = self._redis.hget(key, "schema")
        if int(found) > SCHEMA:
            raise StoreVersion(
                f"{self.url} has schema version {int(found)}, and this release reads up to {SCHEMA}. "
                "Upgrade riskbox to read it."
            )

    def _refuse_eviction(self) -> None:
        try:
            memory = self._redis.info("memory")
        except redis.ResponseError:  # a hosted server that keeps this to itself
            return
        policy = str(memory.get("maxmemory_policy", ""))
        if memory.get("maxmemory") and policy.startswith("allkeys"):
            raise InputError(
                f"{self.url} would drop episodes when its memory is full (maxmemory-policy {policy}). "
                "Set maxmemory-policy to noeviction, or name another server."
            )

    def _told(self) -> AbstractContextManager[None]:
        """Turns the client's errors into ours."""
        return told(self.url)

    def _key(self, *parts: str) -> str:
        return self._prefix + ":".join(parts)

    def _require(self, run: str) -> None:
        if not self._redis.hexists(self._key("runs"), run):
            raise no_run(
                run, [_str(id) for page in self._ids(self._key("begun"), ID_PAGE) for id in page], self.url
            )

    def _row(self, run: str, id: str) -> bytes:
        row: bytes | None = self._redis.hget(self._key("run", run, "rows"), id)
        if row is None:
            self._require(run)
            raise no_episode(run, id)
        return row

    def _manifests(self, runs: list[bytes]) -> list[Manifest]:
        manifests = self._redis.hmget(self._key("runs"), runs)
        states = self._redis.hmget(self._key("states"), runs)
        beats = self._redis.hmget(self._key("heartbeats"), runs)
        now = self.now() if any(beats) else 0.0
        with located(self.url):
            found = zip(manifests, states, beats, strict=True)
            return [manifest(text, state.decode(), beat, now) for text, state, beat in found]

    def _ids(self, key: str, size: int, offset: int = 0, limit: int | None = None) -> Iterator[list[bytes]]:
        """The members of a sorted set in order, page by page."""
        while limit is None or limit > 0:
            asked = size if limit is None else min(size, limit)
            page = self._redis.zrange(key, offset, offset + asked - 1)
            if page:
                yield page
            if len(page) < asked:
                return
            offset += asked
            limit = None if limit is None else limit - asked

    def _beginning(self, first: bytes) -> Iterator[bytes]:
        """The members of `ids` that begin so, page by page."""
        low = b"[" + first
        while page := self._redis.zrangebylex(
            self._key("ids"), low, b"[" + first + b"\xff", start=0, num=ID_PAGE
        ):
            yield from page
            low = b"(" + page[-1]

    def _fitting(
        self,
        run: str,
        where: Where,
        order: Order = AS_STORED,
    ) -> Iterator[tuple[bytes, bytes]]:
        """The ids of the rows that fit, each with what to sort it by, in the order they were stored."""
        keys = [self._key("run", run, part) for part in ("order", "facets", "rows")]
        asked = arguments(where, order)
        start = 0
        with self._told():
            while True:
                looked, found, ranks = self._fit(keys=keys, args=[start, start + ID_PAGE - 1, *asked])
                yield from zip(found, ranks or [b""] * len(found), strict=True)
                start += looked
                if looked < ID_PAGE:
                    return

    def _rows_of(self, run: str, ids: Iterator[bytes]) -> Iterator[EpisodeRow]:
        with self._told():
            while page := list(islice(ids, PAGE)):
                found = self._redis.hmget(self._key("run", run, "rows"), page)
                yield from self._read(run, [row for row in found if row is not None])

    def _read(self, run: str, rows: list[bytes]) -> list[EpisodeRow]:
        with located(f"{self.url}, run {run}"):
            return [self._reader.read(row) for row in rows]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _str(text: bytes) -> str:
    return text.decode("utf-8", "surrogatepass")
