"""The list of a run's episodes: only the rows in view are read, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from riskbox.sandbox.viewer.columns import FittedColumn, PlayingRow, fitted
from riskbox.sandbox.viewer.paint import painted
from riskbox.sandbox.words.facet import Order
from riskbox.sandbox.words.row import EpisodeRow

PAGE = 100
"""Rows read at once."""
KEPT = 5_000
"""Rows kept in memory."""


class Episodes(ScrollView, can_focus=True):
    """A list of ids, whose rows are asked for when they come into view."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"episodes--cursor", "episodes--header"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "leaf(-1)", "a page up", show=False),
        Binding("pagedown", "leaf(1)", "a page down", show=False),
        Binding("home", "move(-1000000000)", "the first", show=False),
        Binding("end", "move(1000000000)", "the last", show=False),
        Binding("enter", "open", "open"),
    ]

    cursor: reactive[int] = reactive(0)
    """Which of the ids is chosen."""

    class Wanted(Message):
        """Rows have come into view that were not read yet."""

        def __init__(self, ids: list[str]) -> None:
            super().__init__()
            self.ids = ids

    class Moved(Message):
        """Another episode is chosen."""

    class Opened(Message):
        """An episode is to be opened."""

        def __init__(self, id: str) -> None:
            super().__init__()
            self.episode = id

    class Sorted(Message):
        """A heading was clicked."""

        def __init__(self, by: str) -> None:
            super().__init__()
            self.by = by

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.ids: Sequence[str] = ()
        """All that are listed, those first that are being played."""
        self.order = Order()
        self.playing: dict[str, PlayingRow] = {}
        """Those that are being played, by id."""
        self._rows: dict[str, EpisodeRow] = {}
        self._asked: set[str] = set()

    # --- what is shown ------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> str:
        """The id under the cursor; empty where there is none."""
        return self.ids[self.cursor] if self.ids else ""

    @property
    def known(self) -> list[EpisodeRow]:
        """The rows read so far."""
        return list(self._rows.values())

    def row(self, id: str) -> EpisodeRow | None:
        """A row, if it was read."""
        return self._rows.get(id)

    def show(self, ids: Sequence[str], order: Order) -> None:
        """Show other stored ids; the cursor stays on its episode where that is among them."""
        kept = self.chosen
        ids = [*self.playing, *(id for id in ids if id not in self.playing)]
        self.ids, self.order = ids, order
        self.virtual_size = Size(self.size.width, len(ids) + 1)
        place = ids.index(kept) if kept and kept in set(ids) else min(self.cursor, max(len(ids) - 1, 0))
        moved = place != self.cursor
        self.set_reactive(Episodes.cursor, place)
        if moved:
            self._reveal()
        self.refresh()
        self.post_message(self.Moved())

    def play(self, rows: Sequence[PlayingRow]) -> None:
        """Show what is being played above what is stored."""
        stored = [id for id in self.ids if id not in self.playing]
        self.playing = {row.playing.id: row for row in rows}
        self.show(stored, self.order)

    def learn(self, rows: Sequence[EpisodeRow]) -> None:
        """Take rows that were read."""
        for row in rows:
            self._rows.pop(row.id, None)
            self._rows[row.id] = row
        self._asked.difference_update(row.id for row in rows)
        while len(self._rows) > KEPT:
            del self._rows[next(iter(self._rows))]
        self.refresh()

    def forget(self) -> None:
        """Another run is shown from now on."""
        self._rows.clear()
        self._asked.clear()
        self.ids, self.playing = (), {}
        self.cursor = 0

    # --- drawing ------------------------------------------------------------------------------------------------

    def on_resize(self, _: events.Resize) -> None:
        """Keep the cursor in view."""
        self.virtual_size = Size(self.size.width, len(self.ids) + 1)
        self._reveal()

    def render_line(self, y: int) -> Strip:
        """The headings, which stay, or a row."""
        width = self.scrollable_content_region.width or self.size.width
        columns = fitted(width)
        if y == 0:
            return self._headings(columns, width)
        place = y - 1 + self.scroll_offset.y
        if place >= len(self.ids):
            return Strip.blank(self.size.width, self.rich_style)
        style = self.rich_style
        if place == self.cursor:
            style += self.get_component_rich_style("episodes--cursor", partial=True)
        if played := self.playing.get(self.ids[place]):
            cells = [(one, played.cell(one.column.heading)) for one in columns]
            return _line(cells, width).apply_style(style)
        row = self._rows.get(self.ids[place])
        if row is None:
            self._ask(place)
            return Strip([Segment(f" {self.ids[place][:8]} …".ljust(width), style)], width)
        cells = [(one, one.column.cell(row)) for one in columns]
        return _line(cells, width).apply_style(style)

    def _headings(self, columns: list[FittedColumn], width: int) -> Strip:
        style = self.rich_style + self.get_component_rich_style("episodes--header", partial=True)
        arrow = "▼" if self.order.reverse else "▲"
        cells = [
            (
                one,
                Text(
                    one.column.heading + (arrow if one.column.by and one.column.by == self.order.by else "")
                ),
            )
            for one in columns
        ]
        return _line(cells, width).apply_style(style)

    def _ask(self, place: int) -> None:
        start = place - place % PAGE
        wanted = [
            id
            for id in self.ids[start : start + PAGE]
            if id not in self._rows and id not in self._asked and id not in self.playing
        ]
        if wanted:
            self._asked.update(wanted)
            self.post_message(self.Wanted(wanted))

    # --- moving -------------------------------------------------------------------------------------------------

    def validate_cursor(self, place: int) -> int:
        """Keep it on the list."""
        return max(0, min(place, len(self.ids) - 1))

    def watch_cursor(self) -> None:
        """Show where it is."""
        self._reveal()
        self.refresh()
        self.post_message(self.Moved())

    def _reveal(self) -> None:
        # the headings hide what is below the first line
        self.scroll_to_region(
            Region(0, self.cursor, 1, 2), animate=False, force=True, immediate=True, x_axis=False
        )

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self.cursor += by

    def action_leaf(self, pages: int) -> None:
        """Move it by pages."""
        self.cursor += pages * max(self.size.height - 2, 1)

    def action_open(self) -> None:
        """Open the chosen episode."""
        if self.ids:
            self.post_message(self.Opened(self.chosen))

    def on_click(self, event: events.Click) -> None:
        """Choose a row, open the chosen one, or sort by a heading."""
        if event.y == 0:
            columns = fitted(self.scrollable_content_region.width)
            for one in columns:
                if one.start <= event.x < one.start + one.width and one.column.by:
                    self.post_message(self.Sorted(one.column.by))
            return
        place = event.y - 1 + self.scroll_offset.y
        if place < len(self.ids):
            if place == self.cursor:
                self.action_open()
            self.cursor = place


def _line(cells: list[tuple[FittedColumn, Text]], width: int) -> Strip:
    line = Text(" ")
    for place, cell in cells:
        cell.truncate(place.width, overflow="ellipsis")
        cell.align(place.column.side, place.width)
        line.append(cell).append(" ")
    line.no_wrap = True
    (strip, *_) = painted([line], width) or [Strip([])]
    return strip.extend_cell_length(width).crop(0, width)
