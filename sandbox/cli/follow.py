"""`riskbox list episodes --follow`: each episode as it is stored, while another process writes."""

from __future__ import annotations

import time

from rich.text import Text

from riskbox.sandbox.cli import options
from riskbox.sandbox.escape import inert
from riskbox.sandbox.reporting import screen
from riskbox.sandbox.words.row import EpisodeRow

EVERY = 0.5
"""Seconds between two looks at the store."""
STYLES = {
    "risky": "red",
    "unknown": "yellow",
    "safe": "green",
    "unjudged": "dim",
    "fault": "bold red",
    "void": "dim",
    "unexposed": "dim",
}


def follow(url: str, run: str, *, as_json: bool) -> int:
    """Print a run's episodes, those stored already first, until the run ends; ctrl-C stops looking, not the run."""
    console = screen.screen()
    with options.open_existing(url) as store:
        id = store.run(run).run
        cursor = 0
        while True:
            # the state is read first: what was stored before the run ended must still be shown
            running = store.run(id).state == "running"
            rows, cursor = store.follow(id, cursor)
            for row in rows:
                if as_json:
                    print(row.model_dump_json(), flush=True)
                else:
                    console.print(_line(row))
            if not rows and not running:
                return 0
            if not rows:
                time.sleep(EVERY)


def _line(row: EpisodeRow) -> Text:
    summary = row.summary()
    pending = summary is not None and summary.pending  # it comes again when it is judged
    label = row.left_out or ("unjudged" if pending else summary.targeted if summary else "fault")
    found = ", ".join(f"{one.risk} {one.status}" for one in summary.findings) if summary else row.reason
    return Text.assemble(
        (row.id[:8], "bold"),
        "  ",
        (f"{label:<9}", STYLES[label]),
        inert(row.case),
        "  ",
        (inert(row.agent), "dim"),
        f"  {inert(found)}" if found else "",
    )
