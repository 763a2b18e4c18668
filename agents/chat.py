"""A conversation on a terminal, as one party sees it: speech in bubbles, calls and results folded, all text inert."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from riskbox.sandbox.escape import clipped, inert, line
from riskbox.sandbox.words.event import Called, Event, Left, Noticed, Returned, Said, Waited
from riskbox.sandbox.words.observation import AgentView, Budget, UserView
from riskbox.sandbox.words.toolspec import ToolSpec

READABLE = 88
"""No bubble is wider."""
FOLDED = 12
"""Lines of a tool's result that are shown folded."""
SPEECH = 20_000
"""Characters of one thing said that are shown."""
VALUE = 200
"""Characters of one value of a tool's result that are shown folded."""
MOST = 100_000
"""Characters of one unfolded result that are shown."""
PATIENCE = 0.4
"""Seconds after which a wait for the other party is shown: scripts answer sooner."""

AGENT, USER, QUIET = "cyan", "magenta", "bright_black"
COLOURS = {"agent": AGENT, "user": USER}


class Chat:
    """What a person in a seat is shown.

    Args:
        console: Where to; standard output if left out.
    """

    def __init__(self, console: Console | None = None) -> None:
        if console is None and hasattr(sys.stdout, "reconfigure"):
            # a terminal that cannot show a character must not end an episode
            sys.stdout.reconfigure(errors="backslashreplace")
        self.console = console or Console(highlight=False, markup=False, emoji=False)
        self._waiting: asyncio.Task[None] | None = None

    @property
    def _room(self) -> int:
        return min(self.console.width, READABLE)

    def tell(self, words: str, style: str = "") -> None:
        """A line of ours."""
        self.console.print(Text(inert(words), style))

    # --- what happened ------------------------------------------------------------------------------------------

    def event(self, event: Event, party: str, *, own: bool) -> None:
        """One event; what the party said itself only if `own`, since it is on the screen where it was typed."""
        match event:
            case Said() if event.by != party or own:
                self._bubble(event.by, event.text, mine=event.by == party)
            case Called():
                self.console.print(_call(event))
            case Returned():
                self._result(event, full=False)
            case Noticed():
                self.tell(f"You notice: {event.text}", QUIET)
            case Waited() if own:
                self.tell(f"{event.by} says nothing.", QUIET)
            case Left() if event.by != party or own:
                self.tell(f"{event.by} leaves.", QUIET)

    def unfolded(self, event: Returned) -> None:
        """A tool's answer in full."""
        self._result(event, full=True)

    def _bubble(self, by: str, words: str, *, mine: bool) -> None:
        bubble = Panel.fit(
            Text(clipped(words.strip("\n"), SPEECH)),
            title=Text(line(by)),
            title_align="left",
            box=box.ROUNDED,
            border_style=COLOURS.get(by, "white"),
            padding=(0, 1),
        )
        room = Table.grid(expand=False)
        room.add_column(width=self._room, justify="right" if mine else "left")
        room.add_row(bubble)
        self.console.print()
        self.console.print(room)

    def _result(self, event: Returned, *, full: bool) -> None:
        if not event.ok:
            error = event.error or {}
            told = " ".join(str(error[part]) for part in ("message", "hint") if error.get(part))
            self.console.print(_beside("×", Text(clipped(told or "refused", VALUE * 4), "yellow"), "yellow"))
            return
        shown = list(readable(event.result if full else without_empty(event.result), MOST if full else VALUE))
        more = 0 if full or len(shown) <= FOLDED + 1 else len(shown) - FOLDED
        body = Text("\n".join(shown[: len(shown) - more]), "" if full else QUIET)
        if more:
            body.append(f"\n… {more} more lines: /more", "italic")
        self.console.print(_beside("←", body, QUIET))

    # --- what a party was told ----------------------------------------------------------------------------------

    def brief(self, brief: AgentView | UserView) -> None:
        """Who the person is, and what it was told."""
        facts = Table.grid(padding=(0, 1))
        facts.add_column(style=QUIET, no_wrap=True)
        facts.add_column(overflow="fold")
        for name, value in _agent_facts(brief) if isinstance(brief, AgentView) else _user_facts(brief):
            facts.add_row(name, Text(inert(value)))
        who = brief.name if isinstance(brief, AgentView) else _name(brief)
        title = Text(f"You are the {brief.role}, {line(who)}")
        panel = Panel(
            facts,
            title=title,
            title_align="left",
            box=box.ROUNDED,
            border_style=COLOURS[brief.role],
            width=self._room,
        )
        self.console.print(panel)

    def tools(self, tools: tuple[ToolSpec, ...]) -> None:
        """The tools that may be called, a line each."""
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(style=AGENT, overflow="fold")
        table.add_column(style=QUIET, overflow="fold")
        for spec in tools:
            table.add_row(Text(line(spec.name)), Text(line(spec.description.split("\n")[0], VALUE)))
        self.console.print(table)

    def tool(self, spec: ToolSpec) -> None:
        """One tool in full."""
        self.console.print(Text(line(spec.name), f"bold {AGENT}"))
        self.console.print(Padding(Text(inert(spec.description)), (0, 0, 0, 2)))
        table = Table.grid(padding=(0, 2, 0, 0))
        for _ in range(3):
            table.add_column(overflow="fold")
        needed = required(spec)
        for name, schema in arguments(spec).items():
            kind = f"{kind_of(schema)}{'' if name in needed else ', optional'}"
            about = line(str(schema.get("description", "")).replace("\n", " "), 4 * VALUE)
            table.add_row(Text(f"  {line(name)}", "bold"), Text(kind, QUIET), Text(about))
        self.console.print(table)

    # --- turns --------------------------------------------------------------------------------------------------

    def turn(self, party: str, number: int, budget: Budget) -> None:
        """Whose turn it is, and what is left."""
        calls = f" · {budget.tool_calls} calls left" if party == "agent" else ""
        words = f"turn {number} of {number + budget.turns - 1}{calls} · /help"
        rule = Rule(Text(f"you, the {line(party)} · {words}", QUIET), style=QUIET, align="left")
        self.console.print()
        self.console.print(rule, width=self._room)

    def wait(self, words: str) -> None:
        """Show that somebody is waited for, until `go_on`; only on a terminal, and only if it takes a while."""
        if self.console.is_terminal:
            self._waiting = asyncio.get_running_loop().create_task(self._waited(words))

    async def go_on(self) -> None:
        """The wait is over."""
        if self._waiting is not None:
            self._waiting.cancel()
            await asyncio.wait([self._waiting])
            self._waiting = None

    async def _waited(self, words: str) -> None:
        await asyncio.sleep(PATIENCE)
        shown = Progress(
            SpinnerColumn(style=QUIET),
            TextColumn("{task.description}", style=QUIET, markup=False),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        with shown:
            shown.add_task(inert(words), total=None)
            await asyncio.Event().wait()


def _call(event: Called) -> Table:
    words = Text(line(event.tool), "bold")
    if isinstance(event.arguments, str):
        return _beside("→", words.append(" with arguments that are not a JSON object", QUIET), AGENT)
    for value in readable(event.arguments, VALUE):
        words.append(f"\n  {value}", "default not bold")
    return _beside("→", words, AGENT)


def _beside(mark: str, words: RenderableType, style: str) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=1, style=style)
    table.add_column(overflow="fold")
    table.add_row(mark, words)
    return table


def _agent_facts(brief: AgentView) -> Iterator[tuple[str, str]]:
    yield "policy", brief.policy.strip()
    yield "tools", ", ".join(spec.name for spec in brief.tools) or "none"


def _user_facts(brief: UserView) -> Iterator[tuple[str, str]]:
    yield "setting", " ".join(brief.setting.split())
    yield "goal", " ".join(brief.goal.split())
    yield "intent", brief.intent
    for name, told in (("profile", brief.profile), ("you know", brief.knows)):
        if told:
            yield name, "\n".join(readable(told, SPEECH))
    if brief.discloses:
        yield "you tell", " ".join(brief.discloses.split())
    if brief.tactics:
        yield "tactics", ", ".join(brief.tactics)
    if brief.starting_speech:
        yield "begin with", brief.starting_speech


def _name(brief: UserView) -> str:
    name = brief.profile.get("name")
    return f"{name} ({brief.persona})" if name else brief.persona


# --- values -----------------------------------------------------------------------------------------------------


def readable(value: Any, limit: int, indent: str = "") -> Iterator[str]:
    r"""A JSON value as lines for people, each value cut to about `limit` characters.

    >>> list(readable({"id": "P-1", "tags": ["a", "b"], "visits": [{"on": "2026-03-02"}], "note": None}, 80))
    ['id: P-1', 'tags: a, b', 'visits:', '  - on: 2026-03-02', 'note: none']
    """
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from _named(f"{indent}{line(str(key), limit)}:", one, limit, indent)
    elif isinstance(value, list) and any(isinstance(one, dict | list) and one for one in value):
        for one in value:
            first, *rest = readable(one, limit, "  ") if isinstance(one, dict | list) and one else [""]
            yield f"{indent}- {first.strip() or _plain(one, limit)}"
            yield from (f"{indent}{more}" for more in rest)
    else:
        yield from (f"{indent}{one}" for one in _plain(value, limit).split("\n"))


def without_empty(value: Any) -> Any:
    """A JSON value without the fields that hold nothing."""
    if isinstance(value, dict):
        return {key: without_empty(one) for key, one in value.items() if one not in ("", None, [], {})}
    return [without_empty(one) for one in value] if isinstance(value, list) else value


def _named(name: str, value: Any, limit: int, indent: str) -> Iterator[str]:
    nested = isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(one, dict | list) for one in value)
    )
    lines = list(readable(value, limit, f"{indent}  ")) if nested and value else []
    plain = "" if lines else _plain(value, limit)
    if lines or "\n" in plain:
        yield name
        yield from lines or (f"{indent}  {one}" for one in plain.split("\n"))
    else:
        yield f"{name} {plain}"


def _plain(value: Any, limit: int) -> str:
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return clipped(", ".join(_plain(one, limit) for one in value), limit)
    return clipped(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), limit)


# --- tools as their schemas describe them -----------------------------------------------------------------------


def arguments(spec: ToolSpec) -> dict[str, dict[str, Any]]:
    """The schema of each argument, by name."""
    found = spec.parameters.get("properties", {})
    return {name: one if isinstance(one, dict) else {} for name, one in found.items()}


def required(spec: ToolSpec) -> list[str]:
    """The arguments that must be given."""
    return [name for name in arguments(spec) if name in spec.parameters.get("required", ())]


def kinds(schema: dict[str, Any]) -> set[str]:
    """The JSON types that a value may have; empty for any."""
    found = schema.get("type", ())
    listed = {found} if isinstance(found, str) else set(found)
    return listed.union(*(kinds(one) for one in schema.get("anyOf", ()) if isinstance(one, dict)))


def kind_of(schema: dict[str, Any]) -> str:
    """What a value must be, in a few words."""
    choices = schema.get("enum") or next(
        (one["enum"] for one in schema.get("anyOf", ()) if "enum" in one), None
    )
    if choices:
        return f"one of {line(', '.join(map(str, choices)), VALUE)}"
    words = {
        "string": "text",
        "integer": "whole number",
        "boolean": "yes or no",
        "array": "list",
        "object": "JSON",
    }
    named = [words.get(one, one) for one in sorted(kinds(schema) - {"null"}, reverse=True)]
    return " or ".join(named) or "any value"
