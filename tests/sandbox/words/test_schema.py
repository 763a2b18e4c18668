"""Schemas and patterns of files: held as JSON Schema says, and bounded whatever they are."""

from __future__ import annotations

from typing import Any

import pytest

from riskbox.sandbox.words.pattern import PatternError, found
from riskbox.sandbox.words.schema import SchemaProblem, TooManySteps, errors, refuse, validator


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("^(a+)+$", "a" * 50_000 + "!", False),
        ("^(a+)+$", "a" * 50_000, True),
        (r"^\d{3}$", "123", True),
        (r"^\d{3}$", "123\n", False),
        (r"^\u00e4$", "ä", True),
        (r"^\\u00e4$", "\\u00e4", True),
        (r"\p{Lu}", "aÄ", True),
        ("b", "\ud800b\x00", True),
    ],
)
def test_a_pattern_takes_time_in_proportion(pattern: str, text: str, fits: bool) -> None:
    assert found(pattern, text) is fits


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(?=a)b", "look-ahead"),
        ("(?<!a)b", "look-ahead and look-behind"),
        (r"(a)\1", "back-references"),
        ("a{5000}", "write minLength and maxLength"),
        ("[", "missing"),
    ],
)
def test_what_re2_does_not_read_is_told(pattern: str, said: str) -> None:
    with pytest.raises(PatternError, match=said):
        found(pattern, "")


def test_values_are_held_as_json_schema_says() -> None:
    schema = {
        "type": "object",
        "properties": {"code": {"pattern": "^[A-Z]+$"}},
        "patternProperties": {"^x_": {"type": "integer"}},
        "additionalProperties": False,
    }
    held = validator(schema)
    assert errors({"code": "AB", "x_1": 1}, held) == []
    told = [one.message for one in errors({"code": "ab", "x_1": "1", "y": 1}, held)]
    assert len(told) == 3 and any("'y' is not a property" in one for one in told)
    loose = {**schema, "additionalProperties": {"type": "string"}}
    assert errors({"y": "1"}, validator(loose)) == []
    assert [list(one.path) for one in errors({"y": 1}, validator(loose))] == [["y"]]


def doubled(count: int) -> dict[str, Any]:
    return {
        "$ref": "#/$defs/d0",
        "$defs": {f"d{one}": {"allOf": [{"$ref": f"#/$defs/d{one + 1}"}] * 2} for one in range(count)}
        | {f"d{count}": {}},
    }


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"$ref": "#"}, "leads back to itself"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}}, "leads back to itself"),
        (doubled(40), "references multiply"),
        ({"properties": {"a": {"pattern": "(?!a)"}}}, "look-ahead"),
        ({"patternProperties": {"(a)\\1": {}}}, "back-references"),
        ({"unevaluatedProperties": False, "patternProperties": {}}, "cannot stand together"),
    ],
)
def test_a_schema_that_could_hang_is_refused(schema: dict[str, Any], said: str) -> None:
    with pytest.raises(SchemaProblem, match=said):
        refuse(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"child": {"$ref": "#"}}},
        {"allOf": [{"properties": {"child": {"$ref": "#"}}}]},
        {"type": "array", "items": {"anyOf": [{"$ref": "#"}, {"type": "string"}]}},
        {"default": {"pattern": "(?=a)"}, "properties": {"pattern": {"type": "string"}}},
        doubled(8),
    ],
)
def test_a_schema_that_holds_itself_in_its_parts_is_fine(schema: dict[str, Any]) -> None:
    refuse(schema)
    assert errors({}, validator(schema)) == [] or schema["type"] == "array"


def test_a_deep_value_takes_no_more_steps_than_the_budget() -> None:
    schema = {"items": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}
    refuse(schema)
    value: Any = []
    for _ in range(40):
        value = [value]
    with pytest.raises(TooManySteps, match="more than 100,000 steps"):
        errors(value, validator(schema))
