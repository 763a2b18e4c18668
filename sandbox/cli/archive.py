"""`riskbox archive`: a finished run, out of a live store."""

from __future__ import annotations

import argparse
import json

from riskbox.sandbox.cli import options

ABOUT = "Move a finished run out of a store: to compressed JSON lines and Parquet, in a folder that is read like a store."
EXAMPLES = """\
  riskbox archive latest --to cold/                         move the latest run to cold/RUN
  riskbox archive 20260302 --to s3://bucket/runs --keep     copy a run to an object store
  riskbox report --store archive:cold/20260302-091500-a3f1  read an archived run
  riskbox import archive cold/20260302-091500-a3f1          bring it back

What was written is read back and compared before the run leaves the store. If you stop it, the run is still there.
This needs the extra `archive`; other file systems than your own need a package of fsspec (`s3fs`, `gcsfs`, ...)."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = options.Parser("archive", ABOUT, EXAMPLES)
    options.add_run(made)
    made.add_argument(
        "--to",
        metavar="FOLDER",
        required=True,
        help="where: a path or a URL of fsspec; the run gets a folder in it that is named by its id",
    )
    made.add_argument("--keep", action="store_true", help="leave the run in the store")
    options.add_store(made)
    options.add_json(made)
    return made


def main(argv: list[str]) -> int:
    """Archive a run, and say where it is."""
    given = parser().parse_args(argv)

    from riskbox.sandbox.stores import cold, open_store

    with open_store(given.store, create=False, writes=not given.keep) as store:
        folder, written = cold.move(store, given.run, given.to, keep=given.keep)
    run = written.manifest.run
    if given.json:
        told = {
            "run": run,
            "archive": folder,
            "episodes": written.episodes,
            "removed": not given.keep,
        }
        print(json.dumps(told))
        return 0
    print(f"{written.episodes:,} episodes of {run} are in {folder}")
    print("The store has them still." if given.keep else "The store has them no more.")
    print(f"Read them: riskbox report --store archive:{folder}")
    return 0
