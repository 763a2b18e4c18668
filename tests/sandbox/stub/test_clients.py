"""The real clients understand the stub: OpenAI's own, and litellm by the names that people write."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import litellm
import openai
import pytest
from litellm.exceptions import (
    APIConnectionError,
    AuthenticationError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    ServiceUnavailableError,
    Timeout,
)

from riskbox.sandbox.stub.script import (
    CUT,
    EMPTY,
    HTML,
    CallTool,
    Drop,
    Fail,
    Raw,
    Refuse,
    Say,
    SayJson,
    Slow,
    Usage,
)
from riskbox.sandbox.stub.server import Stub

ASKED = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is the weather in Pori?"},
]
PORI = {"city": "Pori", "days": 2}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Tells the weather.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
                "required": ["city", "days"],
            },
        },
    }
]
NAMES = [
    "openai/gpt-4o-mini",
    "openai/stub",
    "anthropic/claude-sonnet-4-5",
    "anthropic/stub",
    "ollama/stub",
    "ollama_chat/stub",
]
CHATS = [name for name in NAMES if not name.startswith("ollama/")]
both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """litellm keeps to itself, and forgets what a call switched on for all that follow."""
    monkeypatch.setattr(litellm, "suppress_debug_info", True)
    monkeypatch.setattr(litellm, "add_function_to_prompt", False)


def where(stub: Stub, name: str) -> dict[str, Any]:
    base = f"{stub.url}/v1" if name.startswith("openai/") else stub.url
    return {
        "model": name,
        "api_base": base,
        "api_key": "sk-test",
        "num_retries": 0,
        "max_retries": 0,
        "timeout": 10,
    }


async def complete(stub: Stub, name: str, *, stream: bool = False, messages: Any = ASKED, **more: Any) -> Any:
    """One call, streamed or not, as the same object."""
    if stream and name.startswith("openai/"):
        more["stream_options"] = {"include_usage": True}
    got = await litellm.acompletion(messages=messages, stream=stream, **where(stub, name), **more)
    if not stream:
        return got
    assert isinstance(got, AsyncIterator)
    chunks = [chunk async for chunk in got]
    return litellm.stream_chunk_builder(chunks, messages=messages)


def calls(got: Any) -> list[tuple[str, Any]]:
    made = got.choices[0].message.tool_calls or ()
    return [(one.function.name, json.loads(one.function.arguments)) for one in made]


# --- litellm ----------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("name", NAMES)
async def test_text(stub: Stub, name: str, stream: bool) -> None:
    stub.script(Say("It rains in Pori, and it is cold.", usage=Usage(120, 30)))
    got = await complete(stub, name, stream=stream)
    assert got.choices[0].message.content == "It rains in Pori, and it is cold."
    assert got.choices[0].finish_reason == "stop"
    assert (got.usage.prompt_tokens, got.usage.completion_tokens) == (120, 30)
    assert "What is the weather in Pori?" in stub.requests[-1].said
    assert stub.requests[-1].model == name.partition("/")[2]


@pytest.mark.parametrize("name", NAMES)
def test_text_without_a_loop(stub: Stub, name: str) -> None:
    stub.script("It rains.", "It rains on.")
    assert litellm.completion(messages=ASKED, **where(stub, name)).choices[0].message.content == "It rains."
    chunks = litellm.completion(messages=ASKED, stream=True, **where(stub, name))
    assert isinstance(chunks, Iterator)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "It rains on."


@pytest.mark.parametrize("name", ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"])
async def test_cached_tokens_and_cost(stub: Stub, name: str) -> None:
    stub.script(Say("Yes.", usage=Usage(1_000, 10, cached=800)), Say("Yes.", usage=Usage(1_000, 10)))
    cached, plain = [await complete(stub, name) for _ in range(2)]
    assert (cached.usage.prompt_tokens, cached.usage.prompt_tokens_details.cached_tokens) == (1_000, 800)
    assert 0 < litellm.completion_cost(cached) < litellm.completion_cost(plain)


@both
@pytest.mark.parametrize("name", CHATS)
async def test_calls_and_their_results(stub: Stub, name: str, stream: bool) -> None:
    other = {"city": "Vaasa", "days": 1}
    stub.script(Say(calls=(CallTool("weather", PORI), CallTool("weather", other))), "It rains in both.")
    got = await complete(stub, name, stream=stream, tools=TOOLS)
    assert calls(got) == [("weather", PORI), ("weather", other)]
    assert got.choices[0].finish_reason == "tool_calls"
    message = got.choices[0].message
    assert len({one.id for one in message.tool_calls}) == 2
    results = [
        {"role": "tool", "tool_call_id": one.id, "name": "weather", "content": "rain"}
        for one in message.tool_calls
    ]
    done = await complete(
        stub, name, stream=stream, tools=TOOLS, messages=[*ASKED, message.model_dump(), *results]
    )
    assert done.choices[0].message.content == "It rains in both."
    heard = stub.requests[-1].messages
    assert [one.role for one in heard[1:]] == ["user", "assistant", "tool", "tool"]
    assert heard[2].calls == ("weather", "weather") and heard[3].text == "rain"


async def test_calls_through_a_prompt(stub: Stub) -> None:
    """`ollama/` names have no tools: litellm writes them into the prompt and asks for JSON."""
    stub.script(CallTool("weather", PORI))
    got = await complete(stub, "ollama/stub", tools=TOOLS)
    assert calls(got) == [("weather", PORI)]
    assert "weather" in stub.requests[-1].said or "weather" in stub.requests[-1].system


@both
@pytest.mark.parametrize("name", NAMES)
async def test_json_by_schema(stub: Stub, name: str, stream: bool) -> None:
    schema = TOOLS[0]["function"]["parameters"]  # type: ignore[index]  # a literal above
    shape = {"type": "json_schema", "json_schema": {"name": "weather", "schema": schema}}
    got = json.loads(
        (await complete(stub, name, stream=stream, response_format=shape)).choices[0].message.content
    )
    assert isinstance(got["city"], str) and isinstance(got["days"], int)


@both
async def test_json_as_scripted(stub: Stub, stream: bool) -> None:
    stub.script(SayJson({"severity": 7}))
    got = await complete(stub, "openai/stub", stream=stream, response_format={"type": "json_object"})
    assert json.loads(got.choices[0].message.content) == {"severity": 7}


async def test_refusals(stub: Stub) -> None:
    stub.script(Refuse("No."), repeat=True)
    got = await complete(stub, "openai/stub")
    message = got.choices[0].message
    assert message.content is None and "No." in (
        getattr(message, "refusal", None) or str(message.provider_specific_fields)
    )
    assert (await complete(stub, "anthropic/stub")).choices[0].message.content == "No."
    assert (await complete(stub, "ollama_chat/stub")).choices[0].message.content == "No."


@both
@pytest.mark.parametrize("name", CHATS)
async def test_the_stub_plays_by_name(stub: Stub, name: str, stream: bool) -> None:
    provider = name.partition("/")[0]
    first = await complete(stub, f"{provider}/stub-calls", stream=stream, tools=TOOLS)
    assert [name for name, _ in calls(first)] == ["weather"]
    echo = await complete(stub, f"{provider}/stub-echo", stream=stream)
    assert echo.choices[0].message.content == ASKED[1]["content"]


FAULTS: list[tuple[Fail, type[Exception]]] = [
    (Fail(401), AuthenticationError),
    (Fail(404), NotFoundError),
    (Fail(429, retry_after=3), RateLimitError),
    (Fail(500), InternalServerError),
    (Fail(503), ServiceUnavailableError),
]


@pytest.mark.parametrize(("fail", "kind"), FAULTS, ids=[str(fail.status) for fail, _ in FAULTS])
@pytest.mark.parametrize("name", ["openai/stub", "anthropic/stub"])
@both
async def test_faults_are_told_apart(
    stub: Stub, name: str, fail: Fail, kind: type[Exception], stream: bool
) -> None:
    stub.script(fail, repeat=True)
    with pytest.raises(kind):
        await complete(stub, name, stream=stream)
    assert len(stub.requests) == 1


@pytest.mark.parametrize("name", ["ollama/stub", "ollama_chat/stub"])
async def test_faults_of_ollama(stub: Stub, name: str) -> None:
    stub.script(Fail(500), repeat=True)
    with pytest.raises(InternalServerError):
        await complete(stub, name)


async def test_retry_after_reaches_the_caller(stub: Stub) -> None:
    stub.script(Fail(429, retry_after=3), repeat=True)
    with pytest.raises(RateLimitError) as raised:
        await complete(stub, "openai/stub")
    response = getattr(raised.value, "response", None)
    assert response is not None and response.headers["retry-after"] == "3"


async def test_an_exhausted_quota_says_so(stub: Stub) -> None:
    stub.script(Fail(429, "insufficient_quota"), repeat=True)
    with pytest.raises(RateLimitError, match="exceeded your current quota"):
        await complete(stub, "openai/stub")


@pytest.mark.parametrize(
    "broken",
    [CUT, EMPTY, HTML, Drop(), Drop(30, "Cut.")],
    ids=["cut", "empty", "html", "drop", "drop-middle"],
)
@pytest.mark.parametrize("name", NAMES[::2])
async def test_broken_answers_raise(stub: Stub, name: str, broken: Raw | Drop) -> None:
    stub.script(broken, repeat=True)
    with pytest.raises(Exception) as raised:  # litellm has many kinds for this, and some are not its own
        await complete(stub, name)
    assert stub.requests, raised.value


@pytest.mark.parametrize("name", NAMES)
async def test_slow_answers_time_out(stub: Stub, name: str) -> None:
    stub.script(Slow(20, "Too late."), repeat=True)
    with pytest.raises((Timeout, APIConnectionError)):
        await litellm.acompletion(messages=ASKED, **{**where(stub, name), "timeout": 0.3})


# --- OpenAI's own client ----------------------------------------------------------------------------------------


@pytest.fixture
def client(stub: Stub) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{stub.url}/v1", api_key="sk-test", max_retries=0, timeout=10) as made:
        yield made


def test_openai_lists_models(client: openai.OpenAI) -> None:
    assert "stub-echo" in {model.id for model in client.models.list()}


def test_openai_calls_and_parses(stub: Stub, client: openai.OpenAI) -> None:
    from pydantic import BaseModel

    class Weather(BaseModel):
        city: str
        days: int

    stub.script(
        Say("Wait.", calls=(CallTool("weather", PORI),)),
        Refuse("No."),
        SayJson(PORI),
        Fail(429, retry_after=7),
    )
    messages: Any = ASKED
    tools: Any = TOOLS
    called = client.chat.completions.create(model="stub", messages=messages, tools=tools).choices[0]
    assert called.message.content == "Wait." and called.finish_reason == "tool_calls"
    assert called.message.tool_calls and called.message.tool_calls[0].type == "function"
    refused = client.chat.completions.parse(model="stub", messages=messages, response_format=Weather)
    assert (refused.choices[0].message.refusal, refused.choices[0].message.parsed) == ("No.", None)
    parsed = client.chat.completions.parse(model="stub", messages=messages, response_format=Weather)
    assert parsed.choices[0].message.parsed == Weather(city="Pori", days=2)
    with pytest.raises(openai.RateLimitError) as raised:
        client.chat.completions.create(model="stub", messages=messages)
    assert raised.value.code == "rate_limit_exceeded" and raised.value.response.headers["retry-after"] == "7"
    assert all(request.sent("sk-test") for request in stub.requests)


def test_openai_streams(stub: Stub, client: openai.OpenAI) -> None:
    stub.script(Say("It rains in Pori.", calls=(CallTool("weather", PORI),), usage=Usage(9, 5, cached=4)))
    messages: Any = ASKED
    with client.chat.completions.stream(
        model="stub", messages=messages, stream_options={"include_usage": True}
    ) as stream:
        got = stream.get_final_completion()
    message = got.choices[0].message
    assert message.content == "It rains in Pori." and message.tool_calls
    assert message.tool_calls[0].function.name == "weather"
    assert json.loads(message.tool_calls[0].function.arguments) == PORI
    assert (
        got.usage and got.usage.prompt_tokens_details and got.usage.prompt_tokens_details.cached_tokens == 4
    )
