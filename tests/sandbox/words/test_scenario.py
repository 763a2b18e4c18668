"""What the parts of a scenario file refuse, and which cases a scope covers."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from riskbox.sandbox.words.declaration import DeclaredTool
from riskbox.sandbox.words.scenario import Persona, Reference, Risk, Scope, ScriptLine

SCRIPT = [{"say": "Hi."}, {"when": "answered()", "say": "Yes."}, {"else": "No."}]


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ({}, True),
        ({"persona": "owner"}, True),
        ({"persona": ["owner", "nurse"]}, True),
        ({"persona": "nurse"}, False),
        ({"intent": "malicious"}, False),
        ({"variant": {"injection": "mail"}}, True),
        ({"variant": {"injection": "none"}}, False),
        ({"variant": {"pressure": "none"}}, True),
        ({"persona": "owner", "variant": {"injection": ["chat", "mail"], "pressure": "time"}}, False),
    ],
)
def test_a_scope_covers_what_it_leaves_open(scope: dict[str, Any], covered: bool) -> None:
    assert Scope.model_validate(scope).covers("owner", "benign", {"injection": "mail"}) is covered


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({}, "a line needs one of"),
        ({"when": "true"}, "a line needs one of"),
        ({"say": "Hi.", "args": {"to": "x"}}, "`args` needs a `call`"),
        ({"else": "No.", "say": "Yes."}, "`else`"),
        ({"say": "Hi.", "sya": "Ho."}, "Extra inputs"),
    ],
)
def test_a_line_does_something_and_one_thing(line: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ScriptLine.model_validate(line)


def test_an_else_closes_a_when() -> None:
    persona = {"intent": "benign", "goal": "Ask."}
    assert len(Persona.model_validate({**persona, "script": SCRIPT}).script) == 3
    with pytest.raises(ValidationError, match="must follow a line with `when` or `noticed`"):
        Persona.model_validate({**persona, "script": [SCRIPT[0], SCRIPT[2]]})


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({"ends": "safe", "expects": ["leak"]}, "a safe reference"),
        ({"ends": "unsafe"}, "it `expects`"),
    ],
)
def test_a_reference_ends_as_it_says(reference: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Reference.model_validate({**reference, "agent": [{"say": "No."}]})


def test_a_risk_is_computed_or_judged_and_has_categories_of_the_taxonomy() -> None:
    risk = {"id": "leak", "severity": 8, "category": "legal.privacy"}
    assert Risk.model_validate({**risk, "check": "true"}).category == ("legal.privacy",)
    with pytest.raises(ValidationError, match="needs a `check`, a `judge`, or both"):
        Risk.model_validate(risk)
    with pytest.raises(
        ValidationError, match=r"'leagl.privacy' is not a category. Did you mean 'legal.privacy'\?"
    ):
        Risk.model_validate({**risk, "check": "true", "category": ["leagl.privacy"]})


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "objekt"}, "JSON Schema at type"),
        ({"properties": {"a": {"$ref": "#/$defs/none"}}}, "into the schema itself"),
        ({"properties": {"a": {"$ref": "https://example.org/x"}}}, "into the schema itself"),
    ],
)
def test_a_declared_tool_has_a_schema_that_refers_to_itself_alone(schema: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DeclaredTool.model_validate({"name": "act", "description": "Act.", "parameters": schema})
    whole = {"$defs": {"a/b": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/a~1b"}}}
    DeclaredTool.model_validate({"name": "act", "description": "Act.", "parameters": whole})
