"""`riskbox list`: runs, episodes, scenarios, tools, categories, agents, users and evaluators."""

from __future__ import annotations

from importlib import import_module

from riskbox.sandbox.cli import options
from riskbox.sandbox.errors import InputError, did_you_mean

ABOUT = "List runs, episodes, scenarios, tools, categories, agents, users or evaluators."
EXAMPLES = """\
  riskbox list                                list runs, latest first
  riskbox list episodes --where label=risky   list episodes of the latest run, worst first
  riskbox list episodes --run 20260302 --where signal=invented_argument --where agent=idle
  riskbox list episodes --follow              print each episode of a run in progress
  riskbox list episodes --playing             list what is being played right now, with a Redis store
  riskbox list scenarios my_scenarios/ --where domain=healthcare
  riskbox list tools mail                     list a toolset's tools; without a name, all tools
  riskbox list tools mail.send                print one tool as the agent sees it
  riskbox list categories --where dimension=legal --json

Fields of episodes: scenario, family, domain, persona, intent, case, agent, user, variant, seed, ending, reason, label,
risk, category, status, signal, health (such as agent.empty), unjudged (true or false), text (part of an id or a case).
Other lists have the fields of their JSON output.

If you repeat a field, any of its values matches. If you give several fields, all must match."""

LIMIT = 30
"""The default number of runs and episodes in a table."""
LISTS = ("runs", "episodes", "scenarios", "tools", "categories", "agents", "users", "evaluators")
"""What can be listed: each is a module of `cli.lists`, imported when it is asked for."""


def main(argv: list[str]) -> int:
    """List things."""
    parser = options.Parser("list", ABOUT, EXAMPLES)
    parser.add_argument(
        "what", nargs="?", default="runs", metavar="WHAT", help=f"{', '.join(LISTS)} (default: runs)"
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="scenario files or folders; or the name of a toolset or tool"
    )
    parser.add_argument(
        "--where",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="only entries that match; may be repeated",
    )
    parser.add_argument(
        "--run", metavar="RUN", default="latest", help="list the episodes of this run (default: latest)"
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=int,
        help=f"list at most N entries; 0 for all (default: {LIMIT} runs or episodes in a table)",
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="episodes: print each episode when it is stored, until the run ends",
    )
    parser.add_argument(
        "--playing",
        action="store_true",
        help="episodes, with a Redis store: list those that are being played and not stored yet",
    )
    options.add_store(parser)
    options.add_tools(parser)
    options.add_json(parser)
    args = parser.parse_args(argv)
    if args.follow:
        if args.what != "episodes" or args.where:
            raise InputError("list: --follow works only with `riskbox list episodes`, without --where.")
        from riskbox.sandbox.cli.follow import follow

        return follow(args.store, args.run, as_json=args.json)
    if args.playing:
        if args.what != "episodes" or args.where:
            raise InputError("list: --playing works only with `riskbox list episodes`, without --where.")
        from riskbox.sandbox.cli.watch import list_playing

        return list_playing(
            args.store, args.run, limit=LIMIT if args.limit is None else args.limit, as_json=args.json
        )
    if args.what not in LISTS:
        raise InputError(f"list {args.what}: unknown list. {did_you_mean(args.what, LISTS)}")
    if args.names and args.what not in ("scenarios", "tools"):
        raise InputError(f"list {args.what}: takes no names; use --where to filter.")
    if args.limit is not None and args.limit < 0:
        raise InputError(f"--limit {args.limit}: must be 0 or more; 0 lists all.")
    if args.limit is None:
        args.limit = LIMIT if args.what in ("runs", "episodes") and not args.json else 0
    module = import_module(f"riskbox.sandbox.cli.lists.{args.what}")
    code: int = module.show(args)
    return code
