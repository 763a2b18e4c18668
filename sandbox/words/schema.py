"""JSON Schemas of files, draft 2020-12: values held to them within a bound of steps, with RE2 for patterns."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from riskbox.sandbox import budget
from riskbox.sandbox.words.pattern import PatternError, found

Place = tuple[str | int, ...]

IN_PLACE = ("$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas")
"""Keywords whose schemas hold for the same value, so that they can go round in a circle."""
PLAIN = ("const", "default", "enum", "examples")
"""Keywords that hold values, not schemas."""


class SchemaProblem(ValueError):
    """What a schema may not hold; `place` says where."""

    def __init__(self, said: str, place: Place = ()) -> None:
        super().__init__(said)
        self.place = place


class TooManySteps(ValueError):
    """Holding a value to a schema takes more steps than the budget says."""


def validator(schema: Any, root: Any = None) -> Any:
    """What holds values to a schema; for `errors`.

    Args:
        schema: The schema.
        root: What its references point into; the schema itself by default.
    """
    from referencing import Registry

    # an empty registry: without one, jsonschema fetches what a schema refers to from the network
    whole = _kind()(schema if root is None else root, registry=Registry())
    return whole if root is None else whole.evolve(schema=schema)


def errors(value: Any, held: Any) -> list[Any]:
    """Where a value does not fit.

    Args:
        value: JSON.
        held: What `validator` made.

    Raises:
        TooManySteps: it takes too long.
        PatternError: a pattern is not RE2.
        RecursionError: it goes too deep.
    """
    _spent.steps = 0
    return list(held.iter_errors(value))


def refuse(schema: Any) -> None:
    """Look for what is no schema, or could hang whoever holds values to it.

    Raises:
        jsonschema.exceptions.SchemaError: it is no JSON Schema.
        SchemaProblem: a pattern that RE2 does not read, or references that go round in a circle or multiply.
    """
    from jsonschema import Draft202012Validator, FormatChecker

    # the only format that a schema's own schema checks without further packages is that of Python's patterns
    Draft202012Validator.check_schema(schema, format_checker=FormatChecker(()))
    for place, pattern in _patterns(schema, ()):
        try:
            found(pattern, "")
        except PatternError as error:
            raise SchemaProblem(str(error), place) from None
    if _holds(schema, "unevaluatedProperties") and _holds(schema, "patternProperties"):
        raise SchemaProblem(
            "`unevaluatedProperties` and `patternProperties` cannot stand together; write `additionalProperties`"
        )
    known: dict[int, int] = {}
    for one in _objects(schema):
        _cost(one, schema, known, 0)


def pointed(schema: Any, reference: str) -> Any:
    """What a reference points to in the schema itself; None if it points elsewhere or nowhere."""
    node: Any = schema if reference.startswith("#") else None
    for part in reference.lstrip("#").strip("/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if key and isinstance(node, list):
            node = node[int(key)] if key.isdecimal() and len(key) < 9 and int(key) < len(node) else None
        elif key:
            node = node.get(key) if isinstance(node, dict) else None
    return node


def _patterns(schema: Any, at: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(schema, list):
        for index, one in enumerate(schema):
            yield from _patterns(one, (*at, index))
    elif isinstance(schema, dict):
        for key, one in schema.items():
            if key == "pattern" and isinstance(one, str):
                yield (*at, key), one
            elif key == "patternProperties" and isinstance(one, dict):
                yield from (((*at, key, name), name) for name in one)
            if key not in PLAIN:
                yield from _patterns(one, (*at, key))


def _holds(schema: Any, key: str) -> bool:
    if isinstance(schema, list):
        return any(_holds(one, key) for one in schema)
    return isinstance(schema, dict) and (key in schema or any(_holds(one, key) for one in schema.values()))


def _cost(node: Any, root: Any, known: dict[int, int], depth: int) -> int:
    """How many schemas are held against one value."""
    if isinstance(node, list):
        return sum(_cost(one, root, known, depth + 1) for one in node)
    if not isinstance(node, dict):
        return 1
    if id(node) in known:
        if not known[id(node)]:
            raise SchemaProblem("a reference leads back to itself; let it point into a property or an item")
        return known[id(node)]
    if depth > 10 * budget.DEPTH:
        raise SchemaProblem(
            f"references lead more than {10 * budget.DEPTH} levels deep; write the schema out"
        )
    known[id(node)] = 0
    cost = 1
    for key in IN_PLACE:
        below = node.get(key)
        if isinstance(below, str):
            below = pointed(root, below)
        elif key == "dependentSchemas" and isinstance(below, dict):
            below = list(below.values())
        if below is not None:
            cost += _cost(below, root, known, depth + 1)
    if cost > budget.SCHEMA_STEPS // 10:
        raise SchemaProblem(
            f"references multiply to {cost:,} schemas for one value, and the limit is {budget.SCHEMA_STEPS // 10:,}"
        )
    known[id(node)] = cost
    return cost


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """All objects of a schema; one that is no schema costs nothing."""
    if isinstance(node, dict):
        yield node
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _objects(one)


_spent = threading.local()


def _counted(keyword: Any) -> Any:
    def held(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
        _spent.steps = getattr(_spent, "steps", 0) + 1
        if _spent.steps > budget.SCHEMA_STEPS:
            raise TooManySteps(
                f"it takes more than {budget.SCHEMA_STEPS:,} steps to hold this against the schema"
            )
        return keyword(validator, value, instance, schema)

    return held


def _pattern(validator: Any, pattern: Any, instance: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if validator.is_type(instance, "string") and not found(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, named: Any, instance: Any, schema: Any) -> Iterator[Any]:
    if validator.is_type(instance, "object"):
        for pattern, below in named.items():
            for key, value in instance.items():
                if found(pattern, key):
                    yield from validator.descend(value, below, path=key, schema_path=pattern)


def _additional_properties(
    validator: Any, below: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[Any]:
    from jsonschema import ValidationError

    if not validator.is_type(instance, "object"):
        return
    patterns = schema.get("patternProperties", {})
    for key, value in instance.items():
        if key in schema.get("properties", {}) or any(found(one, key) for one in patterns):
            continue
        if below is False:
            yield ValidationError(f"{key!r} is not a property of this object")
        else:
            yield from validator.descend(value, below, path=key)


@cache
def _kind() -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    own = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
    }
    keywords = {**Draft202012Validator.VALIDATORS, **own}
    # without patterns, jsonschema's own sentence names all properties at once
    plain = Draft202012Validator.VALIDATORS["additionalProperties"]
    keywords["additionalProperties"] = lambda *given: (
        _additional_properties if given[3].get("patternProperties") else plain
    )(*given)
    extended: Any = extend  # its package is typed, this function is not
    return extended(Draft202012Validator, {name: _counted(one) for name, one in keywords.items()})
