"""Hostile text made safe to show: what models, scenarios and file names say may drive a terminal or hide from its reader.

Nothing is dropped: what cannot be shown as itself is named, so that a reader sees that it was there. ESC becomes its
picture `␛`, a bidirectional override `<U+202E>`, and letters smuggled as invisible tag characters are spelled out.
"""

from __future__ import annotations

import re

_UNSEEN = (
    "\u00ad\u034f\u061c\u070f\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0d\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Format characters and line breaks that have no glyph; the few Arabic and Kaithi ones that do are text."""

_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
"""Combining marks that stack on any letter."""

_HOSTILE = re.compile(
    rf"(?P<tags>[\U000e0020-\U000e007e]+)|(?P<marks>[{_MARKS}]{{5,}})"
    rf"|(?P<other>[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff{_UNSEEN}])"
)
_JOINED = re.compile(r"[^\W\d_a-zA-Z]|[\u2190-\U0001faff]")
"""What joiners may stand between: letters of scripts that need them, emoji."""

_LINE_ENDS = re.compile(r"\r\n")


def inert(text: str) -> str:
    r"""Text whose every character shows as itself; only line feeds are left of what moves the cursor.

    >>> inert("\x1b[2J\u202egnp.exe")
    '␛[2J<U+202E>gnp.exe'
    """
    if text.isascii() and text.isprintable():
        return text
    return _HOSTILE.sub(_named, _LINE_ENDS.sub("\n", text))


def line(text: str, limit: int = 0) -> str:
    """Text on one line, line feeds shown as `⏎`, cut to `limit` characters if one is given.

    >>> line("one\\ntwo", 5)
    'one⏎…'
    """
    shown = inert(text[: 4 * limit] if limit else text).replace("\n", "⏎")
    return shown if not limit or len(shown) <= limit else shown[: limit - 1] + "…"


def clipped(text: str, limit: int) -> str:
    """Text cut to about `limit` characters, saying how many were left out.

    >>> clipped("abcdef", 4)
    'abcd… (2 more characters)'
    """
    if len(text) <= limit:
        return inert(text)
    return f"{inert(text[:limit])}… ({len(text) - limit:,} more characters)"


def in_markup(text: str) -> str:
    """Text to be put into a string of rich markup, where it stands for itself.

    >>> in_markup("[red]x[/red]")
    '\\\\[red]x\\\\[/red]'
    """
    from rich.markup import escape

    return escape(inert(text))


def _named(match: re.Match[str]) -> str:
    found = match[0]
    match match.lastgroup:
        case "tags":
            return f"<hidden: {''.join(chr(ord(one) - 0xE0000) for one in found)}>"
        case "marks":
            return f"{found[:4]}<{len(found) - 4} more marks>"
    if found in "\u200c\u200d" and _joins(match.string, match.start()):
        return found
    if found == "\t":
        return "    "
    code = ord(found)
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"<U+{code:04X}>"


def _joins(text: str, place: int) -> bool:
    around = text[place - 1 : place], text[place + 1 : place + 2]
    return all(_JOINED.fullmatch(one) for one in around)
