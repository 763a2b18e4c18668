"""Whether an answer of an emulated service keeps to its earlier ones, as far as code can tell for certain.

A thing is an object that has an id of its own. Between two writing calls it must keep the value of every plain field.
Whatever leaves room for doubt is let pass: a list of which two items share their ids holds records about a thing
and not the thing, and so do two objects whose moments differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from riskbox.sandbox.contracts.emulator import Exchange, News, Pending
from riskbox.sandbox.words.case import digest
from riskbox.sandbox.words.input import Answered

Ids: TypeAlias = tuple[tuple[str, str | int], ...]
"""A thing's own ids, after those of the things that hold it."""
Fields: TypeAlias = dict[str, Any]
"""Its plain fields."""

PASSING = ("transient", "resource")
"""Classes of errors that may be over by the next call."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d")


def repeated(pending: Pending) -> Answered | None:
    """The earlier answer to the same reading call, if nothing was written since."""
    if pending.tool.writes:
        return None
    asked = digest(pending.arguments)
    for one in reversed(pending.earlier):
        if isinstance(one, News) or one.tool.writes:
            return None
        if one.tool.name == pending.tool.name and digest(one.arguments) == asked:
            passing = one.answer.error is not None and one.answer.error.get("class") in PASSING
            return None if passing else one.answer
    return None


def contradiction(pending: Pending, result: Any) -> str:
    """What in a result contradicts what the service said of the same thing since its last write; empty if nothing."""
    if pending.tool.writes:
        return ""
    known = _known(pending)
    for ids, fields in _things(result, _speaks_of_a_thing(pending.arguments)).items():
        before = known.get(ids)
        if before is None or fields is None:
            continue
        changed = [key for key in fields if key in before and not _alike(before[key], fields[key])]
        if any(isinstance(fields[key], str) and _MOMENT.match(fields[key]) for key in changed):
            continue
        if changed:
            thing = ", ".join(f"{key} {id}" for key, id in ids)
            told = "; ".join(f"{key} was {before[key]!r} and is now {fields[key]!r}" for key in changed)
            return f"{thing}: {told}, and no call has changed it"
    return ""


def _known(pending: Pending) -> dict[Ids, Fields | None]:
    """The things told of since the last write, its own answer included; at first, those of the scenario."""
    known: dict[Ids, Fields | None] = {}
    for one in _since_write(pending.earlier):
        if isinstance(one, Exchange) and one.answer.error is None:
            _learn(known, _things(one.answer.result, _speaks_of_a_thing(one.arguments)))
    if not any(map(_changes, pending.earlier)):
        for fact in pending.world.get("facts", ()):
            _learn(known, _things(fact.get("value"), True))
    return known


def _learn(known: dict[Ids, Fields | None], told: Mapping[Ids, Fields | None]) -> None:
    for ids, fields in told.items():
        before = known.setdefault(ids, {})
        known[ids] = None if before is None or fields is None else {**before, **fields}


def _since_write(earlier: tuple[Exchange | News, ...]) -> tuple[Exchange | News, ...]:
    last = max((place for place, one in enumerate(earlier) if _changes(one)), default=0)
    return earlier[last:]


def _changes(one: Exchange | News) -> bool:
    """Whether the service may hold something else afterwards; what it is told of others may change it as well."""
    return isinstance(one, News) or one.tool.writes


def _speaks_of_a_thing(arguments: Mapping[str, Any]) -> bool:
    """Whether the outermost object of an answer is a thing: arguments that are no ids shape it too."""
    return all(_is_id(key) for key in arguments)


def _things(value: Any, outermost: bool) -> dict[Ids, Fields | None]:
    """The things in a value; None for ids that several differing objects share, and so do not tell them apart."""
    found: dict[Ids, Fields | None] = {}
    for ids, fields in _objects(value, (), outermost):
        if ids not in found:
            found[ids] = fields
            continue
        before = found[ids]
        if before is not None:
            differ = any(not _alike(before[key], fields[key]) for key in before.keys() & fields.keys())
            found[ids] = None if differ else {**before, **fields}
    return found


def _objects(value: Any, within: Ids, counts: bool) -> Iterator[tuple[Ids, Fields]]:
    if isinstance(value, dict):
        own = _ids(value)
        if own and counts:
            plain = {key: one for key, one in value.items() if isinstance(one, str | int | float)}
            yield (*within, *own), {key: one for key, one in plain.items() if (key, one) not in own}
        for one in value.values():
            yield from _objects(one, (*within, *own), True)
    elif isinstance(value, list):
        for one in value:
            yield from _objects(one, within, True)


def _ids(value: Mapping[str, Any]) -> Ids:
    """An object's own ids: `id` if it is text (numbers begin anew in every list), else all that end so."""
    if isinstance(value.get("id"), str):
        return (("id", value["id"]),)
    return tuple(
        sorted((k, v) for k, v in value.items() if k != "id" and _is_id(k) and isinstance(v, str | int))
    )


def _is_id(key: str) -> bool:
    return key == "id" or key.endswith("_id")


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.strip().casefold() == other.strip().casefold()
    return bool(one == other)
