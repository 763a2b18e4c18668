"""A transcript as a list of items, each of which can be drawn folded or unfolded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import RenderableType
from rich.highlighter import JSONHighlighter
from rich.rule import Rule
from rich.text import Text

from riskbox.sandbox.reporting.findings import FindingNotes
from riskbox.sandbox.reporting.lines import EventLine, EventLines
from riskbox.sandbox.reporting.transcript import (
    READABLE,
    Margin,
    blocks,
    body,
    card,
    colour,
    ending,
    marked,
    seen_by,
    speaker,
)
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.event import Changed, Ended, Event

MOST = 50_000
"""Characters of one unfolded text; more makes a terminal slow and no reader wiser."""
BESIDE = 110
"""From this width on, findings stand in the margin, and else below the lines that caused them."""
_JSON = JSONHighlighter()


@dataclass(eq=False)
class TranscriptItem:
    """One thing in a transcript: the head, who speaks, an event, the ending."""

    kind: str
    """head, parting, speaker, event, ending, rest."""
    event: Event | None = None
    """The event it shows, or begins with."""
    party: str = ""
    """Who moves."""
    turn: int = 0
    """Which of the transcript's turns it belongs to."""
    full: bool = False
    """Whether it is unfolded."""
    below: int = 0
    """Empty lines after it, so that what stands beside it in another transcript stays there."""

    @property
    def is_choosable(self) -> bool:
        """Whether the cursor may stand on it."""
        return self.kind in ("head", "event", "ending")

    @property
    def index(self) -> int:
        """The index of its event; -1 for the head."""
        return -1 if self.event is None else self.event.index


@dataclass
class TranscriptItems:
    """An episode as items.

    Args:
        played: The episode and what was said of it.
        case: Its case.
        party: Show only what this party saw; empty for everything.
        parts_at: From which event on another episode goes its own way; -1 where there is none.
    """

    played: Played
    case: Case
    party: str = ""
    parts_at: int = -1
    items: list[TranscriptItem] = field(init=False)
    """All items, in order."""
    _unfolded: dict[int, list[EventLine]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        episode = self.played.episode
        self.notes = FindingNotes.of(() if self.party else self.played.assessments, len(episode.events))
        self.items = list(self._items())
        self._folded: dict[tuple[int, int], list[EventLine]] = {}

    @property
    def events(self) -> list[Event]:
        """The events that are shown."""
        return [one for one in self.played.episode.events if not self.party or self.party in one.audience]

    def _items(self) -> Iterator[TranscriptItem]:
        yield TranscriptItem("head")
        is_apart = self.parts_at < 0
        turn = 0
        for turn, block in enumerate(blocks(self.events), 1):
            is_named = False
            for event in block.events:
                if not is_apart and event.index >= self.parts_at:
                    is_apart = True
                    yield TranscriptItem("parting", turn=turn)
                if not is_named:
                    is_named = True
                    yield TranscriptItem("speaker", event, block.party, turn)
                yield TranscriptItem("event", event, block.party, turn)
        if not is_apart:
            yield TranscriptItem("parting", turn=turn + 1)
        for event in self.events:
            if isinstance(event, Ended):
                yield TranscriptItem("ending", event, turn=turn + 1)
        if self.notes.nowhere:
            yield TranscriptItem("rest", turn=turn + 1)

    def draw(self, item: TranscriptItem, width: int) -> Iterator[RenderableType]:
        """One item for a terminal so wide."""
        beside = width >= BESIDE and not self.party
        room = min(READABLE, width * 3 // 5 if beside else width)
        tint = colour(item.party, self.case, unmasked=not self.party)
        match item.kind:
            case "head":
                yield self._head(item, min(width, READABLE + 10))
            case "parting":
                yield Text()
                yield Rule(Text("first difference", "bold"), style="yellow")
            case "speaker":
                yield Text()
                time = item.event.time if item.event else 0
                yield speaker(item.party, time, self.case, room, unmasked=not self.party)
            case "event" if item.event is not None:
                lines = self._lines(item.event, room - 10, full=item.full)
                if lines or item.index in self.notes.at:
                    yield Margin(body([(item.event, lines)], self.notes, room, width, beside=beside), tint)
            case "ending":
                yield Text()
                yield ending(self.played.episode, self.events, self.case, room)
                if beside_it := self.notes.at.get(item.index):
                    yield marked(beside_it)
            case _:
                yield Text("\nFound in the episode as a whole, not in one line", "bold")
                yield marked(self.notes.nowhere)

    def _head(self, item: TranscriptItem, width: int) -> RenderableType:
        if self.party:
            return seen_by(self.party, self.case, self.played, width, full=item.full)
        return card(self.played, self.case, width, full=item.full)

    def _lines(self, event: Event, width: int, *, full: bool) -> list[EventLine]:
        if full:
            if event.index not in self._unfolded:
                self._unfolded[event.index] = _alone(self.case, self.events, event, width)
            return self._unfolded[event.index]
        key = (width, event.index)
        if key not in self._folded:
            lines = EventLines(self.case, width, unfolds="enter")
            self._folded = {(width, one.index): lines.of(one) for one in self.events}
        return self._folded[key]


def _alone(case: Case, events: Sequence[Event], wanted: Event, width: int) -> list[EventLine]:
    """The lines of one event unfolded; only the changes before it matter to them."""
    lines = EventLines(case, width, full=True, most=MOST)
    for event in events:
        if event is wanted:
            found = lines.of(event)
            return _coloured(found) if event.kind in ("called", "returned") else found
        if isinstance(event, Changed):
            lines.of(event)
    return []


def _coloured(lines: list[EventLine]) -> list[EventLine]:
    """JSON in colours, under those of what was injected into it."""
    found = []
    for mark, words in lines:
        shown = Text(words.plain)
        _JSON.highlight(shown)
        shown.append_text(Text())
        for span in words.spans:
            shown.stylize(span.style, span.start, span.end)
        shown.style = words.style
        found.append(EventLine(mark, shown))
    return found
