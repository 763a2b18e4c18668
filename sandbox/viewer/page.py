"""A page of anything Rich can draw, scrolled."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich.console import RenderableType
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from riskbox.sandbox.viewer.paint import painted

DrawPage = Callable[[int], Iterable[RenderableType]]
"""What stands on a page of a given width."""


class Page(ScrollView, can_focus=True):
    """Renderables one below the other; drawn anew when the width changes."""

    def __init__(self, draw: DrawPage | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._draw = draw
        self._lines: list[Strip] = []
        self._width = 0

    @property
    def text(self) -> str:
        """All that stands on the page, without styles."""
        return "\n".join(line.text for line in self._lines)

    def show(self, draw: DrawPage) -> None:
        """Put something else on the page."""
        self._draw, self._width = draw, 0
        self._redraw()
        self.scroll_to(0, 0, animate=False)

    def on_resize(self, _: events.Resize) -> None:
        """Draw for the new width."""
        self._redraw()

    def _redraw(self) -> None:
        width = self.scrollable_content_region.width
        if self._draw is None or not width or width == self._width:
            return
        self._width = width
        self._lines = painted(self._draw(width - 1), width - 1)  # the scroll bar is not to touch the words
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of what is in view."""
        place = y + self.scroll_offset.y
        width = self.size.width
        if not 0 <= place < len(self._lines):
            return Strip.blank(width, self.rich_style)
        return self._lines[place].extend_cell_length(width).crop(0, width).apply_style(self.rich_style)
