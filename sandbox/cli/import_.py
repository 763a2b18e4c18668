"""`riskbox import`: episodes that were exported, into a store."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from riskbox.sandbox.cli import options
from riskbox.sandbox.errors import InputError, did_you_mean

ABOUT = "Read a file of `riskbox export jsonl`, or what `riskbox archive` wrote, into a store, with its run, cases, episodes and verdicts."
EXAMPLES = """\
  riskbox import jsonl run.jsonl                            read into the default store
  riskbox import jsonl run.jsonl --store sqlite:///all.db   read into another store
  riskbox import archive cold/20260302-091500-a3f1          bring an archived run back
  riskbox export jsonl --store redis://here | riskbox import jsonl - --store sqlite:///kept.db"""

FORMATS = ("jsonl", "archive")
"""The formats that can be read."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = options.Parser("import", ABOUT, EXAMPLES)
    made.add_argument("format", metavar="FORMAT", help=", ".join(FORMATS))
    made.add_argument(
        "file", metavar="FILE", help="the file to read, or the folder of an archive; - for standard input"
    )
    options.add_store(made)
    options.add_json(made)
    return made


def main(argv: list[str]) -> int:
    """Store the episodes of a file, and say how many are new."""
    given = parser().parse_args(argv)
    if given.format not in FORMATS:
        raise InputError(f"import {given.format}: cannot be read. {did_you_mean(given.format, FORMATS)}")

    from riskbox.sandbox.escape import line
    from riskbox.sandbox.stores import jsonl, open_store

    if given.format == "archive":
        from riskbox.sandbox.stores import cold

        with cold.ColdStore(given.file) as archived, open_store(given.store) as store:
            made, new = cold.restore(store, archived)
            stored = store.count(made.run)
    else:
        with _opened(given.file) as file, open_store(given.store) as store:
            made, new = jsonl.load(store, file, "standard input" if given.file == "-" else given.file)
            stored = store.count(made.run)
    if given.json:
        print(json.dumps({"run": made.run, "new": new, "episodes": stored, "planned": made.planned}))
    else:
        print(f"{new:,} new of {stored:,} episodes of {line(made.run)}")
    return 0


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """A file that can be read twice."""
    try:
        if path == "-":
            with tempfile.TemporaryFile() as kept:
                shutil.copyfileobj(sys.stdin.buffer, kept)
                kept.seek(0)
                yield cast(BinaryIO, kept)
        else:
            with open(path, "rb") as file:
                yield file
    except OSError as error:
        raise InputError(f"import: {path} cannot be read: {error.strerror or error}.") from None
