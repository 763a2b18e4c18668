"""The space of actions: what is one, what is none, and what is drawn from it."""

from __future__ import annotations

import copy
import json
import pickle
import re
from typing import Any

import numpy as np
import pytest
from gymnasium.error import InvalidAction
from jsonschema import Draft202012Validator

from riskbox.sandbox.gym import ActionSpace, ChatSpace, SandboxEnv
from riskbox.sandbox.gym.actions import DEEPEST
from riskbox.sandbox.registry.toolsets import TOOLSETS, Toolbox
from riskbox.sandbox.stores import record
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.toolspec import ToolSpec


def nested(deep: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(deep):
        found = {"a": found}
    return found


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (None, "Action()"),
        (5, "int"),
        (b"hello", "bytes"),
        ({"txt": "hello"}, "no key 'txt'. Did you mean 'text'"),
        ({"content": "a", "text": "b"}, "not both: content, text"),
        ({"text": 5}, "text: "),
        ({"calls": [{"name": "clinic.book_appointment"}]}, "calls.0"),
        ({"content": None, "tool_calls": [{"id": "x"}]}, "without a function name"),
        ({"content": None, "tool_calls": [{"function": None}]}, "Not an action"),
        ({"content": None, "tool_calls": 5}, "Not an action"),
        ({"calls": [{"tool": "a.b", "arguments": {"x": float("nan")}}]}, r"calls[0].arguments is not JSON"),
        ({"calls": [{"tool": "a.b", "arguments": {"x": {1, 2}}}]}, r"calls[0].arguments is not JSON"),
        ({"calls": [{"tool": "a.b", "arguments": nested(DEEPEST + 1)}]}, "nested at most"),
        (ToolCall(tool="a.b"), "no key 'arguments'"),
        (Action().model_copy(update={"text": 5}), "the wrong type"),
    ],
)
def test_what_is_no_action_is_told_and_changes_nothing(env: SandboxEnv, wrong: Any, told: str) -> None:
    env.reset(seed=1)
    before = env.episode()
    with pytest.raises(InvalidAction, match=re.escape(told)):
        env.step(wrong)
    assert wrong not in env.action_space
    assert env.episode().events == before.events
    env.step("Hello.")


@pytest.mark.parametrize("arguments", ['{"x": NaN}', '{"a":' * 100_000, "[1]", "", "nonsense"])
def test_a_models_malformed_calls_are_the_tools_to_refuse(env: SandboxEnv, arguments: str) -> None:
    function = {"name": "clinic__read_record", "arguments": arguments}
    env.reset(seed=1)
    *_, info = env.step(
        {"role": "assistant", "content": None, "tool_calls": [{"id": "x", "function": function}]}
    )
    assert [one["kind"] for one in info["events"]] == ["called", "returned"]
    assert info["events"][1]["error"]["code"] in ("malformed_arguments", "bad_arguments")
    record.pack(env.episode())


def test_messages_of_a_client_library_are_taken(env: SandboxEnv) -> None:
    class Reply:
        def model_dump(self) -> dict[str, Any]:
            return {
                "role": "assistant",
                "content": "Hello.",
                "tool_calls": None,
                "refusal": None,
                "audio": None,
            }

    env.reset(seed=1)
    assert env.step(Reply())[4]["events"][0]["text"] == "Hello."  # type: ignore[arg-type]


def test_samples_are_seeded_members_of_every_kind(env: SandboxEnv) -> None:
    space = copy.deepcopy(env.action_space)
    space.seed(9)
    env.action_space.seed(9)
    drawn = [space.sample() for _ in range(200)]
    assert drawn == [env.action_space.sample() for _ in range(200)]
    assert all(one in space for one in drawn)
    assert {call.tool for one in drawn for call in one.calls} == {spec.name for spec in space.tools}
    assert (
        {bool(one.text) for one in drawn}
        == {one.leave for one in drawn}
        == {one.waits for one in drawn}
        == {True, False}
    )
    assert space.from_jsonable(json.loads(json.dumps(space.to_jsonable(drawn)))) == drawn


@pytest.mark.parametrize("name", sorted(TOOLSETS))
def test_sampled_arguments_fit_the_schemas_of_all_toolsets(name: str) -> None:
    kind = Toolbox().find(name)
    space = ActionSpace(kind.spec().tools.values(), seed=1)
    schemas = {spec.name: Draft202012Validator(spec.parameters) for spec in space.tools}
    calls = [call for _ in range(300) for call in space.sample().calls]
    assert calls
    for call in calls:
        schemas[call.tool].validate(call.arguments)
        kind.tools()[call.tool.partition(".")[2]].validated(call.arguments)


def test_sampled_arguments_fit_what_no_toolset_of_ours_asks() -> None:
    parameters = {
        "type": "object",
        "required": ["tree", "list", "mixed", "step", "share", "below", "missing", "const", "short", "code"],
        "properties": {
            "tree": {"$ref": "#/$defs/node"},
            "list": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "boolean"}},
            "mixed": {"type": ["null", "integer"]},
            "step": {"type": "integer", "exclusiveMinimum": 10, "maximum": 25, "multipleOf": 5},
            "share": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
            "below": {"type": "integer", "maximum": -5},
            "const": {"const": {"a": [1]}},
            "short": {"type": "string", "minLength": 2, "maxLength": 3},
            "code": {"type": "string", "pattern": "^[A-Z]-\\d+$"},
        },
        "$defs": {
            "node": {
                "type": "object",
                "required": ["next"],
                "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
            }
        },
    }
    space = ActionSpace([ToolSpec(name="a.b", description="", parameters=parameters)], seed=2)
    found = [call.arguments for _ in range(300) for call in space.sample().calls]
    for one in found:
        Draft202012Validator(parameters).validate(one)
    assert {one["step"] for one in found if isinstance(one, dict)} == {15, 20, 25}


def test_spaces_are_pickled_copied_and_compared() -> None:
    moves, chats = ActionSpace(Toolbox().find("clinic").spec().tools.values(), seed=1), ChatSpace(seed=1)
    for space in (moves, chats):
        twins = pickle.loads(pickle.dumps(space)), copy.deepcopy(space)
        expected = space.sample()
        assert all(twin == space and twin.sample() == expected for twin in twins)
        assert expected in space and not space.is_np_flattenable
        with pytest.raises(ValueError):
            space.sample(mask=np.ones(2))  # type: ignore[arg-type]
    assert moves != chats and moves == ActionSpace()
    drawn = [chats.sample() for _ in range(20)]
    assert chats.from_jsonable(json.loads(json.dumps(chats.to_jsonable(drawn)))) == drawn
