"""An episode's transcript: a cursor goes from event to event, each of which unfolds."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from riskbox.sandbox.viewer.item import TranscriptItem, TranscriptItems
from riskbox.sandbox.viewer.paint import painted
from riskbox.sandbox.words.verdict import Finding, Signal


class TranscriptView(ScrollView, can_focus=True):
    """The items of an episode, one below the other."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"transcript--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "up", show=False),
        Binding("down,j", "step(1)", "down", show=False),
        Binding("pageup", "leaf(-1)", "a page up", show=False),
        Binding("pagedown,space", "leaf(1)", "a page down", show=False),
        Binding("home", "edge(0)", "the first event", show=False),
        Binding("end", "edge(-1)", "the last event", show=False),
        Binding("enter", "fold", "unfold"),
        Binding("E", "fold_all", "unfold all", show=False),
        Binding("n", "finding(1)", "next finding"),
        Binding("p", "finding(-1)", "previous finding", show=False),
    ]

    class Moved(Message):
        """The cursor stands elsewhere."""

        def __init__(self, transcript: TranscriptView) -> None:
            super().__init__()
            self.transcript = transcript

    class Drawn(Message):
        """Heights have changed."""

        def __init__(self, transcript: TranscriptView) -> None:
            super().__init__()
            self.transcript = transcript

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.script: TranscriptItems | None = None
        self.place = 0
        """Which of the items the cursor stands on."""
        self.stops: list[tuple[int, Finding | Signal]] = []
        """Events that findings and signals rest on, in order, each with what rests on it."""
        self.stop = -1
        """Which of these was jumped to."""
        self._drawn: dict[TranscriptItem, list[Strip]] = {}
        self._width = 0
        self._starts: list[int] = [0]

    @property
    def items(self) -> list[TranscriptItem]:
        """What is shown."""
        return self.script.items if self.script else []

    @property
    def index(self) -> int:
        """The index of the event under the cursor; -1 for the head."""
        return self.items[self.place].index if self.items else -1

    @property
    def text(self) -> str:
        """All that is shown, without styles."""
        return "\n".join(line.text for item in self.items for line in self._drawn.get(item, ()))

    def show(self, script: TranscriptItems, index: int = -1) -> None:
        """Show an episode, the cursor on an event."""
        self.script, self._drawn = script, {}
        self.place, self.stop = 0, -1
        self.stops = [] if script.party else _stops(script)
        self._layout()
        self.go(index)

    def grow(self, script: TranscriptItems) -> None:
        """Show what has been added to an episode. A cursor on the last event goes on to the new last one."""
        last = max((item.index for item in self.items), default=-1)
        index, is_last, top = self.index, self.index == last, self.scroll_offset.y
        full = {(item.kind, item.index) for item in self.items if item.full}
        for item in script.items:
            item.full = (item.kind, item.index) in full
        self.script, self._drawn = script, {}
        self._layout()
        newest = max(item.index for item in script.items)
        if is_last or index > newest:
            self.go(newest)
            return
        self.place = next(n for n, item in enumerate(self.items) if item.is_choosable and item.index >= index)
        self.scroll_to(y=top, animate=False, force=True, immediate=True)
        self.post_message(self.Moved(self))

    def go(self, index: int) -> None:
        """Put the cursor on an event, or on the next one that is shown."""
        later = [n for n, item in enumerate(self.items) if item.is_choosable and item.index >= index]
        if later:
            item = self.items[later[0]]
            if self._width and not self.height(item):
                # a private note, which is not drawn while it is folded
                item.full = True
                self._drawn.pop(item, None)
                self._layout()
            self._stand(later[0], centred=index >= 0)

    # --- drawing ------------------------------------------------------------------------------------------------

    def on_resize(self, _: events.Resize) -> None:
        """Draw for the new width."""
        if self.scrollable_content_region.width != self._width:
            self._drawn = {}
            self._layout()
            if self.items:
                self._reveal(centred=True)

    def _layout(self) -> None:
        width = self.scrollable_content_region.width
        if not width or self.script is None:
            # it is hidden; what it shows is drawn when it is seen again
            self._width, self._starts = 0, [0]
            return
        self._width = width
        for item in self.items:
            if item not in self._drawn:
                self._drawn[item] = painted(self.script.draw(item, width), width)
        self.settle()
        self.post_message(self.Drawn(self))

    def settle(self) -> None:
        """Take in the empty lines below the items."""
        heights = (len(self._drawn.get(item, ())) + item.below for item in self.items)
        self._starts = [0, *accumulate(heights)]
        self.virtual_size = Size(self._width, self._starts[-1])
        self.refresh()

    def height(self, item: TranscriptItem) -> int:
        """How many lines an item takes, without the empty ones below it."""
        return len(self._drawn.get(item, ()))

    def start(self, item: TranscriptItem) -> int:
        """The line an item begins at."""
        return self._starts[self.items.index(item)]

    def render_line(self, y: int) -> Strip:
        """One line of what is in view."""
        line, width = y + self.scroll_offset.y, self.size.width
        if not 0 <= line < self._starts[-1]:
            return Strip.blank(width, self.rich_style)
        place = bisect_right(self._starts, line) - 1
        item, within = self.items[place], line - self._starts[place]
        drawn, style = self._drawn[item], self.rich_style
        if place == self.place and within < len(drawn) and item.kind != "head":
            style += self.get_component_rich_style("transcript--cursor", partial=True)
        strip = drawn[within] if within < len(drawn) else Strip([])
        return strip.extend_cell_length(width).crop(0, width).apply_style(style)

    # --- moving -------------------------------------------------------------------------------------------------

    def _stand(self, place: int, *, centred: bool = False) -> None:
        self.place = place
        self._reveal(centred=centred)
        self.refresh()
        self.post_message(self.Moved(self))

    def _reveal(self, *, centred: bool = False) -> None:
        top = self._starts[min(self.place, len(self._starts) - 1)]
        height = max(self.height(self.items[self.place]), 1)
        view = self.size.height
        if centred or height >= view:
            self.scroll_to(y=top - max((view - height) // 3, 0), animate=False, force=True, immediate=True)
        else:
            # the line that says who moves belongs to what is done
            above = 2 if top >= 2 else top
            region = Region(0, top - above, 1, min(height + above, view))
            self.scroll_to_region(region, animate=False, force=True, immediate=True, x_axis=False)

    def action_step(self, by: int) -> None:
        """Go to the next event, or scroll within one that is taller than the screen."""
        if not self.items:
            return
        top, bottom = self._starts[self.place], self._starts[self.place + 1]
        view = self.scroll_offset.y
        if by > 0 and view <= top + self.size.height and bottom > view + self.size.height > top:
            self.scroll_relative(y=1, animate=False, immediate=True)
            return
        if by < 0 and top < view < bottom:
            self.scroll_relative(y=-1, animate=False, immediate=True)
            return
        place = self.place + by
        while 0 <= place < len(self.items) and not (
            self.items[place].is_choosable and self.height(self.items[place])
        ):
            place += by
        if 0 <= place < len(self.items):
            self._stand(place)

    def action_leaf(self, pages: int) -> None:
        """Scroll by a page; the cursor comes along."""
        self.scroll_relative(y=pages * max(self.size.height - 2, 1), animate=False, immediate=True)
        self._follow(0 if pages > 0 else self.size.height - 1)

    def _follow(self, line: int) -> None:
        wanted = self.scroll_offset.y + line
        choosable = [n for n, item in enumerate(self.items) if item.is_choosable]
        if choosable:
            self.place = min(choosable, key=lambda n: abs(self._starts[n] - wanted))
            self.refresh()
            self.post_message(self.Moved(self))

    def action_edge(self, edge: int) -> None:
        """Go to the first or the last event."""
        choosable = [n for n, item in enumerate(self.items) if item.is_choosable]
        if choosable:
            self._stand(choosable[edge])

    def action_fold(self) -> None:
        """Unfold what the cursor stands on, or fold it."""
        if self.items:
            item = self.items[self.place]
            item.full = not item.full
            self._drawn.pop(item, None)
            self._layout()
            self._reveal()

    def action_fold_all(self) -> None:
        """Unfold everything, or fold it if anything is unfolded."""
        full = not any(item.full for item in self.items)
        for item in self.items:
            if item.full != full and item.kind == "event":
                item.full = full
                self._drawn.pop(item, None)
        self._layout()
        if self.items:
            self._reveal()

    def action_finding(self, by: int) -> None:
        """Jump to the next event that a finding or a signal rests on."""
        if not self.stops:
            self.app.bell()
            return
        if self.stop >= 0 and self.stops[self.stop][0] == self.index:
            self.stop = (self.stop + by) % len(self.stops)
        else:
            before = [n for n, (index, _) in enumerate(self.stops) if index <= self.index]
            self.stop = (len(before) if by > 0 else len(before) - 1) % len(self.stops)
        self.go(self.stops[self.stop][0])

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on an event; a click on the one it stands on unfolds it."""
        line = event.y + self.scroll_offset.y
        place = bisect_right(self._starts, line) - 1
        if place < len(self.items) and self.items[place].is_choosable:
            if place == self.place:
                self.action_fold()
            else:
                self._stand(place)


def _stops(script: TranscriptItems) -> list[tuple[int, Finding | Signal]]:
    shown = {event.index for event in script.events}
    found: list[tuple[int, Finding | Signal]] = []
    for one in script.played.assessments:
        every: list[Finding | Signal] = [*one.findings, *one.signals]
        for raised in every:
            found += [(index, raised) for index in sorted(set(raised.evidence)) if index in shown]
    return sorted(found, key=lambda one: one[0])
