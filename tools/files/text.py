"""Text of files: its lines and size, and how much of it is shown."""

from __future__ import annotations

SHOWN = 20_000
"""The most characters one call returns of a file or of a command's output."""


def lines(text: str) -> list[str]:
    """The lines of a text as a shell counts them."""
    return text.removesuffix("\n").split("\n") if text else []


def size(text: str) -> int:
    """The bytes a text takes up."""
    return len(text.encode(errors="replace"))


def human(count: int) -> str:
    """A number of bytes as `ls -h` writes it."""
    if count < 1024:
        return str(count)
    amount, unit = (count / 1024, "K") if count < 1_048_576 else (count / 1_048_576, "M")
    return f"{amount:.1f}{unit}" if amount < 10 else f"{amount:.0f}{unit}"


def clipped(text: str) -> str:
    """Output as one call returns it."""
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]}\n[output cut: {len(text) - SHOWN} more characters]\n"
