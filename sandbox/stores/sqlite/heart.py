"""Heartbeats of runs in an SQLite store: each is a row, read and written within a transaction of the store's."""

from __future__ import annotations

import sqlite3

from riskbox.sandbox.stores import record
from riskbox.sandbox.stores.liveness import is_living, stamped
from riskbox.sandbox.stores.shared import taken_over
from riskbox.sandbox.words.heartbeat import Heartbeat

RUNS = "SELECT manifest, state, beat FROM runs LEFT JOIN heartbeats USING (run)"
"""Manifest, state and last heartbeat of runs."""


def last(db: sqlite3.Connection, run: str) -> Heartbeat | None:
    """The last heartbeat of a run."""
    found = db.execute("SELECT beat FROM heartbeats WHERE run = ?", (run,)).fetchone()
    return None if found is None else record.parse(Heartbeat, found[0])


def beat(db: sqlite3.Connection, run: str, made: Heartbeat, now: float, *, take: bool) -> Heartbeat | None:
    """Write a heartbeat, unless another living driver holds the run: then that one's is returned."""
    before = last(db, run)
    if before and before.driver != made.driver and not take and is_living(before, now):
        return before
    db.execute(
        "INSERT OR REPLACE INTO heartbeats VALUES (?, ?, ?)",
        (run, made.driver, record.text(stamped(made, now))),
    )
    return None


def require_held(db: sqlite3.Connection, run: str, driver: str | None, now: float) -> None:
    """Refuse to write for a driver that has lost the run; None is whoever took none.

    Raises:
        TakenOver: another has taken the run.
    """
    if driver is None:
        return
    found = db.execute("SELECT driver FROM heartbeats WHERE run = ?", (run,)).fetchone()
    if found is None or found[0] != driver:
        raise taken_over(run, last(db, run), now)
