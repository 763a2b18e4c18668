"""`riskbox list`: runs, episodes, scenarios, tools, categories, agents, users and evaluators."""

from __future__ import annotations

from importlib import import_module

from riskbox.sandbox.cli import options
from riskbox.sandbox.errors import InputError, did_you_mean

ABOUT = "List runs, episodes, scenarios, tools, categories, agents, users or evaluators."
EXAMPLES = """\
  riskbox list                                       runs, latest first
  riskbox list episodes --where label=risky          episodes of the latest run, worst first
  riskbox list episodes --run 20260302 --where signal=invented_argument --where agent=idle
  riskbox list episodes --follow                     each as it is stored, while a run writes
  riskbox list scenarios my_scenarios/ --where domain=healthcare
  riskbox list tools mail                            a toolset's tools; without a name, all
  riskbox list tools mail.send                       one tool as an agent is told of it
  riskbox list categories --where dimension=legal --json

Fields of episodes: scenario, family, domain, persona, intent, case, agent, user, variant, seed, ending, reason, label,
risk, category, status, signal, text (part of an id or a case). Fields of the others are those of their JSON.
Values of one field are alternatives; all fields must fit."""

LIMIT = 30
"""Runs and episodes in a table, unless told otherwise."""
LISTS = ("runs", "episodes", "scenarios", "tools", "categories", "agents", "users", "evaluators")
"""What can be listed: each is a module of `cli.lists`, imported when it is asked for."""


def main(argv: list[str]) -> int:
    """List things."""
    parser = options.Parser("list", ABOUT, EXAMPLES)
    parser.add_argument(
        "what", nargs="?", default="runs", metavar="WHAT", help=f"{', '.join(LISTS)} (default: runs)"
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="files or folders of scenarios; a toolset or a tool"
    )
    parser.add_argument(
        "--where", metavar="FIELD=VALUE", action="append", default=[], help="only these; may be repeated"
    )
    parser.add_argument("--run", metavar="RUN", default="latest", help="whose episodes (default: the latest)")
    parser.add_argument(
        "--limit",
        metavar="N",
        type=int,
        help=f"how many at most; 0 for all (default: {LIMIT} runs or episodes in a table)",
    )
    parser.add_argument(
        "--follow", action="store_true", help="episodes: print each as it is stored, until the run ends"
    )
    options.add_store(parser)
    options.add_tools(parser)
    options.add_json(parser)
    args = parser.parse_args(argv)
    if args.follow:
        if args.what != "episodes" or args.where:
            raise InputError("list: --follow goes with `riskbox list episodes` and no --where.")
        from riskbox.sandbox.cli.follow import follow

        return follow(args.store, args.run, as_json=args.json)
    if args.what not in LISTS:
        raise InputError(f"list {args.what}: there is no such list. {did_you_mean(args.what, LISTS)}")
    if args.names and args.what not in ("scenarios", "tools"):
        raise InputError(f"list {args.what}: takes no further names; use --where to choose.")
    if args.limit is not None and args.limit < 0:
        raise InputError(f"--limit {args.limit}: write a number from 0 on; 0 is for all.")
    if args.limit is None:
        args.limit = LIMIT if args.what in ("runs", "episodes") and not args.json else 0
    module = import_module(f"riskbox.sandbox.cli.lists.{args.what}")
    code: int = module.show(args)
    return code
