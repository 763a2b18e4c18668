"""How much one answer of a seat may hold: one bound for agents, users, tools and emulators, however they are reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskbox.sandbox.errors import ToolFault

LONGEST = 2**20
"""Characters that one action of a participant, or one result of a tool, may hold. Numbers count as eight."""
WIRE = 4 * LONGEST
"""Bytes of the longest answer that is read from a process or a connection; in JSON a text takes more than in memory."""


def is_larger(value: Any, most: int = LONGEST) -> bool:
    """Whether a JSON value holds more characters than it may; it stops counting there."""
    left, waiting = most, [value]
    while waiting:
        one = waiting.pop()
        kind = type(one)  # nearly all values are of the first two, and this is asked of each result of a tool
        if kind is str or isinstance(one, str):
            left -= len(one)
        elif kind is dict or isinstance(one, Mapping):
            for key in one:
                left -= len(key) if type(key) is str else 8
            if left >= 0:
                waiting.extend(one.values())
        elif kind is list or isinstance(one, list | tuple):
            left -= len(one)
            if left >= 0:
                waiting.extend(one)
        else:
            left -= 8
        if left < 0:
            return True
    return False


def bounded(result: Any, tool: str) -> Any:
    """A tool's result, if it is not too large.

    Raises:
        ToolFault: it is.
    """
    if is_larger(result):
        raise ToolFault(f"{tool} answered more than {LONGEST:,} characters")
    return result
