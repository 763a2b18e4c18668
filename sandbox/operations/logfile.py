"""`--log FILE`: what happens to a run, one JSON object a line, without secrets, in files of a bounded size."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import Any

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.log import LEVELS, NAME
from riskbox.sandbox.words.secrets import redact

LARGEST = 100 * 2**20
"""Bytes of a file, after which another is begun."""
FILES = 4
"""How many full files are kept beside the latest: FILE.1 is the youngest of them."""
LONGEST = 2_000
"""Characters of a text, after which it is cut."""


class Lines(logging.Formatter):
    """Formats events as JSON lines: time, level, event, run, then the event's own fields.

    Args:
        run: The run's id.
    """

    def __init__(self, run: str) -> None:
        super().__init__()
        self.run = run

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {name: _clean(value) for name, value in getattr(record, "fields", {}).items()}
        line = {
            "time": at,
            "level": record.levelname.lower(),
            "event": _clean(record.getMessage()),
            "run": self.run,
            **fields,
        }
        return json.dumps(line)


def _clean(value: Any) -> Any:
    """A value without secrets, cut where it is too long."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return round(value, 6)
    text = redact(str(value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


class _File(RotatingFileHandler):
    """A log file that ends quietly when it cannot be written: a full disk is no reason to end a run."""

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        logging.getLogger(NAME).removeHandler(self)
        print(f"riskbox: the log {self.baseFilename} ends here: {error}", file=sys.stderr)


@contextmanager
def logging_to(file: str, level: str, run: str) -> Iterator[None]:
    """Within this, write the events of a run.

    Args:
        file: The file, to which lines are added; `-` for standard error.
        level: The level from which on events are written.
        run: The run's id.

    Raises:
        InputError: the file cannot be written.
    """
    logger = logging.getLogger(NAME)
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if file != "-":
        handler = _File(writable(file, "log"), maxBytes=LARGEST, backupCount=FILES, encoding="utf-8")
    handler.setFormatter(Lines(run))
    handler.setLevel(LEVELS[level])
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(min(LEVELS[level], before or LEVELS[level]))
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        handler.close()


def writable(file: str, what: str) -> str:
    """The absolute path of a file that can be written.

    Args:
        file: The file.
        what: The option that names it.

    Raises:
        InputError: it cannot.
    """
    path = os.path.abspath(file)
    try:
        with open(path, "a"):
            pass
    except OSError as error:
        raise InputError(f"run: {what} {file}: {error.strerror}. Name a file that can be written.") from None
    return path
