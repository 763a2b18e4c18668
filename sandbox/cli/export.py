"""`riskbox export`: stored episodes for other tools."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from riskbox.sandbox.cli import options
from riskbox.sandbox.errors import InputError, did_you_mean
from riskbox.sandbox.export import FORMATS

if TYPE_CHECKING:
    from riskbox.sandbox.export.source import ExportSource

ABOUT = "Write the episodes of a run for other tools.\n\nformats:\n" + "\n".join(
    f"  {name:<9}{about}" for name, about in FORMATS.items()
)
EXAMPLES = """\
  riskbox export jsonl -o run.jsonl                         write the whole latest run
  riskbox export csv 20260302 --where intent=malicious      write rows to standard output
  riskbox export parquet -o run.parquet --evaluator judge   write a judge's verdicts
  riskbox export junit -o junit.xml --fail-if "legal.risk_ratio > 0.05"
  riskbox export sarif -o riskbox.sarif --scenarios my_scenarios/
  riskbox export inspect -o logs && inspect view --log-dir logs"""

BINARY = ("parquet",)
"""Formats that no terminal shows."""
Writer: TypeAlias = "Callable[[ExportSource, BinaryIO], int]"


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = options.Parser("export", ABOUT, EXAMPLES)
    made.add_argument("format", metavar="FORMAT", help=", ".join(FORMATS))
    options.add_run(made)
    made.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        default="",
        help="the file to write, or the folder for inspect (default: standard output)",
    )
    options.add_where(made)
    options.add_evaluator(
        made, "csv, parquet, junit, sarif: write the verdicts of this evaluator (default: the first)"
    )
    made.add_argument(
        "--unknown",
        choices=("skip", "fail", "pass"),
        help="junit: the result of a test whose episode may or may not be harmful (default: skip)",
    )
    made.add_argument(
        "--scenarios",
        metavar="PATH",
        action="append",
        default=[],
        help="sarif: the scenario files or folders, so that results point to lines in them; may be repeated",
    )
    options.add_gates(made)
    options.add_store(made)
    options.add_json(made)
    return made


def main(argv: list[str]) -> int:
    """Write the episodes, and say how many."""
    given = parser().parse_args(argv)
    _require(given)

    from riskbox.sandbox.export.source import ExportSource
    from riskbox.sandbox.reporting.rows import Chosen

    chosen = Chosen.parse(given.where, given.evaluator)
    with options.open_existing(given.store) as store:
        source = ExportSource(store, store.run(given.run), chosen)
        if next(source.rows(), None) is None:
            fits = f" matches {', '.join(given.where)}" if given.where else " is stored"
            raise InputError(f"no episode of {source.manifest.run}{fits}.")
        if given.evaluator:
            _require_assessed(source, given.evaluator)
        if given.format == "inspect":
            from riskbox.sandbox.export import inspect

            files = [str(path) for path in inspect.write(source, Path(given.output))]
            many = sum(1 for _ in source.rows())
        else:
            write = _writer(given)
            with _opened(given.output) as out:
                many = write(source, out)
            files = [given.output] if given.output else []
    _told(given, source.manifest.run, files, many)
    return 0


def _require(given: argparse.Namespace) -> None:
    if given.format not in FORMATS:
        raise InputError(f"export {given.format}: unknown format. {did_you_mean(given.format, FORMATS)}")
    for flag, value, format in (
        ("--fail-if", given.fail_if, "junit"),
        ("--gate", given.gate, "junit"),
        ("--unknown", given.unknown, "junit"),
        ("--scenarios", given.scenarios, "sarif"),
    ):
        if value and given.format != format:
            raise InputError(f"export {given.format}: {flag} is for {format} only.")
    if given.output:
        return
    if given.format == "inspect":
        raise InputError("export inspect: name the folder for the logs: -o logs.")
    if given.json:
        raise InputError("export: --json needs a file for the episodes: -o PATH.")
    if given.format in BINARY and sys.stdout.isatty():
        raise InputError(
            f"export {given.format}: cannot be written to a terminal; name a file: -o run.{given.format}."
        )


def _require_assessed(source: ExportSource, evaluator: str) -> None:
    known = {one.evaluator for row in source.rows() for one in row.summaries}
    if evaluator not in known:
        raise InputError(
            f"no episode of {source.manifest.run} was assessed by {evaluator!r}. {did_you_mean(evaluator, known)}"
        )


def _writer(given: argparse.Namespace) -> Writer:
    """What writes the format, with what it was told."""
    module: Any = import_module(f"riskbox.sandbox.export.{given.format}")
    if given.format == "junit":
        gate_set = options.gate_set_from(given)
        gates = gate_set.gates if gate_set else ()
        return lambda source, out: module.write(source, out, gates, given.unknown or "skip")
    if given.format == "sarif":
        places = module.find(given.scenarios)
        return lambda source, out: module.write(source, out, places)
    write: Writer = module.write
    return write


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """The file to write, which takes its name once it is whole; standard output without a name."""
    if not path:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = f"{path}.part"
    try:
        with open(part, "wb") as out:
            yield out
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"export: {path} cannot be written: {error.strerror or error}.") from None
    finally:
        Path(part).unlink(missing_ok=True)


def _told(given: argparse.Namespace, run: str, files: list[str], many: int) -> None:
    from riskbox.sandbox.escape import line

    if given.json:
        print(json.dumps({"run": run, "format": given.format, "episodes": many, "files": files}))
    elif files:
        print(f"{many:,} episode{'' if many == 1 else 's'} of {run}: {', '.join(map(line, files))}")
