"""Entries and rows as tables or JSON, as every list prints them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from rich import box
from rich.table import Table
from rich.text import Text

from riskbox.sandbox.reporting.rows import pairs
from riskbox.sandbox.reporting.screen import INTENTS, QUIET, Screen, screen, text

WIDE = 110
"""From this width on each field has a column of its own."""


Entry: TypeAlias = dict[str, Any]
"""One thing listed, as JSON."""


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column of a table."""

    heading: str
    """What stands above it."""
    cell: Callable[[Any], Text]
    """What it shows of an entry or a row."""
    wraps: bool = False
    """Whether long text continues on the next line."""


def show_entries(args: argparse.Namespace, entries: Sequence[Entry], columns: Sequence[ListColumn]) -> int:
    """Print the entries that fit `--where`."""
    wanted = pairs(args.where, list(entries[0])) if entries else {}
    fitting = [
        one for one in entries if all(set(values) & _values(one[name]) for name, values in wanted.items())
    ]
    shown = fitting[: args.limit] if args.limit else fitting
    return dump(shown) if args.json else show_table(screen(), shown, columns, len(fitting))


def _values(value: Any) -> set[str]:
    """What a field may be asked for: its value, or any that it holds."""
    if isinstance(value, Mapping):
        return {str(part) for pair in value.items() for part in pair}
    if isinstance(value, list | tuple):
        return {str(part) for part in value}
    return {str(value).lower() if isinstance(value, bool) else str(value)}


def dump(value: Any) -> int:
    """Print a value as JSON."""
    print(json.dumps(value, indent=2))
    return 0


def show_table(console: Screen, rows: Sequence[Any], columns: Sequence[ListColumn], total: int) -> int:
    """Print rows, and how many more there are."""
    if not rows:
        console.print(text("None."))
        return 0
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="dim"
    )
    for column in columns:
        table.add_column(column.heading, overflow="fold", no_wrap=not column.wraps)
    for row in rows:
        table.add_row(*(column.cell(row) for column in columns))
    console.print(table)
    if len(rows) < total:
        console.print(text(f"and {total - len(rows):,} more (--limit 0 for all)"))
    return 0


def field_cell(name: str, style: str = "") -> Callable[[Entry], Text]:
    """A cell that shows a field of an entry."""
    return lambda one: text(str(one[name]), style)


def joined_cell(name: str) -> Callable[[Entry], Text]:
    """A cell that shows all values of a field of an entry."""
    return lambda one: text(" ".join(one[name]))


def below(first: Text, second: str) -> Text:
    """Words, and quieter ones on the line below."""
    return text("").append(first).append("\n").append(text(second, QUIET))


def intent_text(words: str, intent: str) -> Text:
    """Words in the colour of an intent."""
    return text(words, INTENTS.get(intent, ""))
