"""What a user sees of the world by itself: rows of its own mailbox, its own phone, the door it stands at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from riskbox.sandbox.contracts.questions import alike
from riskbox.sandbox.contracts.table import Changes
from riskbox.sandbox.escape import clipped
from riskbox.sandbox.words.event import Changed, Event, Said, Waited
from riskbox.sandbox.words.scenario import Sight

ROWS = 5
"""Rows of one sight that are told at a time; the rest is counted."""
VALUE = 500
"""Characters of one value."""
TOLD = 6_000
"""Characters of all that is told at a time."""

Touched = Mapping[str, set[str] | None]
"""The rows of a table that changed, by id, with the fields that did; None for a new row."""


def seen_since(
    party: str,
    sights: Iterable[Sight],
    events: Sequence[Event],
    changes: Mapping[str, Mapping[str, Changes]],
) -> str:
    """What a user sees of what has changed since its last turn, as text; empty if nothing has.

    Args:
        party: Who sees it.
        sights: What it has an eye on.
        events: Everything that has happened.
        changes: The rows that the episode has changed, by toolset and table.
    """
    patch = list(_since_last_turn(party, events))
    if not patch:
        return ""
    return clipped("\n".join(part for one in sights if (part := _shown(one, patch, changes))), TOLD)


def _since_last_turn(party: str, events: Sequence[Event]) -> Iterator[dict[str, Any]]:
    """The operations of all changes after a party's latest move, oldest first."""
    start = next(
        (
            at
            for at in range(len(events) - 1, -1, -1)
            if isinstance(event := events[at], Said | Waited) and event.by == party
        ),
        0,
    )
    for event in events[start:]:
        if isinstance(event, Changed):
            yield from event.patch


def _shown(sight: Sight, patch: Sequence[Mapping[str, Any]], changes: Mapping[str, Any]) -> str:
    """One sight as text: what it is, and a line for each row that is new or differs in a field that is shown."""
    _, toolset, table = sight.rows.split("/")
    rows = changes.get(toolset, {}).get(table, {})
    top = {field.partition(".")[0] for field in sight.fields}
    lines = []
    for id, fields in _touched(f"{sight.rows}/", patch).items():
        row = rows.get(id)
        if row is None or (fields is not None and fields.isdisjoint(top)):
            continue
        value = row.model_dump(mode="json")
        if all(alike(wanted, _at(value, field)) for field, wanted in sight.where.items()):
            lines.append("; ".join(f"{field}: {_written(_at(value, field))}" for field in sight.fields))
    more = [f"- and {len(lines) - ROWS} more"] if len(lines) > ROWS else []
    return "\n".join([sight.what, *(f"- {one}" for one in lines[:ROWS]), *more]) if lines else ""


def _touched(place: str, patch: Sequence[Mapping[str, Any]]) -> Touched:
    found: dict[str, set[str] | None] = {}
    for one in patch:
        path = str(one["path"])
        if not path.startswith(place):
            continue
        id, *rest = (part.replace("~1", "/").replace("~0", "~") for part in path[len(place) :].split("/"))
        fields = found.setdefault(id, set())
        if not rest:
            found[id] = None
        elif fields is not None:
            fields.add(rest[0])
    return found


def _at(value: Any, field: str) -> Any:
    """A field of a row, or a field inside one: `arguments.to`."""
    for key in field.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _written(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return clipped(" ".join(text.split()), VALUE)
