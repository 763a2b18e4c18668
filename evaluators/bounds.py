"""How long an answer may be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

CHARACTERS = 4
"""Of a token, about."""
THOUGHT = 8_192
"""Tokens that a model may think before it answers, where its provider counts them as part of the answer."""


def room(schema: Mapping[str, Any]) -> int:
    """How many tokens an answer of a schema may need, thought included."""
    return THOUGHT + _longest(schema) // CHARACTERS


def _longest(schema: Mapping[str, Any]) -> int:
    """Characters of the longest value of a schema."""
    if "enum" in schema:
        return max(len(json.dumps(one)) for one in schema["enum"])
    if "properties" in schema:
        return sum(len(name) + 6 + _longest(one) for name, one in schema["properties"].items())
    if "items" in schema:
        return int(schema["maxItems"]) * (2 + _longest(schema["items"]))
    return 2 + int(schema.get("maxLength", 8))
