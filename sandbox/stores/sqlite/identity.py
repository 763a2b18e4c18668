"""Whether the file of an SQLite store is still the one that was opened.

SQLite goes on writing to a file that was removed or moved away, and tells nobody. Worse, the log beside it (`-wal`) stays, and
whoever opens a new file under that name reads the old log into it.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from riskbox.sandbox.errors import StoreGone

SUFFIXES = ("-wal", "-shm")
"""The files that SQLite keeps beside a store while it is open."""
SHORTEST = 512
"""Bytes of the shortest file of SQLite."""

Mark = tuple[int, int]
"""Device and number of a file."""


class Identity:
    """Which files make up an open store."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = _mark(str(path))
        self._beside: dict[str, Mark] = {}

    def check(self, db: sqlite3.Connection) -> None:
        """Make sure that nothing was removed or replaced; SQLite has the files beside it open.

        Raises:
            StoreGone: something was. What SQLite had written is then whole in the file that was opened, and its log is
                out of the way of any other.
        """
        found = _mark(str(self.path))
        for suffix in SUFFIXES:
            beside = _mark(f"{self.path}{suffix}")
            known = self._beside.setdefault(suffix, beside) if beside else self._beside.get(suffix)
            if known != beside:
                raise StoreGone(f"{self.path}{suffix}, which belongs to the store, was removed or replaced.")
        if found is not None and found == self._file and self.path.stat().st_size >= SHORTEST:
            return
        self._disown(db)
        raise StoreGone(
            f"{self.path} was {'removed' if found is None else 'replaced or emptied'} while it was in use."
        )

    def _disown(self, db: sqlite3.Connection) -> None:
        if db.in_transaction:
            db.execute("ROLLBACK")
        if _mark(str(self.path)) == self._file and not self.path.stat().st_size:
            self.path.unlink()  # else SQLite would write its log into a file that has lost all else
        with suppress(sqlite3.Error):
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        for suffix, mark in self._beside.items():
            with suppress(OSError):
                if _mark(f"{self.path}{suffix}") == mark:
                    os.unlink(f"{self.path}{suffix}")


def orphans(path: Path) -> dict[Path, tuple[int, int]]:
    """The log files that lie where a store is to be made, left of one that was removed; each with what tells it apart."""
    found = {}
    for suffix in SUFFIXES:
        with suppress(OSError):
            one = os.stat(f"{path}{suffix}")
            found[Path(f"{path}{suffix}")] = (one.st_ino, one.st_ctime_ns)
    return found


def remove_orphans(path: Path, before: dict[Path, tuple[int, int]]) -> None:
    """Remove them, unless another process has made a store there meanwhile."""
    for one, mark in before.items():
        if not path.exists() and orphans(path).get(one) == mark:
            one.unlink(missing_ok=True)


def _mark(path: str) -> Mark | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
