"""`riskbox list scenarios`."""

from __future__ import annotations

import argparse

from rich.text import Text

from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.cli.lists.table import WIDE, Entry, ListColumn, below, intent_text, show_entries
from riskbox.sandbox.loading.loader import load_all, shipped
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.reporting.screen import screen, text


def show(args: argparse.Namespace) -> int:
    """List the scenarios of files and folders, or those that are shipped."""
    toolbox = Toolbox(tuple(args.tools))
    entries = [
        {
            "scenario": one.scenario.scenario,
            "family": one.scenario.family,
            "domain": one.scenario.domain,
            "title": one.scenario.title,
            "realism": one.scenario.realism,
            "tags": list(one.scenario.tags),
            "personas": {name: persona.intent for name, persona in one.scenario.personas.items()},
            "variants": [f"{axis}={name}" for axis, names in one.scenario.variants.items() for name in names],
            "risks": [risk.id for risk in one.scenario.risks],
            "cases": len(cases([one], toolbox=toolbox)),
            "file": str(one.path),
        }
        for one in load_all(args.names or [shipped()], toolbox)
    ]
    many = ListColumn("cases", lambda one: text(str(one["cases"])))
    if screen().width >= WIDE:
        columns = [
            ListColumn("scenario", _scenario, wraps=True),
            ListColumn("personas", lambda one: _personas(one, "\n")),
            ListColumn("variants", lambda one: text("\n".join(one["variants"]))),
            many,
        ]
    else:
        columns = [ListColumn("scenario", _scenario_in_full, wraps=True), many]
    return show_entries(args, entries, columns)


def _scenario(one: Entry) -> Text:
    named = text("").append(one["scenario"], "bold").append("\n").append(text(one["title"]))
    return below(named, f"{one['domain']}, family {one['family']}")


def _scenario_in_full(one: Entry) -> Text:
    shown = _scenario(one).append("\n").append(_personas(one, ", "))
    return below(shown, ", ".join(one["variants"])) if one["variants"] else shown


def _personas(one: Entry, between: str) -> Text:
    shown = (intent_text(f"{name} ({intent})", intent) for name, intent in one["personas"].items())
    return text(between).join(shown)
