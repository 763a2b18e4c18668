"""`riskbox check`: validate scenario files, play their references, prove their checks."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from riskbox.sandbox.cli.options import Parser, add_json, add_models, add_tools, models_from, opened_models
from riskbox.sandbox.errors import Problem, ScenarioError

if TYPE_CHECKING:
    from riskbox.sandbox.authoring.prove import Proven
    from riskbox.sandbox.loading.loader import Loaded

EXAMPLES = """\
  riskbox check my_scenario.yaml
  riskbox check scenarios/                              check every scenario in a folder
  riskbox check scenarios/ --types                      only load and type-check
  riskbox check crm.yaml --tools crm.py:Crm             use your own toolset
  riskbox check my_scenario.yaml --judge openai/gpt-5   also prove what only a judge can prove
"""


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = Parser(
        "check", "Validate scenario files, then prove their checks by playing the references.", EXAMPLES
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
        help="a judge to test against the labelled references; repeat for a panel of judges",
    )
    made.add_argument(
        "--tools-model",
        default="",
        metavar="MODEL",
        help="the model that plays emulated tools, so that their cases are proven too",
    )
    add_tools(made)
    add_models(made)
    add_json(made)
    return made


def main(argv: list[str]) -> int:
    """Check, print what was found, and return 0 or 2."""
    given = parser().parse_args(argv)
    from riskbox.sandbox.authoring.prove import Proven, prove
    from riskbox.sandbox.loading.loader import find_files, load, shipped
    from riskbox.sandbox.registry.models import check_model
    from riskbox.sandbox.registry.toolsets import Toolbox

    asked = [*given.judge, *([given.tools_model] if given.tools_model else [])]
    for name in asked:
        check_model(name)
    models_from(given)  # an option that is wrong is told before anything is played
    toolbox = Toolbox(tuple(given.tools))
    loaded: list[Loaded] = []
    results: list[Proven] = []
    names: dict[str, str] = {}
    for path in find_files(given.paths or [shipped()]):
        try:
            one = load(path, toolbox)
        except ScenarioError as error:
            results.append(Proven(str(path), "", list(error.problems)))
            continue
        name = one.scenario.scenario
        if name in names:
            said = f"the name {name!r} is taken by {names[name]}."
            results.append(Proven(str(path), name, [Problem(said, str(path), path="scenario")]))
        names[name] = str(path)
        loaded.append(one)
    if given.types:
        results += [Proven(str(one.path), one.scenario.scenario) for one in loaded]
    else:
        proving = partial(
            prove,
            toolbox=toolbox,
            tools=given.tools_model,
            judges=given.judge,
            models=partial(opened_models, given) if asked else None,
        )
        results += _proved(loaded, proving, quiet=given.json)
    wrong = sum(len(one.problems) for one in results)
    if given.json:
        print(json.dumps({"ok": not wrong, "files": [asdict(one) for one in results]}, indent=2))
    else:
        _print(results, wrong, played=not given.types)
    return 2 if wrong else 0


def _proved(loaded: list[Loaded], proving: Callable[..., list[Proven]], *, quiet: bool) -> list[Proven]:
    if quiet or not sys.stderr.isatty():
        return proving(loaded)
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return [proving([one])[0] for one in track(loaded, "proving", console=console, transient=True)]


def _print(results: list[Proven], wrong: int, *, played: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    for problem in (problem for one in results for problem in one.problems):
        console.print(Text(str(problem)), soft_wrap=True)
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
            for note in one.notes:
                console.print(Text(f"{one.scenario}: {note}", style="dim"), soft_wrap=True)
    files = f"{len(results)} file{'s' if len(results) != 1 else ''}"
    if wrong:
        console.print(Text(f"{wrong} problem{'s' if wrong != 1 else ''} in {files}.", style="bold red"))
    else:
        done = "well formed; nothing was played"
        if played:
            left = any("--tools-model" in note for one in results for note in one.notes)
            done = "proven, but for what needs a model to play the tools" if left else "proven"
        console.print(Text(f"{files}: {done}.", style="bold green"))


def _share(words: dict[str, str]) -> str:
    proven = sum(word in ("proven", "waived", "infeasible") for word in words.values())
    return f"{proven}/{len(words)}"
