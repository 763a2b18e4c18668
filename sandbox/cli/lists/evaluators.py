"""`riskbox list evaluators`."""

from __future__ import annotations

import argparse
import inspect

from riskbox.sandbox.cli.lists.table import ListColumn, field_cell, show_entries
from riskbox.sandbox.registry.evaluators import PLUGINS, evaluator_class, evaluator_names


def show(args: argparse.Namespace) -> int:
    """List the evaluators."""
    packages = dict(PLUGINS.listed())
    entries = [
        {
            "evaluator": name,
            "version": made.version,
            "from": packages.get(name, "riskbox"),
            "about": (inspect.getdoc(made) or "").partition("\n")[0],
        }
        for name in evaluator_names()
        for made in [evaluator_class(name)]
    ]
    columns = [
        ListColumn("evaluator", field_cell("evaluator", "bold")),
        ListColumn("version", field_cell("version")),
        ListColumn("from", field_cell("from")),
        ListColumn("about", field_cell("about"), wraps=True),
    ]
    return show_entries(args, entries, columns)
