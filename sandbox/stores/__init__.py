"""Where runs are kept, chosen by URL: one SQLite file, or a Redis server that several machines share."""

from __future__ import annotations

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.store import Store

DEFAULT = "sqlite:///riskbox.db"
"""The store of whoever names none."""


def open_store(url: str = DEFAULT, *, create: bool = True) -> Store:
    """The store that a URL names.

    `sqlite:///relative.db`, `sqlite:////absolute.db`, the bare path of a `.db` file, `redis://` or
    `rediss://` with `user:password@host:port/db`. Without `create`, a store in which nothing was ever run
    is an error.

    Raises:
        InputError: the URL is wrong, or names nothing that is there.
        StoreVersion: a later release wrote the store.
        StoreError: the store cannot be reached or read.
    """
    scheme, separator, rest = url.partition("://")
    scheme = scheme.lower()
    if not separator and url.endswith(".db"):
        scheme, rest = "sqlite", "/" + url
    if scheme == "sqlite":
        from riskbox.sandbox.stores.sqlite import SqliteStore

        return SqliteStore(_path(rest), create=create)
    if separator and scheme in ("redis", "rediss"):
        from riskbox.sandbox.stores.redis import RedisStore

        return RedisStore(f"{scheme}://{rest}", create=create)
    # the rest of a URL may hold a password
    named = f"{scheme}://..." if separator else "this URL" if "@" in url else repr(url)
    raise InputError(
        f"{named} is not a store. Known: sqlite:///runs.db, the path of a file ending in .db, "
        "redis://user:password@host:6379/0, rediss:// for the same over TLS."
    )


def _path(rest: str) -> str:
    path = rest[1:]
    if not rest.startswith("/") or path in ("", "/", ":memory:"):
        raise InputError(
            f"'sqlite://{rest}' names no file: write sqlite:///runs.db (three slashes) for a file in this "
            "folder, sqlite:////var/runs.db (four) for one anywhere."
        )
    return path
