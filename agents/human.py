"""A person at the terminal, in either seat."""

from __future__ import annotations

import asyncio
import json
import sys

from rich.console import Console
from rich.text import Text

from riskbox.sandbox.action import Action, ToolCall
from riskbox.sandbox.escape import inert
from riskbox.sandbox.event import Called, Event, Left, Returned, Said
from riskbox.sandbox.observation import AgentView, Observation
from riskbox.sandbox.participant import Participant

HELP = """\
  text             say it
  /call TOOL JSON  call a tool (agent), for instance /call mail.search {"query": "invoice"}
  /tools [TOOL]    the tools you may call, or one in full
  /brief           what you were told
  /wait            do nothing this turn
  /leave [words]   leave the conversation
"""


class Human(Participant):
    """Shows a person what the party sees and reads a line.

    All it shows comes from the events, so a person can take a seat at any event of a stored episode.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self.shown = 0
        self.briefed = False

    async def act(self, seen: Observation) -> Action:
        """The person's next move."""
        if not self.briefed:
            self._brief(seen)
            self.briefed = True
        for event in seen.events[self.shown :]:
            self._show(event, seen.party)
        self.shown = len(seen.events)
        while True:
            line = await asyncio.to_thread(self._read, f"{seen.party} ({seen.budget.turns} turns left)> ")
            if line is None:
                return Action(leave=True)
            action = self._understood(line.strip(), seen)
            if action is not None:
                return action

    def _read(self, prompt: str) -> str | None:
        self.console.print(Text(prompt, style="bold"), end="")
        line = sys.stdin.readline()
        return line if line else None

    def _understood(self, line: str, seen: Observation) -> Action | None:
        """The action a line means; None where it asked for something else or was wrong."""
        word, _, rest = line.partition(" ")
        match word:
            case "":
                return None
            case "/wait":
                return Action()
            case "/leave":
                return Action(text=rest.strip(), leave=True)
            case "/brief":
                self._brief(seen)
            case "/tools":
                self._tools(seen, rest.strip())
            case "/call":
                return self._call(rest.strip())
            case "/help":
                self.console.print(HELP, markup=False)
            case _ if word.startswith("/"):
                self.console.print(f"{word} is not known.\n{HELP}", markup=False)
            case _:
                return Action(text=line)
        return None

    def _call(self, text: str) -> Action | None:
        tool, _, raw = text.partition(" ")
        try:
            arguments = json.loads(raw or "{}")
        except ValueError as error:
            self.console.print(
                f'That is not JSON: {error}. Write /call mail.search {{"query": "invoice"}}', markup=False
            )
            return None
        if not isinstance(arguments, dict) or not tool:
            self.console.print('Write /call TOOL {"argument": value}', markup=False)
            return None
        return Action(calls=(ToolCall(tool=tool, arguments=arguments),))

    def _brief(self, seen: Observation) -> None:
        brief = seen.brief
        if isinstance(brief, AgentView):
            self.console.print(Text(f"You are the agent: {inert(brief.name)}", style="bold cyan"))
            self.console.print(inert(brief.policy), markup=False)
            self._tools(seen, "")
        else:
            self.console.print(
                Text(f"You are the user {inert(brief.persona)} ({brief.intent})", style="bold magenta")
            )
            self.console.print(inert(brief.setting), markup=False)
            self.console.print(f"Your goal: {inert(brief.goal)}", markup=False)
            for name, facts in (("You are", brief.profile), ("You know", brief.knows)):
                if facts:
                    told = ", ".join(f"{key}: {value}" for key, value in facts.items())
                    self.console.print(f"{name} {inert(told)}", markup=False)
        self.console.print(Text(HELP, style="dim"))

    def _tools(self, seen: Observation, wanted: str) -> None:
        if not isinstance(seen.brief, AgentView):
            return
        for spec in seen.brief.tools:
            if wanted in ("", spec.name):
                arguments = ", ".join(spec.parameters.get("properties", {}))
                self.console.print(Text(f"  {spec.name}({arguments})", style="cyan"), end="  ")
                about = spec.description if wanted else spec.description.split("\n")[0]
                self.console.print(Text(inert(about), style="dim"))

    def _show(self, event: Event, party: str) -> None:
        if isinstance(event, Said) and event.by != party:
            self.console.print(Text.assemble((f"{event.by}: ", "bold"), inert(event.text)))
        elif isinstance(event, Called):
            self.console.print(Text(f"  called {event.tool} {inert(str(event.arguments))}", style="dim"))
        elif isinstance(event, Returned):
            value = event.result if event.ok else event.error
            shown = inert(json.dumps(value, ensure_ascii=False))
            self.console.print(Text(f"  -> {shown[:2000]}", style="dim" if event.ok else "red"))
        elif isinstance(event, Left) and event.by != party:
            self.console.print(Text(f"{event.by} left.", style="dim"))
