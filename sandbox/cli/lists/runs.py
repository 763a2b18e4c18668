"""`riskbox list runs`."""

from __future__ import annotations

import argparse

from riskbox.sandbox.cli import options
from riskbox.sandbox.cli.lists.table import ListColumn, field_cell, show_entries
from riskbox.sandbox.contracts.store import Where
from riskbox.sandbox.reporting.driven import beat_of, state
from riskbox.sandbox.reporting.rows import UNJUDGED, short
from riskbox.sandbox.reporting.screen import text


def show(args: argparse.Namespace) -> int:
    """List the runs of a store, latest first."""
    with options.open_existing(args.store) as store:
        runs = [(one, beat_of(store, one)) for one in store.runs()]
        entries = [
            {
                "run": one.run,
                "name": one.name,
                "state": one.state,
                "created": one.created,
                "episodes": store.count(one.run),
                "planned": one.planned,
                "unjudged": store.count(one.run, Where(terms=(UNJUDGED,))),
                "agents": list(one.agents),
                "evaluators": one.evaluators,
                "heartbeat": beat and beat.model_dump(mode="json"),
            }
            for one, beat in runs
        ]
        states = {one.run: state(one, beat) for one, beat in runs}
    columns = [
        ListColumn("run", field_cell("run", "bold")),
        ListColumn("name", field_cell("name"), wraps=True),
        ListColumn("state", lambda one: text(states[one["run"]])),
        ListColumn("episodes", lambda one: text(_episodes(one["episodes"], one["planned"], one["unjudged"]))),
        ListColumn("agents", lambda one: text(", ".join(map(short, one["agents"]))), wraps=True),
    ]
    return show_entries(args, entries, columns)


def _episodes(stored: int, planned: int, unjudged: int) -> str:
    # retakes of void episodes are stored beside what was planned
    told = f"{stored:,} of {planned:,}" if stored <= planned else f"{stored:,} ({planned:,} planned)"
    return told + (f", {unjudged:,} not judged yet" if unjudged else "")
