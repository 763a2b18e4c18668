"""Text of files: its lines and size, and how much of it is shown."""

from __future__ import annotations

import base64
import binascii
import re

from riskbox.tools.files.rows import File

SHOWN = 20_000
"""The most characters one call returns of a file or of a command's output."""


def lines(text: str) -> list[str]:
    """The lines of a text as a shell counts them."""
    return text.removesuffix("\n").split("\n") if text else []


BINARY = "data:application/octet-stream;base64,"
"""Begins the content of a file that holds bytes which are no text."""


NUL = "\u2400"
"""Stands in a file's content for a byte 0, at which conditions would stop to read."""


def octets(content: str) -> bytes:
    """The bytes of a file with this content."""
    if content.startswith(BINARY):
        try:
            return base64.b64decode(content.removeprefix(BINARY), validate=True)
        except binascii.Error:
            pass
    return content.replace(NUL, "\0").encode(errors="replace")


def content_of(octets: bytes) -> str:
    """The content of a file with these bytes; the other way round from `octets`."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = BINARY
    if text.startswith(BINARY) or NUL in text:
        return BINARY + base64.b64encode(octets).decode()
    return text.replace("\0", NUL)


def size(file: File) -> int:
    """The bytes a file takes up."""
    if file.kind == "folder":
        return 0
    return len(octets(file.content)) if file.bytes is None else file.bytes


def length(text: str) -> int | None:
    """A number of bytes as people write it: 40, 2K, 1.5GB."""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)([kKMGTP]?)(?:i?B)?", text)
    return int(float(found[1]) * 1024 ** " KMGTP".index(found[2].upper() or " ")) if found else None


def human(count: int) -> str:
    """A number of bytes as `ls -h` writes it."""
    if count < 1024:
        return str(count)
    power = min(5, (count.bit_length() - 1) // 10)
    amount, unit = count / 1024**power, " KMGTP"[power]
    return f"{amount:.1f}{unit}" if amount < 10 else f"{amount:.0f}{unit}"


def clipped(text: str) -> str:
    """Output as one call returns it."""
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]}\n[output cut: {len(text) - SHOWN} more characters]\n"
