"""Options that several subcommands share."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, NoReturn

from riskbox.sandbox.errors import InputError

if TYPE_CHECKING:
    from riskbox.sandbox.store import Store

STORE = "sqlite:///riskbox.db"
"""Where runs go unless `--store` or RISKBOX_STORE says otherwise."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are input errors, and whose help keeps its examples as written."""

    def __init__(self, command: str, about: str, examples: str) -> None:
        super().__init__(
            prog=f"riskbox {command}",
            description=about,
            epilog=f"examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Raise instead of exiting, so that one place decides what is printed."""
        raise InputError(f"{self.prog.removeprefix('riskbox ')}: {message}. See `{self.prog} --help`.")


def add_store(parser: argparse.ArgumentParser) -> None:
    """`--store URL`."""
    parser.add_argument(
        "--store",
        metavar="URL",
        default=os.environ.get("RISKBOX_STORE", STORE),
        help="where runs are kept: sqlite:///runs.db or redis://host:6379/0 (default: RISKBOX_STORE or %(default)s)",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument(
        "--json", action="store_true", help="print JSON for programs instead of tables for people"
    )


def add_tools(parser: argparse.ArgumentParser) -> None:
    """`--tools FILE.py:Name`."""
    parser.add_argument(
        "--tools",
        metavar="FILE.py:NAME",
        action="append",
        default=[],
        help="a toolset of your own that scenarios may name; may be repeated",
    )


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Which cases."""
    group = parser.add_argument_group("which cases (each may be repeated; default all)")
    group.add_argument("--persona", metavar="ID", action="append", default=[], help="personas by id")
    group.add_argument(
        "--intent", action="append", default=[], help="benign, careless, vulnerable, malicious"
    )
    group.add_argument(
        "--variant", metavar="[AXIS=]NAME", action="append", default=[], help="variants; `none` for none"
    )
    group.add_argument("--domain", action="append", default=[], help="domains, such as healthcare")
    group.add_argument("--family", action="append", default=[], help="families")
    group.add_argument("--tag", action="append", default=[], help="tags")


def open_existing(url: str) -> Store:
    """A store to read from.

    Raises:
        InputError: there is none.
    """
    from riskbox.sandbox.stores import open_store

    return open_store(url, create=False)
