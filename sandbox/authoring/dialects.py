"""Published tool lists in other dialects of JSON Schema and other shapes, read as the one that Riskbox speaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from riskbox.sandbox.words.pattern import PatternError, found

TYPES = {
    "dict": "object", "map": "object", "struct": "object", "hashmap": "object", "float": "number", "double": "number",
    "decimal": "number", "int": "integer", "long": "integer", "int32": "integer", "int64": "integer", "tuple": "array",
    "list": "array", "set": "array", "arraylist": "array", "str": "string", "char": "string", "text": "string",
    "bool": "boolean", "none": "null",
}  # fmt: skip
"""Types of other dialects, such as those of the Berkeley lists."""
ANYTHING = frozenset(("any", "type_unspecified", "unknown", "mixed"))
"""Types that say nothing."""
SCHEMAS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
"""Keywords that hold schemas by name."""
INNER = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedItems",
         "unevaluatedProperties", "additionalItems")  # fmt: skip
"""Keywords that hold one schema."""
LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
"""Keywords that hold a list of schemas."""
DECLARED = ("function_declarations", "functionDeclarations")


def functions(listed: list[Any]) -> Iterator[tuple[str, Any]]:
    """The functions of a list with where each stands, whatever its provider wraps them in. Other entries are left as they are."""
    for place, given in enumerate(listed):
        at = f"[{place}]"
        if not isinstance(given, dict):
            yield at, given
            continue
        declared = next((key for key in DECLARED if isinstance(given.get(key), list)), None)
        if declared:
            yield from ((f"{at}.{declared}[{nth}]", one) for nth, one in enumerate(given[declared]))
            continue
        wrapper = next((key for key in ("function", "toolSpec") if key in given), None)
        yield (f"{at}.{wrapper}", given[wrapper]) if wrapper else (at, given)


def built_in(given: Any) -> str:
    """What a tool is called that its provider runs itself, such as a search of the web; empty for a function."""
    if not isinstance(given, dict) or given.get("name") or not given:
        return ""
    kind = given.get("type")
    if isinstance(kind, str) and kind not in ("function", "object"):
        return kind
    key = next(iter(given))
    return (
        str(key)
        if len(given) == 1 and isinstance(given[key], dict) and key not in ("function", "toolSpec")
        else ""
    )


def modern(schema: Any, unchecked: list[str]) -> Any:
    """A schema in the dialect of 2020-12.

    Args:
        schema: The schema.
        unchecked: Takes patterns that RE2 does not know. They stay in the schema, as `x-pattern`.
    """
    if not isinstance(schema, dict):
        return schema
    made = dict(schema)
    _types(made)
    _bounds(made)
    if isinstance(made.get("items"), list):
        made["prefixItems"] = made.pop("items")
        if "additionalItems" in made:
            made["items"] = made.pop("additionalItems")
    pattern = made.get("pattern")
    if isinstance(pattern, str) and not _compiles(pattern):
        made["x-pattern"] = made.pop("pattern")
        unchecked.append(pattern)
    for key in SCHEMAS:
        if isinstance(made.get(key), dict):
            made[key] = {name: modern(one, unchecked) for name, one in made[key].items()}
    for key in INNER:
        made |= {key: modern(made[key], unchecked)} if isinstance(made.get(key), dict) else {}
    for key in LISTS:
        if isinstance(made.get(key), list):
            made[key] = [modern(one, unchecked) for one in made[key]]
    _required(made)
    return made


def _types(schema: dict[str, Any]) -> None:
    kind = schema.get("type")
    if isinstance(kind, str):
        named = TYPES.get(kind.casefold(), kind.casefold())
        if named in ANYTHING:
            del schema["type"]
        else:
            schema["type"] = named
    elif isinstance(kind, list) and all(isinstance(one, str) for one in kind):
        listed = list(dict.fromkeys(TYPES.get(one.casefold(), one.casefold()) for one in kind))
        if ANYTHING.isdisjoint(listed):
            schema["type"] = listed
        else:
            del schema["type"]


def _bounds(schema: dict[str, Any]) -> None:
    """Draft 4 says whether a bound itself is left out, later ones say the bound."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and bound in schema:
            schema[exclusive] = schema.pop(bound)


def _required(schema: dict[str, Any]) -> None:
    """Draft 3 says in each property whether it is required."""
    properties = schema.get("properties")
    named = []
    for name, one in properties.items() if isinstance(properties, dict) else ():
        if isinstance(one, dict) and isinstance(one.get("required"), bool):
            named += [name] if one.pop("required") else []
    if named and isinstance(schema.get("required", []), list):
        schema["required"] = list(dict.fromkeys([*schema.get("required", []), *named]))


def _compiles(pattern: str) -> bool:
    try:
        found(pattern, "")
    except PatternError:
        return False
    return True
