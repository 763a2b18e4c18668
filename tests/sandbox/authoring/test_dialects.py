"""Tool lists in other dialects and shapes than the one that Riskbox speaks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from riskbox.sandbox.authoring.dialects import modern
from riskbox.sandbox.authoring.tool_list import ToolList, read_tool_list
from riskbox.sandbox.errors import InputError

PLAIN = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
DELETE = {"name": "delete_user", "description": "Deletes a user.", "parameters": PLAIN}


def read(folder: Path, listed: Any) -> ToolList:
    path = folder / "tools.json"
    path.write_text(json.dumps(listed), "utf-8")
    return read_tool_list(path)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"minimum": 0, "exclusiveMinimum": True}, {"exclusiveMinimum": 0}),
        ({"maximum": 9, "exclusiveMaximum": False}, {"maximum": 9}),
        ({"type": "OBJECT", "properties": {"type": {"type": "STRING"}}}, {"type": "object", "properties": {"type": {"type": "string"}}}),
        ({"type": ["STRING", "NULL"]}, {"type": ["string", "null"]}),
        ({"type": "dict"}, {"type": "object"}),
        ({"type": "float"}, {"type": "number"}),
        ({"type": "tuple", "items": {"type": "any"}}, {"type": "array", "items": {}}),
        ({"items": [{"type": "int"}], "additionalItems": False}, {"prefixItems": [{"type": "integer"}], "items": False}),
        ({"properties": {"a": {"type": "string", "required": True}}}, {"properties": {"a": {"type": "string"}}, "required": ["a"]}),
        ({"enum": ["STRING", "dict"], "default": {"type": "dict"}}, {"enum": ["STRING", "dict"], "default": {"type": "dict"}}),
    ],
)  # fmt: skip
def test_older_dialects_are_translated(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    found = modern(given, [])
    assert found == wanted
    Draft202012Validator.check_schema(found)


@pytest.mark.parametrize("pattern", [r"^(?!x)", r"(?<name>a)\k<name>"])
def test_patterns_that_re2_cannot_read_are_kept_and_told(tmp_path: Path, pattern: str) -> None:
    found = read(
        tmp_path,
        [
            {
                **DELETE,
                "parameters": {
                    "type": "object",
                    "properties": {"id": {"type": "string", "pattern": pattern}},
                },
            }
        ],
    )
    assert found.tools[0].parameters["properties"]["id"] == {"type": "string", "x-pattern": pattern}
    assert found.notes == (f"Kept as x-pattern and not checked, since RE2 cannot read it: {pattern}",)


@pytest.mark.parametrize(
    "listed",
    [
        [{"type": "web_search"}, {"type": "function", "function": DELETE}],
        [{"type": "web_search"}, {"function_declarations": [DELETE]}],
        [{"web_search": {}}, {"functionDeclarations": [DELETE]}],
        [{"type": "web_search"}, {"toolSpec": {"name": "delete_user", "inputSchema": {"json": PLAIN}}}],
    ],
)
def test_functions_are_found_and_what_is_none_is_left_out_by_name(tmp_path: Path, listed: Any) -> None:
    found = read(tmp_path, listed)
    assert [(one.name, one.parameters) for one in found.tools] == [("delete_user", PLAIN)]
    assert found.notes == ("Left out, since a provider runs it itself: web_search.",)


def test_a_list_without_a_function_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no function, only web_search"):
        read(tmp_path, [{"type": "web_search"}])


def test_objects_of_any_names_are_made_up(tmp_path: Path) -> None:
    counts = {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1}
    found = read(
        tmp_path,
        [{**DELETE, "parameters": {"type": "object", "properties": {"m": counts}, "required": ["m"]}}],
    )
    (value,) = found.story.harm.args["m"].values()
    assert isinstance(value, int)


def test_a_field_that_cannot_be_made_up_is_named(tmp_path: Path) -> None:
    bic = {"type": "string", "pattern": "a^b"}
    inner = {"type": "object", "properties": {"bic": bic}, "required": ["bic"]}
    with pytest.raises(InputError, match=r"delete_user: no value was found for (bic|to)"):
        read(
            tmp_path,
            [{**DELETE, "parameters": {"type": "object", "properties": {"to": inner}, "required": ["to"]}}],
        )
