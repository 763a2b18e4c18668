"""OpenAI's chat completions, which most servers that people run themselves speak too."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

from riskbox.sandbox.stub.request import Asked, BadRequest, ChatMessage, Choice, OfferedTool, StubRequest
from riskbox.sandbox.stub.script import Fail, Say
from riskbox.sandbox.stub.wire import (
    arguments,
    call_id,
    encoded,
    listed,
    need,
    parts,
    schema_of,
    text_of,
    usage,
    whole_number,
)

STREAM = "text/event-stream"
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
ROLES = frozenset({"system", "developer", "user", "assistant", "tool"})

WINDOW = 131_072
"""Tokens that the stub's models are said to read at once."""
ERRORS = {
    400: ("invalid_request_error", None, "The request is not valid."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: ("invalid_request_error", "unsupported_country_region_territory", "You may not do this."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached. Please try again later."),
    500: ("server_error", None, "The server had an error while processing your request."),
    503: ("server_error", "service_unavailable", "The server is overloaded or not ready yet."),
}  # fmt: skip
QUOTA = "You exceeded your current quota, please check your plan and billing details."


# --- requests ---------------------------------------------------------------------------------------------------


def read(body: dict[str, Any]) -> Asked:
    """What a body asks for."""
    if body.get("n") not in (None, 1):
        raise BadRequest("n must be 1: the stub gives one answer a request")
    if "functions" in body:
        raise BadRequest("functions is the old form of tools, which the stub does not have")
    tools = tuple(_tools(body))
    choice, forced = _choice(body.get("tool_choice"), tools)
    options = body.get("stream_options")
    return Asked(
        model=need(body, "model", str),
        messages=_messages(listed(body, "messages", least=1)),
        tools=tools,
        choice=choice,
        forced=forced,
        schema=_schema(body.get("response_format")),
        limit=whole_number(body, "max_completion_tokens", "max_tokens"),
        seed=body.get("seed"),
        stream=body.get("stream") is True,
        counted=isinstance(options, dict) and options.get("include_usage") is True,
    )


def _messages(sent: list[dict[str, Any]]) -> tuple[ChatMessage, ...]:
    found = []
    open_calls: set[str] = set()
    for place, one in enumerate(sent):
        where = f"messages[{place}]"
        role = one.get("role")
        if role not in ROLES:
            raise BadRequest(f"{where}.role: {role!r} is none of {', '.join(sorted(ROLES))}")
        if role == "tool":
            if one.get("tool_call_id") not in open_calls:
                raise BadRequest(f"{where}: a message with role 'tool' must answer a preceding tool_calls")
            open_calls.remove(one["tool_call_id"])
        elif open_calls:
            raise BadRequest(
                f"{where}: no tool message answered these tool_call_ids: {', '.join(open_calls)}"
            )
        calls = []
        for at, call in enumerate(listed(one, "tool_calls", f"{where}.")):
            inside = f"{where}.tool_calls[{at}]."
            function = need(call, "function", dict, inside)
            need(function, "arguments", str, inside + "function.")
            open_calls.add(need(call, "id", str, inside))
            calls.append(need(function, "name", str, inside + "function."))
        found.append(
            ChatMessage(
                "system" if role == "developer" else role, text_of(one.get("content"), where), tuple(calls)
            )
        )
    if open_calls:
        raise BadRequest(f"no tool message answered these tool_call_ids: {', '.join(open_calls)}")
    return tuple(found)


def _tools(body: dict[str, Any]) -> Iterator[OfferedTool]:
    for place, one in enumerate(listed(body, "tools")):
        function = need(one, "function", dict, f"tools[{place}].")
        name = need(function, "name", str, f"tools[{place}].function.")
        if not NAME.fullmatch(name):
            raise BadRequest(f"tools[{place}].function.name: {name!r} does not match '^{NAME.pattern}$'")
        yield OfferedTool(name, schema_of(function, "parameters", f"tools[{place}].function."))


def _choice(given: Any, tools: tuple[OfferedTool, ...]) -> tuple[Choice, str]:
    match given:
        case None | "auto":
            return "auto", ""
        case "none":
            return "none", ""
        case "required" if tools:
            return "required", ""
        case {"type": "function", "function": {"name": str(name)}} if any(
            tool.name == name for tool in tools
        ):
            return "required", name
    raise BadRequest(f"tool_choice {given!r} names no tool of this request")


def _schema(given: Any) -> dict[str, Any] | None:
    match given:
        case None | {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return {}
        case {"type": "json_schema", "json_schema": {"name": str(), "schema": dict(schema)}}:
            return schema
    raise BadRequest("response_format must be text, json_object, or json_schema with a name and a schema")


# --- answers ----------------------------------------------------------------------------------------------------


def whole(request: StubRequest, said: Say) -> bytes:
    """The body of an answer in one piece."""
    refusal = said.text if said.refused else None
    message: dict[str, Any] = {"role": "assistant", "content": _content(said), "refusal": refusal}
    if said.calls:
        message["tool_calls"] = _calls(request, said)
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(said)}
    spent = {"usage": _usage(request, said)} if said.metered else {}
    return encoded({**_head(request, "chat.completion"), "choices": [choice], **spent})


def pieces(request: StubRequest, said: Say) -> Iterator[bytes]:
    """The body of a streamed answer: server-sent events."""
    head = _head(request, "chat.completion.chunk")
    counted = {"usage": None} if request.asked.counted and said.metered else {}

    def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return b"data: " + encoded({**head, "choices": [choice], **counted}) + b"\n\n"

    yield event(
        {"role": "assistant", "content": None if said.calls and not said.text else "", "refusal": None}
    )
    for part in parts(said.text):
        yield event({"refusal" if said.refused else "content": part})
    for place, call in enumerate(_calls(request, said)):
        opened = {**call, "index": place, "function": {"name": call["function"]["name"], "arguments": ""}}
        yield event({"tool_calls": [opened]})
        for part in parts(call["function"]["arguments"]):
            yield event({"tool_calls": [{"index": place, "function": {"arguments": part}}]})
    yield event({}, _finish(said))
    if counted:
        yield b"data: " + encoded({**head, "choices": [], "usage": _usage(request, said)}) + b"\n\n"
    yield b"data: [DONE]\n\n"


def error(fail: Fail) -> bytes:
    """The body of an error."""
    kind, code, message = ERRORS.get(fail.status, ERRORS[500 if fail.status >= 500 else 400])
    if fail.code == "insufficient_quota":
        kind, message = fail.code, QUOTA
    return encoded(
        {
            "error": {
                "message": fail.message or message,
                "type": kind,
                "param": None,
                "code": fail.code or code,
            }
        }
    )


def models(names: list[str]) -> bytes:
    """The body of a list of models."""
    return encoded(
        {"object": "list", "data": [{"id": one, "object": "model", "created": 0, "owned_by": "stub", "max_model_len": WINDOW} for one in names]}
    )  # fmt: skip


def _head(request: StubRequest, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{request.digest:016x}",
        "object": kind,
        "created": int(time.time()),
        "model": request.model,
        "system_fingerprint": "fp_stub",
    }


def _content(said: Say) -> str | None:
    return None if said.refused or (said.calls and not said.text) else said.text


def _calls(request: StubRequest, said: Say) -> list[dict[str, Any]]:
    return [
        {
            "id": call_id(request, call, place, "call"),
            "type": "function",
            "function": {"name": call.name, "arguments": arguments(call)},
        }
        for place, call in enumerate(said.calls)
    ]


def _finish(said: Say) -> str:
    return said.finish or ("tool_calls" if said.calls else "stop")


def _usage(request: StubRequest, said: Say) -> dict[str, Any]:
    spent = usage(request, said)
    return {
        "prompt_tokens": spent.prompt,
        "completion_tokens": spent.completion,
        "total_tokens": spent.prompt + spent.completion,
        "prompt_tokens_details": {"cached_tokens": spent.cached},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
