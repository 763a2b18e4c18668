"""Values made up for a schema fit it, plain or drawn."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from riskbox.sandbox.authoring.sample import NoSample, draw, sample
from tests.sandbox.authoring.tool_lists import (
    DEFS,
    schemas,
)


@settings(max_examples=150, deadline=None)
@given(schemas, st.sampled_from([0, 1]))
def test_a_sample_fits_its_schema(schema: dict[str, Any], which: int) -> None:
    whole = {**schema, "$defs": DEFS}
    value = sample(whole, which)
    Draft202012Validator(whole).validate(value)
    assert json.loads(json.dumps(value)) == value


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minLength": 10**9},
        {"type": "array", "minItems": 10**9},
        {"type": "object", "minProperties": 3, "additionalProperties": False},
        {"$ref": "#"},
        {"$ref": "#/$defs/none"},
        {"allOf": [{"type": "string"}, {"type": "null"}]},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    ],
)  # fmt: skip
def test_what_nothing_fits_is_said_at_once(schema: dict[str, Any]) -> None:
    with pytest.raises(NoSample):
        sample(schema)


def test_the_two_samples_of_a_schema_differ_where_they_may() -> None:
    for schema in (
        {"type": "string"},
        {"type": "integer"},
        {"enum": ["a", "b"]},
        {"type": "string", "format": "email"},
    ):
        assert sample(schema, 0) != sample(schema, 1)


@settings(max_examples=150, deadline=None)
@given(schemas, st.integers(0, 1000))
def test_a_drawn_value_fits_its_schema_and_a_seed_draws_it_again(schema: dict[str, Any], seed: int) -> None:
    whole = {**schema, "$defs": DEFS}
    value = draw(whole, Random(seed))
    Draft202012Validator(whole).validate(value)
    assert draw(whole, Random(seed)) == value


def test_draws_reach_what_a_schema_leaves_open() -> None:
    schema = {
        "type": "object",
        "required": ["level", "list"],
        "properties": {
            "level": {"type": "integer", "minimum": 1, "maximum": 4},
            "list": {"type": "array", "items": {"type": "boolean"}, "maxItems": 2},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
    }
    random = Random(1)
    drawn = [draw(schema, random) for _ in range(200)]
    assert {one["level"] for one in drawn} == {1, 2, 3, 4}
    assert {len(one["list"]) for one in drawn} == {0, 1, 2}
    assert {type(one["note"]) if "note" in one else None for one in drawn} == {str, type(None), None}


def test_a_value_is_not_shared_with_its_schema() -> None:
    schema: dict[str, Any] = {"const": {"a": [1]}}
    sample(schema)["a"].append(2)
    assert schema == {"const": {"a": [1]}}
