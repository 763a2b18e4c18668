"""Recorded model calls: a run replays byte for byte without any provider.

A recording is one SQLite file. Its key is a hash of the whole request, the seed included, so that repeated samples stay
independent.

- record: send each call that the file does not hold, and record it.
- replay: send nothing; a call that the file does not hold is an error that names it.
- cache: like record, for a file that many runs share; failures are not recorded.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from riskbox.sandbox.errors import BudgetSpent, Halt, InputError
from riskbox.sandbox.models.transport import Completion, ModelRequest, TransportError
from riskbox.sandbox.words.case import digest

Mode = Literal["record", "replay", "cache"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, outcome TEXT NOT NULL,
    request BLOB NOT NULL, answer BLOB NOT NULL, created REAL NOT NULL
) WITHOUT ROWID
"""
APPLICATION = 0x52424B53  # "RBKS"
CUT_OFF = "cut_off"
"""The outcome of a call that a time limit cancelled; on replay it gets no answer either."""
OVER_BUDGET = "budget"
"""The outcome of a call that the episode's budget did not allow; on replay it raises `BudgetSpent` again."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Where calls are recorded, and how the file is used."""

    path: str
    """The SQLite file."""
    mode: Mode
    """record, replay or cache."""


class RecordedCalls:
    """One file of recorded calls; several processes of a machine may share it.

    Raises:
        InputError: there is no file to replay, or it is not a recording.
    """

    def __init__(self, recording: Recording) -> None:
        self.path, self.mode = Path(recording.path), recording.mode
        if self.mode == "replay" and not self.path.is_file():
            raise InputError(f"there is no recording {self.path}. Make one with --record {self.path}.")
        if not self.path.parent.is_dir():
            raise InputError(f"{self.path}: the folder {self.path.parent} does not exist.")
        try:
            self._db = self._opened()
        except sqlite3.DatabaseError as error:
            told = (
                "is in use by something else"
                if "locked" in str(error)
                else "is not a recording of model calls"
            )
            raise InputError(f"{self.path} {told}: {error}.") from None

    def _opened(self) -> sqlite3.Connection:
        reading = self.mode == "replay"
        uri = self.path.absolute().as_uri()
        db = sqlite3.connect(
            f"{uri}?mode={'ro' if reading else 'rwc'}",
            uri=True,
            timeout=30,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            if not reading:
                # two processes may make the file at once; the lock comes first, since the journal's mode waits for none
                db.execute("BEGIN IMMEDIATE")
            (owner,) = db.execute("PRAGMA application_id").fetchone()
            (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if owner != APPLICATION and (tables or reading):
                raise InputError(f"{self.path} is not a recording of model calls.")
            if not reading:
                db.execute(f"PRAGMA application_id = {APPLICATION}")
                db.execute(SCHEMA)
                db.execute("COMMIT")
                _shared(db)
        except BaseException:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Close the file. The last process to close it leaves a single file, which can be read from a read-only folder."""
        if self.mode != "replay":
            with contextlib.suppress(sqlite3.OperationalError):  # others still write
                self._db.execute("PRAGMA busy_timeout = 0")
                self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()

    async def replayed(self, key: str, request: ModelRequest) -> Completion:
        """The answer that was recorded for a request.

        Raises:
            TransportError: the call failed when it was recorded.
            BudgetSpent: the episode's budget did not allow the call.
            Halt: nothing was recorded.
        """
        found = self._row(key)
        if found is None:
            last = request.messages[-1] if request.messages else {}
            said = " ".join(str(last.get("content")).split())[:80]
            raise Halt(
                f"{self.path} contains no recording of call {key} to {request.model} after {said!r}. The scenario, "
                "the code, a setting or the seed has changed since; record the run again.",
                2,
            )
        outcome, answer = found
        if outcome == "ok":
            return _answer(answer)
        if outcome == CUT_OFF:
            await asyncio.Event().wait()  # until the same time limit ends it again
        if outcome == OVER_BUDGET:
            raise BudgetSpent(answer["told"])
        raise TransportError(outcome, answer["told"])

    def find(self, key: str) -> Completion | None:
        """The answer that was recorded; None if there is none and the call must be sent."""
        found = self._row(key)
        return _answer(found[1]) if found is not None and found[0] == "ok" else None

    def keep(self, key: str, request: ModelRequest, answer: Completion) -> Completion:
        """Record an answer.

        Returns:
            The answer that the file holds. Where another process was first, this is the other process's answer.
        """
        self._write(key, request, "ok", asdict(answer))
        return self.find(key) or answer

    def failed(self, key: str, request: ModelRequest, outcome: str, message: str) -> None:
        """Record that no answer came; a cache records no failures."""
        if self.mode == "record":
            self._write(key, request, outcome, {"told": message})

    def _row(self, key: str) -> tuple[Any, dict[str, Any]] | None:
        try:
            row = self._db.execute("SELECT outcome, answer FROM calls WHERE key = ?", (key,)).fetchone()
            return None if row is None else (row[0], json.loads(zlib.decompress(row[1])))
        except (sqlite3.DatabaseError, zlib.error, ValueError, TypeError) as error:
            raise Halt(f"{self.path} is damaged: {error}. Record the run again.", 2) from None

    def _write(self, key: str, request: ModelRequest, outcome: str, answer: Mapping[str, Any]) -> None:
        values = (key, request.model, outcome, _packed(asked(request)), _packed(answer), time.time())
        try:
            # an answer takes the place of a failure, never of another answer
            self._db.execute(
                "INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
                "outcome = excluded.outcome, answer = excluded.answer, created = excluded.created "
                "WHERE calls.outcome != 'ok'",
                values,
            )
        except sqlite3.DatabaseError as error:
            # no later call could be recorded either
            raise Halt(f"{self.path} cannot be written: {error}.") from None


def _answer(kept: Mapping[str, Any]) -> Completion:
    return Completion(**{**kept, "calls": tuple(kept["calls"]), "flaws": tuple(kept.get("flaws", ()))})


def _shared(db: sqlite3.Connection) -> None:
    """Let several processes write side by side, without a flush to the disk at each call."""
    for _ in range(100):
        try:
            db.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:  # another process is about the same, and SQLite does not wait here
            time.sleep(0.05)
    db.execute("PRAGMA synchronous = NORMAL")


def asked(request: ModelRequest) -> dict[str, Any]:
    """A request as JSON."""
    return {
        "model": request.model,
        "messages": list(request.messages),
        "tools": list(request.tools),
        "schema": request.schema,
        "seed": request.seed,
        "settings": dict(request.settings),
    }


def key_of(request: ModelRequest) -> str:
    """The hash under which a request is recorded."""
    return digest(asked(request), size=32)


def _packed(value: Mapping[str, Any]) -> bytes:
    return zlib.compress(json.dumps(value, ensure_ascii=True, default=str).encode(), 1)
