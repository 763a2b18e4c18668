"""Agents or users in a table: those that come with riskbox, and those that packages bring."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from riskbox.sandbox.cli.lists.table import ListColumn, field_cell, show_entries


def show_participants(
    args: argparse.Namespace, role: str, known: Mapping[str, str], installed: Sequence[tuple[str, str]]
) -> int:
    """List the participants of a role.

    Args:
        args: The options of the command.
        role: agent or user.
        known: Those that come with riskbox, each with a sentence.
        installed: Those of installed packages, each with its package.
    """
    entries = [
        *({role: name, "from": "riskbox", "about": about} for name, about in known.items()),
        *({role: name, "from": package, "about": "installed"} for name, package in installed),
    ]
    columns = [
        ListColumn(role, field_cell(role, "bold")),
        ListColumn("from", field_cell("from")),
        ListColumn("about", field_cell("about"), wraps=True),
    ]
    return show_entries(args, entries, columns)
