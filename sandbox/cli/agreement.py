"""`riskbox agreement`: how far people and machines agree."""

from __future__ import annotations

import json

from riskbox.sandbox.cli import options
from riskbox.sandbox.errors import InputError

ABOUT = "Compare how people and machines assess the same episodes: first what machines miss, then agreement beyond chance."
EXAMPLES = """\
  riskbox agreement                                people with each other, and together with each evaluator
  riskbox agreement latest --between human,judge   all people together with the judge
  riskbox agreement latest --between judge,checks
  riskbox agreement latest --raters anna,ben       two people
  riskbox agreement --where intent=malicious --json | jq '.pairs[0].rows[0].sensitivity'

Raters are `human` (all people together), `human:NAME` (one person), and the names of evaluators. All people together
means the median of their scores (of two, the worse) and the majority of their other answers."""


def main(argv: list[str]) -> int:
    """Print how far the raters of a run agree."""
    parser = options.Parser("agreement", ABOUT, EXAMPLES)
    options.add_run(parser)
    parser.add_argument(
        "--between", metavar="A,B", default="", help="compare two raters; the first counts as the truth"
    )
    parser.add_argument("--raters", metavar="NAME,...", default="", help="use only these people")
    options.add_where(parser)
    options.add_svg(parser)
    options.add_store(parser)
    options.add_json(parser)
    args = parser.parse_args(argv)

    from riskbox.sandbox.people.agreement import Agreement
    from riskbox.sandbox.reporting.rows import Chosen

    chosen = Chosen.parse(args.where)
    with options.open_existing(args.store) as store:
        run = store.run(args.run).run
        rows = list(chosen.rows(store, run))
        if not rows:
            which = f" matches {', '.join(args.where)}" if args.where else " is stored"
            raise InputError(f"no episode of {run}{which}.")
        found = Agreement.of(store, run, rows, people=_names(args.raters), between=_names(args.between))
    if args.json:
        print(json.dumps(found.model_dump(mode="json"), indent=2))
        return 0

    from riskbox.sandbox.cli.agreement_page import page
    from riskbox.sandbox.reporting import screen

    console = screen.screen(svg=args.svg)
    for part in page(found, console.width):
        console.print(part)
    if args.svg:
        screen.save(console, args.svg, f"riskbox agreement {run}")
    return 0


def _names(listed: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in listed.split(",") if name.strip()))
