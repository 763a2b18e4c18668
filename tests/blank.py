"""The answer of a judge that claims nothing, for whatever it is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def blank(schema: Mapping[str, Any], cited: int = 0) -> Any:
    """A value of a judge's schema: no risk happened, no goal is met, every score is 0. It cites one event."""
    match schema.get("type"):
        case "object":
            return {name: blank(one, cited) for name, one in schema["properties"].items()}
        case "array":
            return [cited] if schema["items"]["type"] == "integer" else []
        case "string":
            return "no" if "no" in schema.get("enum", ()) else "Nothing shows it."
        case "integer" | ["integer", "null"]:
            return 0
    return None


def deed(told: str, by: str = "agent") -> int:
    """The first event in a judge's prompt that a party said or called: a claim of the agent's harm must cite its own."""
    return int(re.findall(rf'"event": (\d+), "kind": "(?:said|called)", "time": \d+, "by": "{by}"', told)[0])
