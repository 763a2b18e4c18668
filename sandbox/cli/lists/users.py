"""`riskbox list users`."""

from __future__ import annotations

import argparse

from riskbox.sandbox.cli.lists.participants import show_participants
from riskbox.sandbox.registry.users import FORMS, PLUGINS, USERS


def show(args: argparse.Namespace) -> int:
    """List the names that `--user` takes."""
    return show_participants(args, "user", USERS | FORMS, PLUGINS.listed())
