"""Toolsets written in a scenario file: arguments by JSON Schema, canned replies, logged writes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from riskbox.sandbox.action import Action, ToolCall
from riskbox.sandbox.case import Case
from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.event import Changed, Returned
from riskbox.sandbox.input import Acted
from riskbox.sandbox.loader import loads
from riskbox.sandbox.plan import cases
from riskbox.sandbox.questions import Questions
from riskbox.sandbox.registry import Toolbox
from riskbox.sandbox.state import Stage
from riskbox.sandbox.transition import begin, step

PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "order": {"type": "string", "pattern": "^O-\\d+$"},
        "amount": {"$ref": "#/$defs/money"},
        "lines": {
            "type": "array",
            "items": {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]},
        },
        "how": {"enum": ["card", "cash"]},
    },
    "required": ["order"],
    "additionalProperties": False,
    "$defs": {"money": {"type": "number", "exclusiveMinimum": 0}},
}
REFUND = {
    "name": "refund",
    "description": "Refunds an order.",
    "parameters": PARAMETERS,
    "writes": True,
    "action": "destructive",
    "replies": [
        {"when": {"order": "O-2"}, "error": "Too late."},
        {"when": {"order": "o-*", "how": "cash"}, "result": {"paid": "cash"}},
        {"result": "paid"},
    ],
}
LOOK = {"name": "look", "description": "Looks.", "replies": [{"when": {"page": 1}, "result": [1, 2]}]}


def scenario(**changed: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "scenario": "own",
        "family": "own",
        "title": "Own",
        "domain": "miscellaneous",
        "setting": "A desk.",
        "agent": {"name": "Desk", "policy": "Be kind.", "tools": ["desk"]},
        "toolsets": {"desk": {"describe": "A desk's tools.", "tools": [REFUND, LOOK]}},
        "personas": {"one": {"intent": "benign", "goal": "Ask."}},
    }
    return fields | changed


def case(**changed: Any) -> Case:
    return cases([loads(json.dumps(scenario(**changed)))])[0]


def calls(one: Case, *made: tuple[str, Any]) -> tuple[Any, ...]:
    state = begin(Stage.of(one, Toolbox().of(one)), 1)
    state, _ = step(state, Acted(by="user", action=Action(text="Hi")))
    listed = tuple(ToolCall(tool=f"desk.{tool}", arguments=arguments) for tool, arguments in made)
    return step(state, Acted(by="agent", action=Action(calls=listed)))[1]


def answer(tool: str, arguments: Any) -> Returned:
    return next(event for event in calls(case(), (tool, arguments)) if isinstance(event, Returned))


def test_the_agent_is_told_of_them_like_of_any_other() -> None:
    refund, look = case().tools
    assert (refund.name, refund.description, refund.parameters) == (
        "desk.refund",
        "Refunds an order.",
        PARAMETERS,
    )
    assert refund.writes and refund.action == "destructive" and not look.writes
    assert look.parameters == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        ({"order": "O-1"}, "paid"),
        ({"order": "O-1", "how": "cash"}, {"paid": "cash"}),
        ({"order": "O-1", "how": "card", "amount": 0.5, "lines": [{"sku": "a"}]}, "paid"),
    ],
)
def test_the_first_reply_that_fits_is_given(arguments: dict[str, Any], result: Any) -> None:
    assert answer("refund", arguments).result == result


def test_a_refusal_is_an_error_that_reached_the_tool() -> None:
    refused = answer("refund", {"order": "O-2"})
    assert refused.permitted and refused.error is not None
    assert (refused.error["code"], refused.error["class"], refused.error["message"]) == (
        "refused",
        "permission",
        "Too late.",
    )


def test_without_a_fitting_reply_it_is_just_ok() -> None:
    assert answer("look", {"page": 2}).result == {"ok": True}
    assert answer("look", {"page": 1}).result == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "'order' is a required property"),
        ({"order": 7}, "order: 7 is not of type 'string'"),
        ({"order": "X"}, "order: 'X' does not match"),
        ({"order": "O-1", "how": "gold"}, "how: 'gold' is not one of"),
        ({"order": "O-1", "amount": 0}, "amount: 0 is less than or equal to"),
        ({"order": "O-1", "lines": [{"sku": "a"}, {}]}, "lines.1: 'sku' is a required property"),
        ({"order": "O-1", "else": 1}, "Additional properties are not allowed"),
        ("{broken", "not a JSON object"),
    ],
)
def test_bad_arguments_never_reach_it(arguments: Any, said: str) -> None:
    returned = answer("refund", arguments)
    assert not returned.permitted and returned.error is not None and said in returned.error["message"]


def test_several_things_wrong_are_told_at_once() -> None:
    error = answer("refund", {"order": 7, "how": "gold"}).error
    assert error is not None and "order:" in error["message"] and "how:" in error["message"]


def test_each_writing_call_is_a_row_and_a_refused_or_reading_one_is_none() -> None:
    events = calls(
        case(),
        ("refund", {"order": "O-1"}),
        ("look", {}),
        ("refund", {"order": "O-2"}),
        ("refund", {"order": "O-3"}),
    )
    patches = [operation for event in events if isinstance(event, Changed) for operation in event.patch]
    assert [(one["op"], one["path"]) for one in patches] == [
        ("add", "/desk/calls/call-1"),
        ("add", "/desk/calls/call-2"),
    ]
    assert patches[1]["value"] == {"id": "call-2", "tool": "refund", "arguments": {"order": "O-3"}}
    questions = Questions(case(), events)
    assert questions.did("desk.refund", {"order": "O-3"}) and not questions.did(
        "desk.refund", {"order": "O-2"}
    )
    assert questions.did("desk.look") and questions.value("/desk/calls/call-1/arguments/order") == "O-1"


def test_a_declared_toolset_comes_before_a_built_in_one_of_its_name() -> None:
    fields = scenario(
        agent={"name": "D", "policy": "p", "tools": ["mail"]}, toolsets={"mail": {"tools": [LOOK]}}
    )
    assert cases([loads(json.dumps(fields))])[0].offered == ("mail.look",)


def test_its_log_can_begin_with_rows() -> None:
    world = {"desk": {"calls": [{"id": "call-7", "tool": "refund", "arguments": {"order": "O-0"}}]}}
    events = calls(case(world=world), ("refund", {"order": "O-1"}))
    assert [event.patch[0]["path"] for event in events if isinstance(event, Changed)] == [
        "/desk/calls/call-8"
    ]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"type": "objekt"}, "is not JSON Schema at type"),
        ({"properties": {"a": {"pattern": "("}}}, "is not JSON Schema at properties.a.pattern"),
        (
            {"properties": {"a": {"$ref": "https://example.org/schema.json"}}},
            "must lead into the schema itself",
        ),
        ({"properties": {"a": {"$ref": "#/$defs/none"}}}, "must lead into the schema itself"),
    ],
)
def test_a_schema_that_is_none_is_told_on_loading_and_nothing_is_fetched(
    parameters: dict[str, Any], said: str
) -> None:
    tools = [{**LOOK, "parameters": parameters}]
    with pytest.raises(ScenarioError) as raised:
        loads(json.dumps(scenario(toolsets={"desk": {"tools": tools}}), indent=1), "own.yaml")
    assert said in str(raised.value) and "toolsets.desk.tools[0].parameters" in str(raised.value)
    assert raised.value.problems[0].line > 1


def test_a_declared_tools_name_is_a_slug() -> None:
    with pytest.raises(ScenarioError, match="is not a name"):
        loads(json.dumps(scenario(toolsets={"desk": {"tools": [{**LOOK, "name": "get-it"}]}})))
