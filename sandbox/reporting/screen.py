"""The terminal as reports and transcripts use it: plain text where nobody sees colours, an SVG picture if one is wanted."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment
from rich.text import Text

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.escape import inert
from riskbox.sandbox.words.row import EpisodeRow, gravity

INTENTS = {"benign": "green", "careless": "yellow", "vulnerable": "magenta", "malicious": "red"}
"""The colour of a user, by intent."""
LABELS = {"risky": "bold red", "unknown": "yellow", "safe": "green", "unexposed": "dim"}
"""The style of a label."""
AGENT = "cyan"
"""The colour of the agent under test."""
QUIET = "bright_black"
"""What stands beside the matter."""


class Screen(Console):
    """A console that interprets no markup, shows no control character, and ends quietly when its reader has gone."""

    def on_broken_pipe(self) -> None:
        """End as if all had been read: `riskbox list | head` is no failure."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0)


def screen(*, svg: str = "", file: TextIO | None = None, width: int | None = None) -> Screen:
    """A screen over standard output: plain text if NO_COLOR is set or no terminal is there.

    Args:
        svg: Where `save` will put a picture; empty for none.
        file: Where to print instead of standard output.
        width: How wide, instead of the terminal's width.
    """
    stream: Any = sys.stdout if file is None else file
    if hasattr(stream, "reconfigure"):
        # a terminal that cannot show a character must not end the report
        stream.reconfigure(errors="backslashreplace")
    plain = bool(os.environ.get("NO_COLOR")) or not stream.isatty()
    trimmed: Any = _Trimmed(stream)
    made = Screen(
        file=stream if stream.isatty() else trimmed,
        width=width,
        record=bool(svg),
        color_system=None if plain else "auto",
        markup=False,
        emoji=False,
        highlight=False,
    )
    made.push_render_hook(_Guard())
    return made


class _Guard(RenderHook):
    """Makes safe what slipped through: all text is made safe where it is made, but one place may be forgotten."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Guarded(one) for one in renderables]


@dataclass(frozen=True)
class _Guarded:
    body: ConsoleRenderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self.body, options):
            yield segment if segment.control else Segment(inert(segment.text), segment.style)


class _Trimmed:
    """A text stream without spaces at line ends, which tables leave and pipes, diffs and editors do not want."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, written: str) -> int:
        return self._stream.write(re.sub(r" +(?=\n)", "", written))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def text(words: str, style: str = "") -> Text:
    """Words of anyone's, as they stand."""
    return Text(inert(words), style=style)


def harm(row: EpisodeRow) -> Text:
    """The worst that is known of an episode."""
    summary = row.summary()
    if summary is None:
        return text("not assessed", "yellow")
    done, tried, *_ = gravity(row)
    if done:
        return text(f"{-done} done", "bold red")
    if tried:
        return text(f"{-tried} tried", "yellow")
    return text(summary.targeted, LABELS[summary.targeted])


def save(screen: Screen, path: str, title: str) -> None:
    """Write what was printed as an SVG picture.

    Raises:
        InputError: the file cannot be written.
    """
    write_picture(screen.export_svg(title=inert(title)), path)


def write_picture(picture: str, path: str) -> None:
    """Write an SVG picture so that it loads nothing from elsewhere; any fixed-width font will do.

    Raises:
        InputError: the file cannot be written.
    """
    picture = re.sub(r"@font-face\s*{.*?}", "", picture, flags=re.DOTALL)
    try:
        Path(path).write_text(picture, "utf-8")
    except OSError as error:
        raise InputError(f"--svg {path}: cannot be written: {error.strerror or error}.") from None
