"""Recorded model calls, found by what was asked: a run replays byte for byte without any provider.

One SQLite file. Its key is a hash of the whole request, the seed included, so that repeated samples stay independent.

- record: each new call is asked and kept; one that this file holds is not asked again.
- replay: nothing is asked; a call the file does not hold is an error that names it.
- cache: as record, and the file may serve many runs; failures are not kept.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from riskbox.sandbox.case import digest
from riskbox.sandbox.errors import Halt, InputError, StoreError
from riskbox.sandbox.wire import Answer, Request, Trouble

Mode = Literal["record", "replay", "cache"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, outcome TEXT NOT NULL,
    request BLOB NOT NULL, answer BLOB NOT NULL, created REAL NOT NULL
) WITHOUT ROWID
"""
APPLICATION = 0x52424B53  # "RBKS"
CUT_OFF = "cut_off"
"""The outcome of a call that a time limit ended; on replay it is not answered either."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Where calls are kept, and how the file is used."""

    path: str
    mode: Mode


class Cassette:
    """One file of recorded calls; several processes of a machine may share it.

    Raises:
        InputError: there is no such file to replay, or it is something else.
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
            raise InputError(f"{self.path} is not a recording of model calls: {error}.") from None

    def _opened(self) -> sqlite3.Connection:
        reading = self.mode == "replay"
        uri = f"{self.path.absolute().as_uri()}?mode={'ro' if reading else 'rwc'}"
        db = sqlite3.connect(uri, uri=True, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            (owner,) = db.execute("PRAGMA application_id").fetchone()
            (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if owner != APPLICATION and (tables or reading):
                raise InputError(f"{self.path} is not a recording of model calls.")
            if not reading:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = NORMAL")
                db.execute(f"PRAGMA application_id = {APPLICATION}")
                db.execute(SCHEMA)
        except BaseException:
            db.close()
            raise
        return db

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    async def find(self, key: str, request: Request) -> Answer | None:
        """What was recorded for a request; None where it must be asked.

        Raises:
            Trouble: what was recorded is a failure.
            Halt: in replay mode, nothing was recorded.
        """
        found = self._db.execute("SELECT outcome, answer FROM calls WHERE key = ?", (key,)).fetchone()
        if found is None:
            if self.mode == "replay":
                last = request.messages[-1] if request.messages else {}
                said = " ".join(str(last.get("content")).split())[:80]
                raise Halt(
                    f"{self.path} holds no recording of call {key} to {request.model} after {said!r}. The scenario, "
                    "the code, a setting or the seed has changed since; record the run again."
                )
            return None
        outcome, answer = found[0], json.loads(zlib.decompress(found[1]))
        if outcome == "ok":
            return Answer(**answer)
        if outcome == CUT_OFF and self.mode == "replay":
            await asyncio.Event().wait()  # until the same time limit ends it again
        if self.mode != "replay":
            return None
        raise Trouble(outcome, answer["told"])

    def keep(self, key: str, request: Request, answer: Answer) -> Answer:
        """Record an answer.

        Returns:
            What the file holds: another process may have been first, and its answer stands for all.
        """
        self._write(key, request, "ok", asdict(answer))
        outcome, blob = self._db.execute("SELECT outcome, answer FROM calls WHERE key = ?", (key,)).fetchone()
        return Answer(**json.loads(zlib.decompress(blob))) if outcome == "ok" else answer

    def failed(self, key: str, request: Request, outcome: str, told: str) -> None:
        """Record that no answer came; a cache keeps no failures."""
        if self.mode == "record":
            self._write(key, request, outcome, {"told": told})

    def _write(self, key: str, request: Request, outcome: str, answer: Mapping[str, Any]) -> None:
        values = (key, request.model, outcome, _packed(asked(request)), _packed(answer), time.time())
        try:
            # an answer takes the place of a failure, never of another answer
            self._db.execute(
                "INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
                "outcome = excluded.outcome, answer = excluded.answer, created = excluded.created "
                "WHERE calls.outcome != 'ok'",
                values,
            )
        except sqlite3.OperationalError as error:
            raise StoreError(f"{self.path} cannot be written: {error}.") from None


def asked(request: Request) -> dict[str, Any]:
    """A request as JSON."""
    return {
        "model": request.model,
        "messages": list(request.messages),
        "tools": list(request.tools),
        "schema": request.schema,
        "seed": request.seed,
        "settings": dict(request.settings),
    }


def key_of(request: Request) -> str:
    """The hash under which a request is recorded."""
    return digest(asked(request), size=32)


def _packed(value: Mapping[str, Any]) -> bytes:
    return zlib.compress(json.dumps(value, ensure_ascii=True, default=str).encode(), 1)
