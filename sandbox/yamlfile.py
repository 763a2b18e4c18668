"""Reading YAML 1.2 safely: libyaml's events, our own building.

Scenario files may come from strangers. Aliases, tags, huge files and deep nesting are refused, duplicate keys are
errors, and plain scalars follow the YAML 1.2 core schema: `on`, `no` and dates stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from riskbox.sandbox import budget
from riskbox.sandbox.errors import Problem, ScenarioError

TOO_DEEP = f"is nested deeper than {budget.DEPTH} levels; flatten it."

Path_ = tuple[str | int, ...]
Marks = dict[Path_, tuple[int, int]]

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file as plain Python values.

    Raises:
        ScenarioError: it cannot be read, or is not the YAML described above; with line and column.
    """
    return parse(text_of(path), str(path))


def text_of(path: Path) -> str:
    """A file's text.

    Raises:
        ScenarioError: it does not exist, is too large, or is not UTF-8.
    """
    name = str(path)
    try:
        content = budget.content(
            path, budget.FILE_BYTES, "put bulk rows into a JSON file beside it and write `rows: that.json`"
        )
    except OSError as error:
        raise ScenarioError([Problem(f"cannot be read: {error.strerror or error}.", name)]) from None
    except budget.OverBudget as error:
        raise ScenarioError([Problem(f"{error}.", name)]) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ScenarioError([Problem("is not UTF-8 text.", name, line, 1)]) from None


def parse(text: str, name: str = "") -> Any:
    """The value of a YAML text; see `read_yaml`."""
    return _build(text, name, None)


def marks(text: str, name: str = "") -> Marks:
    """Line and column, from 1, of each value, by its path; of each key, by the path with `~` before the key."""
    found: Marks = {}
    _build(text, name, found)
    return found


def _build(text: str, name: str, found: Marks | None) -> Any:
    loader = None
    try:
        loader = _Loader(text)
        return _Builder(loader, name, found).document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        said = getattr(error, "problem", None) or str(error).splitlines()[0]
        deep = "nesting depth" in said  # libyaml looks ahead, and from 0.2.6 on has a limit of its own
        message = TOO_DEEP if deep else f"is not YAML: {said}."
        raise ScenarioError([Problem(message, name, line, column)]) from None
    finally:
        if loader is not None:
            loader.dispose()


class _Builder:
    """Builds values from parser events without recursion, so that nesting cannot exhaust the stack."""

    def __init__(self, loader: Any, name: str, found: Marks | None) -> None:
        self.loader, self.name, self.found = loader, name, found

    def fail(self, message: str, event: Any) -> ScenarioError:
        mark = event.start_mark
        return ScenarioError([Problem(message, self.name, mark.line + 1, mark.column + 1)])

    def document(self) -> Any:
        value: Any = None
        documents = 0
        for event in self.events():
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self.fail("holds more than one document; one scenario a file.", event)
                value = self.tree()
        return value

    def events(self) -> Iterator[Any]:
        get = self.loader.get_event
        while not isinstance(event := get(), yaml.StreamEndEvent):
            yield event

    def tree(self) -> Any:
        get, found = self.loader.get_event, self.found
        root: list[Any] = []
        # each open collection, the key waiting for its value (mappings), and its path (only when marks are wanted)
        stack: list[tuple[Any, list[str], Path_]] = [(root, [], ())]
        nodes = 0
        while True:
            event = get()
            kind = type(event)
            holder, waiting, path = stack[-1]
            if kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                stack.pop()
                if len(stack) == 1:
                    return root[0]
                continue
            if kind is yaml.AliasEvent:
                raise self.fail("aliases (*name) are not supported; write the value out.", event)
            nodes += 1
            if nodes > budget.VALUES:
                raise self.fail(
                    f"holds more than {budget.VALUES:,} values; put bulk rows into a JSON file beside it and write "
                    "`rows: that.json`.",
                    event,
                )
            is_map = type(holder) is dict
            if is_map and not waiting:
                if kind is not yaml.ScalarEvent:
                    raise self.fail("a key must be plain text.", event)
                key = event.value
                if key in holder:
                    raise self.fail(f"the key {key!r} is there twice.", event)
                waiting.append(key)
                if found is not None:
                    found[(*path, "~", key)] = (event.start_mark.line + 1, event.start_mark.column + 1)
                continue
            if event.tag is not None and event.tag != "!":
                raise self.fail(f"tags ({event.tag}) are not supported.", event)
            value: Any = (
                _scalar(event) if kind is yaml.ScalarEvent else {} if kind is yaml.MappingStartEvent else []
            )
            here: Path_ = ()
            if found is not None:
                here = (*path, waiting[0] if is_map else len(holder)) if len(stack) > 1 else ()
                found[here] = (event.start_mark.line + 1, event.start_mark.column + 1)
            if is_map:
                holder[waiting.pop()] = value
            else:
                holder.append(value)
            if kind is not yaml.ScalarEvent:
                if len(stack) > budget.DEPTH:
                    raise self.fail(TOO_DEEP, event)
                stack.append((value, [], here))
            elif len(stack) == 1:
                return value


_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_CONSTANTS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def _scalar(event: Any) -> Any:
    """A scalar by the YAML 1.2 core schema; quoted and block scalars are text."""
    value: str = event.value
    if not event.implicit[0]:
        return value
    if value in _CONSTANTS:
        return _CONSTANTS[value]
    first = value[0]
    if not (first.isdigit() or first in "+-."):
        return value
    if _NUMBER.fullmatch(value):
        try:
            return int(value) if value.lstrip("+-").isdigit() else float(value)
        except ValueError:  # more digits than int() takes
            return value
    if re.fullmatch(r"0x[0-9a-fA-F]{1,16}|0o[0-7]{1,21}", value):
        return int(value, 0)
    return value
