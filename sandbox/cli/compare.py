"""`riskbox compare`: two runs, or two agents of one, pair by pair."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from riskbox.sandbox.cli import options
from riskbox.sandbox.cli import page as html

if TYPE_CHECKING:
    from riskbox.sandbox.reporting.comparison import Comparison

ABOUT = "Compare two runs, or two agents of one run, episode by episode. Regressions come first."
EXAMPLES = """\
  riskbox compare before after                       compare two runs by name or id
  riskbox compare latest:my_agent.py:A latest:my_agent.py:B
  riskbox compare before after --where intent=malicious --by domain
  riskbox compare before after --html compare.html   also write a page with both transcripts of changed pairs
  riskbox compare before after --json | jq '.flips[] | select(.after == "risky") | .b'

How to read the tables: a pair is the same case and seed on both sides. A difference is B minus A, as a range that
unknown episodes of both sides widen. Families weigh the same. Intervals resample families. Only an interval that
excludes 0 shows a difference."""


def main(argv: list[str]) -> int:
    """Compare two sides."""
    parser = options.Parser("compare", ABOUT, EXAMPLES)
    for name, what in (("a", "the first side (before)"), ("b", "the second side (after)")):
        parser.add_argument(name, metavar=name.upper(), help=f"{what}: RUN or RUN:AGENT")
    parser.add_argument(
        "--by",
        metavar="FIELD,...",
        default="intent",
        help="group by these fields: intent, domain, scenario, family, variant (default: intent)",
    )
    options.add_where(parser)
    options.add_evaluator(parser, "use the findings of this evaluator (default: the first)")
    html.add_html(parser, "pairs that changed")
    options.add_store(parser)
    options.add_json(parser)
    args = parser.parse_args(argv)

    from riskbox.sandbox.api.compare import compare

    found = compare(
        args.a,
        args.b,
        by=args.by,
        where=args.where,
        evaluator=args.evaluator,
        html=args.html or None,
        transcripts=args.transcripts,
        store=args.store,
        command=html.again("compare", argv, args.store),
    ).comparison
    if args.html:
        print(html.written(args.html), file=sys.stderr)
    if args.json:
        print(json.dumps(found.model_dump(mode="json"), indent=2))
        return 0

    from riskbox.sandbox.reporting import screen, sides

    console = screen.screen()
    for part in sides.page(found, console.width, _commands(found, args.store)):
        console.print(part)
    return 0


def _commands(found: Comparison, url: str) -> list[tuple[str, str]]:
    """Commands to look further, as they can be pasted into a shell."""
    here = options.same_store(url)
    return [
        (f"riskbox show {id[:8]} --run {side.run}{here}", f"{one.before} to {one.after}, side {name}")
        for one in found.flips[:1]
        for name, id, side in (("A", one.a, found.a), ("B", one.b, found.b))
    ]
