"""`riskbox show`: one episode as a transcript."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.cli import options
from riskbox.sandbox.errors import InputError, UnknownName
from riskbox.sandbox.words.facet import HARM, Order

if TYPE_CHECKING:
    from riskbox.sandbox.contracts.store import Store
    from riskbox.sandbox.words.case import Case
    from riskbox.sandbox.words.episode import Played

ABOUT = "Print an episode as a transcript: messages, tool calls, changes to the world, and findings."
EXAMPLES = """\
  riskbox show latest                 print the riskiest episode of the latest run
  riskbox show 3f2a                   print the episode whose id starts with 3f2a
  riskbox show 3f2a --full            print calls and results in full, and private notes
  riskbox show 3f2a --as agent        print only what the agent saw
  riskbox show 3f2a --verify          replay it and compare every event
  riskbox show 3f2a --follow          print it while it is being played, with a Redis store
  riskbox show 3f2a --svg show.svg    also write a picture"""


def main(argv: list[str]) -> int:
    """Print one episode."""
    parser = options.Parser("show", ABOUT, EXAMPLES)
    parser.add_argument(
        "episode",
        nargs="?",
        default="latest",
        help="the episode: an id, the start of one, or latest (default: latest, the riskiest of the latest run)",
    )
    parser.add_argument(
        "--run", metavar="RUN", default="", help="search only this run: an id, the start of one, or a name"
    )
    parser.add_argument(
        "--full", action="store_true", help="print calls and results in full, and private notes"
    )
    parser.add_argument(
        "--as", dest="party", choices=("user", "agent"), default="", help="print only what this party saw"
    )
    parser.add_argument(
        "--verify", action="store_true", help="replay the episode and compare every event with the record"
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="with a Redis store: print an episode while it is being played, until it is stored (default: the one that has "
        "been played longest)",
    )
    options.add_svg(parser)
    options.add_store(parser)
    options.add_tools(parser)
    options.add_json(parser)
    args = parser.parse_args(argv)

    if args.follow:
        if args.verify or args.svg or args.party:
            raise InputError("show: --follow works without --verify, --svg and --as.")
        from riskbox.sandbox.cli.watch import follow_episode

        return follow_episode(args.store, args.episode, args.run, full=args.full, as_json=args.json)
    with options.open_existing(args.store) as store:
        run, id = found(store, args.episode, args.run)
        played = store.episode(run, id)
        case = store.case(played.episode.case.hash)
    if args.verify:
        return _verified(played, case, tuple(args.tools), as_json=args.json)
    if args.json:
        print(json.dumps(_record(played, case, args.party), indent=2))
        return 0

    from riskbox.sandbox.reporting import screen
    from riskbox.sandbox.reporting.transcript import transcript

    console = screen.screen(svg=args.svg)
    for part in transcript(played, case, console.width, full=args.full, party=args.party):
        console.print(part)
    if args.svg:
        screen.save(console, args.svg, f"riskbox show {id}")
    return 0


def _verified(played: Played, case: Case, tools: tuple[str, ...], *, as_json: bool) -> int:
    """Replay an episode; a difference is an error that names the first event that differs."""
    from riskbox.sandbox.registry.toolsets import Toolbox
    from riskbox.sandbox.rules.replay import replay
    from riskbox.sandbox.rules.state import PreparedCase

    episode = played.episode
    replay(episode, PreparedCase.of(case, Toolbox(tools).of(case)))
    told = {"episode": episode.id, "events": len(episode.events), "replays": True}
    exactly = f"{episode.id}: {len(episode.inputs)} inputs replayed to the same {len(episode.events)} events."
    print(json.dumps(told) if as_json else exactly)
    return 0


def found(store: Store, name: str, run: str = "") -> tuple[str, str]:
    """The run and the id of the episode that a name means.

    Raises:
        UnknownName: none or several fit.
        InputError: the run has no episodes yet.
    """
    if name == "latest":
        return _riskiest(store, store.run(run or "latest").run)
    within = store.run(run).run if run else ""
    fitting = [one for one in store.find(name) if not within or one[0] == within]
    ids = list(dict.fromkeys(id for _, id in fitting))
    if not ids:
        where = f"run {within}" if within else store.url.rpartition("@")[2]
        raise UnknownName(f"{where} has no episode {name!r}. `riskbox list episodes` lists them.")
    if len(ids) > 1 and name not in ids:
        shown = ", ".join(ids[:8]) + (", ..." if len(ids) > 8 else "")
        raise UnknownName(f"{name!r} begins {len(ids)} episode ids: {shown}. Write more of the id.")
    # the same episode may have been played in several runs; the latest comes first
    wanted = name if name in ids else ids[0]
    return next(one for one in fitting if one[1] == wanted)


def _riskiest(store: Store, run: str) -> tuple[str, str]:
    ids = store.ids(run, order=Order(HARM), limit=1)
    if not ids:
        raise InputError(f"run {run} has no finished episodes yet.")
    return run, ids[0]


def _record(played: Played, case: Case, party: str) -> dict[str, Any]:
    """The episode as JSON; for a party, only what it saw."""
    if not party:
        return played.model_dump(mode="json")
    seen = [event.model_dump(mode="json") for event in played.episode.events if party in event.audience]
    return {"episode": played.episode.id, "party": party, "brief": _brief(case, party), "events": seen}


def _brief(case: Case, party: str) -> dict[str, Any]:
    if party == "agent":
        agent = case.scenario.agent
        return {"name": agent.name, "policy": agent.policy, "tools": list(case.offered)}
    hidden = {"twin", "script"}
    return {"setting": case.scenario.setting, **case.user.model_dump(mode="json", exclude=hidden)}
