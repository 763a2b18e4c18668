"""Events as the lines of a transcript: a mark, and words that are safe to show.

The transcript in a terminal, the viewer and the page draw the same lines and differ only in layout. Readers who need
something else say it themselves: a judge reads fenced JSON (`evaluators.fence`), a person in a seat what its party may
see (`agents.chat`), and whoever renders an environment one line of plain text an event.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from rich.text import Text

from riskbox.sandbox.escape import clipped, inert, line
from riskbox.sandbox.reporting.changes import RowChange, WorldReplay
from riskbox.sandbox.reporting.flow import flow
from riskbox.sandbox.reporting.screen import QUIET, text
from riskbox.sandbox.words.action import LEFT_BECAUSE
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.event import (
    Called,
    Changed,
    Event,
    Happened,
    Injected,
    Left,
    Noted,
    Noticed,
    Opaque,
    Returned,
    Said,
    Waited,
)


class EventLine(NamedTuple):
    """One line of what is said of an event."""

    mark: str
    """One character that says what kind of line it is; empty for plain words."""
    words: Text
    """What stands beside it, styled and safe to show."""


SPEECH = 4000
"""Characters of one thing said that are shown folded."""
PAYLOAD = 240
"""Characters of an injected text that are shown folded."""
CHANGES = 8
"""Lines of one state change that are shown folded."""


@dataclass
class EventLines:
    """The lines of an episode's events, in order.

    Args:
        case: What was played.
        width: How many characters a line may have.
        full: Whether to unfold tool calls and results, and to show private notes.
        most: How many characters one unfolded text may have.
        unfolds: What a reader does to see what is folded.
    """

    case: Case
    width: int
    full: bool = False
    most: int = 10**9
    unfolds: str = "--full"

    def __post_init__(self) -> None:
        self._replay = WorldReplay(self.case)
        # two lines, and a little less since words are not broken
        self._room = 2 * self.width - 16
        self._payloads = {one.id: one.payload for one in self.case.scenario.inject}

    def of(self, event: Event) -> list[EventLine]:
        """The lines of one event; none for what is hidden unless in full. Ask in the order of the events."""
        match event:
            case Said():
                return [
                    EventLine("", Text(clipped(event.text.strip("\n"), self.most if self.full else SPEECH)))
                ]
            case Called():
                return self._called(event)
            case Returned():
                return self._returned(event)
            case Changed():
                lines = [one for change in self._replay.apply(event.patch) for one in self._changed(change)]
                return self._folded(lines)
            case Injected():
                return self._injected(event)
            case Noted():
                return list(self._noted(event))
            case Noticed():
                seen = clipped(event.text, self.most if self.full else SPEECH)
                return [EventLine("", Text(f"notices: {seen}", "italic"))]
            case Waited():
                return [EventLine("", Text("says nothing", QUIET))]
            case Left():
                return [EventLine("", Text("leaves", QUIET))]
            case Opaque():
                fields = {
                    key: value
                    for key, value in event.model_dump().items()
                    if key not in Happened.model_fields
                }
                return [
                    EventLine(
                        "?",
                        Text(f"an event this release does not know: {flow(fields, 2 * self.width)}", QUIET),
                    )
                ]
        return []

    def _noted(self, event: Noted) -> Iterator[EventLine]:
        """A note, which is shown in full only; why a party leaves or does not play is shown always."""
        if event.by == "agent" and event.text and not event.text.isdecimal():  # else its place in a script
            told = (
                clipped(event.text, self.most)
                if self.full
                else f"{len(event.text):,} characters, {self.unfolds}"
            )
            yield EventLine("~", Text(f"thinks, unheard: {told}", "italic" if self.full else QUIET))
        elif self.full and event.text:
            whose = "note to itself" if event.audience else f"{event.by} keeps in mind"
            yield EventLine("~", Text(f"{line(whose)}: {clipped(event.text, self.most)}", "italic"))
        if event.out_of_part:
            told = clipped(event.out_of_part, self.most)
            yield EventLine("!", Text(f"will not play its part: {told}", "bold yellow"))
        elif event.why:
            yield EventLine(
                "~", Text(f"leaves because it {LEFT_BECAUSE.get(event.why, line(event.why))}", QUIET)
            )

    def _called(self, event: Called) -> list[EventLine]:
        words = Text().append(line(event.tool), "bold")
        if isinstance(event.arguments, str):
            raw = line(event.arguments, min(self.most, 10**6) if self.full else self._room)
            return [
                EventLine(
                    "→", words.append(" with arguments that are not a JSON object: ", QUIET).append(raw)
                )
            ]
        if not event.arguments:
            return [EventLine("→", words.append("()", QUIET))]
        if self.full:
            return [EventLine("→", words), EventLine("", self._json(event.arguments))]
        room = max(2 * self.width - len(event.tool) - 4, 40)
        return [
            EventLine("→", words.append("(", QUIET).append(flow(event.arguments, room)).append(")", QUIET))
        ]

    def _returned(self, event: Returned) -> list[EventLine]:
        if event.ok:
            short = flow(event.result, self._room, terse=True)
            return [EventLine("←", self._json(event.result) if self.full else Text(short, QUIET))]
        error = event.error or {}
        told = (
            " ".join(str(error[part]) for part in ("message", "hint") if error.get(part)) or "no reason given"
        )
        code = f" [{line(str(error['code']), 40)}]" if error.get("code") else ""
        what = "refused by the tool" if event.permitted else "refused before it reached a tool"
        words = (
            Text()
            .append(what, "bold yellow")
            .append(f": {line(told, min(self.most, 10**6) if self.full else self._room)}")
        )
        return [EventLine("×", words.append(code, QUIET))]

    def _injected(self, event: Injected) -> list[EventLine]:
        payload = self._payloads.get(event.injection, "")
        shown = clipped(payload, self.most) if self.full else line(payload, PAYLOAD)
        where = "in this result" if event.call else "in a tool's description, from the start"
        words = (
            Text().append(f"injected {where}", "bold magenta").append(f" ({line(event.injection)})", QUIET)
        )
        return [EventLine("!", words.append(": ").append(shown, "magenta") if payload else words)]

    # --- state --------------------------------------------------------------------------------------------------

    def _changed(self, change: RowChange) -> Iterator[EventLine]:
        if change.problem:
            yield EventLine("*", text(f"a change that cannot be shown: {line(change.problem, 300)}", QUIET))
            return
        place = line(f"{change.toolset}.{change.table} {change.row}")
        if change.before is None:
            yield EventLine("*", Text(f"new in {place}", "bold"))
            yield EventLine("+", Text(self._value(change.after), "green"))
        elif change.after is None:
            yield EventLine("*", Text(f"gone from {place}", "bold"))
            yield EventLine("-", Text(self._value(change.before), "red"))
        else:
            yield EventLine("*", Text(f"changed in {place}", "bold"))
            for name, old, new in change.fields():
                if old is not None:
                    yield EventLine("-", Text(f"{line(name)}: {self._value(old)}", "red"))
                if new is not None:
                    yield EventLine("+", Text(f"{line(name)}: {self._value(new)}", "green"))

    def _value(self, value: Any) -> str:
        return flow(value, min(self.most, 10**6) if self.full else self._room, terse=isinstance(value, dict))

    def _folded(self, lines: list[EventLine]) -> list[EventLine]:
        if self.full or len(lines) <= CHANGES:
            return lines
        more = len(lines) - CHANGES + 1
        return [*lines[: CHANGES - 1], EventLine("", Text(f"and {more} more lines ({self.unfolds})", QUIET))]

    def _json(self, value: Any) -> Text:
        shown = (
            value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, default=str)
        )
        words = Text(clipped(shown, self.most))
        for payload in self._payloads.values():
            quoted = payload if isinstance(value, str) else json.dumps(payload, ensure_ascii=False)[1:-1]
            words.highlight_words([inert(quoted)], "magenta")
        return words
