"""The declarations of emulated toolsets: complete by the list, strict in form, and open to no surprise."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from riskbox.sandbox.authoring.sample import fits, sample
from riskbox.sandbox.contracts.declared import declared_toolset
from riskbox.sandbox.words.declaration import DeclaredToolset
from riskbox.sandbox.yamlfile import read_yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "tools" / "emulated").glob("*.yaml"))
TOOLKIT = re.compile(r"^\| \d+ \| (\w+) \| (\d+) \| \d+ \| (.+) \|$", re.MULTILINE)
SENTENCE = re.compile(r"[.!?](?=\s|$)")
NESTED = ("items", "additionalProperties", "not", "if", "then", "else")
BRANCHES = ("anyOf", "oneOf", "allOf", "prefixItems")

Schema = dict[str, Any]


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def listed() -> dict[str, list[str]]:
    found = {}
    for toolkit, count, tools in TOOLKIT.findall((Path(__file__).parent / "toolkits.md").read_text()):
        found[snake(toolkit)] = [snake(tool) for tool in tools.split(", ")]
        assert len(found[snake(toolkit)]) == int(count), toolkit
    return found


LISTED = listed()


def subschemas(schema: Schema, place: str = "") -> Iterator[tuple[str, Schema]]:
    yield place or "/", schema
    for group in ("properties", "$defs"):
        for name, one in schema.get(group, {}).items():
            yield from subschemas(one, f"{place}/{name}")
    for key in NESTED:
        if isinstance(schema.get(key), dict):
            yield from subschemas(schema[key], f"{place}/{key}")
    for key in BRANCHES:
        for number, one in enumerate(schema.get(key, ())):
            yield from subschemas(one, f"{place}/{key}/{number}")


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def declaration(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(request.param)
    assert found["toolset"] == request.param.stem
    return found


def schemas(declaration: dict[str, Any], *sides: str) -> Iterator[tuple[str, Schema]]:
    for tool in declaration["tools"]:
        for side in sides or ("parameters", "returns"):
            yield f"{tool['name']} {side}", tool[side]


def test_the_list_is_whole() -> None:
    assert (len(LISTED), sum(map(len, LISTED.values()))) == (67, 423)


def test_every_listed_toolset_is_declared_once() -> None:
    assert [path.stem for path in FILES] == sorted(LISTED)
    names = Counter(read_yaml(path)["toolset"] for path in FILES)
    assert not [name for name, count in names.items() if count > 1]


def test_no_name_is_that_of_a_toolset_with_code() -> None:
    assert not {path.stem for path in FILES} & {path.stem for path in (ROOT / "tools").glob("*.py")}


def test_its_tools_are_those_of_the_list(declaration: dict[str, Any]) -> None:
    assert [tool["name"] for tool in declaration["tools"]] == LISTED[declaration["toolset"]]


def test_it_has_these_keys_and_no_others(declaration: dict[str, Any]) -> None:
    assert list(declaration) == ["toolset", "describe", "notes", "tools"]
    for tool in declaration["tools"]:
        assert list(tool) == ["name", "description", "writes", "action", "parameters", "returns"], tool[
            "name"
        ]


def test_it_becomes_a_toolset(declaration: dict[str, Any]) -> None:
    parts = {key: value for key, value in declaration.items() if key != "toolset"}
    toolset = DeclaredToolset.model_validate({**parts, "emulated": True})
    spec = declared_toolset(declaration["toolset"], toolset).spec()
    assert list(spec.tools) == [f"{spec.name}.{tool['name']}" for tool in declaration["tools"]]
    assert spec.emulated and spec.notes == declaration["notes"]
    assert all(tool.outside and tool.returns for tool in spec.tools.values())


def test_it_says_what_it_is(declaration: dict[str, Any]) -> None:
    assert len(SENTENCE.findall(declaration["describe"])) == 1
    assert 1 <= len(SENTENCE.findall(declaration["notes"])) <= 5
    for tool in declaration["tools"]:
        assert tool["description"].endswith("."), tool["name"]


def test_how_far_a_tool_reaches_fits_what_it_changes(declaration: dict[str, Any]) -> None:
    for tool in declaration["tools"]:
        may = {
            "suggestive": (False,),
            "generative": (False, True),
            "autonomous": (True,),
            "destructive": (True,),
        }
        assert tool["writes"] in may[tool["action"]], tool["name"]


def test_its_schemas_are_json_schema(declaration: dict[str, Any]) -> None:
    for place, schema in schemas(declaration):
        Draft202012Validator.check_schema(schema)
        for inner, one in subschemas(schema):
            assert one.get("$ref", "#/").startswith("#/"), f"{place} {inner} refers elsewhere"
            assert set(one.get("required", ())) <= set(one.get("properties", ())), f"{place} {inner}"


def test_its_schemas_are_closed_objects(declaration: dict[str, Any]) -> None:
    for place, schema in schemas(declaration):
        assert schema["type"] == "object" and "properties" in schema, place
        for inner, one in subschemas(schema):
            if "properties" in one:
                assert one["additionalProperties"] is False, f"{place} {inner} takes anything"


def test_its_parameters_are_described(declaration: dict[str, Any]) -> None:
    for place, schema in schemas(declaration, "parameters"):
        for inner, one in subschemas(schema):
            for name, parameter in one.get("properties", {}).items():
                assert parameter.get("description", "").endswith("."), f"{place} {inner} {name}"


def test_its_results_promise_something(declaration: dict[str, Any]) -> None:
    for place, schema in schemas(declaration, "returns"):
        assert schema.get("required"), f"{place} promises nothing"
        for inner, one in subschemas(schema):
            assert {"type", "enum", "const", "$ref", *BRANCHES} & set(one), f"{place} {inner} may be anything"


def test_its_defaults_fit(declaration: dict[str, Any]) -> None:
    for place, schema in schemas(declaration):
        for inner, one in subschemas(schema):
            assert "default" not in one or fits(one["default"], one, schema), f"{place} {inner}"
            assert "default" not in one or "parameters" in place, f"{place} {inner}: a result has no default"


def test_something_fits_its_schemas(declaration: dict[str, Any]) -> None:
    for place, schema in schemas(declaration):
        assert fits(sample(schema), schema), place
        assert not fits({**sample(schema), "not_declared": 1}, schema), place
