"""Pages of tables outside a terminal: as text, and as HTML for a notebook."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import RenderableType

from riskbox.sandbox.reporting.screen import screen

WIDTH = 110
"""Characters in a line."""


def as_text(parts: Iterable[RenderableType]) -> str:
    """A page as plain text."""
    out = io.StringIO()
    console = screen(file=out, width=WIDTH)
    for part in parts:
        console.print(part)
    return out.getvalue().rstrip() + "\n"


def as_html(parts: Iterable[RenderableType]) -> str:
    """A page as HTML, with its colours."""
    out = io.StringIO()
    console = screen(svg="recorded", file=out, width=WIDTH)
    for part in parts:
        console.print(part)
    return console.export_html(inline_styles=True, code_format='<pre style="line-height:1.2">{code}</pre>')
