"""What the errors of a Redis client mean to us, and what to do about each; no message shows a password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import redis

from riskbox.sandbox.errors import InputError, StoreError

WRONG: tuple[tuple[type[redis.RedisError], str, str], ...] = (
    (redis.AuthenticationError, "", "the server refuses the user or password. Check both in the URL."),
    (redis.ResponseError, "NOAUTH", "the server wants a password: redis://user:password@host:port/db."),
    (
        redis.exceptions.NoPermissionError,
        "",
        "the user may not do this. Grant it `~riskbox:* +@all` or name another user.",
    ),
    (
        redis.ResponseError,
        "maxmemory",
        "the server's memory is full. Raise its `maxmemory`; nothing of this was stored, all before is intact.",
    ),
    (redis.ReadOnlyError, "", "this is a replica, which only reads. Name the primary."),
    (redis.exceptions.BusyLoadingError, "", "the server is still loading its data. Try again in a moment."),
    (redis.ResponseError, "MISCONF", "the server cannot write to its disk. Free some space there."),
    (redis.ResponseError, "WRONGTYPE", "keys beginning `riskbox:v1:` are not ours. Name another database."),
    (
        redis.ResponseError,
        "unknown command",
        "this is no Redis server, or one too old. Version 5 or later is needed.",
    ),
    (
        redis.TimeoutError,
        "",
        "no answer in time. Check server and network, and write rediss:// only where the server speaks TLS.",
    ),
    (
        redis.ConnectionError,
        "SSL",
        "no TLS connection. Write redis:// for a server without TLS, or add `?ssl_ca_certs=FILE`.",
    ),
    (
        redis.ConnectionError,
        "",
        "no connection. Check that the server runs, and its host and port in the URL.",
    ),
)
"""By class and words of the client's errors: what to do; the first that fits."""


@contextmanager
def told(url: str) -> Iterator[None]:
    """Turns the client's errors at a server into ours."""
    try:
        yield
    except (redis.RedisError, OSError, UnicodeError) as error:
        for kind, words, advice in WRONG:
            if isinstance(error, kind) and words in str(error):
                raise StoreError(f"{url}: {advice} ({error})") from None
        raise StoreError(f"{url}: {error}") from None


def masked(url: str) -> str:
    """A Redis URL without its password and options.

    Raises:
        InputError: it is not one; the message does not quote it, since any part may be a mistyped password.
    """
    try:
        parts = urlsplit(url)
        port, database = parts.port or 6379, parts.path.strip("/") or "0"
    except ValueError:
        raise _malformed() from None
    if not database.isdecimal() or "@" in parts.query + parts.fragment:
        raise _malformed()
    login = f"{parts.username or ''}:***@" if parts.password else "***@" if parts.username else ""
    host = parts.hostname or "localhost"
    return f"{parts.scheme}://{login}{f'[{host}]' if ':' in host else host}:{port}/{database}"


def _malformed() -> InputError:
    return InputError(
        "the Redis URL is not of the form redis://user:password@host:port/db with a number for db. "
        "In user and password write / @ : ? # % as %2F %40 %3A %3F %23 %25."
    )
