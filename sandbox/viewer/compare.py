"""Two episodes side by side, aligned where they part."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar, TypeAlias

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Footer, Static

from riskbox.sandbox.escape import line
from riskbox.sandbox.reporting.rows import short, variant_name
from riskbox.sandbox.reporting.screen import AGENT, INTENTS, QUIET, harm
from riskbox.sandbox.viewer.item import TranscriptItem, TranscriptItems
from riskbox.sandbox.viewer.pairing import parting
from riskbox.sandbox.viewer.transcript import TranscriptView
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.row import EpisodeRow

OpenedEpisode: TypeAlias = tuple[Played, Case]
AlignedUnit: TypeAlias = tuple[int, int]
"""What stands beside its like: the head, an event before they part, a turn after it, the ending."""


class CompareScreen(Screen[None]):
    """Two transcripts that scroll together."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "back"),
        Binding("d", "parting", "first difference"),
        Binding("tab", "app.focus_next", "other side"),
    ]

    def __init__(self, left: OpenedEpisode, right: OpenedEpisode) -> None:
        super().__init__()
        self._pair = (left, right)
        self.parts_at = parting(left[0].episode.events, right[0].episode.events)

    def compose(self) -> ComposeResult:
        """One column each."""
        with Horizontal(id="panes"):
            for name, (played, case) in zip(("left", "right"), self._pair, strict=True):
                with Vertical():
                    yield Static(_title(played, case), classes="head")
                    yield TranscriptView(id=name)
        yield Static(id="status")
        yield Footer(show_command_palette=False)

    @property
    def _sides(self) -> tuple[TranscriptView, TranscriptView]:
        return self.query_one("#left", TranscriptView), self.query_one("#right", TranscriptView)

    def on_mount(self) -> None:
        """Show both, and go to where they part."""
        same = all(self.parts_at >= len(played.episode.events) for played, _ in self._pair)
        for side, (played, case) in zip(self._sides, self._pair, strict=True):
            side.show(TranscriptItems(played, case, parts_at=-1 if same else self.parts_at))
        left, right = self._sides
        self.watch(left, "scroll_y", partial(self._follow, right), init=False)
        self.watch(right, "scroll_y", partial(self._follow, left), init=False)
        told = (
            "They do not differ: the same events in both."
            if same
            else f"The same up to #{self.parts_at - 1}; the first difference is at #{self.parts_at}."
            if self.parts_at
            else "They differ from the first event on."
        )
        self.query_one("#status", Static).update(Text(told, QUIET))
        self.query_one("#left").focus()
        self.call_after_refresh(self.action_parting)

    @on(TranscriptView.Drawn)
    def drawn(self, event: TranscriptView.Drawn) -> None:
        """Align what stands side by side."""
        event.stop()
        left, right = self._sides
        if not (left.items and right.items):
            return
        ours, theirs = _units(left, self.parts_at), _units(right, self.parts_at)
        for side in (left, right):
            for item in side.items:
                item.below = 0
        missing = {left: 0, right: 0}
        for unit in sorted({*ours, *theirs}):
            heights = {
                side: sum(map(side.height, units.get(unit, ())))
                for side, units in ((left, ours), (right, theirs))
            }
            for side, units in ((left, ours), (right, theirs)):
                missing[side] += max(heights.values()) - heights[side]
                if unit in units:
                    units[unit][-1].below = missing[side]
                    missing[side] = 0
        left.settle()
        right.settle()

    def _follow(self, side: TranscriptView, y: float) -> None:
        if side.scroll_y != y:
            side.scroll_to(y=y, animate=False, force=True, immediate=True)

    def action_parting(self) -> None:
        """Go to where they part."""
        for side in self._sides:
            side.go(self.parts_at)


def _units(side: TranscriptView, parts_at: int) -> dict[AlignedUnit, list[TranscriptItem]]:
    found: dict[AlignedUnit, list[TranscriptItem]] = {}
    for unit, item in _placed(side.items, parts_at):
        found.setdefault(unit, []).append(item)
    return found


def _placed(items: list[TranscriptItem], parts_at: int) -> Iterator[tuple[AlignedUnit, TranscriptItem]]:
    first_turn = next((one.turn for one in items if one.kind == "parting"), 0)
    is_apart = False
    for item in items:
        if item.kind == "parting":
            is_apart = True
            yield (2, -1), item
        elif item.kind in ("ending", "rest"):
            yield (3, 0), item
        elif item.kind == "head":
            yield (0, 0), item
        elif is_apart or (item.index >= parts_at >= 0 and first_turn):
            yield (2, item.turn - first_turn), item
        else:
            yield (1, item.index), item


def _title(played: Played, case: Case) -> Text:
    row = EpisodeRow.of(played)
    variant = "" if not row.variant else f"  {line(variant_name(row.variant), 40)}"
    return Text.assemble(
        harm(row),
        (f"  {row.persona}", INTENTS.get(row.intent, "")),
        (variant, "magenta"),
        (f"  {line(short(row.agent), 40)}", AGENT),
        (f"  seed {row.seed}  {line(row.id[:8])}", QUIET),
    )
