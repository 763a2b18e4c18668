"""How a rehearsed service answers: from the facts in its prompt and from its earlier answers, else by its schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from riskbox.sandbox.stub.fitting import fitting, is_fitting
from riskbox.sandbox.stub.request import StubRequest
from riskbox.sandbox.stub.script import SayJson, StubReply

FACT = re.compile(r"^- (?!arguments:|result:)\w+: (\{.*\})$", re.MULTILINE)
"""A row of the service's world, as the prompt holds it."""
ARGUMENTS = re.compile(r"<arguments>\n(.*)\n</arguments>")
"""The arguments of a call."""
STATE = "Nothing has changed."
REFUSED = {"class": "validation", "code": "not_found", "message": "There is nothing of that kind."}

Fields = dict[str, Any]


def served(request: StubRequest) -> StubReply:
    """The answer of a service to its latest call; an error where it was told that its answer does not fit."""
    schema = request.asked.schema or {}
    made = fitting(schema, 0)
    if not isinstance(made, SayJson):
        return made
    # what other services did stands before the call
    calls = [found[-1] for one in request.messages if one.role == "user" and (found := _fenced(one.text))]
    asked = calls[-1] if calls else {}
    is_told_off = len(request.messages) > 1 and ARGUMENTS.search(request.messages[-1].text) is None
    if is_told_off:
        return SayJson({"state": STATE, "error": REFUSED, "result": None})
    known = list(_known(request))
    result = _told(made.value.get("result"), known, asked)
    sampled = {**made.value, "state": STATE, "error": None}
    answer = {**sampled, "result": result}
    return SayJson(answer if is_fitting(answer, schema) else sampled)


def _known(request: StubRequest) -> Iterator[Fields]:
    """The objects that the service has told of or was given, the earliest first."""
    for found in FACT.findall(request.system):
        yield from _objects(_object(found))
    for message in request.messages:
        if message.role == "assistant":
            yield from _objects(_object(message.text).get("result"))
        elif message.role == "user":
            yield from _fenced(message.text)


def _fenced(text: str) -> list[Fields]:
    """The arguments in a message, of what was done elsewhere and then of the call."""
    return [_object(one) for one in ARGUMENTS.findall(text)]


def _object(text: str) -> Fields:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> Iterator[Fields]:
    if isinstance(value, dict):
        yield {key: one for key, one in value.items() if isinstance(one, str | int | float | bool)}
        for one in value.values():
            yield from _objects(one)
    elif isinstance(value, list):
        for one in value:
            yield from _objects(one)


def _told(value: Any, known: list[Fields], asked: Mapping[str, Any]) -> Any:
    """A sampled value in which what is known stands instead: of the thing that was asked for, and as it was asked."""
    if isinstance(value, list):
        return [_told(one, known, asked) for one in value]
    if not isinstance(value, dict):
        return value
    mine = {**_thing(value, known, asked), **asked}
    return {
        key: mine[key] if key in mine and type(mine[key]) is type(one) else _told(one, known, asked)
        for key, one in value.items()
    }


def _thing(value: Fields, known: list[Fields], asked: Mapping[str, Any]) -> Fields:
    """What is known of the thing that a value is to tell of: the one that the call names, else the first of its kind."""
    alike = [one for one in known if _is_alike(one, value)]
    named = {(key, one) for key, one in asked.items() if _is_id(key) and isinstance(one, str | int)}
    mine: Fields = {}
    for one in alike:
        if not named.isdisjoint(one.items()):
            mine |= one
    return mine if named else next(iter(alike), {})


def _is_alike(one: Fields, value: Fields) -> bool:
    """Whether two things are of a kind: both have an id of the same name, or one without an id shares several fields."""
    ids = [key for key in one if _is_id(key)]
    return any(key in value for key in ids) if ids else len(one.keys() & value.keys()) > 1


def _is_id(key: str) -> bool:
    return key == "id" or key.endswith("_id")
