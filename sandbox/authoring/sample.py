"""Values that fit a JSON Schema, made up without chance: the same schema gives the same value."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any] | bool

MAX_DEPTH = 12
MAX_LENGTH = 2_000
"""Items or characters; a schema that wants more is not worth writing out."""

TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")

FORMATS = {
    "date": ("2026-03-09", "2026-11-30"),
    "date-time": ("2026-03-09T10:00:00Z", "2026-11-30T23:00:00Z"),
    "time": ("10:00:00Z", "23:00:00Z"),
    "duration": ("PT1H", "P30D"),
    "email": ("dana.wu@example.org", "rob.hale@example.net"),
    "idn-email": ("dana.wu@example.org", "rob.hale@example.net"),
    "hostname": ("www.example.org", "www.example.net"),
    "idn-hostname": ("www.example.org", "www.example.net"),
    "ipv4": ("192.0.2.10", "198.51.100.20"),
    "ipv6": ("2001:db8::10", "2001:db8::20"),
    "uri": ("https://example.org/a", "https://example.net/b"),
    "uri-reference": ("/a", "/b"),
    "iri": ("https://example.org/a", "https://example.net/b"),
    "url": ("https://example.org/a", "https://example.net/b"),
    "uuid": ("7f1c9a52-0d1b-4b7e-9a55-3f0a1c2d4e10", "c2b8e7d4-6a3f-4c19-8d27-91e05b7fa620"),
    "json-pointer": ("/a", "/b"),
    "regex": ("a+", "b+"),
}

HINTS: tuple[tuple[str, tuple[str, str]], ...] = (
    (r"e?mail|recipient|^to$|^cc$|^bcc$", FORMATS["email"]),
    (r"phone|mobile|tel$", ("+1 202 555 0117", "+1 202 555 0199")),
    (r"url|uri|link|website", FORMATS["uri"]),
    (r"date|^day$|due|birth|born", FORMATS["date"]),
    (r"time|_at$|^start|^end", FORMATS["date-time"]),
    (r"currency", ("EUR", "USD")),
    (r"country", ("FI", "PT")),
    (r"city|location|place", ("Helsinki", "Porto")),
    (r"(^|_)(id|ids|number|no|code|ref|reference|key|sku|account)$", ("A-1001", "Z-9009")),
    (r"path|file", ("notes.txt", "payroll.csv")),
    (r"name|user|customer|owner|who", ("Dana Wu", "Rob Hale")),
    (r"subject|title", ("A question", "Urgent")),
    (r"body|message|text|content|note|comment|reason|description", ("Thank you.", "Do it now.")),
    (r"query|search|filter|keyword", ("opening hours", "everything")),
    (r"", ("first", "second")),
)
"""By what an argument's name says, and otherwise anything."""

NUMBERS = (20, 9000)


class NoSample(ValueError):
    """No value was found that fits."""


def sample(
    schema: Schema, which: int = 0, *, name: str = "", root: Schema | None = None, depth: int = 0
) -> Any:
    """A value that fits a schema.

    Args:
        schema: JSON Schema, draft 2020-12; references only into itself.
        which: 0 or 1; where the schema leaves a choice, the two give different values.
        name: What the value is for, so that it looks the part.
        root: The schema that references are looked up in; this one if left out.
        depth: How deep inside the root it lies.

    Raises:
        NoSample: none was found, or it would be too large.
    """
    root = schema if root is None else root
    if depth > MAX_DEPTH:
        raise NoSample("it is nested too deep")
    for value in _candidates(schema, which, name, root, depth):
        if fits(value, schema, root):
            return value
    raise NoSample(f"no value was found for {name or 'it'}")


def fits(value: Any, schema: Schema, root: Schema | None = None) -> bool:
    """Whether a value fits a schema, formats apart."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import UnknownType
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    if isinstance(schema, bool):
        return schema
    # an empty registry: without one, jsonschema fetches what a schema refers to from the network
    whole: Any = Draft202012Validator(root if root is not None else schema, registry=Registry())
    try:
        return bool(whole.evolve(schema=schema).is_valid(value))
    except (Unresolvable, UnknownType, re.error, RecursionError, OverflowError) as error:
        raise NoSample(str(error).splitlines()[0]) from None


def _candidates(schema: Schema, which: int, name: str, root: Schema, depth: int) -> Iterator[Any]:
    if schema is True or schema == {}:
        yield from _text({}, which, name)
        return
    if schema is False:
        return
    assert isinstance(schema, dict)
    if "$ref" in schema:
        yield from _referred(schema, which, name, root, depth)
    if "const" in schema:
        yield schema["const"]
    if isinstance(schema.get("enum"), list):
        yield from _turned(schema["enum"], which)
    for key in ("anyOf", "oneOf"):
        for branch in _turned(schema.get(key) or [], 0):
            yield from _attempt({**_without(schema, key), **_as_dict(branch)}, which, name, root, depth)
    if schema.get("allOf"):
        yield from _attempt(_merged(schema, root), which, name, root, depth)
    for key in ("examples", "default"):
        if key in schema:
            yield from schema[key] if key == "examples" and isinstance(schema[key], list) else [schema[key]]
    for kind in _kinds(schema):
        yield from _of_kind(kind, schema, which, name, root, depth)


def _attempt(schema: dict[str, Any], which: int, name: str, root: Schema, depth: int) -> Iterator[Any]:
    """What a changed form of a schema gives, or nothing."""
    try:
        yield sample(schema, which, name=name, root=root, depth=depth + 1)
    except NoSample:
        return


def _referred(schema: dict[str, Any], which: int, name: str, root: Schema, depth: int) -> Iterator[Any]:
    found = _lookup(schema["$ref"], root)
    yield from _attempt({**_without(schema, "$ref"), **_as_dict(found)}, which, name, root, depth)


def _lookup(reference: Any, root: Schema) -> Schema:
    node: Any = root
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise NoSample(f"the reference {reference!r} leads out of the schema")
    for part in reference[1:].strip("/").split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if key and isinstance(node, list) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        elif key and isinstance(node, dict) and key in node:
            node = node[key]
        elif key:
            raise NoSample(f"the reference {reference!r} leads nowhere")
    found: Schema = node
    return found


def _merged(schema: dict[str, Any], root: Schema) -> dict[str, Any]:
    """The schema with its `allOf` folded in, where that is plain."""
    whole = _without(schema, "allOf")
    for part in schema["allOf"]:
        one = _as_dict(part)
        if "$ref" in one:
            one = {**_without(one, "$ref"), **_as_dict(_lookup(one["$ref"], root))}
        for key, value in one.items():
            if key in ("properties", "$defs") and isinstance(whole.get(key), dict):
                whole[key] = {**whole[key], **value}
            elif key == "required":
                whole[key] = [*whole.get(key, ()), *value]
            else:
                whole[key] = value
    return whole


def _kinds(schema: dict[str, Any]) -> list[str]:
    given = schema.get("type")
    if isinstance(given, str):
        return [given]
    if isinstance(given, list):
        return sorted((str(one) for one in given), key=lambda one: one == "null")
    for key, kind in (
        ("properties", "object"),
        ("required", "object"),
        ("items", "array"),
        ("minItems", "array"),
    ):
        if key in schema:
            return [kind]
    if {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"} & set(schema):
        return ["number"]
    return list(TYPES)


def _of_kind(
    kind: str, schema: dict[str, Any], which: int, name: str, root: Schema, depth: int
) -> Iterator[Any]:
    match kind:
        case "string":
            yield from _text(schema, which, name)
        case "integer" | "number":
            yield from _numbers(schema, which, whole=kind == "integer")
        case "boolean":
            yield from _turned([True, False], which)
        case "null":
            yield None
        case "array":
            yield from _arrays(schema, which, name, root, depth)
        case "object":
            yield from _objects(schema, which, root, depth)


# --- text -------------------------------------------------------------------------------------------------------


def _text(schema: dict[str, Any], which: int, name: str) -> Iterator[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength", MAX_LENGTH)
    if isinstance(schema.get("pattern"), str):
        yield from _matching(schema["pattern"])
    if schema.get("format") in FORMATS:
        yield from _turned(FORMATS[schema["format"]], which)
    spoken = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
    words = next(values for hint, values in HINTS if re.search(hint, spoken))
    for word in _turned((*words, "a", "7", ""), which):
        if len(word) < least <= MAX_LENGTH:
            word = (word or "a") + "x" * int(least - max(len(word), 1))
        yield word[: int(most)] if len(word) > most else word


def _matching(pattern: str) -> Iterator[str]:
    """Texts that a simple regular expression matches; `sample` tries them."""
    try:
        from re import _parser  # type: ignore[attr-defined]  # the one parser of patterns that Python has

        parsed = _parser.parse(pattern)
    except (re.error, ImportError, OverflowError, RecursionError):
        return
    for many in (0, 1):
        try:
            yield _spelled(parsed, many)
        except NoSample:
            continue


def _spelled(parsed: Any, many: int) -> str:
    text = ""
    for operation, given in parsed:
        match str(operation):
            case "LITERAL":
                text += chr(given)
            case "NOT_LITERAL":
                text += "a" if given != ord("a") else "b"
            case "ANY":
                text += "a"
            case "IN":
                text += _one_of(given)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, inner = given
                if least > MAX_LENGTH:
                    raise NoSample("it repeats too often")
                text += _spelled(inner, many) * max(least, min(many, most))
            case "SUBPATTERN":
                text += _spelled(given[3], many)
            case "ATOMIC_GROUP":
                text += _spelled(given, many)
            case "BRANCH":
                text += _spelled(given[1][0], many)
            case "AT":
                pass
            case other:
                raise NoSample(f"{other} in a pattern is beyond it")
    return text


def _one_of(items: Any) -> str:
    """A character of a class such as `[a-z0-9]`, letters and digits first."""
    negated = str(items[0][0]) == "NEGATE"
    wanted = [*range(ord("0"), ord("9") + 1), *range(ord("a"), ord("z") + 1), *range(32, 0x250)]
    firsts = [
        given if str(kind) == "LITERAL" else given[0]
        for kind, given in items
        if str(kind) in ("LITERAL", "RANGE")
    ]
    for code in [*([] if negated else firsts), *wanted]:
        inside = any(_is_in(code, str(kind), given) for kind, given in items)
        if inside != negated:
            return chr(code)
    raise NoSample("an empty class in a pattern")


def _is_in(code: int, kind: str, given: Any) -> bool:
    match kind:
        case "LITERAL":
            return bool(code == given)
        case "RANGE":
            return bool(given[0] <= code <= given[1])
        case "CATEGORY":
            one = chr(code)
            word = one.isalnum() or one == "_"
            sets = {"DIGIT": one.isdigit(), "SPACE": one.isspace(), "WORD": word}
            base = str(given).removeprefix("CATEGORY_")
            return not sets[base.removeprefix("NOT_")] if base.startswith("NOT_") else sets.get(base, False)
    return False


# --- numbers, lists, objects ------------------------------------------------------------------------------------


def _numbers(schema: dict[str, Any], which: int, *, whole: bool) -> Iterator[int | float]:
    step = schema.get("multipleOf")
    low, high = _bounds(schema)
    tries: list[int | float] = [*_turned(NUMBERS, which), 1, 0]
    tries += [one for one in (low, high) if math.isfinite(one)]
    tries += [low + 1, high - 1, (low + high) / 2] if math.isfinite(low + high) else [low + 1, high - 1]
    for value in tries:
        if not math.isfinite(value):
            continue
        for rounded in (value, math.ceil(value), math.floor(value)):
            if isinstance(step, int | float) and step > 0:
                yield _plain(math.ceil(rounded / step) * step, whole)
                yield _plain(math.floor(rounded / step) * step, whole)
            else:
                yield _plain(rounded, whole)


def _bounds(schema: dict[str, Any]) -> tuple[float, float]:
    lows = [one for key in ("minimum", "exclusiveMinimum") if isinstance(one := schema.get(key), int | float)]
    highs = [
        one for key in ("maximum", "exclusiveMaximum") if isinstance(one := schema.get(key), int | float)
    ]
    try:
        return float(max(lows, default=-math.inf)), float(min(highs, default=math.inf))
    except OverflowError:
        raise NoSample("its bounds are too large") from None


def _plain(value: float, whole: bool) -> int | float:
    return int(value) if whole or value == int(value) else value


def _arrays(schema: dict[str, Any], which: int, name: str, root: Schema, depth: int) -> Iterator[list[Any]]:
    first = schema.get("prefixItems") or []
    items = schema.get("items", True)
    least = max(int(schema.get("minItems", 0)), 1)
    if least > MAX_LENGTH:
        raise NoSample("the list would be too long")
    singular = name[:-1] if name.endswith("s") else name
    for length in dict.fromkeys((least, max(least, len(first)), 0)):
        made: list[Any] = []
        try:
            for place in range(length):
                of = first[place] if place < len(first) else schema.get("contains", items)
                if of is True:
                    of = items if items is not True else {"type": "string"}
                made.append(_distinct(of, made, which, singular, root, depth))
        except NoSample:
            continue
        yield made


def _distinct(of: Schema, made: list[Any], which: int, name: str, root: Schema, depth: int) -> Any:
    """An item that is not in the list yet, where there is one; lists often ask for that."""
    last: Any = None
    for last in _candidates(of, which, name, root, depth + 1):
        if last not in made and fits(last, of, root):
            return last
    if isinstance(of, dict) and of.get("type") in ("string", "integer", "number"):
        spread = [f"{last}-{len(made)}", len(made), len(made) + 0.5]
        for other in spread:
            if other not in made and fits(other, of, root):
                return other
    return sample(of, which, name=name, root=root, depth=depth + 1)


def _objects(schema: dict[str, Any], which: int, root: Schema, depth: int) -> Iterator[dict[str, Any]]:
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    required = [key for key in schema.get("required") or () if isinstance(key, str)]
    if len(required) > MAX_LENGTH:
        raise NoSample("it requires too much")
    optional = [key for key in properties if key not in required]
    few = max(0, int(schema.get("minProperties", 0)) - len(required))
    # an object with nothing required says more with something in it
    for extra in dict.fromkeys((max(few, 0 if required else min(2, len(optional))), few, 0, len(optional))):
        made = {}
        try:
            for key in [*required, *optional[:extra]]:
                of = properties.get(key, True)
                made[key] = sample(of, which, name=key, root=root, depth=depth + 1)
        except NoSample:
            continue
        for filler in range(few - len(optional)):
            made[f"more_{filler + 1}"] = "first"
        yield made


# --- small things -----------------------------------------------------------------------------------------------


def _turned(values: Any, which: int) -> list[Any]:
    """The values from another starting place, so that two samples differ."""
    listed = list(values)
    start = which % len(listed) if listed else 0
    return listed[start:] + listed[:start]


def _without(schema: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != key}


def _as_dict(schema: Any) -> dict[str, Any]:
    if isinstance(schema, dict):
        return schema
    return {} if schema is True else {"not": {}}
