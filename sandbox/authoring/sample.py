"""Values that fit a JSON Schema: `sample` makes the same value each time, `draw` takes what the schema leaves open by chance."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from riskbox.sandbox.authoring.pattern import MAX_LENGTH, matching
from riskbox.sandbox.words.pattern import PatternError
from riskbox.sandbox.words.schema import TooManySteps, errors, validator

Schema = dict[str, Any] | bool

MAX_DEPTH = 12
"""How deep a value may be nested."""
SHALLOW = 6
"""From this depth on a drawn value takes no optional property and no further item, so that it ends."""
MOST = 20_000
"""How many values are tried, parts of values counted."""
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

DRAWN_FORMATS = {
    "date": "2026-03-{:02}",
    "date-time": "2026-03-{:02}T09:30:00Z",
    "time": "{:02}:30:00Z",
    "email": "person{}@example.org",
    "uri": "https://example.org/{}",
    "uuid": "00000000-0000-4000-8000-0000000000{:02}",
}
"""Formats of which more than two values are drawn, with a place for a number from 10 to 23."""


class NoSample(ValueError):
    """No value was found that fits."""


def sample(schema: Schema, which: int = 0) -> Any:
    """A plain value that fits a schema, the same each time.

    Args:
        schema: JSON Schema, draft 2020-12; references only into itself.
        which: 0 or 1; where the schema leaves a choice, the two give different values.

    Raises:
        NoSample: none was found, or it would be too large.
    """
    return _Values(schema, which).value(schema)


def draw(schema: Schema, random: Random) -> Any:
    """A value that fits a schema, drawn by chance wherever the schema leaves a choice.

    Args:
        schema: JSON Schema, draft 2020-12; references only into itself.
        random: Where chance comes from; the same state gives the same value.

    Raises:
        NoSample: none was found, or it would be too large.
    """
    return _Values(schema, random=random).value(schema)


def fits(value: Any, schema: Schema, root: Schema | None = None) -> bool:
    """Whether a value fits a schema, formats apart.

    Args:
        value: JSON.
        schema: JSON Schema, draft 2020-12.
        root: The schema that references are looked up in; the schema itself if left out.

    Raises:
        NoSample: the schema refers to what it does not hold.
    """
    from jsonschema.exceptions import UnknownType
    from referencing.exceptions import Unresolvable

    if isinstance(schema, bool):
        return schema
    try:
        return not errors(value, validator(schema, root if root is not None else schema))
    except (Unresolvable, UnknownType, PatternError, TooManySteps, RecursionError, OverflowError) as error:
        raise NoSample(str(error).splitlines()[0]) from None


@dataclass(frozen=True, slots=True)
class _Values:
    """Makes values for one schema. Each method proposes candidates, the likeliest first, and `value` takes the first
    that fits; so a part that cannot be made falls back to the next proposal."""

    root: Schema
    """The schema that references are looked up in."""
    which: int = 0
    """Where to begin in a list of choices; without chance."""
    random: Random | None = None
    """Where chance comes from; None for plain values."""
    tries: Iterator[int] = field(default_factory=lambda: iter(range(MOST)))
    """One for each value that is tried; branches that refer to each other would multiply without end."""
    missed: list[str] = field(default_factory=list)
    """Which fields of objects no value was found for, in sentences."""

    def value(self, schema: Schema, name: str = "", depth: int = 0) -> Any:
        """A value that fits; `name` is what it is for, so that it looks the part."""
        if depth > MAX_DEPTH:
            raise NoSample("it is nested too deep")
        if next(self.tries, None) is None:
            raise NoSample(f"no value was found in {MOST:,} tries")
        for value in self._candidates(schema, name, depth):
            if fits(value, schema, self.root):
                return value
        # of an object, what is missing is a field of it
        missed = self.missed[-1] if self.missed and not depth else ""
        raise NoSample(missed or f"no value was found for {name or 'it'}")

    def _ordered(self, values: Iterable[Any]) -> list[Any]:
        """Values in the order in which they are tried: from another starting place, or shuffled."""
        listed = list(values)
        if self.random:
            return self.random.sample(listed, len(listed))
        start = self.which % len(listed) if listed else 0
        return listed[start:] + listed[:start]

    def _candidates(self, schema: Schema, name: str, depth: int) -> Iterator[Any]:
        if schema is True or schema == {}:
            yield from self._texts({}, name)
            return
        if schema is False:
            return
        assert isinstance(schema, dict)
        if "$ref" in schema:
            found = _lookup(schema["$ref"], self.root)
            yield from self._attempt({**_without(schema, "$ref"), **_as_dict(found)}, name, depth)
        if "const" in schema:
            yield copy.deepcopy(schema["const"])
        if isinstance(schema.get("enum"), list):
            yield from copy.deepcopy(self._ordered(schema["enum"]))
        for key in ("anyOf", "oneOf"):
            for branch in self._branches(schema.get(key) or [], depth):
                yield from self._attempt({**_without(schema, key), **_as_dict(branch)}, name, depth)
        if schema.get("allOf"):
            yield from self._attempt(_merged(schema, self.root), name, depth)
        kinds, examples = _kinds(schema), _examples(schema)
        if self.random is None:
            yield from examples
        elif isinstance(schema.get("type"), list):
            kinds = self._ordered(kinds)
        for kind in kinds:
            yield from self._of_kind(kind, schema, name, depth)
        if self.random is not None:
            yield from examples

    def _branches(self, branches: list[Any], depth: int) -> list[Any]:
        if self.random is None:
            return branches
        # a type that holds itself ends in its last branch, which is null where there is one
        return self._ordered(branches) if depth < SHALLOW else branches[::-1]

    def _attempt(self, schema: dict[str, Any], name: str, depth: int) -> Iterator[Any]:
        """What a changed form of a schema gives, or nothing."""
        try:
            yield self.value(schema, name, depth + 1)
        except NoSample:
            return

    def _of_kind(self, kind: str, schema: dict[str, Any], name: str, depth: int) -> Iterator[Any]:
        match kind:
            case "string":
                yield from self._texts(schema, name)
            case "integer" | "number":
                yield from self._numbers(schema, whole=kind == "integer")
            case "boolean":
                yield from self._ordered([True, False])
            case "null":
                yield None
            case "array":
                yield from self._arrays(schema, name, depth)
            case "object":
                yield from self._objects(schema, depth)

    # --- text -----------------------------------------------------------------------------------------------

    def _texts(self, schema: dict[str, Any], name: str) -> Iterator[str]:
        least, most = schema.get("minLength", 0), schema.get("maxLength", MAX_LENGTH)
        if isinstance(schema.get("pattern"), str):
            yield from matching(schema["pattern"], self.random)
        form = schema.get("format")
        if self.random and form in DRAWN_FORMATS:
            yield DRAWN_FORMATS[form].format(self.random.randint(10, 23))
        if form in FORMATS:
            yield from self._ordered(FORMATS[form])
        spoken = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()
        words = next(values for hint, values in HINTS if re.search(hint, spoken))
        for word in self._ordered((*words, "a", "7", "")):
            if len(word) < least <= MAX_LENGTH:
                word = (word or "a") + "x" * int(least - max(len(word), 1))
            yield word[: int(most)] if len(word) > most else word

    # --- numbers --------------------------------------------------------------------------------------------

    def _numbers(self, schema: dict[str, Any], *, whole: bool) -> Iterator[int | float]:
        low, high = _bounds(schema)
        step = schema.get("multipleOf")
        step = step if isinstance(step, int | float) and step > 0 else None
        if self.random:
            yield _drawn_number(self.random, low, high, step or (1 if whole else 0.01), whole)
        tries: list[int | float] = [*self._ordered(NUMBERS), 1, 0]
        tries += [one for one in (low, high) if math.isfinite(one)]
        tries += [low + 1, high - 1, (low + high) / 2] if math.isfinite(low + high) else [low + 1, high - 1]
        for value in tries:
            if not math.isfinite(value):
                continue
            for rounded in (value, math.ceil(value), math.floor(value)):
                if step:
                    yield _plain(math.ceil(rounded / step) * step, whole)
                    yield _plain(math.floor(rounded / step) * step, whole)
                else:
                    yield _plain(rounded, whole)

    # --- lists and objects ----------------------------------------------------------------------------------

    def _arrays(self, schema: dict[str, Any], name: str, depth: int) -> Iterator[list[Any]]:
        first = schema.get("prefixItems") or []
        items = schema.get("items", True)
        least = int(schema.get("minItems", 0))
        if least > MAX_LENGTH:
            raise NoSample("the list would be too long")
        singular = name[:-1] if name.endswith("s") else name
        lengths = [max(least, 1), max(least, 1, len(first)), 0]
        if self.random:
            more = self.random.randint(0, 3) if depth < SHALLOW else 0
            lengths = [min(least + more, int(schema.get("maxItems", least + more))), *lengths]
        for length in dict.fromkeys(lengths):
            made: list[Any] = []
            try:
                for place in range(length):
                    of = first[place] if place < len(first) else schema.get("contains", items)
                    if of is True:
                        of = items if items is not True else {"type": "string"}
                    made.append(self._distinct(of, made, singular, depth))
            except NoSample:
                continue
            yield made

    def _distinct(self, of: Schema, made: list[Any], name: str, depth: int) -> Any:
        """An item that is not in the list yet, where there is one; lists often ask for that."""
        last: Any = None
        if next(self.tries, None) is None:
            raise NoSample(f"no value was found in {MOST:,} tries")
        for last in self._candidates(of, name, depth + 1):
            if last not in made and fits(last, of, self.root):
                return last
        if isinstance(of, dict) and of.get("type") in ("string", "integer", "number"):
            spread = [f"{last}-{len(made)}", len(made), len(made) + 0.5]
            for other in spread:
                if other not in made and fits(other, of, self.root):
                    return other
        return self.value(of, name, depth + 1)

    def _objects(self, schema: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        required = [key for key in schema.get("required") or () if isinstance(key, str)]
        if len(required) > MAX_LENGTH:
            raise NoSample("it requires too much")
        optional = [key for key in properties if key not in required]
        few = max(0, int(schema.get("minProperties", 0)) - len(required))
        rest = schema.get("additionalProperties", True)
        # an object with nothing required says more with something in it
        many = dict.fromkeys((max(few, 0 if required else min(2, len(optional))), few, 0, len(optional)))
        chosen = [optional[:extra] for extra in many]
        if self.random:
            chance = 0.5 if depth < SHALLOW else 0.0
            chosen.insert(0, [key for key in optional if self.random.random() < chance])
        for extra in chosen:
            made = {}
            try:
                for key in [*required, *extra]:
                    made[key] = self.value(properties.get(key, True), key, depth + 1)
                for filler in range(few - len(optional)):
                    made[f"more_{filler + 1}"] = "first" if rest is True else self.value(rest, "", depth + 1)
            except NoSample as error:
                self.missed.append(str(error))
                continue
            yield made


# --- reading a schema -------------------------------------------------------------------------------------------


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


def _examples(schema: Mapping[str, Any]) -> list[Any]:
    """What the schema itself gives as examples."""
    given = schema.get("examples", [])
    found = [*given] if isinstance(given, list) else [given]
    return copy.deepcopy([*found, *([schema["default"]] if "default" in schema else [])])


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


def _drawn_number(random: Random, low: float, high: float, step: float, whole: bool) -> int | float:
    """A number within bounds; of the hundred nearest to a bound where the other is missing."""
    if not math.isfinite(low):
        low = high - 100 * step if math.isfinite(high) else 0
    if not math.isfinite(high):
        high = low + 100 * step
    first, last = math.ceil(low / step), math.floor(high / step)
    found = random.randint(first, max(first, last)) * step
    return int(found) if whole else round(float(found), 6)


def _without(schema: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != key}


def _as_dict(schema: Any) -> dict[str, Any]:
    if isinstance(schema, dict):
        return schema
    return {} if schema is True else {"not": {}}
