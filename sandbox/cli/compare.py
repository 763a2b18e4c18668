"""`riskbox compare`: two runs, or two agents of one, pair by pair."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from riskbox.sandbox.cli import options
from riskbox.sandbox.cli import page as html
from riskbox.sandbox.errors import InputError, UnknownName, did_you_mean

if TYPE_CHECKING:
    from riskbox.sandbox.contracts.store import Store
    from riskbox.sandbox.reporting.comparison import Comparison
    from riskbox.sandbox.reporting.pairing import SideRows
    from riskbox.sandbox.reporting.rows import Chosen
    from riskbox.sandbox.words.run import Manifest

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
    parser.add_argument(
        "--where",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="only episodes that match; may be repeated",
    )
    options.add_evaluator(parser, "use the findings of this evaluator (default: the first)")
    html.add_html(parser, "pairs that changed")
    options.add_store(parser)
    options.add_json(parser)
    args = parser.parse_args(argv)

    from riskbox.sandbox.reporting.compare import compare
    from riskbox.sandbox.reporting.rows import Chosen

    by = _groupings(args.by)
    chosen = Chosen.parse(args.where, args.evaluator)
    with options.open_existing(args.store) as store:
        a, b = _given(store, args.a, chosen), _given(store, args.b, chosen)
        if (a.manifest.run, a.agent) == (b.manifest.run, b.agent):
            raise InputError(
                f"{args.a} and {args.b} are the same side: agent {a.agent} of run {a.manifest.run}."
            )
        found = compare(a, b, by=by, evaluator=args.evaluator, chosen=chosen.words())
        if args.html:
            from riskbox.sandbox.html.compare import comparison

            again = html.again("compare", argv, args.store)
            print(html.written(args.html, comparison(store, found, again, args.transcripts)), file=sys.stderr)
    if args.json:
        print(json.dumps(found.model_dump(mode="json"), indent=2))
        return 0

    from riskbox.sandbox.reporting import screen, sides

    console = screen.screen()
    for part in sides.page(found, console.width, _commands(found, args.store)):
        console.print(part)
    return 0


def _given(store: Store, word: str, chosen: Chosen) -> SideRows:
    """A side by RUN or RUN:AGENT.

    Raises:
        InputError: the run has several agents and none is named, or no episode fits.
        UnknownName: there is no such run, or it has no such agent.
    """
    from riskbox.sandbox.reporting.pairing import SideRows
    from riskbox.sandbox.reporting.rows import agent_kind

    manifest, agent = _named(store, word)
    rows = list(chosen.rows(store, manifest.run))
    if not rows:
        raise InputError(
            f"{word}: no episode of {manifest.run} matches {', '.join(chosen.words()) or 'yet'}."
        )
    kinds = sorted({agent_kind(row.agent) for row in rows})
    if agent:
        rows = [row for row in rows if agent in (row.agent, agent_kind(row.agent))]
        if not rows:
            raise UnknownName(
                f"{word}: run {manifest.run} has no agent {agent!r}. {did_you_mean(agent, kinds)}"
            )
    elif len(kinds) > 1:
        raise InputError(
            f"{word}: run {manifest.run} has {len(kinds)} agents ({', '.join(kinds[:8])}). "
            f"Name one: {manifest.run}:{kinds[0]}"
        )
    return SideRows(manifest, agent or kinds[0], rows)


def _named(store: Store, word: str) -> tuple[Manifest, str]:
    """The run, and the agent if one is named; a run's own name may hold a colon."""
    try:
        return store.run(word), ""
    except UnknownName:
        run, colon, agent = word.partition(":")
        if not colon:
            raise
        return store.run(run), agent


def _groupings(listed: str) -> list[str]:
    from riskbox.sandbox.reporting.comparison import GROUPINGS

    names = [name.strip() for name in listed.split(",") if name.strip()]
    for name in names:
        if name not in GROUPINGS:
            raise InputError(
                f"--by {name}: pairs cannot be grouped by this field. {did_you_mean(name, GROUPINGS)}"
            )
    return list(dict.fromkeys(names))


def _commands(found: Comparison, url: str) -> list[tuple[str, str]]:
    """Commands to look further, as they can be pasted into a shell."""
    here = options.same_store(url)
    return [
        (f"riskbox show {id[:8]} --run {side.run}{here}", f"{one.before} to {one.after}, side {name}")
        for one in found.flips[:1]
        for name, id, side in (("A", one.a, found.a), ("B", one.b, found.b))
    ]
