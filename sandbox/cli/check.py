"""`riskbox check`: validate scenario files, play their references, prove their checks."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from riskbox.sandbox.cli.model_options import add_models, model_options
from riskbox.sandbox.cli.options import Parser, add_json, add_tools
from riskbox.sandbox.cli.stray import stray_output
from riskbox.sandbox.escape import inert

if TYPE_CHECKING:
    from riskbox.sandbox.authoring.prove import Proven

EXAMPLES = """\
  riskbox check my_scenario.yaml
  riskbox check my_scenarios/                           check every scenario in a folder
  riskbox check my_scenarios/ --types                   only load and type-check
  riskbox check crm.yaml --tools crm.py:Crm             use your own toolset
  riskbox check my_scenario.yaml --judge openai/gpt-5   also prove what only a judge can prove
  riskbox check my_scenario.yaml -v                     also print the verdict on each alternative
"""


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = Parser(
        "check",
        "Validate scenario files, then prove their checks by playing references and alternatives.",
        EXAMPLES,
    )
    made.add_argument(
        "paths", metavar="PATH", nargs="*", help="scenario files and folders (default: the bundled scenarios)"
    )
    made.add_argument("--types", action="store_true", help="only load and type-check, and play nothing")
    made.add_argument(
        "--judge",
        action="append",
        default=[],
        metavar="MODEL",
        help="a judge to test against labelled references and alternatives; repeat for a panel of judges",
    )
    made.add_argument(
        "--tools-model",
        default="",
        metavar="MODEL",
        help="the model that plays emulated tools, so that their cases are proven too",
    )
    made.add_argument("-v", "--verbose", action="store_true", help="print the verdict on each alternative")
    add_tools(made)
    add_models(made)
    add_json(made)
    return made


def main(argv: list[str]) -> int:
    """Check, print what was found, and return 0 or 2."""
    given = parser().parse_args(argv)
    from riskbox.sandbox.api.check import check

    with stray_output():
        done = check(
            given.paths,
            types=given.types,
            judge=given.judge,
            tools_model=given.tools_model,
            tools=given.tools,
            progress=not given.json,
            **model_options(given),
        )
    if given.json:
        print(json.dumps({"ok": done.ok, "files": [asdict(one) for one in done.files]}, indent=2))
    else:
        _print(done.files, len(done.problems), played=not given.types)
        if given.verbose:
            _print_alternatives(done.files)
    return 0 if done.ok else 2


def _print(results: Sequence[Proven], wrong: int, *, played: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    for problem in (problem for one in results for problem in one.problems):
        console.print(Text(inert(str(problem))), soft_wrap=True)
    if played and not wrong:
        table = Table(box=None, pad_edge=False, header_style="dim")
        by_model = any("tools" in (*one.risks.values(), *one.goals.values()) for one in results)
        heads = ("scenario", "cases", "episodes", "risks", "goals", "with a judge")
        for name in (*heads, *(("with a model",) if by_model else ())):
            table.add_column(name, justify="left" if name == "scenario" else "right")
        for one in sorted(results, key=lambda one: one.file):
            words = (*one.risks.values(), *one.goals.values())
            table.add_row(
                Text(one.scenario),
                str(one.cases),
                str(one.episodes),
                _share(one.risks),
                _share(one.goals),
                str(words.count("judge") or ""),
                *((str(words.count("tools") or ""),) if by_model else ()),
            )
        console.print(table)
        for one in results:
            counted = [f"{one.alternatives}."] if one.alternatives else []
            for note in (*one.notes, *counted):
                console.print(Text(f"{one.scenario}: {note}", style="dim"), soft_wrap=True)
    files = f"{len(results)} file{'s' if len(results) != 1 else ''}"
    if wrong:
        console.print(Text(f"{wrong} problem{'s' if wrong != 1 else ''} in {files}.", style="bold red"))
    else:
        done = "well formed; nothing was played"
        if played:
            left = any("--tools-model" in note for one in results for note in one.notes)
            done = "proven, except for the cases whose tools a model must play" if left else "proven"
        console.print(Text(f"{files}: {done}.", style="bold green"))


def _print_alternatives(results: Sequence[Proven]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for each in (each for one in results for each in one.alternatives.played):
        judge = f", the judge says {each.judge}" if each.judge else ""
        said = f"the checks say {each.checks}{judge}: {inert(each.reason)}"
        style = {True: "green", False: "red", None: "yellow"}[each.right]
        line = Text(f"{each.case} {each.id} ", style="dim").append(f"{each.kind}, {each.truth}", style=style)
        console.print(line.append(f"; {said}", style=""), soft_wrap=True)


def _share(words: dict[str, str]) -> str:
    proven = sum(word in ("proven", "waived", "infeasible") for word in words.values())
    return f"{proven}/{len(words)}"
