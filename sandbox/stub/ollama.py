"""Ollama's chat, and what is asked about its models."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from riskbox.sandbox.stub.request import Asked, BadRequest, ChatMessage, OfferedTool, StubRequest
from riskbox.sandbox.stub.script import Fail, Say
from riskbox.sandbox.stub.wire import (
    call_id,
    encoded,
    listed,
    need,
    parsed,
    parts,
    schema_of,
    text_of,
    usage,
    whole_number,
)

STREAM = "application/x-ndjson"
ROLES = frozenset({"system", "user", "assistant", "tool"})

ERRORS = {
    400: "invalid request",
    401: "unauthorized",
    404: "model not found",
    429: "too many requests",
    500: "internal server error",
    503: "server busy, please try again. maximum pending requests exceeded",
}


# --- requests ---------------------------------------------------------------------------------------------------


def read(body: dict[str, Any]) -> Asked:
    """What a body asks for."""
    tools = tuple(_tools(body))
    return Asked(messages=tuple(_messages(listed(body, "messages", least=1))), tools=tools, **settings(body))


def settings(body: dict[str, Any]) -> dict[str, Any]:
    """What chat and generate have in common."""
    options = body.get("options") or {}
    if not isinstance(options, dict):
        raise BadRequest("options must be an object")
    return {
        "model": need(body, "model", str),
        "schema": _schema(body.get("format")),
        "limit": max(0, whole_number(options, "num_predict", least=-2)),
        "seed": options.get("seed"),
        "stream": body.get("stream") is not False,
        "counted": True,
    }


def _schema(given: Any) -> dict[str, Any] | None:
    match given:
        case None | "":
            return None
        case "json":
            return {}
        case dict():
            return given
    raise BadRequest("format must be json or a JSON Schema")


def _messages(sent: list[dict[str, Any]]) -> Iterator[ChatMessage]:
    for place, one in enumerate(sent):
        where = f"messages[{place}]"
        if one.get("role") not in ROLES:
            raise BadRequest(f"{where}.role: {one.get('role')!r} is none of {', '.join(sorted(ROLES))}")
        calls = []
        for at, call in enumerate(listed(one, "tool_calls", f"{where}.")):
            function = need(call, "function", dict, f"{where}.tool_calls[{at}].")
            need(function, "arguments", dict, f"{where}.tool_calls[{at}].function.")
            calls.append(need(function, "name", str, f"{where}.tool_calls[{at}].function."))
        yield ChatMessage(one["role"], text_of(one.get("content"), where), tuple(calls))


def _tools(body: dict[str, Any]) -> Iterator[OfferedTool]:
    for place, one in enumerate(listed(body, "tools")):
        function = need(one, "function", dict, f"tools[{place}].")
        name = need(function, "name", str, f"tools[{place}].function.")
        yield OfferedTool(name, schema_of(function, "parameters", f"tools[{place}].function."))


# --- answers ----------------------------------------------------------------------------------------------------


def whole(request: StubRequest, said: Say) -> bytes:
    """The body of an answer in one piece."""
    message: dict[str, Any] = {"role": "assistant", "content": said.text}
    if said.calls:
        message["tool_calls"] = _calls(request, said)
    return encoded({**head(request), "message": message, **done(request, said)})


def pieces(request: StubRequest, said: Say) -> Iterator[bytes]:
    """The body of a streamed answer: a line of JSON a piece."""

    def line(message: dict[str, Any], **more: Any) -> bytes:
        return (
            encoded({**head(request), "message": {"role": "assistant", **message}, "done": False, **more})
            + b"\n"
        )

    for part in parts(said.text):
        yield line({"content": part})
    if said.calls:
        yield line({"content": "", "tool_calls": _calls(request, said)})
    yield line({"content": ""}, **done(request, said))


def error(fail: Fail) -> bytes:
    """The body of an error."""
    message = ERRORS.get(fail.status, ERRORS[500 if fail.status >= 500 else 400])
    return encoded({"error": fail.message or message})


def head(request: StubRequest) -> dict[str, Any]:
    """What every answer and every piece of one begins with."""
    return {"model": request.model, "created_at": datetime.now(UTC).isoformat().replace("+00:00", "Z")}


def done(request: StubRequest, said: Say) -> dict[str, Any]:
    """What an answer ends with."""
    ended = {"done": True, "done_reason": "length" if said.finish == "length" else "stop"}
    if not said.metered:
        return ended
    spent = usage(request, said)
    return {
        **ended,
        "total_duration": 1_000_000,
        "load_duration": 0,
        "prompt_eval_count": spent.prompt,
        "prompt_eval_duration": 500_000,
        "eval_count": spent.completion,
        "eval_duration": 500_000,
    }


def _calls(request: StubRequest, said: Say) -> list[dict[str, Any]]:
    return [
        {
            "id": call_id(request, call, place, "call"),
            "function": {"index": place, "name": call.name, "arguments": parsed(call)},
        }
        for place, call in enumerate(said.calls)
    ]


# --- models -----------------------------------------------------------------------------------------------------


def tags(names: list[str]) -> bytes:
    """The body of a list of models."""
    details = {
        "format": "gguf",
        "family": "stub",
        "families": ["stub"],
        "parameter_size": "0B",
        "quantization_level": "",
    }
    return encoded(
        {
            "models": [
                {"name": one, "model": one, "modified_at": "2026-01-01T00:00:00Z", "size": 0, "digest": "0" * 64,
                 "details": details}
                for one in names
            ]
        }
    )  # fmt: skip


def show() -> bytes:
    """The body of what is told about any model: that it takes tools, and how much it reads."""
    return encoded(
        {
            "modelfile": "",
            "parameters": "",
            "template": "{{ .System }} {{ .Tools }} {{ .Prompt }}",
            "details": {"family": "stub", "parameter_size": "0B"},
            "model_info": {"general.architecture": "stub", "stub.context_length": 131072},
            "capabilities": ["completion", "tools"],
        }
    )
