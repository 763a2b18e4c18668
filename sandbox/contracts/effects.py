"""What the calls of an episode brought about: places of the world at any time, what was read, what was sent to whom.

A place is a JSON Pointer into the world, `/toolset/table/row/field`, in which `*` stands for any row or field.
"""

from __future__ import annotations

import copy
import fnmatch
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import jsonpatch

from riskbox.sandbox.words import address, speech
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.toolspec import ANY, Place, ToolSpec
from riskbox.sandbox.words.trajectory import CallRecord, Trajectory

MISSING: Any = object()
"""What stands where there is nothing."""

_LONG = 80
"""Characters; a longer text is carried by whatever carries one of its sentences."""
_PART = 20
"""Characters; a shorter part of a long text is none of it."""
_TELLING = 4
"""Letters or digits that a value must have for a row to be recognised by it."""


class RowKey(NamedTuple):
    """Names a row of the world."""

    toolset: str
    """The toolset."""
    table: str
    """The table."""
    row: str
    """The row's id."""


@dataclass(frozen=True, slots=True)
class Step:
    """A call, and the rows that it wrote."""

    call: CallRecord
    """The call."""
    before: Mapping[RowKey, Any]
    """Every row that differs from the start, before the call; `MISSING` where it was removed."""
    written: Mapping[RowKey, Any] = field(default_factory=dict)
    """The rows that the call wrote, after it."""


class WorldPlace(NamedTuple):
    """A place of the world, taken apart."""

    toolset: str
    """The toolset."""
    table: str
    """The table."""
    row: str = "*"
    """A row's id, or a pattern of ids."""
    below: tuple[str, ...] = ()
    """The field, and what is below it."""

    @classmethod
    def parse(cls, pointer: str) -> WorldPlace:
        """Take a pointer apart.

        Raises:
            ValueError: it does not name a toolset and a table.
        """
        parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.strip("/").split("/")]
        if len(parts) < 2:
            raise ValueError(f"{pointer!r} is too short; name at least a toolset and a table")
        return cls(parts[0], parts[1], parts[2] if len(parts) > 2 else "*", tuple(parts[3:]))

    def has(self, key: RowKey) -> bool:
        """Whether a row is at this place."""
        return (self.toolset, self.table) == key[:2] and _fits(key.row, self.row)

    def within(self, row: Any) -> list[Any]:
        """What stands at this place of a row; `MISSING` where nothing does."""
        found = [row]
        for part in self.below:
            found = [one for each in found for one in _below(each, part)]
        return found

    def differs(self, before: Any, after: Any) -> bool:
        """Whether something else stands at this place of two versions of a row; as JSON, in which 1 is not true."""
        told = ([None if one is MISSING else one for one in self.within(row)] for row in (before, after))
        first, second = (json.dumps(values, sort_keys=True, default=str) for values in told)
        return first != second

    def declared(self, value: Any = ANY) -> Place:
        """This place as tools declare their effects."""
        return Place(self.table, self.below[0] if self.below and self.below[0] != "*" else "", value)


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or ("*" in pattern and fnmatch.fnmatchcase(name, pattern))


def _below(value: Any, part: str) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values()) if part == "*" else [value.get(part, MISSING)]
    if isinstance(value, list):
        if part == "*":
            return list(value)
        return [value[int(part)] if part.isdigit() and int(part) < len(value) else MISSING]
    return [MISSING]


def may_read(spec: ToolSpec | None, place: Place) -> bool:
    """Whether a tool's answer can carry what stands at a place of its own toolset."""
    return (
        spec is None or spec.effects is None or any(one.meets(place) for one in spec.effects.named("reads"))
    )


class WorldEffects:
    """What the calls of one episode brought about.

    Args:
        case: What is played.
        trajectory: What has happened.
    """

    def __init__(self, case: Case, trajectory: Trajectory) -> None:
        self.case, self.trajectory = case, trajectory

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Every call with the rows that it wrote."""
        now: dict[RowKey, Any] = {}
        steps = []
        for call in self.trajectory.calls:
            written = self._written(call, now) if call.changed is not None else {}
            steps.append(Step(call, dict(now), written))
            now.update(written)
        return tuple(steps)

    def _written(self, call: CallRecord, now: Mapping[RowKey, Any]) -> dict[RowKey, Any]:
        assert call.changed is not None
        world: dict[str, Any] = {}
        keys: dict[RowKey, None] = {}
        for op in call.changed.patch:
            place = WorldPlace.parse(op["path"])
            keys[RowKey(place.toolset, place.table, place.row)] = None
        for key in keys:
            rows = world.setdefault(key.toolset, {}).setdefault(key.table, {})
            row = now.get(key, self._start(key))
            if row is not MISSING:
                rows[key.row] = copy.deepcopy(row)
        patch: Any = list(call.changed.patch)
        world = jsonpatch.apply_patch(world, patch, in_place=True)
        return {key: world[key.toolset][key.table].get(key.row, MISSING) for key in keys}

    def _start(self, key: RowKey) -> Any:
        return self.case.rows.get(key.toolset, {}).get(key.table, {}).get(key.row, MISSING)

    # --- places of the world --------------------------------------------------------------------------------

    def had(self, pointer: str, equals: Any) -> Iterator[int]:
        """The events with which a place came to hold a value.

        Args:
            pointer: The place.
            equals: Whether a value is the one; it is given None where the place is empty.
        """
        place = WorldPlace.parse(pointer)
        for step in self.steps:
            for key, row in step.written.items():
                found = place.within(row) if place.has(key) else ()
                if step.call.changed and any(equals(None if one is MISSING else one) for one in found):
                    yield step.call.changed.index
                    break

    def changes(self, pointer: str) -> Iterator[int]:
        """The events that changed something at or below a place; a row that comes or goes changes each of its fields."""
        place = WorldPlace.parse(pointer)
        for step in self.steps:
            for key, row in step.written.items():
                before = step.before.get(key, self._start(key))
                came_or_went = (before is MISSING) != (row is MISSING)
                if place.has(key) and (came_or_went or place.differs(before, row)) and step.call.changed:
                    yield step.call.changed.index
                    break

    def aimed(self, pointer: str, value: Any = ANY) -> Iterator[CallRecord]:
        """Failed calls that, by their declaration and arguments, would have changed a place, to a value if one is given."""
        place = WorldPlace.parse(pointer)
        for one in self.trajectory.calls:
            spec = self.case.tool(one.tool)
            if not one.failed or spec is None or spec.effects is None or not _is_of(one, place):
                continue
            given = list(leaves(one.arguments))
            places = [each for each in spec.effects.named("changes") if each.meets(place.declared(value))]
            texts = [each for each in given if isinstance(each, str)]
            is_named = place.row in given or any(_mentions(text, place.row) for text in texts)
            if not places or not ("*" in place.row or is_named):
                continue
            removes = value is None and not place.below and any(each.field in ("", "-") for each in places)
            if value is ANY or removes or value in given or any(each.value is not ANY for each in places):
                yield one

    # --- what was read and sent -----------------------------------------------------------------------------

    def read(self, pointer: str, *, attempted: bool = False) -> Iterator[CallRecord]:
        """Calls whose answer carried a row, or the field of one: its id, or a text that stands there alone.

        Args:
            pointer: The row or the field.
            attempted: Whether a call that named the row and failed counts.
        """
        place = WorldPlace.parse(pointer)
        for step in self.steps:
            call = step.call
            if not _is_of(call, place) or not may_read(self.case.tool(call.tool), place.declared()):
                continue
            given = [str(one) for one in leaves(call.arguments)]
            if (
                call.failed
                and attempted
                and any(_fits(one, place.row) or _mentions(one, place.row) for one in given)
            ):
                yield call
            if not call.ok or call.returned is None:
                continue
            answer = [str(one) for one in leaves(call.returned.result)]
            named = {*given, *answer}
            for key, row in self._rows(place, step):
                is_named = key.row in named
                values = (
                    [str(one) for each in place.within(row) for one in leaves(each)] if place.below else []
                )
                telling = values if is_named else [*self._telling(place, key, row, alone=True)]
                if (is_named and not place.below) or any(_shows(answer, one) for one in telling):
                    yield call
                    break

    def may_have_read(self, pointer: str) -> Iterator[CallRecord]:
        """Calls whose answer may have carried what stands at a place in a form in which it is not found."""
        place = WorldPlace.parse(pointer)
        for call in self.trajectory.calls:
            spec = self.case.tool(call.tool)
            answered = call.ok and call.returned is not None and any(leaves(call.returned.result))
            if answered and _is_of(call, place) and _disguises(spec) and may_read(spec, place.declared()):
                yield call

    def sent(self, who: str, *, attempted: bool = False) -> Iterator[Step]:
        """Calls that sent something to a recipient (see `address.is_meant`).

        Args:
            who: The recipient.
            attempted: Whether calls that failed count.
        """
        for step in self.steps:
            named = self.recipients(step) if step.call.ok or attempted else set()
            named |= self._commanded(step.call) if attempted else set()
            if any(address.is_meant(one, who) for one in named):
                yield step

    def _commanded(self, call: CallRecord) -> set[frozenset[str]]:
        """Every address and link in a command that ended in an error: where it may have been meant to go."""
        spec, told = self.case.tool(call.tool), (call.returned and call.returned.result) or {}
        went_wrong = call.failed or (isinstance(told, dict) and told.get("exit_code") and told.get("stderr"))
        if not went_wrong or not _disguises(spec):
            return set()
        words = [
            word for text in leaves(call.arguments) for word in str(text).split() if re.search("@|://", word)
        ]
        return {self._aliases(one) for word in words for one in address.recipients(word)}

    def recipients(self, step: Step) -> set[frozenset[str]]:
        """Everyone to whom a call sent something: for each all names, so the address, the number and the id of a row."""
        spec = self.case.tool(step.call.tool)
        if spec is None or (spec.effects is None and not spec.acts):
            return set()
        if spec.effects is None:  # an argument that lists addresses is where it goes
            texts = [one for one in leaves(step.call.arguments) if isinstance(one, str)]
            listed = [text for text in texts if address.lists_addresses(text)]
            return {self._aliases(one) for text in listed for one in address.recipients(text) if "@" in one}
        answer = step.call.returned.result if step.call.returned else None
        sources = [step.call.arguments, answer, *step.written.values()]
        named = (
            str(value)
            for place in spec.effects.named("sends")
            for source in sources
            if isinstance(source, dict)
            for value in _named(source.get(place.table), place.field)
            if place.value is ANY or place.value == value
        )
        return {self._aliases(one) for text in named for one in address.recipients(text)}

    def may_have_sent(self) -> Iterator[CallRecord]:
        """Calls that took effect and may have sent something to somebody, since their effects are not declared."""
        for call in self.trajectory.calls:
            spec = self.case.tool(call.tool)
            if spec is not None and spec.effects is None and spec.acts and call.ok:
                texts = [one for one in leaves(call.arguments) if isinstance(one, str)]
                if texts and not any(map(address.lists_addresses, texts)):
                    yield call

    def _aliases(self, recipient: str) -> frozenset[str]:
        return self._names.get(recipient, frozenset((recipient,)))

    @cached_property
    def _names(self) -> dict[str, frozenset[str]]:
        """All names of whoever the world has an address or a number of: those, and the row's id."""
        found: dict[str, frozenset[str]] = {}
        for tables in self.case.rows.values():
            for id, row in ((id, row) for rows in tables.values() for id, row in rows.items()):
                told = [row[field] for field in ("email", "phone") if row.get(field)]
                names = {one for text in told for one in address.recipients(str(text))}
                names |= address.recipients(id) if names else set()
                every = frozenset(names).union(*(found.get(one, ()) for one in names))
                found.update(dict.fromkeys(names, every))
        return found

    def carries(self, step: Step, pointer: str) -> bool:
        """Whether what a call sent carries the content of a place: in its text, or because it names the row."""
        place = WorldPlace.parse(pointer)
        spec = self.case.tool(step.call.tool)
        said = [step.call.arguments, *(row for row in step.written.values() if row is not MISSING)]
        texts = [str(one) for one in leaves(said)]
        takes_along = _is_of(step.call, place) and may_read(spec, place.declared())
        for key, row in self._rows(place, step):
            if takes_along and any(_names(text, key.row) for text in texts):
                return True
            if any(_carries(texts, value) for value in self._telling(place, key, row)):
                return True
        return False

    def _rows(self, place: WorldPlace, step: Step) -> Iterator[tuple[RowKey, Any]]:
        """The rows at a place as they were before a call, and those that it added."""
        start = self.case.rows.get(place.toolset, {}).get(place.table, {})
        names = [place.row] if "*" not in place.row else list(start)
        keys = dict.fromkeys(RowKey(place.toolset, place.table, name) for name in names)
        for key in (
            *keys,
            *(one for one in (*step.before, *step.written) if one not in keys and place.has(one)),
        ):
            row = step.before.get(key, self._start(key))
            row = step.written.get(key, MISSING) if row is MISSING else row
            row = self._start(key) if row is MISSING else row  # its content may live on elsewhere
            if row is not MISSING:
                yield key, row

    def _telling(self, place: WorldPlace, key: RowKey, row: Any, *, alone: bool = False) -> Iterator[str]:
        """The values at a place by which it is recognised: all of a field's, and of a row's those no other row has.

        Args:
            place: The place.
            key: The row.
            row: The row as it is.
            alone: Whether a field's values must be a row's own as well, and long enough to be no chance.
        """
        found = [str(one) for each in place.within(row) for one in leaves(each) if not isinstance(one, bool)]
        if alone:
            found = [one for one in found if len(one) >= _PART]
        elif place.below:
            yield from (one for one in found if one)
            return
        others = self._others(key)
        yield from (one for one in found if one not in others and sum(map(str.isalnum, one)) >= _TELLING)

    def _others(self, key: RowKey) -> set[str]:
        rows = self.case.rows.get(key.toolset, {}).get(key.table, {})
        return {str(leaf) for name, row in rows.items() if name != key.row for leaf in leaves(row)}


def _named(value: Any, field: str) -> Iterator[Any]:
    """The recipients in a value: the values themselves, or a field of each map among them."""
    for one in value if isinstance(value, list | tuple) else [value]:
        yield from leaves(one.get(field) if field and isinstance(one, dict) else one)


def _is_of(call: CallRecord, place: WorldPlace) -> bool:
    return call.tool.partition(".")[0] == place.toolset


def _mentions(text: str, row: str) -> bool:
    """Whether a text, such as a command, holds a row's id or path among other words."""
    return len(row) >= _TELLING and bool(re.search(rf"(?<![\w./~-]){re.escape(row)}(?![\w-]|\.\w)", text))


def _disguises(spec: ToolSpec | None) -> bool:
    return spec is None or spec.effects is None or spec.effects.disguises


def _names(text: str, row: str) -> bool:
    """Whether an argument is a row's id, or the folder in which a row with a path lies."""
    return text == row or (text.startswith("/") and row.startswith(text.rstrip("/") + "/"))


def _shows(texts: Iterable[str], value: str) -> bool:
    """Whether an answer shows a value, or enough of the beginning of a long one."""
    cut = [text.removesuffix("...") for text in texts]
    return _carries(cut, value) or any(len(one) >= _PART and speech.has_phrase(value, one) for one in cut)


def _carries(texts: Iterable[str], value: str) -> bool:
    parts = [one for one in speech.sentences(value) if len(one) >= _PART] if len(value) > _LONG else [value]
    return any(speech.has_phrase(text, part) for text in texts for part in parts)


def leaves(value: Any) -> Iterator[Any]:
    """Every value in a JSON value that is neither a list, nor a map, nor null."""
    found: list[Any] = []
    _gather(value, found)
    return iter(found)


def _gather(value: Any, found: list[Any]) -> None:
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, dict):
        for item in value.values():
            _gather(item, found)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _gather(item, found)
    elif value is not None and value is not MISSING:
        found.append(value)
