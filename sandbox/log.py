"""The log of runs: events with fields, told to Python's logger `riskbox.run`. Nothing is written unless somebody asks for it."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

NAME = "riskbox.run"
"""The logger that is told everything."""
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
"""Levels by name."""
DEBUG, INFO, WARNING, ERROR = LEVELS.values()
KEPT = 10_000
"""Events that a worker keeps at most until they are fetched; of more, the oldest are lost and counted."""

_log = logging.getLogger(NAME)
_log.addHandler(logging.NullHandler())  # else Python prints warnings of a logger that nobody listens to


def tell(event: str, level: int = INFO, **fields: Any) -> None:
    """Tell the log that something happened.

    Args:
        event: What, in words with underscores: `episode_ended`.
        level: How grave it is.
        fields: What else is known of it; values that JSON can hold.
    """
    if _log.isEnabledFor(level):
        _log.log(level, event, extra={"fields": fields})


class Kept(logging.Handler):
    """Keeps the latest events of a worker until its driver fetches them.

    Args:
        level: The level from which on events are kept, by name.
    """

    def __init__(self, level: str) -> None:
        super().__init__(LEVELS[level])
        self._kept: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._lost = 0
        _log.setLevel(LEVELS[level])
        _log.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one event."""
        self._lost += len(self._kept) == KEPT
        fields = getattr(record, "fields", {})
        self._kept.append(
            {"msg": record.getMessage(), "levelno": record.levelno, "created": time.time(), "fields": fields}
        )

    def fetch(self) -> Sequence[dict[str, Any]]:
        """The events since the last time, the oldest first."""
        found = [self._kept.popleft() for _ in range(len(self._kept))]
        if self._lost:
            lost = {"msg": "events_lost", "levelno": WARNING, "created": time.time()}
            found.append({**lost, "fields": {"count": self._lost}})
            self._lost = 0
        for one in found:
            one["fields"] = {**one["fields"], "worker": os.getpid()}
        return found


def relay(records: Iterable[dict[str, Any]]) -> None:
    """Tell the log of this process what another process has told its own."""
    for one in records:
        record = logging.makeLogRecord(
            {"name": NAME, "levelname": logging.getLevelName(one["levelno"]), **one}
        )
        if _log.isEnabledFor(record.levelno):
            _log.handle(record)
