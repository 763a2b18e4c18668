"""Without a script the model's name decides, and the same question gets the same answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.stub.server import Stub, running

Ask = Callable[..., Any]
Post = Callable[..., httpx.Response]

FORMATS = ["openai", "anthropic", "ollama", "generate"]
CHATS = FORMATS[:3]
FIT = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 7}},
    "required": ["city", "days"],
}


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_question_gets_the_same_answer(ask: Ask, format: str) -> None:
    first = [ask(format, f"Question {place}.") for place in range(12)]
    assert [ask(format, f"Question {place}.") for place in range(12)] == first
    assert len({one.text for one in first}) > 2
    assert all(one.text and one.prompt and one.completion for one in first)


def test_and_so_in_every_format(ask: Ask) -> None:
    for place in range(6):
        one, *others = (ask(format, f"Question {place}.", tools=True) for format in CHATS)
        assert [(other.text, other.calls) for other in others] == [(one.text, one.calls)] * 2


def test_seeds_make_a_difference(ask: Ask, client: httpx.Client) -> None:
    assert len({ask("openai", seed=seed).text for seed in range(12)}) > 2
    answers = set()
    for seed in range(12):
        with running(Stub(seed=seed)) as stub:
            sent = {"model": "stub", "messages": [{"role": "user", "content": "Hi."}]}
            got = client.post(f"{stub.url}/v1/chat/completions", json=sent).json()
            answers.add(got["choices"][0]["message"]["content"])
    assert len(answers) > 2


@pytest.mark.parametrize("format", CHATS)
def test_tools_are_called_now_and_then(ask: Ask, format: str) -> None:
    got = [ask(format, f"Question {place}.", tools=True) for place in range(30)]
    called = [one for one in got if one.calls]
    assert 3 < len(called) < 27
    for one in called:
        assert [name for name, _ in one.calls] == ["weather"]
        jsonschema.validate(one.calls[0][1], FIT)


def test_a_tool_that_must_be_called(ask: Ask) -> None:
    choices: list[tuple[str, Any]] = [
        ("openai", "required"),
        ("openai", {"type": "function", "function": {"name": "weather"}}),
        ("anthropic", {"type": "any"}),
        ("anthropic", {"type": "tool", "name": "weather"}),
    ]
    for format, choice in choices:
        for place in range(5):
            assert ask(format, f"Question {place}.", tools=True, tool_choice=choice).calls


def test_a_tool_that_must_not(ask: Ask) -> None:
    for format, none in (("openai", "none"), ("anthropic", {"type": "none"})):
        for model in ("stub", "stub-calls"):
            for place in range(8):
                got = ask(format, f"Question {place}.", tools=True, tool_choice=none, model=model)
                assert got.text and not got.calls


def test_after_a_result_it_speaks(ask: Ask) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    for model in ("stub", "stub-calls"):
        for place in range(8):
            messages = [
                {"role": "user", "content": f"Question {place}."},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "c1", "content": "rain"},
            ]
            got = ask("openai", tools=True, messages=messages, model=model)
            assert got.text and not got.calls


SHAPES: list[tuple[str, dict[str, Any]]] = [
    ("openai", {"response_format": {"type": "json_schema", "json_schema": {"name": "fit", "schema": FIT}}}),
    ("anthropic", {"output_config": {"format": {"type": "json_schema", "schema": FIT}}}),
    ("anthropic", {"output_format": {"type": "json_schema", "schema": FIT}}),
    ("ollama", {"format": FIT}),
    ("generate", {"format": FIT}),
]


@pytest.mark.parametrize(("format", "shape"), SHAPES)
@pytest.mark.parametrize("model", ["stub", "stub-calls"])
def test_json_that_fits(ask: Ask, format: str, shape: dict[str, Any], model: str) -> None:
    got = [json.loads(ask(format, f"Question {place}.", model=model, **shape).text) for place in range(8)]
    for one in got:
        jsonschema.validate(one, FIT)
    assert len({json.dumps(one) for one in got}) > 1


def test_any_json(ask: Ask) -> None:
    assert isinstance(json.loads(ask("openai", response_format={"type": "json_object"}).text), dict)
    assert isinstance(json.loads(ask("ollama", format="json").text), dict)


def test_a_schema_that_nothing_fits(stub: Stub, post: Post) -> None:
    response = post("ollama", format={"type": "integer", "minimum": 3, "maximum": 2})
    assert response.status_code == 400
    assert "found no value that fits the schema" in response.json()["error"]
    assert stub.errors == []


@pytest.mark.parametrize("format", CHATS)
def test_the_other_names(ask: Ask, format: str) -> None:
    said = "A word, please."
    assert ask(format, said, model="stub-echo").text == said
    assert ask(format, said, model="stub-silent").text == ""
    refused = ask(format, said, model="stub-refuses", tools=True)
    assert (refused.refusal or refused.text).startswith("I'm sorry") and not refused.calls
    for place in range(6):
        assert ask(format, f"Question {place}.", model="stub-calls", tools=True).calls
        assert ask(format, f"Question {place}.", model="stub-calls").text


def test_names_of_real_models_are_played_and_misspelt_ones_are_not(ask: Ask, post: Post) -> None:
    assert ask("openai", model="gpt-4o-mini").text
    assert ask("anthropic", model="claude-sonnet-4-5").text
    wrong = post("openai", model="stub-eko")
    assert wrong.status_code == 404 and "Did you mean 'stub-echo'?" in wrong.json()["error"]["message"]


@pytest.mark.parametrize(
    ("format", "limit"),
    [("openai", {"max_tokens": 2}), ("openai", {"max_completion_tokens": 2}), ("anthropic", {"max_tokens": 2}),
     ("ollama", {"options": {"num_predict": 2}})],
)  # fmt: skip
def test_answers_are_cut_where_the_request_says(ask: Ask, format: str, limit: dict[str, Any]) -> None:
    got = ask(format, "A sentence that is long.", model="stub-echo", **limit)
    assert (got.text, got.completion) == ("A senten", 2)
    assert got.stop in ("length", "max_tokens")
    assert ask("ollama", "All of it.", model="stub-echo", options={"num_predict": -1}).text == "All of it."


def test_usage_is_estimated(ask: Ask) -> None:
    short, long = ask("openai", "a" * 40), ask("openai", "a" * 4_000)
    assert 10 <= short.prompt < 20 and 1_000 <= long.prompt < 1_010
    assert ask("openai", "a" * 40, tools=True).prompt > short.prompt + 20
    assert ask("openai", "b" * 400, model="stub-echo").completion == 100


# --- any schema -------------------------------------------------------------------------------------------------


def _bounded(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    def one(least: int, span: int, kept: set[str]) -> dict[str, Any]:
        bounds = {"minimum": least, "maximum": least + span}
        return {"type": kind, **{name: bounds[name] for name in sorted(kept)}}

    return st.builds(
        one, st.integers(-50, 50), st.integers(0, 20), st.sets(st.sampled_from(["minimum", "maximum"]))
    )


LEAVES = st.one_of(
    _bounded("integer"),
    _bounded("number"),
    st.builds(
        lambda least, more: {"type": "string", "minLength": least, "maxLength": least + more},
        st.integers(0, 60),
        st.integers(0, 30),
    ),
    st.sampled_from([{"type": "string"}, {"type": "boolean"}, {"type": "null"}, {"const": "só"}, {}]),
    st.lists(st.one_of(st.text(max_size=5), st.integers(), st.none()), min_size=1, max_size=4).map(
        lambda values: {"enum": values}
    ),
    st.sampled_from(["leaf", "node"]).map(lambda name: {"$ref": f"#/$defs/{name}"}),
)
NAMES = st.sampled_from(["city", "days", "who", "score", "evidence", "why"])


def _grown(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.builds(
            lambda items, least, more: {
                "type": "array",
                "items": items,
                "minItems": least,
                "maxItems": least + more,
            },
            inner,
            st.integers(0, 4),
            st.integers(0, 3),
        ),
        st.builds(
            lambda properties, required, closed: {
                "type": "object",
                "properties": properties,
                "required": sorted(required & properties.keys()),
                "additionalProperties": not closed,
            },
            st.dictionaries(NAMES, inner, max_size=4),
            st.sets(NAMES),
            st.booleans(),
        ),
        st.lists(inner, min_size=1, max_size=3).map(lambda options: {"anyOf": options}),
    )


SCHEMAS = st.recursive(LEAVES, _grown, max_leaves=8).map(
    lambda schema: {
        **schema,
        "$defs": {
            "leaf": {"type": "string", "enum": ["a", "b"]},
            "node": {
                "type": "object",
                "properties": {
                    "value": {"type": "integer"},
                    "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                    "more": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                },
                "required": ["value", "next"],
            },
        },
    }
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running() as stub:
        yield stub.url


@given(schema=SCHEMAS, seed=st.integers(0, 9))
@settings(max_examples=150, deadline=None)
def test_any_schema_of_ours_is_satisfied(
    url: str, client: httpx.Client, schema: dict[str, Any], seed: int
) -> None:
    sent = {
        "model": "stub",
        "seed": seed,
        "messages": [{"role": "user", "content": "Hi."}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "any", "schema": schema}},
    }
    response = client.post(f"{url}/v1/chat/completions", json=sent, timeout=30)
    assert response.status_code == 200, response.text
    jsonschema.validate(json.loads(response.json()["choices"][0]["message"]["content"]), schema)
