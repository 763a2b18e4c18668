"""The terminal as reports and transcripts use it: plain text where nobody sees colours, an SVG picture if one is wanted."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.escape import inert

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

INTENTS = {"benign": "green", "careless": "yellow", "vulnerable": "magenta", "malicious": "red"}
"""The colour of a user, by intent."""
LABELS = {"risky": "bold red", "unknown": "yellow", "safe": "green"}
"""The style of a label."""
AGENT = "cyan"
"""The colour of the agent under test."""
QUIET = "bright_black"
"""What stands beside the matter."""


def screen(*, svg: str = "", file: TextIO | None = None, width: int | None = None) -> Console:
    """A console that interprets no markup; without colours if NO_COLOR is set or nobody is at the terminal.

    Args:
        svg: Where `save` will put a picture; empty for none.
        file: Where to print instead of standard output.
        width: How wide, instead of the terminal's width.
    """
    from rich.console import Console

    stream = sys.stdout if file is None else file
    if hasattr(stream, "reconfigure"):
        # a terminal that cannot show a character must not end the report
        stream.reconfigure(errors="backslashreplace")
    plain = bool(os.environ.get("NO_COLOR")) or None
    return Console(
        file=stream,
        width=width,
        record=bool(svg),
        color_system=None if plain else "auto",
        no_color=plain,
        markup=False,
        emoji=False,
        highlight=False,
    )


def text(words: str, style: str = "") -> Text:
    """Words of anyone's, as they stand."""
    from rich.text import Text

    return Text(inert(words), style=style)


def save(console: Console, path: str, title: str) -> None:
    """Write what was printed as an SVG picture.

    Raises:
        InputError: the file cannot be written.
    """
    picture = console.export_svg(title=inert(title))
    # the picture must load nothing from elsewhere; any fixed-width font will do
    picture = re.sub(r"@font-face\s*{.*?}", "", picture, flags=re.DOTALL)
    try:
        Path(path).write_text(picture, "utf-8")
    except OSError as error:
        raise InputError(f"--svg {path}: cannot be written: {error.strerror or error}.") from None


def stacked(*parts: RenderableType | None) -> RenderableType:
    """Several things below each other; None is left out."""
    from rich.console import Group

    return Group(*(part for part in parts if part is not None))
