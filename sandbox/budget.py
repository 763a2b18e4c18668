"""How much a file may ask for: one place for the limits of everything that is read from files.

Scenario files, bulk rows, tool lists and stored records may come from strangers. Each limit is far above what people
write, and low enough that reading a file at the limit takes seconds and a few hundred megabytes. All are checked
before the work is done that they bound.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

FILE_BYTES = 1_000_000
"""Bytes of a YAML file; the largest that ships has 60,000, and bulk rows belong in a JSON file beside it."""
DEPTH = 40
"""Levels of nesting in a YAML file."""
RECORD_DEPTH = 200
"""Levels of nesting in a record that is read from a file; pydantic writes 255."""
VALUES = 100_000
"""Values of a YAML file, which take 50 bytes and more each once they are read."""
PROBLEMS = 100
"""Problems of a file that are told; nobody reads more, and each takes a search for the nearest name."""
LIST_BYTES = 5_000_000
"""Bytes of a JSON list of tools."""
SCHEMA_STEPS = 100_000
"""Keywords of a JSON Schema that are held against one value; a tenth of them may hold for the same part of it."""
GROWTH = 10_000
"""Times that the macros of a condition may repeat a value, as `map(x, x + x)` does twice."""
SHEET_BYTES = 100_000_000
"""Bytes of a CSV file of labels or ratings."""
ROWS_BYTES = 20_000_000
"""Bytes of a JSON file of rows."""
ROW_BYTES = 1_000
"""Bytes of a file of rows that count as one row, so that few huge rows count as well."""
ROWS = 200_000
"""Rows in all worlds of a scenario: its own, and that of each variant that changes it. Each is checked."""
GENERATED = 50_000
"""Generated rows in all of them; a thousand take from 0.1 to 0.3 seconds."""
CASES = 10_000
"""Cases of a scenario: personas times variants, and what `cases:` lists."""
COPIES = 2_000_000
"""Cases times rows, since each case is hashed and stored with its rows."""
RECORD_BYTES = 100_000_000
"""Bytes of a stored record once it is unpacked; an episode of 1,000 turns has about a million."""
PLAN_BYTES = 5_000_000_000
"""Bytes of the stored plan of a run once it is unpacked; ten million episodes take about that."""
LINE_BYTES = 2 * RECORD_BYTES
"""Bytes of a line of exported episodes, which holds a record and its case."""


class OverBudget(ValueError):
    """A file asks for more than its limit; the message says how much, and what to do."""


def content(path: Path, most: int, instead: str = "split it") -> bytes:
    """A file's bytes.

    Args:
        path: The file.
        most: How many bytes it may have.
        instead: What to do if it has more.

    Raises:
        OverBudget: it has more.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return _read(file, most, instead)


def own_content(path: Path, most: int, instead: str = "split it") -> bytes:
    """The bytes of a file that another file names: a regular one, since a stranger's pipe or device never ends.

    Args:
        path: The file.
        most: How many bytes it may have.
        instead: What to do if it has more.

    Raises:
        OverBudget: it has more, or is no regular file.
        OSError: it cannot be read.
    """
    # a pipe without a writer would block when it is opened
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OverBudget("is not a regular file; put the file itself there")
        return _read(file, most, instead)


def _read(file: BinaryIO, most: int, instead: str) -> bytes:
    found = file.read(most + 1)
    if len(found) <= most:
        return found
    size = os.fstat(file.fileno()).st_size
    told = (
        f"has {size:,} bytes, and the limit is {most:,}" if size > most else f"is larger than {most:,} bytes"
    )
    raise OverBudget(f"{told}; {instead}")
