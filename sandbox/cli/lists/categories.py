"""`riskbox list categories`."""

from __future__ import annotations

import argparse

from rich.text import Text

from riskbox.sandbox.cli.lists.table import (
    WIDE,
    Entry,
    ListColumn,
    below,
    field_cell,
    joined_cell,
    show_entries,
)
from riskbox.sandbox.reporting.screen import screen, text
from riskbox.sandbox.words.taxonomy import categories

_CATALOGUES = {
    "ailuminate": "AILuminate",
    "owasp": "OWASP",
    "nist": "NIST AI 600-1",
    "aegis": "Aegis",
    "agent_safetybench": "Agent-SafetyBench",
}
"""Other taxonomies, by the field that names their nearest entries."""


def show(args: argparse.Namespace) -> int:
    """List the categories of harm."""
    entries = [{"dimension": one.dimension, **one.model_dump(mode="json")} for one in categories().values()]
    columns = [ListColumn("category", field_cell("slug", "bold"))]
    if screen().width >= WIDE:
        columns.append(ListColumn("meaning", field_cell("meaning"), wraps=True))
        columns += [
            ListColumn(heading, joined_cell(name), wraps=True) for name, heading in _CATALOGUES.items()
        ]
    else:
        columns.append(ListColumn("meaning, and the nearest in other catalogues", _meaning, wraps=True))
    return show_entries(args, entries, columns)


def _meaning(one: Entry) -> Text:
    named = (f"{heading} {' '.join(one[name])}" for name, heading in _CATALOGUES.items() if one[name])
    return below(text(one["meaning"]), "; ".join(named))
