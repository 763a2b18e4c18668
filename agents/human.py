"""A person at the terminal, in either seat."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from riskbox.agents.chat import QUIET, Chat, arguments, kind_of, kinds, required
from riskbox.agents.keyboard import BLOCK, KEYBOARD
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import Withdrawn, did_you_mean
from riskbox.sandbox.escape import inert
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.event import Called, Event, Returned, Said, Waited
from riskbox.sandbox.words.observation import AgentView, Observation
from riskbox.sandbox.words.toolspec import ToolSpec

TALK = f"""\
  words            say them; several lines stand between two lines of {BLOCK}
"""
CALLS = """\
  /call TOOL       call a tool; asks for what it needs
  /call TOOL name=value ...     the same with arguments, or as JSON: {"name": "value"}
  /tools [TOOL]    the tools you may call, or one in full
  /more            the last result in full
"""
REST = """\
  /brief           what you were told
  /wait            do nothing this turn
  /leave [words]   leave the conversation
  ctrl-D           stop here; what was played is kept
"""
COMMANDS = ("/help", "/brief", "/tools", "/call", "/more", "/wait", "/leave")


class GivenUp(Exception):
    """The person does not make the call after all."""


class Human(Participant):
    """Shows a person what the party sees and reads a line.

    All it shows comes from the events, so a person can take a seat at any event of a stored episode.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.chat = Chat(console)
        self.shown = 0
        self.briefed = False

    async def act(self, seen: Observation) -> Action:
        """The person's next move.

        Raises:
            Withdrawn: the person stops.
        """
        await self.chat.go_on()
        if not self.briefed:
            self.chat.brief(seen.brief)
        self.see(seen.events, seen.party)
        KEYBOARD.completions = lambda typed: completions(typed, _tools(seen))
        self.chat.turn(seen.party, turn(seen.events, seen.party), seen.budget)
        while True:
            words = await KEYBOARD.words("> ")
            if words is None:
                raise Withdrawn(f"The person in the seat of the {seen.party} stopped.")
            action = await self._understood(words.strip(), seen)
            if action is not None:
                self.chat.wait(_awaited(action, seen.party))
                return action

    async def close(self) -> None:
        """Nobody is waited for any more."""
        await self.chat.go_on()

    def see(self, events: Sequence[Event], party: str) -> None:
        """Show what happened since the person was last shown anything; at the end, too, when nobody asks it to act."""
        for event in events[self.shown :]:
            self.chat.event(event, party, own=not self.briefed)
        self.shown, self.briefed = len(events), True

    async def _understood(self, words: str, seen: Observation) -> Action | None:
        """The action that words mean; None where they asked for something else or were wrong."""
        word, _, rest = words.partition(" ")
        rest = rest.strip()
        match word:
            case "":
                return None
            case "/wait":
                return Action()
            case "/leave":
                return Action(text=rest, leave=True)
            case "/brief":
                self.chat.brief(seen.brief)
            case "/tools":
                self._show_tools(seen, rest)
            case "/call":
                return await self._call(rest, seen)
            case "/more":
                self._more(seen)
            case "/help":
                self._help(seen)
            case _ if word.startswith("/"):
                told = did_you_mean(word, COMMANDS)
                self.chat.tell(f"{word} is not a command. {told} To say it, start with a space.", "yellow")
            case _:
                return Action(text=words)
        return None

    def _help(self, seen: Observation) -> None:
        calls = CALLS if isinstance(seen.brief, AgentView) else ""
        self.chat.tell((TALK + calls + REST).rstrip("\n"), QUIET)

    def _show_tools(self, seen: Observation, wanted: str) -> None:
        tools = _tools(seen)
        if not tools:
            self.chat.tell("You have no tools here.", QUIET)
        elif not wanted:
            self.chat.tools(tuple(tools.values()))
        elif wanted in tools:
            self.chat.tool(tools[wanted])
        else:
            self.chat.tell(f"There is no tool {wanted!r}. {did_you_mean(wanted, tools)}", "yellow")

    def _more(self, seen: Observation) -> None:
        last = next((event for event in reversed(seen.events) if isinstance(event, Returned)), None)
        if last is None:
            self.chat.tell("No tool has answered yet.", QUIET)
        else:
            self.chat.unfolded(last)

    # --- calls --------------------------------------------------------------------------------------------------

    async def _call(self, words: str, seen: Observation) -> Action | None:
        name, _, given = words.partition(" ")
        spec = _tools(seen).get(name)
        try:
            values = _given(given.strip(), spec)
            if spec is None and (not name or not values):
                raise ValueError(f"Write /call TOOL. {did_you_mean(name, _tools(seen), listed=40)}")
            if spec is not None and not given.strip().startswith("{"):
                values |= await self._asked(spec, values)
        except ValueError as error:
            self.chat.tell(str(error), "yellow")
            return None
        except GivenUp:
            self.chat.tell("Not called.", QUIET)
            return None
        return Action(calls=(ToolCall(tool=name, arguments=values),))

    async def _asked(self, spec: ToolSpec, given: dict[str, Any]) -> dict[str, Any]:
        """What a call still needs: each required argument, or any if none is required and none is given.

        Raises:
            GivenUp: the person would rather not.
        """
        needed = required(spec)
        open_ones = [name for name in (needed or ([] if given else arguments(spec))) if name not in given]
        if open_ones:
            rest = [name for name in arguments(spec) if name not in open_ones and name not in given]
            also = f" Also takes {', '.join(rest)}: give them as name=value." if rest else ""
            skips = "" if needed else " Enter leaves one out."
            self.chat.tell(f"{spec.name} asks:{skips} /back gives up the call.{also}", QUIET)
        found: dict[str, Any] = {}
        for name in open_ones:
            value = await self._argument(name, arguments(spec)[name], must=bool(needed))
            if value is not None:
                found[name] = value
        return found

    async def _argument(self, name: str, schema: dict[str, Any], *, must: bool) -> Any:
        """One argument as it is typed; None if it is left out."""
        about = str(schema.get("description", "")).replace("\n", " ")
        self.chat.tell(f"  {name} ({kind_of(schema)}){': ' if about else ''}{about}", QUIET)
        while True:
            words = await KEYBOARD.words(f"  {inert(name)}= ")
            if words is None or words.strip() == "/back":
                raise GivenUp
            if words == "" and not must:
                return None
            if words == "":
                self.chat.tell(f'  {name} is needed; write "" for an empty text.', "yellow")
                continue
            try:
                return value_of(name, words, schema)
            except ValueError as error:
                self.chat.tell(f"  {error}", "yellow")


def _tools(seen: Observation) -> dict[str, ToolSpec]:
    return {spec.name: spec for spec in seen.brief.tools} if isinstance(seen.brief, AgentView) else {}


def _awaited(action: Action, party: str) -> str:
    """Who is waited for after an action."""
    if action.calls:
        return f"{action.calls[0].tool} is at work"
    return f"the {'agent' if party == 'user' else 'user'} is thinking"


def turn(events: tuple[Event, ...], party: str) -> int:
    """Which of its turns a party is in, from 1; a call leaves it in the same."""
    calls = {event.index for event in events if isinstance(event, Called) and event.by == party}
    ended = [
        event
        for event in events
        if isinstance(event, Said | Waited) and event.by == party and event.index + 1 not in calls
    ]
    return len(ended) + 1


def completions(typed: str, tools: dict[str, ToolSpec]) -> list[str]:
    """What the last word of a line may become: a command, a tool, or an argument of one."""
    words = typed.split(" ")
    if len(words) == 1:
        return [f"{one} " for one in COMMANDS if typed.startswith("/")]
    if words[0] in ("/call", "/tools") and len(words) == 2:
        return [f"{name} " for name in tools]
    if words[0] == "/call" and words[1] in tools:
        return [f"{name}=" for name in arguments(tools[words[1]])]
    return []


def _given(words: str, spec: ToolSpec | None) -> dict[str, Any]:
    """Arguments from JSON or from name=value words.

    Raises:
        ValueError: they are neither; the message says what to write.
    """
    if words.startswith("{"):
        try:
            found = json.loads(words)
        except (ValueError, RecursionError) as error:
            raise ValueError(f'That is not JSON: {error}. Write {{"query": "invoice"}}') from None
        return dict(found)
    try:
        pairs = [word.partition("=") for word in shlex.split(words)]
    except ValueError as error:
        raise ValueError(f"{error}: quotation marks come in pairs.") from None
    wrong = next((name for name, equals, _ in pairs if not equals or not name), None)
    if wrong is not None:
        raise ValueError(f'{wrong!r}: write name=value, or JSON: {{"query": "invoice"}}')
    known = arguments(spec) if spec else {}
    for name, _, _ in pairs:
        if spec and name not in known:
            raise ValueError(f"{spec.name} takes no {name!r}. {did_you_mean(name, known)}")
    return {name: value_of(name, value, known.get(name, {})) for name, _, value in pairs}


def value_of(name: str, words: str, schema: dict[str, Any]) -> Any:
    """An argument from what was typed: text as it stands where text may be, else JSON.

    Raises:
        ValueError: it is not what the argument must be.
    """
    may_be = kinds(schema)
    if words.strip() == '""':
        return ""
    if may_be == {"boolean"} or may_be == {"boolean", "null"}:
        said = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}
        if words.strip().lower() not in said:
            raise ValueError(f"{name} must be yes or no.")
        return said[words.strip().lower()]
    try:
        read = json.loads(words)
    except (ValueError, RecursionError):
        read = words
    fits = {
        "integer": isinstance(read, int) and not isinstance(read, bool),
        "number": isinstance(read, int | float) and not isinstance(read, bool),
        "array": isinstance(read, list),
        "object": isinstance(read, dict),
        "null": read is None,
    }
    if not may_be or any(fits.get(one, False) for one in may_be):
        return read
    if "string" not in may_be:
        raise ValueError(f"{name} must be {kind_of(schema)}.")
    choices = schema.get("enum")
    if choices and words not in choices:
        raise ValueError(f"{name} must be {kind_of(schema)}.")
    return words
