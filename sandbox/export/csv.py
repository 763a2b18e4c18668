# ruff: noqa: A005  # imports are absolute, so it shadows nothing
"""CSV: a row an episode, the columns of `frames.episodes`.

Lists are joined by semicolons. Text that a spreadsheet would run as a formula, and text that begins with an apostrophe,
gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
from typing import Any, BinaryIO

from riskbox.sandbox.export.columns import EpisodeFields
from riskbox.sandbox.export.frames import encodable, of_row
from riskbox.sandbox.export.source import ExportSource

_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")
"""How a formula may begin, and what marks text that is none."""


def write(source: ExportSource, out: BinaryIO) -> int:
    """Write the rows; how many is returned."""
    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
    table = csv.writer(text, lineterminator="\n")
    table.writerow(EpisodeFields.__annotations__)
    many = 0
    for row in source.rows():
        table.writerow(map(cell, of_row(row, source.chosen.evaluator).values()))
        many += 1
    text.detach()
    return many


def cell(value: Any) -> str:
    """A value as it stands in a cell: nothing for None, and no formula."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case list():
            value = ";".join(value)
        case int() | float():
            return str(value)
    return f"'{encodable(value)}" if value.startswith(_STARTS) else str(encodable(value))
