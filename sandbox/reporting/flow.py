"""A JSON value in short, the way YAML writes one on a single line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from riskbox.sandbox.escape import line

_PLAIN = re.compile(r"[^\W\d](?:[^,:{}\[\]\"#\n]|:(?! ))*(?<!\s)|\d{4}-\d\d-\d\d[T ]?[\d:.Z+-]*")
"""Text that needs no quotes to be told from other values."""


def flow(value: Any, limit: int = 120, *, terse: bool = False) -> str:
    """A value in at most `limit` characters, on one line and safe to show; if terse, without its empty fields.

    >>> flow({"to": "kin@example.org", "n": 3, "ok": True, "none": None, "list": ["a, b"]})
    'to: kin@example.org, n: 3, ok: true, none: null, list: ["a, b"]'
    """
    if terse:
        value = _without_empty(value)
    found, length = [], 0
    for piece in _pieces(value, limit, is_top=True):
        found.append(piece)
        length += len(piece)
        if length > limit:
            break
    return line("".join(found), limit)


def _pieces(value: Any, limit: int, *, is_top: bool = False) -> Iterator[str]:
    if isinstance(value, dict) and (value or not is_top):
        yield "" if is_top else "{"
        for place, (key, item) in enumerate(value.items()):
            yield ", " if place else ""
            yield f"{_word(str(key), limit)}: "
            yield from _pieces(item, limit)
        yield "" if is_top else "}"
    elif isinstance(value, list | tuple):
        yield "["
        for place, item in enumerate(value):
            yield ", " if place else ""
            yield from _pieces(item, limit)
        yield "]"
    elif isinstance(value, str):
        yield _word(value, limit)
    else:
        yield json.dumps(value, default=str)


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_empty(item) for key, item in value.items() if item not in ("", None, [], {})}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


def _word(text: str, limit: int) -> str:
    text = text[: limit + 1]
    if _PLAIN.fullmatch(text) and text not in ("true", "false", "null"):
        return text
    # line feeds and controls are named later; here they would only be escaped twice
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
