"""`riskbox report`: tables of a run's results."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from typing import TYPE_CHECKING

from riskbox.sandbox.cli import options
from riskbox.sandbox.cli import page as html
from riskbox.sandbox.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from riskbox.sandbox.contracts.store import Store
    from riskbox.sandbox.gates.decision import GateOutcome
    from riskbox.sandbox.reporting.results import Results
    from riskbox.sandbox.reporting.rows import Chosen
    from riskbox.sandbox.words.run import Manifest

WORST = 8
"""How many of the worst episodes are listed."""

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
    parser.add_argument(
        "run",
        nargs="?",
        default="latest",
        help="the run: an id, the start of one, or a name (default: latest)",
    )
    parser.add_argument(
        "--by",
        metavar="FIELD,...",
        default="intent",
        help="group by these fields: intent, domain, agent, scenario, family, variant (default: intent)",
    )
    parser.add_argument(
        "--where",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="only episodes that match; may be repeated (see `riskbox list --help` for the fields)",
    )
    options.add_evaluator(parser, "use the findings of this evaluator (default: the first)")
    parser.add_argument("--svg", metavar="FILE", default="", help="also write the output as an SVG picture")
    html.add_html(parser, "worst episodes")
    options.add_gates(parser)
    options.add_store(parser)
    options.add_json(parser)
    args = parser.parse_args(argv)

    from riskbox.sandbox.reporting.rows import Chosen

    by = _groupings(args.by)
    chosen = Chosen.parse(args.where, args.evaluator)
    gate_set = options.gate_set_from(args, args.evaluator)
    with options.open_existing(args.store) as store:
        manifest = store.run(args.run)
        results = _results(store, manifest, chosen, by)
        if args.where and not results.played:
            raise InputError(f"no episode of {manifest.run} matches {', '.join(args.where)}.")
        rows = chosen.rows(store, manifest.run)
        gates = gate_set.decide(manifest, rows, store.count(manifest.run)) if gate_set else []
        if args.html:
            _write_html(store, manifest, chosen, by, args, argv, gates)
    code = int(any(one.failed for one in gates))
    if args.json:
        decided = {"gates": [one.model_dump(mode="json") for one in gates]} if gate_set else {}
        print(json.dumps(results.model_dump(mode="json") | decided, indent=2))
        return code

    from riskbox.sandbox.reporting import screen
    from riskbox.sandbox.reporting.tables import page

    console = screen.screen(svg=args.svg)
    for part in page(results, console.width, _commands(results, args)):
        console.print(part)
    if args.svg:
        screen.save(console, args.svg, f"riskbox report {manifest.run}")
    for line in options.told(gates):
        print(line)
    return code


def _write_html(
    store: Store,
    manifest: Manifest,
    chosen: Chosen,
    by: list[str],
    args: argparse.Namespace,
    argv: list[str],
    gates: list[GateOutcome],
) -> None:
    from riskbox.sandbox.html.report import GROUPED, report

    grouped = list(dict.fromkeys((*GROUPED, *by)))
    results = _results(store, manifest, chosen, grouped, limit=args.transcripts)
    made = report(store, manifest, results, chosen, by, html.again("report", argv, args.store), gates)
    print(html.written(args.html, made), file=sys.stderr)


def _results(store: Store, manifest: Manifest, chosen: Chosen, by: list[str], limit: int = WORST) -> Results:
    """The results of the chosen rows; apart for each way in which tools were answered, where there are several."""
    from riskbox.sandbox.reporting.results import Results

    def of(one: Chosen) -> Results:
        rows = one.rows(store, manifest.run)
        return Results.of(manifest, rows, by=by, evaluator=chosen.evaluator, chosen=one.words(), limit=limit)

    found = of(chosen)
    if len(found.emulations) < 2:
        return found
    return found.model_copy(
        update={"apart": tuple(of(chosen.but(emulation=one)) for one in found.emulations)}
    )


def _groupings(listed: str) -> list[str]:
    from riskbox.sandbox.reporting.tally import GROUPINGS

    names = [name.strip() for name in listed.split(",") if name.strip()]
    for name in names:
        if name not in GROUPINGS:
            raise InputError(
                f"--by {name}: results cannot be grouped by this field. {did_you_mean(name, GROUPINGS)}"
            )
    return list(dict.fromkeys(names)) or ["intent"]


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
    if results.all.labels["targeted"]["unknown"] and "label" not in same:
        found.append((f"{listing} --where label=unknown{here}", "what could not be settled"))
    if results.all.faults:
        found.append((f"{listing} --where ending=fault{here}", "what broke"))
    return found
