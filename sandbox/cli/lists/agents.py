"""`riskbox list agents`."""

from __future__ import annotations

import argparse

from riskbox.sandbox.cli.lists.participants import show_participants
from riskbox.sandbox.registry.agents import AGENTS, FORMS, PLUGINS


def show(args: argparse.Namespace) -> int:
    """List the names that `--agent` takes."""
    return show_participants(args, "agent", AGENTS | FORMS, PLUGINS.listed())
