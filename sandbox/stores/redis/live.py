"""Episodes that are being played, in a Redis server: one stream each, until they are stored.

Keys, all under `riskbox:v1:run:R:`, none of which outlives `EXPIRES` unless it is renewed:

    live              set      the workers that play
    live:W            hash     what worker W plays: a `Playing` by id
    live:stop         string   that somebody has asked the run to stop
    live:events:E     stream   the events of episode E: attempt `a`, index of the next event `n`, events `e`

An entry holds what happened between two publications, compressed. A stream has at most `ENTRIES` of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from riskbox.sandbox.contracts.live import EXPIRES, LiveFeed, News, Seen
from riskbox.sandbox.stores.record import text
from riskbox.sandbox.stores.redis.connection import PREFIX, connection
from riskbox.sandbox.stores.redis.wrong import masked, told
from riskbox.sandbox.words.event import EVENTS, Event
from riskbox.sandbox.words.playing import Playing

ENTRIES = 500
"""Entries kept of one episode; the oldest go first."""
LARGE = 256 * 1024
"""Bytes of JSON from which on an event is not shown live."""
AT_ONCE = 100
"""Episodes published in one request, lest the server does nothing else for long."""

PUBLISH = """
-- KEYS: states attempts workers worker
-- ARGV: run, prefix of streams, seconds, entries, name of the worker, then for each episode: id attempt first next playing events
-- returns the ids of which earlier events are missing
local again = {}
if redis.call('HGET', KEYS[1], ARGV[1]) ~= 'running' then return again end
for i = 6, #ARGV, 6 do
  local id, attempt, stream = ARGV[i], tonumber(ARGV[i + 1]), ARGV[2] .. ARGV[i]
  local stored = redis.call('HGET', KEYS[2], id)
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  local held, known = 0, 0
  if last then held, known = tonumber(last[2][2]), tonumber(last[2][4]) end
  if held < attempt then known = 0 end
  if not (stored and tonumber(stored) >= attempt) and held <= attempt then
    if tonumber(ARGV[i + 2]) > known then
      again[#again + 1] = id
    else
      -- an emptied stream goes on counting, so that who reads on from an earlier entry misses nothing
      if held < attempt then redis.call('XTRIM', stream, 'MAXLEN', 0) end
      redis.call('XADD', stream, 'MAXLEN', ARGV[4], '*', 'a', attempt, 'n', ARGV[i + 3], 'e', ARGV[i + 5])
      redis.call('EXPIRE', stream, ARGV[3])
      redis.call('HSET', KEYS[4], id, ARGV[i + 4])
    end
  end
end
redis.call('SADD', KEYS[3], ARGV[5])
redis.call('EXPIRE', KEYS[3], ARGV[3])
redis.call('EXPIRE', KEYS[4], ARGV[3])
return again
"""
"""Publish what episodes have come to, unless they are stored or played anew."""


class RedisFeed(LiveFeed):
    """The live feed of a Redis store.

    Args:
        client: The connection.
        url: What to call the server in messages, without a password.
        prefix: What every key begins with.
    """

    def __init__(self, client: Any, url: str, prefix: str) -> None:
        self._redis, self._url, self._prefix = client, url, prefix
        self._publish = client.register_script(PUBLISH)

    @classmethod
    def open(cls, url: str) -> RedisFeed:
        """A feed with a connection of its own, for a worker: it gives up soon, since playing matters more."""
        quick = {
            "retry": Retry(NoBackoff(), 1, (redis.ConnectionError,)),
            "socket_timeout": 5,
            "socket_connect_timeout": 3,
        }
        return cls(connection(url, **quick), masked(url), PREFIX)

    def publish(self, run: str, worker: str, news: Sequence[News]) -> set[str]:
        """Publish what a worker's episodes have come to."""
        missing: set[str] = set()
        keys = [
            f"{self._prefix}states",
            self._key(run, "attempts"),
            self._key(run, "live"),
            self._key(run, "live", worker),
        ]
        with self._told():
            for start in range(0, len(news), AT_ONCE):
                args: list[Any] = [run, self._stream(run, ""), EXPIRES, ENTRIES, worker]
                for one in news[start : start + AT_ONCE]:
                    first = one.events[0].index if one.events else 0
                    until = one.events[-1].index + 1 if one.events else 0
                    args += [one.playing.id, one.playing.attempt, first, until, text(one.playing)]
                    args.append(_packed(one.events))
                missing.update(_str(id) for id in self._publish(keys=keys, args=args))
        return missing

    def renew(self, run: str, worker: str, ids: Sequence[str]) -> set[str]:
        """Keep what was published for another while; what the server has lost is returned."""
        with self._told():
            pipe = self._redis.pipeline(transaction=False)
            pipe.expire(self._key(run, "live"), EXPIRES)
            pipe.expire(self._key(run, "live", worker), EXPIRES)
            for id in ids:
                pipe.expire(self._stream(run, id), EXPIRES)
            workers, own, *kept = pipe.execute()
        if not (workers and own):
            return set(ids)
        return {id for id, is_kept in zip(ids, kept, strict=True) if not is_kept}

    def drop(self, run: str, worker: str, ids: Collection[str]) -> None:
        """Say that a worker plays these no longer."""
        if ids:
            with self._told():
                self._redis.hdel(self._key(run, "live", worker), *ids)
                self._redis.unlink(*(self._stream(run, id) for id in ids))

    def leave(self, run: str, worker: str) -> None:
        """Say that a worker plays nothing any more."""
        own = self._key(run, "live", worker)
        with self._told():
            ids = self._redis.hkeys(own)
            self._redis.unlink(own, *(self._stream(run, _str(id)) for id in ids))
            self._redis.srem(self._key(run, "live"), worker)

    def playing(self, run: str) -> list[Playing]:
        """The episodes that are being played and not stored yet, those first that began first."""
        found: dict[str, Playing] = {}
        with self._told():
            for fields in self._by_worker(run):
                for value in fields.values():
                    one = Playing.model_validate_json(value)
                    if one.id not in found or found[one.id].attempt < one.attempt:
                        found[one.id] = one
            if not found:
                return []
            stored = self._redis.hmget(self._key(run, "attempts"), list(found))
        left = [one for one, done in zip(found.values(), stored, strict=True) if int(done or 0) < one.attempt]
        return sorted(left, key=lambda one: (one.since, one.id))

    def follow(self, run: str, id: str, after: str = "", wait: float = 1.0) -> Seen:
        """The events of an episode that is being played, as far as they were published."""
        with self._told():
            # 0 would wait for ever
            block = max(1, round(wait * 1000))
            found = self._redis.xread({self._stream(run, id): after or "0"}, block=block)
        entries = found[0][1] if found else []
        attempt, at = 0, after
        events: list[Event] = []
        for place, fields in entries:
            at = _str(place)
            if int(fields[b"a"]) < attempt:
                continue
            if int(fields[b"a"]) > attempt:
                attempt, events = int(fields[b"a"]), []
            events += EVENTS.validate_json(zlib.decompress(fields[b"e"]))
        return Seen(attempt, events, at)

    def ask_stop(self, run: str) -> None:
        """Ask whoever plays a run to stop it."""
        with self._told():
            self._redis.set(self._key(run, "live", "stop"), "1", ex=EXPIRES)

    def stop_asked(self, run: str) -> bool:
        """Whether somebody has asked the run to stop."""
        with self._told():
            return bool(self._redis.delete(self._key(run, "live", "stop")))

    def stored(self, run: str, ids: Collection[str]) -> None:
        """Remove what was shown of episodes that are stored now."""
        if ids:
            with self._told():
                self._redis.unlink(*(self._stream(run, id) for id in ids))

    def clear(self, run: str) -> None:
        """Remove all that is left of a run that has ended."""
        with self._told():
            keys = [self._key(run, "live", "stop"), self._key(run, "live")]
            for worker in self._redis.smembers(keys[1]):
                keys.append(self._key(run, "live", _str(worker)))
                keys += [self._stream(run, _str(id)) for id in self._redis.hkeys(keys[-1])]
            self._redis.unlink(*keys)

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()

    def _by_worker(self, run: str) -> list[dict[bytes, bytes]]:
        pipe = self._redis.pipeline(transaction=False)
        for worker in self._redis.smembers(self._key(run, "live")):
            pipe.hgetall(self._key(run, "live", _str(worker)))
        found: list[dict[bytes, bytes]] = pipe.execute()
        return found

    def _key(self, run: str, *parts: str) -> str:
        return self._prefix + ":".join(("run", run, *parts))

    def _stream(self, run: str, id: str) -> str:
        return self._key(run, "live", "events", id)

    def _told(self) -> AbstractContextManager[None]:
        return told(self._url)


def _packed(events: Sequence[Event]) -> bytes:
    """Events as compressed JSON, without those that are too large to be shown live."""
    written = [one for event in events if len(one := text(event)) < LARGE]
    return zlib.compress(f"[{','.join(written)}]".encode(), 1)


def _str(text: bytes) -> str:
    return text.decode("utf-8", "surrogatepass")
