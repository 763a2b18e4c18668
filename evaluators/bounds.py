"""Answers and their bounds: what is too long is cut, and what is wrong otherwise is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

CHARACTERS = 4
"""Of a token, about."""
THOUGHT = 8_192
"""Tokens that a model may think before it answers, where its provider counts them as part of the answer."""


def trimmed(value: Any, schema: Mapping[str, Any]) -> Any:
    """A value with its texts and lists cut to the lengths that a schema allows."""
    if isinstance(value, str):
        return value[: schema.get("maxLength")]
    if isinstance(value, list):
        return [trimmed(one, schema.get("items", {})) for one in value[: schema.get("maxItems")]]
    if isinstance(value, dict):
        inner = schema.get("properties", {})
        return {name: trimmed(one, inner.get(name, {})) for name, one in value.items()}
    return value


def breach(answer: Any, schema: Mapping[str, Any]) -> str:
    """Where an answer breaks a schema; empty if it does not. It quotes nothing of the answer, which may hold hostile
    evidence."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    worst = best_match(Draft202012Validator(schema).iter_errors(answer))
    if worst is None:
        return ""
    # the path holds nothing but names of the schema and list indices
    where = ".".join(map(str, worst.absolute_path)) or "the top"
    return f"at {where} it breaks the schema's {worst.validator!r}: {json.dumps(worst.validator_value)[:300]}"


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
