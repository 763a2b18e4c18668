"""Where runs are kept, chosen by URL: an SQLite file, a Redis server that several machines share, or an archive."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from riskbox.sandbox.contracts.live import LiveFeed
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import InputError, RiskboxError
from riskbox.sandbox.escape import inert

DEFAULT = "sqlite:///riskbox.db"
"""The store of whoever names none."""

ARCHIVE = "archive:"
"""What stands before the path or URL of an archived run."""

_ENDINGS = {".db": "sqlite", ".jsonl": "jsonl"}
"""What a bare path means, by how it ends."""


def open_store(url: str = DEFAULT, *, create: bool = True, writes: bool = False) -> Store:
    """The store that a URL names.

    `sqlite:///relative.db`, `sqlite:////absolute.db`, the bare path of a `.db` file, `redis://` or
    `rediss://` with `user:password@host:port/db`; only to be read, `jsonl:///run.jsonl` or a folder of such files, and
    `archive:` before the path or URL of a folder that `riskbox archive` wrote.
    Without `create`, a store in which nothing was ever run is an error.

    Args:
        url: The URL.
        create: Whether the store is made where there is none.
        writes: Whether it will be written to, so that an archive is refused at once; `create` says so as well.

    Raises:
        InputError: the URL is wrong, names nothing that is there, or names an archive to be written to.
        StoreVersion: a later release wrote the store.
        StoreError: the store cannot be reached or read.
    """
    if url.startswith(ARCHIVE):
        from riskbox.sandbox.stores.archive import refusal
        from riskbox.sandbox.stores.cold import ColdStore

        if create or writes:
            raise refusal(url)
        return ColdStore(url.removeprefix(ARCHIVE))
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if not separator:
        for ending, named in _ENDINGS.items():
            if url.endswith(ending):
                scheme, rest = named, "/" + url
    if scheme == "sqlite":
        from riskbox.sandbox.stores.sqlite.store import SqliteStore

        path = _path(scheme, rest)
        spilled = _spilled(f"sqlite:///{path}")
        return _whole(SqliteStore(path, create=create or bool(spilled)), spilled)
    if scheme == "jsonl":
        from riskbox.sandbox.stores.archive import ArchiveStore, refusal

        path = _path(scheme, rest)
        if create or writes:
            raise refusal(url)
        return ArchiveStore(path)
    if separator and scheme in ("redis", "rediss"):
        from riskbox.sandbox.stores.redis.store import RedisStore

        spilled = _spilled(f"{scheme}://{rest}")
        store = RedisStore(f"{scheme}://{rest}", create=create or bool(spilled))
        return _whole(store, spilled)
    # the rest of a URL may hold a password
    named = f"{scheme}://..." if separator else "this URL" if "@" in url else repr(url)
    raise InputError(
        f"{named} is not a store. Known: sqlite:///runs.db, the path of a file ending in .db, "
        "redis://user:password@host:6379/0, rediss:// for the same over TLS; to read, jsonl:///run.jsonl or the path "
        "of a file ending in .jsonl."
    )


def has_feed(url: str) -> bool:
    """Whether the store that a URL names shows episodes while they are played."""
    return url.partition("://")[0].lower() in ("redis", "rediss")


def open_feed(url: str) -> LiveFeed:
    """The live feed of a store that has one. It connects when it is first used, and waits only a few seconds.

    Raises:
        InputError: the URL is wrong.
    """
    from riskbox.sandbox.stores.redis.live import RedisFeed

    return RedisFeed.open(url)


def _spilled(url: str) -> list[Path]:
    from riskbox.sandbox.stores import spill

    try:
        return spill.waiting(url)
    except ValueError:  # no such URL, as the store will say
        return []


def _whole(store: Store, spilled: Sequence[Path]) -> Store:
    """A store with what runs finished while it was gone; one line on standard error for each run."""
    from riskbox.sandbox.stores import spill

    for path in spilled:
        try:
            told = spill.fold(store, path)
        except RiskboxError as error:
            told = f"{path} could not be put back into {store.url}: {error}"
        if told:
            print(f"riskbox: {inert(told)}", file=sys.stderr)
    return store


def _path(scheme: str, rest: str) -> str:
    path = rest[1:]
    if not rest.startswith("/") or path in ("", "/", ":memory:"):
        file = {"sqlite": "runs.db", "jsonl": "run.jsonl"}[scheme]
        raise InputError(
            f"'{scheme}://{rest}' names no file: write {scheme}:///{file} (three slashes) for a file in this "
            f"folder, {scheme}:////var/{file} (four) for one anywhere."
        )
    return path
