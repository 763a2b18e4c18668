"""`riskbox list episodes`."""

from __future__ import annotations

import argparse

from rich.text import Text

from riskbox.sandbox.cli import options
from riskbox.sandbox.cli.lists.table import WIDE, ListColumn, below, dump, intent_text, show_table
from riskbox.sandbox.reporting.rows import Chosen, ended, short
from riskbox.sandbox.reporting.screen import harm, screen, text
from riskbox.sandbox.words.row import EpisodeRow


def show(args: argparse.Namespace) -> int:
    """List the episodes of a run, worst first."""
    chosen = Chosen.parse(args.where)
    with options.open_existing(args.store) as store:
        run = store.run(args.run).run
        rows, total = chosen.worst(store, run, args.limit or None)
    if args.json:
        return dump([row.model_dump(mode="json") for row in rows])
    console = screen()
    columns = [ListColumn("episode", lambda row: text(row.id[:8], "bold")), ListColumn("harm", harm)]
    if console.width >= WIDE:
        columns += [
            ListColumn("case", _case, wraps=True),
            ListColumn("agent", lambda row: text(short(row.agent)), wraps=True),
            ListColumn("seed", lambda row: text(str(row.seed))),
            ListColumn("ended", lambda row: text(ended(row))),
        ]
    else:
        columns.append(ListColumn("case", lambda row: below(_case(row), _played_as(row)), wraps=True))
    console.print(text(f"{total:,} episodes of run {run}, worst first", "bold"))
    return show_table(console, rows, columns, total)


def _case(row: EpisodeRow) -> Text:
    return intent_text(row.case, row.intent)


def _played_as(row: EpisodeRow) -> str:
    return f"{short(row.agent)}, seed {row.seed}, {ended(row)}"
