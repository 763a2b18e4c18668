"""What SQLite's errors mean to us, and what to do about each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from riskbox.sandbox.errors import InputError, RiskboxError, StoreError

MAGIC = b"SQLite format 3\0"
"""How an SQLite file begins."""
PATIENCE = 30.0
"""Seconds to wait for another process's write."""
WRONG: dict[str, tuple[type[RiskboxError], str]] = {
    "SQLITE_NOTADB": (
        InputError,
        "is not a store, nor any SQLite file. Name a file that `riskbox run` wrote, or a new one.",
    ),
    "SQLITE_CANTOPEN": (
        InputError,
        "cannot be opened. Check that it is a file, and that you may write in its folder.",
    ),
    "SQLITE_READONLY": (
        StoreError,
        "is read-only. Make the file and its folder writable, or copy it elsewhere.",
    ),
    "SQLITE_FULL": (
        StoreError,
        "could not grow: the disk is full. All stored before is intact; free some space and try again.",
    ),
    "SQLITE_IOERR": (
        StoreError,
        "could not be read or written: the disk refused. Check its space, quota and health, and try again.",
    ),
    "SQLITE_CORRUPT": (
        StoreError,
        "is damaged. Restore a copy, or save what can be read: sqlite3 FILE .recover | sqlite3 SAVED.db",
    ),
    "SQLITE_BUSY": (
        StoreError,
        f"has been locked by another process for {PATIENCE:.0f} s. End that process, or try again later.",
    ),
}
"""By the first words of SQLite's error names: which error it is to us, and what to do."""


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turns SQLite's errors at a file into ours."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        for prefix, (kind, advice) in WRONG.items():
            if name.startswith(prefix):
                raise kind(f"{path} {advice} ({error})") from None
        raise StoreError(f"{path}: {error}") from None
