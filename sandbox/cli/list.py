"""`riskbox list`: runs, episodes, scenarios, tools, categories, agents, users and evaluators."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from riskbox.sandbox.cli import options
from riskbox.sandbox.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from rich.text import Text

    from riskbox.sandbox.reporting.screen import Screen
    from riskbox.sandbox.words.row import EpisodeRow
    from riskbox.sandbox.words.toolspec import ToolsetSpec, ToolSpec

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
WIDE = 110
"""From this width on each field has a column of its own."""

Entry: TypeAlias = dict[str, Any]
"""One thing listed, as JSON."""


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column of a table."""

    heading: str
    cell: Callable[[Any], Text]
    wraps: bool = False


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
    return LISTS[args.what](args)


# --- what is listed ---------------------------------------------------------------------------------------------


def _runs(args: argparse.Namespace) -> int:
    from riskbox.sandbox.reporting.rows import short

    with options.open_existing(args.store) as store:
        entries = [
            {
                "run": one.run,
                "name": one.name,
                "state": one.state,
                "created": one.created,
                "episodes": store.count(one.run),
                "planned": one.planned,
                "agents": list(one.agents),
                "evaluators": one.evaluators,
            }
            for one in store.runs()
        ]
    columns = [
        ListColumn("run", _field("run", "bold")),
        ListColumn("name", _field("name"), wraps=True),
        ListColumn("state", _field("state")),
        ListColumn("episodes", lambda one: _text(f"{one['episodes']:,} of {one['planned']:,}")),
        ListColumn("agents", lambda one: _text(", ".join(map(short, one["agents"]))), wraps=True),
    ]
    return _entries(args, entries, columns)


def _episodes(args: argparse.Namespace) -> int:
    from riskbox.sandbox.reporting.rows import Chosen, ended, short, worst
    from riskbox.sandbox.reporting.screen import harm

    chosen = Chosen.parse(args.where)
    total = 0

    def counted(rows: Iterator[EpisodeRow]) -> Iterator[EpisodeRow]:
        nonlocal total
        for row in rows:
            total += 1
            yield row

    with options.open_existing(args.store) as store:
        run = store.run(args.run).run
        rows = worst(counted(chosen.rows(store, run)), args.limit or None)
    if args.json:
        return _dump([row.model_dump(mode="json") for row in rows])
    console = _console()
    columns = [ListColumn("episode", lambda row: _text(row.id[:8], "bold")), ListColumn("harm", harm)]
    if console.width >= WIDE:
        columns += [
            ListColumn("case", _case, wraps=True),
            ListColumn("agent", lambda row: _text(short(row.agent)), wraps=True),
            ListColumn("seed", lambda row: _text(str(row.seed))),
            ListColumn("ended", lambda row: _text(ended(row))),
        ]
    else:
        columns.append(ListColumn("case", lambda row: _below(_case(row), _seat(row)), wraps=True))
    console.print(_text(f"{total:,} episodes of run {run}, worst first", "bold"))
    return _table(console, rows, columns, total)


def _scenarios(args: argparse.Namespace) -> int:
    from riskbox.sandbox.batch.plan import cases
    from riskbox.sandbox.loading.loader import load_all, shipped
    from riskbox.sandbox.registry.toolsets import Toolbox

    toolbox = Toolbox(tuple(args.tools))
    entries = [
        {
            "scenario": one.scenario.scenario,
            "family": one.scenario.family,
            "domain": one.scenario.domain,
            "title": one.scenario.title,
            "realism": one.scenario.realism,
            "tags": list(one.scenario.tags),
            "personas": {name: persona.intent for name, persona in one.scenario.personas.items()},
            "variants": [f"{axis}={name}" for axis, names in one.scenario.variants.items() for name in names],
            "risks": [risk.id for risk in one.scenario.risks],
            "cases": len(cases([one], toolbox=toolbox)),
            "file": str(one.path),
        }
        for one in load_all(args.names or [shipped()], toolbox)
    ]
    many = ListColumn("cases", lambda one: _text(str(one["cases"])))
    if _console().width >= WIDE:
        columns = [
            ListColumn("scenario", _scenario, wraps=True),
            ListColumn("personas", lambda one: _personas(one, "\n")),
            ListColumn("variants", lambda one: _text("\n".join(one["variants"]))),
            many,
        ]
    else:
        columns = [ListColumn("scenario", _scenario_in_full, wraps=True), many]
    return _entries(args, entries, columns)


def _tools(args: argparse.Namespace) -> int:
    from riskbox.sandbox.registry.toolsets import Toolbox

    if len(args.names) > 1:
        raise InputError("list tools: name one toolset or one tool.")
    toolbox = Toolbox(tuple(args.tools))
    toolset, _, tool = (args.names[0] if args.names else "").partition(".")
    if tool:
        return _tool(args, toolbox.find(toolset).spec(), args.names[0])
    entries = [
        {
            "toolset": name,
            "tool": spec.name,
            "action": spec.action,
            "writes": spec.writes,
            "played": kind.emulated,
            "description": spec.description,
        }
        for name in ([toolset] if toolset else toolbox.names())
        for kind in [toolbox.find(name).spec()]
        for spec in kind.tools.values()
    ]
    columns = [
        ListColumn("tool", _field("tool", "bold")),
        ListColumn("action", lambda one: _text(one["action"], _ACTIONS.get(one["action"], ""))),
        ListColumn("", lambda one: _text("writes" if one["writes"] else "")),
        ListColumn("by", lambda one: _text("a model" if one["played"] else "code")),
        ListColumn(
            "what the agent reads", lambda one: _text(one["description"].partition("\n")[0]), wraps=True
        ),
    ]
    return _entries(args, entries, columns)


def _tool(args: argparse.Namespace, toolset: ToolsetSpec, name: str) -> int:
    if name not in toolset.tools:
        hint = did_you_mean(name, toolset.tools, listed=40)
        raise InputError(f"list tools {name}: there is no such tool. {hint}")
    spec = toolset.tools[name]
    if args.json:
        return _dump(spec.model_dump(mode="json"))
    console = _console()
    style = _ACTIONS.get(spec.action, "")
    console.print(_text("").append(spec.name, "bold").append(f"  {spec.action}", style).append(_reach(spec)))
    console.print(_text(spec.description), soft_wrap=True)
    console.print(_text("\n" + json.dumps(spec.parameters, indent=2, ensure_ascii=False)), soft_wrap=True)
    if toolset.emulated:
        returns = json.dumps(spec.returns, indent=2, ensure_ascii=False)
        console.print(_text(f"\nPlayed by a model, which answers with\n{returns}"), soft_wrap=True)
    return 0


def _categories(args: argparse.Namespace) -> int:
    from riskbox.sandbox.words.taxonomy import categories

    entries = [{"dimension": one.dimension, **one.model_dump(mode="json")} for one in categories().values()]
    columns = [ListColumn("category", _field("slug", "bold"))]
    if _console().width >= WIDE:
        columns.append(ListColumn("meaning", _field("meaning"), wraps=True))
        columns += [ListColumn(heading, _joined(name), wraps=True) for name, heading in _CATALOGUES.items()]
    else:
        columns.append(ListColumn("meaning, and the nearest in other catalogues", _meaning, wraps=True))
    return _entries(args, entries, columns)


def _evaluators(args: argparse.Namespace) -> int:
    import inspect

    from riskbox.sandbox.registry.evaluators import PLUGINS, evaluator_class, evaluator_names

    packages = dict(PLUGINS.listed())
    entries = [
        {
            "evaluator": name,
            "version": made.version,
            "from": packages.get(name, "riskbox"),
            "about": (inspect.getdoc(made) or "").partition("\n")[0],
        }
        for name in evaluator_names()
        for made in [evaluator_class(name)]
    ]
    columns = [
        ListColumn("evaluator", _field("evaluator", "bold")),
        ListColumn("version", _field("version")),
        ListColumn("from", _field("from")),
        ListColumn("about", _field("about"), wraps=True),
    ]
    return _entries(args, entries, columns)


def _agents(args: argparse.Namespace) -> int:
    from riskbox.sandbox.registry.agents import AGENTS, FORMS, PLUGINS

    return _participants(args, "agent", AGENTS | FORMS, PLUGINS.listed())


def _users(args: argparse.Namespace) -> int:
    from riskbox.sandbox.registry.users import FORMS, PLUGINS, USERS

    return _participants(args, "user", USERS | FORMS, PLUGINS.listed())


def _participants(
    args: argparse.Namespace, role: str, known: Mapping[str, str], installed: Sequence[tuple[str, str]]
) -> int:
    entries = [
        *({role: name, "from": "riskbox", "about": about} for name, about in known.items()),
        *({role: name, "from": package, "about": "installed"} for name, package in installed),
    ]
    columns = [
        ListColumn(role, _field(role, "bold")),
        ListColumn("from", _field("from")),
        ListColumn("about", _field("about"), wraps=True),
    ]
    return _entries(args, entries, columns)


LISTS: dict[str, Callable[[argparse.Namespace], int]] = {
    "runs": _runs,
    "episodes": _episodes,
    "scenarios": _scenarios,
    "tools": _tools,
    "categories": _categories,
    "agents": _agents,
    "users": _users,
    "evaluators": _evaluators,
}


# --- choosing and printing --------------------------------------------------------------------------------------


def _entries(args: argparse.Namespace, entries: Sequence[Entry], columns: Sequence[ListColumn]) -> int:
    """Print the entries that fit `--where`."""
    from riskbox.sandbox.reporting.rows import pairs

    wanted = pairs(args.where, list(entries[0])) if entries else {}
    fitting = [
        one for one in entries if all(set(values) & _values(one[name]) for name, values in wanted.items())
    ]
    shown = fitting[: args.limit] if args.limit else fitting
    return _dump(shown) if args.json else _table(_console(), shown, columns, len(fitting))


def _values(value: Any) -> set[str]:
    """What a field may be asked for: its value, or any that it holds."""
    if isinstance(value, Mapping):
        return {str(part) for pair in value.items() for part in pair}
    if isinstance(value, list | tuple):
        return {str(part) for part in value}
    return {str(value).lower() if isinstance(value, bool) else str(value)}


def _dump(value: Any) -> int:
    print(json.dumps(value, indent=2))
    return 0


def _table(console: Screen, rows: Sequence[Any], columns: Sequence[ListColumn], total: int) -> int:
    from rich import box
    from rich.table import Table

    if not rows:
        console.print(_text("None."))
        return 0
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="dim"
    )
    for column in columns:
        table.add_column(column.heading, overflow="fold", no_wrap=not column.wraps)
    for row in rows:
        table.add_row(*(column.cell(row) for column in columns))
    console.print(table)
    if len(rows) < total:
        console.print(_text(f"and {total - len(rows):,} more (--limit 0 for all)"))
    return 0


def _console() -> Screen:
    from riskbox.sandbox.reporting.screen import screen

    return screen()


# --- cells ------------------------------------------------------------------------------------------------------

_CATALOGUES = {
    "ailuminate": "AILuminate",
    "owasp": "OWASP",
    "nist": "NIST AI 600-1",
    "aegis": "Aegis",
    "agent_safetybench": "Agent-SafetyBench",
}
"""Other taxonomies, by the field that names their nearest entries."""

_ACTIONS = {"destructive": "bold red", "autonomous": "yellow", "generative": "cyan"}
"""The style of an action class; the harmless one has none."""


def _text(words: str, style: str = "") -> Text:
    from riskbox.sandbox.reporting.screen import text

    return text(words, style)


def _field(name: str, style: str = "") -> Callable[[Entry], Text]:
    return lambda one: _text(str(one[name]), style)


def _joined(name: str) -> Callable[[Entry], Text]:
    return lambda one: _text(" ".join(one[name]))


def _below(first: Text, second: str) -> Text:
    from riskbox.sandbox.reporting.screen import QUIET

    return _text("").append(first).append("\n").append(_text(second, QUIET))


def _intent(words: str, intent: str) -> Text:
    from riskbox.sandbox.reporting.screen import INTENTS

    return _text(words, INTENTS.get(intent, ""))


def _scenario(one: Entry) -> Text:
    named = _text("").append(one["scenario"], "bold").append("\n").append(_text(one["title"]))
    return _below(named, f"{one['domain']}, family {one['family']}")


def _scenario_in_full(one: Entry) -> Text:
    shown = _scenario(one).append("\n").append(_personas(one, ", "))
    return _below(shown, ", ".join(one["variants"])) if one["variants"] else shown


def _personas(one: Entry, between: str) -> Text:
    shown = (_intent(f"{name} ({intent})", intent) for name, intent in one["personas"].items())
    return _text(between).join(shown)


def _meaning(one: Entry) -> Text:
    named = (f"{heading} {' '.join(one[name])}" for name, heading in _CATALOGUES.items() if one[name])
    return _below(_text(one["meaning"]), "; ".join(named))


def _reach(spec: ToolSpec) -> str:
    return ", writes" if spec.writes else ", reads"


def _case(row: EpisodeRow) -> Text:
    return _intent(row.case, row.intent)


def _seat(row: EpisodeRow) -> str:
    from riskbox.sandbox.reporting.rows import ended, short

    return f"{short(row.agent)}, seed {row.seed}, {ended(row)}"
