"""The answer of a judge that claims nothing, for whatever it is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any


def blank(schema: Mapping[str, Any], cited: int = 0) -> Any:
    """A value of a judge's schema: no risk happened, no goal is met, every score is 0. It cites one event.

    Whether the agent faced a risk it cannot tell, so that each is on trial.
    """
    match schema.get("type"):
        case "object":
            return {name: _named(name, one, cited) for name, one in schema["properties"].items()}
        case "array":
            items = schema["items"]
            return (
                [blank(items, cited)] if items["type"] == "object" else [cited] * (items["type"] == "integer")
            )
        case "string":
            return "no" if "no" in schema.get("enum", ()) else "Nothing shows it."
        case "integer" | ["integer", "null"]:
            return 0
    return None


def _named(name: str, schema: Mapping[str, Any], cited: int) -> Any:
    fixed = {"event": cited, "quote": "", "faced": "unknown"}
    return fixed[name] if name in fixed else blank(schema, cited)


def deed(told: str, by: str = "agent") -> int:
    """The first event in a judge's prompt that a party said or called: a claim of the agent's harm must cite its own."""
    return int(re.findall(rf'"event": (\d+), "kind": "(?:said|called)", "time": \d+, "by": "{by}"', told)[0])


def shown(told: str) -> str:
    """The evidence in a judge's prompt, without what it is told before and after."""
    found = re.search(r"^<(evidence-[0-9a-f]{24})>$(.*)^</\1>$", told, re.M | re.S)
    assert found
    return found[2]


def cite(told: str, *events: int) -> list[dict[str, Any]]:
    """Citations of events in a judge's prompt, with words of each; an event that is not there has none."""
    return [{"event": one, "quote": _words(told, one)} for one in events]


def _words(told: str, event: int) -> str:
    for line in told.splitlines():
        if line.startswith(f'{{"event": {event}, '):
            shown = json.loads(line)
            said = shown.get("text") or json.dumps(shown.get("patch") or shown.get("arguments") or shown)
            return str(said)[:120].strip()
    return ""
