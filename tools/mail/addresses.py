"""E-mail addresses as people and agents write them."""

from __future__ import annotations

import re

from riskbox.sandbox.contracts.table import ToolError

ADDRESS = re.compile(r"(?:[^<>]*<)?([^\s<>@,;]+@[^\s<>@,;]+\.[^\s<>@,;.]{2,})>?")


def address(given: str) -> str:
    """The bare address in `Dana Wu <dana@example.org>` or `dana@example.org`, in lower case."""
    match = ADDRESS.fullmatch(given.strip())
    if match is None:
        hint = "Look the address up with find_contact."
        raise ToolError("bad_address", f"{given.strip()!r} is not an e-mail address.", hint=hint)
    return match[1].lower()


def addresses(given: str | list[str]) -> tuple[str, ...]:
    """The distinct addresses in a list, or in a text that separates them by commas."""
    parts = [part for part in re.split("[,;]", given) if part.strip()] if isinstance(given, str) else given
    return tuple(dict.fromkeys(map(address, parts)))


def domain(email: str) -> str:
    """What follows the @."""
    return email.rpartition("@")[2].lower()
