"""Colours that stand for the terminal's own, legible on Textual's dark and light backgrounds."""

from __future__ import annotations

from rich.color import Color
from rich.terminal_theme import TerminalTheme


def _theme(background: str, foreground: str, *colours: str) -> TerminalTheme:
    """Colours in the order black, red, green, yellow, blue, magenta, cyan, white; first plain, then bright."""
    parsed = [Color.parse(one).get_truecolor() for one in (background, foreground, *colours)]
    triplets = [(one.red, one.green, one.blue) for one in parsed]
    return TerminalTheme(triplets[0], triplets[1], triplets[2:10], triplets[10:])


DARK = _theme(
    *("#121212", "#e0e0e0"),
    *("#1e1e1e", "#ff7b72", "#7ee08a", "#f2c14e", "#82aaff", "#dd9bff", "#5fd7e8", "#e0e0e0"),
    *("#9aa0a8", "#ff9d97", "#a3f0ac", "#ffd97a", "#a9c4ff", "#eabfff", "#93e6f2", "#ffffff"),
)
LIGHT = _theme(
    *("#f5f5f5", "#1f2328"),
    *("#1f2328", "#b3261e", "#17692f", "#7a5200", "#1f4fa8", "#80219c", "#005f70", "#1f2328"),
    *("#5a616b", "#9b1c15", "#115526", "#664500", "#183f88", "#6a1a83", "#004d5b", "#000000"),
)
