"""Removing a run from an SQLite store, within a transaction of the store's."""

from __future__ import annotations

import sqlite3

from riskbox.sandbox.stores import record
from riskbox.sandbox.stores.shared import unfinished
from riskbox.sandbox.words.run import Manifest


def remove(db: sqlite3.Connection, run: str) -> None:
    """Remove a run that is there, with its episodes, and the cases that no other run has.

    Raises:
        InputError: it is not finished.
    """
    text, state = db.execute("SELECT manifest, state FROM runs WHERE run = ?", (run,)).fetchone()
    if state == "running":
        raise unfinished(run)
    db.execute("DELETE FROM assessments WHERE run = ?", (run,))
    db.execute("DELETE FROM blobs WHERE place IN (SELECT place FROM episodes WHERE run = ?)", (run,))
    for table in ("episodes", "specs", "heartbeats", "runs"):
        db.execute(f"DELETE FROM {table} WHERE run = ?", (run,))
    others = db.execute("SELECT manifest FROM runs").fetchall()
    kept = {hash for (one,) in others for hash in record.parse(Manifest, one).cases.values()}
    unused = set(record.parse(Manifest, text).cases.values()) - kept
    db.executemany("DELETE FROM cases WHERE hash = ?", [(hash,) for hash in unused])
