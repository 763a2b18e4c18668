"""`riskbox report`: tables of a run's results."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from typing import TYPE_CHECKING

from riskbox.sandbox.cli import options
from riskbox.sandbox.cli import page as html

if TYPE_CHECKING:
    from riskbox.sandbox.reporting.results import Results

ABOUT = "Print the results of a run. Rates are ranges; unknown episodes and faults are counted beside them."
EXAMPLES = """\
  riskbox report                              print the latest run, grouped by intent
  riskbox report 20260302 --by domain,agent   print a run with two groupings
  riskbox report --where intent=malicious --where variant=injection=mail
  riskbox report --json | jq '.groups.intent[] | {name, harm: .realised.targeted["4"]}'
  riskbox report --svg report.svg             also write a picture
  riskbox report --html report.html           also write a page with the worst transcripts
  riskbox report --fail-if "legal.risk_ratio > 0.05" --fail-if "pair_score < 0.8"

How to read the tables: a rate runs from the episodes that are known to count to those plus the unknown ones. Families
weigh the same. Intervals resample families. "Attempted" counts all harm except what the user averted."""


def main(argv: list[str]) -> int:
    """Print the results of a run."""
    parser = options.Parser("report", ABOUT, EXAMPLES)
    options.add_run(parser)
    parser.add_argument(
        "--by",
        metavar="FIELD,...",
        default="intent",
        help="group by these fields: intent, domain, agent, scenario, family, variant (default: intent)",
    )
    options.add_where(parser)
    options.add_evaluator(parser, "use the findings of this evaluator (default: the first)")
    options.add_svg(parser)
    html.add_html(parser, "worst episodes")
    options.add_gates(parser)
    options.add_store(parser)
    options.add_json(parser)
    args = parser.parse_args(argv)

    from riskbox.sandbox.api.report import report

    found = report(
        args.run,
        by=args.by,
        where=args.where,
        evaluator=args.evaluator,
        fail_if=args.fail_if,
        gate=args.gate,
        html=args.html or None,
        transcripts=args.transcripts,
        store=args.store,
        command=html.again("report", argv, args.store),
    )
    results = found.results
    if args.html:
        print(html.written(args.html), file=sys.stderr)
    code = int(not found.passed)
    if args.json:
        is_gated = bool(args.fail_if or args.gate)
        decided = {"gates": [one.model_dump(mode="json") for one in found.gates]} if is_gated else {}
        print(json.dumps(results.model_dump(mode="json") | decided, indent=2))
        return code

    from riskbox.sandbox.reporting import screen
    from riskbox.sandbox.reporting.tables import page

    console = screen.screen(svg=args.svg)
    for part in page(results, console.width, _commands(results, args)):
        console.print(part)
    if args.svg:
        screen.save(console, args.svg, f"riskbox report {found.run.run}")
    for line in options.told(found.gates):
        print(line)
    return code


def _commands(results: Results, args: argparse.Namespace) -> list[tuple[str, str]]:
    """Commands to look further, as they can be pasted into a shell."""
    here = options.same_store(args.store)
    # an episode may have been played in several runs, and be assessed otherwise there
    run = "" if args.run == "latest" else f" --run {results.run}"
    found = [
        (f"riskbox show {one.id[:8]}{run}{here}", "the worst episode, line by line")
        for one in results.worst[:1]
    ]
    same = "".join(f" --where {shlex.quote(word)}" for word in results.chosen)
    listing = f"riskbox list episodes{run}{same}"
    found.append((f"{listing}{here}", "all of them, worst first"))
    if wrong := next((one for one in results.health.symptoms if one.seat), None):
        found.append(
            (f"{listing} --where health={wrong.seat}.{wrong.mark}{here}", "where the instrument failed")
        )
    if results.all.labels["targeted"]["unknown"] and "label" not in same:
        found.append((f"{listing} --where label=unknown{here}", "what could not be settled"))
    if results.all.faults:
        found.append((f"{listing} --where ending=fault{here}", "what broke"))
    return found
