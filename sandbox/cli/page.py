"""`--html FILE`: results and comparisons written as pages."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from riskbox.sandbox.errors import InputError

EPISODES = 10
"""Episodes that a page shows in full."""


def add_html(parser: argparse.ArgumentParser, shown: str) -> None:
    """`--html FILE`, `--transcripts N`; `shown` says which episodes the page shows in full."""
    parser.add_argument("--html", metavar="FILE", default="", help="also write a self-contained HTML page")
    parser.add_argument(
        "--transcripts",
        metavar="N",
        type=_count,
        default=EPISODES,
        help=f"how many of the {shown} the page shows in full (default: %(default)s)",
    )


def again(command: str, argv: Sequence[str], store: str) -> list[str]:
    """The command line that writes the page again, without the password of a store."""
    scheme, _, rest = store.partition("://")
    safe = f"{scheme}://{rest.rpartition('@')[2]}"
    return ["riskbox", command, *(word.replace(store, safe) for word in argv)]


def written(path: str) -> str:
    """What to say of a page that was written."""
    return f"{path} is written: {os.path.getsize(path) / 1e6:.1f} MB."


def _count(word: str) -> int:
    if not word.isdigit():
        raise InputError(f"--transcripts {word}: write 0 or more.")
    return int(word)
