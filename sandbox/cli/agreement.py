"""`riskbox agreement`: how far people and machines agree."""

from __future__ import annotations

import json

from riskbox.sandbox.cli import options
from riskbox.sandbox.errors import InputError

ABOUT = "Compare what people and machines say of the same episodes: what machines miss first, then agreement beyond chance."
EXAMPLES = """\
  riskbox agreement                               people with each other, and together with each evaluator
  riskbox agreement latest --between human,judge  the people together, with the judge
  riskbox agreement latest --between judge,checks
  riskbox agreement latest --raters anna,ben      two people
  riskbox agreement --where intent=malicious --json | jq '.pairs[0].rows[0].sensitivity'

The people together hold the median of their scores (of two, the worse) and what most of them say. Kinds of raters are
`human` for them, `human:NAME` for one of them, and the names of evaluators."""


def main(argv: list[str]) -> int:
    """Print how far the raters of a run agree."""
    parser = options.Parser("agreement", ABOUT, EXAMPLES)
    parser.add_argument(
        "run", nargs="?", default="latest", help="id, its beginning, or name (default: the latest)"
    )
    parser.add_argument(
        "--between", metavar="A,B", default="", help="two raters; the first one's word counts as the truth"
    )
    parser.add_argument("--raters", metavar="NAME,...", default="", help="only these of the people")
    parser.add_argument(
        "--where",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="only such episodes; may be repeated (`riskbox list --help` names the fields)",
    )
    parser.add_argument("--svg", metavar="FILE", default="", help="also write the page as an SVG picture")
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
            which = f" fits {', '.join(args.where)}" if args.where else " is stored"
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
