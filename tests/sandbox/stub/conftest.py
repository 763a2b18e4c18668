"""Raw requests to the stub in each format, and their answers in one form."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from riskbox.sandbox.stub.server import Stub

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 7}},
    "required": ["city", "days"],
}
"""The arguments of the one tool that is offered."""
PATHS = {
    "openai": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "ollama": "/api/chat",
    "generate": "/api/generate",
}


@dataclass
class Heard:
    """What came back, whatever the format."""

    text: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    stop: str = ""
    prompt: int = 0
    completion: int = 0
    cached: int = 0
    refusal: str | None = None


def body(
    format: str, said: str = "Hello.", /, *, tools: Any = False, stream: bool = False, **more: Any
) -> dict[str, Any]:
    """A request in a format; `tools` offers the weather, or what it lists."""
    made: dict[str, Any] = {"model": "stub", "stream": stream}
    function = {"name": "weather", "description": "Tells the weather.", "parameters": WEATHER}
    if format == "generate":
        made["prompt"] = said
    else:
        made["messages"] = [{"role": "user", "content": said}]
    if format == "anthropic":
        made["max_tokens"] = 1000
    if format == "openai" and stream:
        made["stream_options"] = {"include_usage": True}
    if tools and format == "anthropic":
        made["tools"] = [{"name": "weather", "description": "Tells the weather.", "input_schema": WEATHER}]
    elif tools:
        made["tools"] = [{"type": "function", "function": function}]
    if isinstance(tools, list):
        made["tools"] = tools
    return {**made, **more}


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    """Keeps connections alive, and needs no certificates, which take long to read."""
    with httpx.Client(verify=False) as made:
        yield made


@pytest.fixture
def post(stub: Stub, client: httpx.Client) -> Callable[..., httpx.Response]:
    """Sends one request: `post("openai", "Hello.", stream=True)`."""

    def one(
        format: str, said: str = "Hello.", /, headers: Any = None, timeout: float = 10, **more: Any
    ) -> httpx.Response:
        sent = body(format, said, **more)
        return client.post(stub.url + PATHS[format], json=sent, headers=headers, timeout=timeout)

    return one


@pytest.fixture
def ask(post: Callable[..., httpx.Response]) -> Callable[..., Heard]:
    """Sends one request and reads the answer: `ask("openai", "Hello.", stream=True).text`."""

    def one(format: str, said: str = "Hello.", /, **more: Any) -> Heard:
        response = post(format, said, **more)
        assert response.status_code == 200, response.text
        return READ[format, "stream" in response.headers["content-type"]](response.text)

    return one


# --- reading, one function a format -----------------------------------------------------------------------------


def _openai(text: str) -> Heard:
    got = json.loads(text)
    choice = got["choices"][0]
    calls = choice["message"].get("tool_calls", [])
    return Heard(
        text=choice["message"]["content"] or "",
        calls=[(one["function"]["name"], json.loads(one["function"]["arguments"])) for one in calls],
        stop=choice["finish_reason"],
        prompt=got["usage"]["prompt_tokens"],
        completion=got["usage"]["completion_tokens"],
        cached=got["usage"]["prompt_tokens_details"]["cached_tokens"],
        refusal=choice["message"]["refusal"],
    )


def _openai_stream(text: str) -> Heard:
    events = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
    assert events[-1] == "[DONE]"
    chunks = [json.loads(one) for one in events[:-1]]
    found = Heard(refusal="")
    written: dict[int, list[str]] = {}
    for chunk in chunks[:-1]:
        assert chunk["usage"] is None
        choice = chunk["choices"][0]
        delta = choice["delta"]
        found.text += delta.get("content") or ""
        found.refusal += delta.get("refusal") or ""  # type: ignore[operator]  # it was set to a text above
        found.stop = choice["finish_reason"] or found.stop
        for call in delta.get("tool_calls", ()):
            if "id" in call:
                written[call["index"]] = [call["function"]["name"], ""]
            written[call["index"]][1] += call["function"]["arguments"]
    found.calls = [(name, json.loads(arguments)) for name, arguments in written.values()]
    found.refusal = found.refusal or None
    assert chunks[-1]["choices"] == []
    spent = chunks[-1]["usage"]
    found.prompt, found.completion = spent["prompt_tokens"], spent["completion_tokens"]
    found.cached = spent["prompt_tokens_details"]["cached_tokens"]
    return found


def _anthropic(text: str) -> Heard:
    got = json.loads(text)
    return Heard(
        text="".join(one["text"] for one in got["content"] if one["type"] == "text"),
        calls=[(one["name"], one["input"]) for one in got["content"] if one["type"] == "tool_use"],
        stop=got["stop_reason"],
        prompt=got["usage"]["input_tokens"] + got["usage"]["cache_read_input_tokens"],
        completion=got["usage"]["output_tokens"],
        cached=got["usage"]["cache_read_input_tokens"],
    )


def _anthropic_stream(text: str) -> Heard:
    found = Heard()
    names: dict[int, str] = {}
    inputs: dict[int, str] = {}
    kinds = []
    for event in filter(None, text.split("\n\n")):
        head, _, rest = event.partition("\n")
        one = json.loads(rest.removeprefix("data: "))
        assert head == f"event: {one['type']}"
        kinds.append(one["type"])
        match one:
            case {"type": "message_start", "message": {"usage": spent}}:
                found.cached = spent["cache_read_input_tokens"]
                found.prompt = spent["input_tokens"] + found.cached
            case {"type": "content_block_start", "content_block": {"type": "tool_use", "name": name}}:
                names[one["index"]], inputs[one["index"]] = name, ""
            case {"delta": {"type": "text_delta", "text": part}}:
                found.text += part
            case {"delta": {"type": "input_json_delta", "partial_json": part}}:
                inputs[one["index"]] += part
            case {"type": "message_delta"}:
                found.stop, found.completion = one["delta"]["stop_reason"], one["usage"]["output_tokens"]
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
    assert kinds.count("content_block_start") == kinds.count("content_block_stop")
    found.calls = [(names[at], json.loads(inputs[at])) for at in names]
    return found


def _ollama(text: str) -> Heard:
    found = Heard()
    lines = [json.loads(line) for line in text.splitlines()]
    for one in lines:
        found.text += one["message"]["content"]
        found.calls += [
            (call["function"]["name"], call["function"]["arguments"])
            for call in one["message"].get("tool_calls", ())
        ]
    return _done(found, lines)


def _generate(text: str) -> Heard:
    lines = [json.loads(line) for line in text.splitlines()]
    return _done(Heard(text="".join(one["response"] for one in lines)), lines)


def _done(found: Heard, lines: list[dict[str, Any]]) -> Heard:
    assert [one["done"] for one in lines] == [False] * (len(lines) - 1) + [True]
    last = lines[-1]
    found.stop, found.prompt, found.completion = (
        last["done_reason"],
        last["prompt_eval_count"],
        last["eval_count"],
    )
    return found


READ: dict[tuple[str, bool], Callable[[str], Heard]] = {
    ("openai", False): _openai,
    ("openai", True): _openai_stream,
    ("anthropic", False): _anthropic,
    ("anthropic", True): _anthropic_stream,
    ("ollama", False): _ollama,
    ("ollama", True): _ollama,
    ("generate", False): _generate,
    ("generate", True): _generate,
}
