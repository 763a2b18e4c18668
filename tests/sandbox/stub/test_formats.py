"""Every wire format carries the same things: text, calls, JSON, refusals, usage, streams; and refuses what its provider does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from riskbox.sandbox.stub.models import MODELS
from riskbox.sandbox.stub.script import CallTool, Refuse, Say, SayJson, Usage
from riskbox.sandbox.stub.server import Stub

Ask = Callable[..., Any]
Post = Callable[..., httpx.Response]

FORMATS = ["openai", "anthropic", "ollama", "generate"]
CHATS = ["openai", "anthropic", "ollama"]
STOP = {"openai": "stop", "anthropic": "end_turn", "ollama": "stop", "generate": "stop"}
CALLED = {"openai": "tool_calls", "anthropic": "tool_use", "ollama": "stop"}
LONG = "Zoë said: “no”.\n\t\x1b[31m" + "and so on, " * 50
both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@both
@pytest.mark.parametrize("format", FORMATS)
def test_text_and_usage(stub: Stub, ask: Ask, format: str, stream: bool) -> None:
    stub.script(Say(LONG, usage=Usage(120, 30, cached=100)))
    got = ask(format, stream=stream)
    assert (got.text, got.calls, got.stop) == (LONG, [], STOP[format])
    assert (got.prompt, got.completion) == (120, 30)
    assert got.cached == (100 if format in ("openai", "anthropic") else 0)


@both
@pytest.mark.parametrize("format", CHATS)
def test_calls_in_parallel_beside_text(stub: Stub, ask: Ask, format: str, stream: bool) -> None:
    first, second = {"city": "Pori", "days": 2}, {"city": 'a "quoted" \\ town', "days": 3}
    stub.script(Say("One moment.", calls=(CallTool("weather", first), CallTool("weather", second))))
    got = ask(format, tools=True, stream=stream)
    assert got.calls == [("weather", first), ("weather", second)]
    assert (got.text, got.stop) == ("One moment.", CALLED[format])


@both
@pytest.mark.parametrize("format", FORMATS)
def test_nothing_said(stub: Stub, ask: Ask, format: str, stream: bool) -> None:
    stub.script("")
    got = ask(format, stream=stream)
    assert (got.text, got.calls, got.stop, got.completion) == ("", [], STOP[format], 0)


@both
@pytest.mark.parametrize("format", FORMATS)
def test_json_as_text(stub: Stub, ask: Ask, format: str, stream: bool) -> None:
    stub.script(SayJson({"severity": 7, "why": ["é", None]}))
    assert json.loads(ask(format, stream=stream).text) == {"severity": 7, "why": ["é", None]}


@both
def test_a_refusal_has_a_place_of_its_own(stub: Stub, ask: Ask, stream: bool) -> None:
    stub.script(Refuse("No."), repeat=True)
    openai = ask("openai", stream=stream)
    assert (openai.text, openai.refusal, openai.stop) == ("", "No.", "stop")
    anthropic = ask("anthropic", stream=stream)
    assert (anthropic.text, anthropic.stop) == ("No.", "refusal")
    assert ask("ollama", stream=stream).text == "No."


@both
@pytest.mark.parametrize(
    ("format", "finish", "stop"),
    [
        ("openai", "length", "length"),
        ("openai", "content_filter", "content_filter"),
        ("anthropic", "length", "max_tokens"),
        ("anthropic", "content_filter", "refusal"),
        ("ollama", "length", "length"),
        ("generate", "length", "length"),
    ],
)
def test_other_ways_to_stop(stub: Stub, ask: Ask, format: str, finish: Any, stop: str, stream: bool) -> None:
    stub.script(Say("Once upon a", finish=finish))
    assert ask(format, stream=stream).stop == stop


def test_arguments_that_are_no_json(stub: Stub, post: Post) -> None:
    stub.script(CallTool("weather", '{"city": "Po'), repeat=True)
    message = post("openai", tools=True).json()["choices"][0]["message"]
    assert message["tool_calls"][0]["function"]["arguments"] == '{"city": "Po'
    assert post("anthropic", tools=True).json()["content"][0]["input"] == '{"city": "Po'


def test_a_lone_surrogate_comes_through_and_may_come_back(
    stub: Stub, post: Post, client: httpx.Client
) -> None:
    stub.script("odd: \ud83d", repeat=True)
    raw = post("openai")
    assert r"odd: \ud83d" in raw.text
    sent = b'{"model": "stub", "messages": [{"role": "user", "content": "odd: \\ud83d"}]}'
    assert client.post(f"{stub.url}/v1/chat/completions", content=sent).status_code == 200
    assert stub.requests[-1].said == "odd: \ud83d"


def test_call_ids_of_a_conversation_differ(stub: Stub, post: Post) -> None:
    stub.script(
        Say(calls=(CallTool("weather"), CallTool("weather"))),
        CallTool("weather"),
        CallTool("weather", id="x"),
    )
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Hi."}]
    seen = []
    for _ in range(3):
        message = post("openai", tools=True, messages=messages).json()["choices"][0]["message"]
        ids = [one["id"] for one in message["tool_calls"]]
        seen += ids
        messages += [message, *({"role": "tool", "tool_call_id": id, "content": "rain"} for id in ids)]
    assert len(set(seen)) == 4 and seen[-1] == "x"


def test_a_conversation_is_understood_alike_in_each_format(stub: Stub, post: Post) -> None:
    """So that the same question gets the same answer, whichever road it takes."""
    call = {"city": "Pori", "days": 1}
    openai = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": json.dumps(call)}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    ]  # fmt: skip
    anthropic = [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "c1", "name": "weather", "input": call}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "rain"}]},
    ]
    ollama = [
        *openai[:1],
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"function": {"name": "weather", "arguments": call}}],
        },
        {"role": "tool", "content": "rain"},
    ]
    post("openai", tools=True, messages=openai)
    post("anthropic", tools=True, messages=anthropic, system="Be brief.")
    post("ollama", tools=True, messages=ollama)
    one, *others = stub.requests
    assert [message.role for message in one.messages] == ["system", "user", "assistant", "tool"]
    assert (one.system, one.said, one.messages[2].calls) == ("Be brief.", "Weather?", ("weather",))
    for other in others:
        assert (other.messages, other.tools, other.digest) == (one.messages, one.tools, one.digest)
        assert other.tokens == one.tokens


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("openai", {"messages": []}, "messages must not be empty"),
    ("openai", {"messages": [{"role": "robot", "content": ""}]}, "'robot' is none of"),
    ("openai", {"messages": [{"role": "tool", "tool_call_id": "c1", "content": ""}]}, "must answer a preceding"),
    ("openai", {"messages": [{"role": "user", "content": 7}]}, "expected a text or a list of parts, got int"),
    ("openai", {"model": None}, "model must be of type str"),
    ("openai", {"n": 2}, "n must be 1"),
    ("openai", {"functions": []}, "functions is the old form of tools"),
    ("openai", {"max_tokens": 0}, "max_tokens must be a whole number and at least 1"),
    ("openai", {"tools": [{"type": "function", "function": {"name": "a.b"}}]}, "'a.b' does not match"),
    ("openai", {"tools": [{"type": "function", "function": {"name": "a", "parameters": []}}]}, "a JSON Schema"),
    ("openai", {"tool_choice": "required"}, "names no tool of this request"),
    ("openai", {"response_format": {"type": "json_schema"}}, "response_format must be"),
    ("anthropic", {"max_tokens": None}, "max_tokens must be of type int"),
    ("anthropic", {"messages": [{"role": "system", "content": "x"}]}, "neither user nor assistant"),
    ("anthropic", {"tools": [{"name": "a"}]}, "input_schema is missing"),
    ("anthropic", {"tool_choice": {"type": "tool", "name": "b"}}, "names no tool of this request"),
    ("ollama", {"messages": [{"role": "robot"}]}, "'robot' is none of"),
    ("ollama", {"format": "xml"}, "format must be json or a JSON Schema"),
    ("generate", {"options": 3}, "options must be an object"),
]  # fmt: skip


@pytest.mark.parametrize(("format", "wrong", "told"), BAD)
def test_what_a_provider_would_refuse(
    stub: Stub, post: Post, format: str, wrong: dict[str, Any], told: str
) -> None:
    response = post(format, **wrong)
    assert response.status_code == 400
    assert told in response.text.replace('\\"', '"')
    assert told in stub.errors.pop() and stub.requests == []


def test_calls_must_be_answered(stub: Stub, post: Post) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    calling = {"role": "assistant", "content": None, "tool_calls": [call]}
    start = {"role": "user", "content": "Hi."}
    use = {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "weather", "input": {}}]}
    assert post("openai", messages=[start, calling]).status_code == 400
    assert "no tool message answered these tool_call_ids: c1" in stub.errors.pop()
    assert post("openai", messages=[start, calling, start]).status_code == 400
    assert "messages[2]: no tool message answered" in stub.errors.pop()
    assert post("anthropic", messages=[start, use, start]).status_code == 400
    assert "tool_use ids without tool_result blocks: c1" in stub.errors.pop()
    stray = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": ""}]}
    assert post("anthropic", messages=[stray]).status_code == 400
    assert "unexpected tool_use_id 'c1'" in stub.errors.pop()


@pytest.mark.parametrize("sent", [b"", b"{", b"[]", b"null", b"\xff", b'{"model": "stub"}', b"[" * 100_000])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/api/chat", "/api/generate"])
def test_no_body_crashes_it(stub: Stub, path: str, sent: bytes, client: httpx.Client) -> None:
    response = client.post(stub.url + path, content=sent)
    assert response.status_code == 400 and "error" in response.json()
    assert stub.errors.pop()


def test_what_else_it_answers(stub: Stub, client: httpx.Client) -> None:
    names = set(MODELS)
    assert {"stub", "stub-echo", "stub-thinks"} < names
    assert {one["id"] for one in client.get(f"{stub.url}/v1/models").json()["data"]} == names
    assert {one["name"] for one in client.get(f"{stub.url}/api/tags").json()["models"]} == names
    assert "tools" in client.post(f"{stub.url}/api/show", json={"model": "stub"}).json()["capabilities"]


def test_another_path_says_what_there_is(stub: Stub, client: httpx.Client) -> None:
    wrong = client.post(f"{stub.url}/chat/completions", json={})
    assert wrong.status_code == 404
    assert "POST /v1/chat/completions" in wrong.json()["error"]["message"]
    assert client.get(f"{stub.url}/v1/messages", headers={"anthropic-version": "x"}).json()["type"] == "error"
