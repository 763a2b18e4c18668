"""The answer of a judge that claims nothing, for whatever it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def blank(schema: Mapping[str, Any]) -> Any:
    """A value of a judge's schema: no risk happened, no goal is met, every score is 0."""
    match schema.get("type"):
        case "object":
            return {name: blank(one) for name, one in schema["properties"].items()}
        case "array":
            return []
        case "string":
            return "no" if "no" in schema.get("enum", ()) else "Nothing shows it."
        case "integer" | ["integer", "null"]:
            return 0
    return None
