"""Rich's output as lines of a Textual widget: no markup is interpreted, and no control character is let through."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import RenderableType
from rich.segment import Segment
from textual.strip import Strip

from riskbox.sandbox.escape import inert
from riskbox.sandbox.reporting.screen import Screen

_CONSOLE = Screen(
    file=io.StringIO(),
    force_terminal=True,
    color_system="truecolor",
    legacy_windows=False,
    markup=False,
    emoji=False,
    highlight=False,
)


def painted(parts: Iterable[RenderableType], width: int) -> list[Strip]:
    """Renderables one below the other, as wide as there is room."""
    options = _CONSOLE.options.update(width=max(width, 1), height=None, highlight=False)
    return [
        Strip([Segment(inert(one.text), one.style) for one in line if not one.control])
        for part in parts
        for line in _CONSOLE.render_lines(part, options, pad=False)
    ]
