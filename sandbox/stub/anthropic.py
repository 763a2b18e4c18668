"""Anthropic's messages."""

from __future__ import annotations

import re
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
    parsed,
    parts,
    text_of,
    usage,
    whole_number,
)

STREAM = "text/event-stream"
NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}

ERRORS = {
    400: ("invalid_request_error", "The request is not valid."),
    401: ("authentication_error", "invalid x-api-key"),
    403: ("permission_error", "Your API key may not use this."),
    404: ("not_found_error", "model not found"),
    413: ("request_too_large", "The request is too large."),
    429: ("rate_limit_error", "This request would exceed your rate limit."),
    500: ("api_error", "Internal server error"),
    504: ("timeout_error", "The request took too long."),
    529: ("overloaded_error", "Overloaded"),
}


# --- requests ---------------------------------------------------------------------------------------------------


def read(body: dict[str, Any]) -> Asked:
    """What a body asks for."""
    need(body, "max_tokens", int)
    tools = tuple(_tools(body))
    choice, forced = _choice(body.get("tool_choice"), tools)
    system = text_of(body.get("system"), "system")
    return Asked(
        model=need(body, "model", str),
        messages=(
            *([ChatMessage("system", system)] if system else []),
            *_messages(listed(body, "messages", least=1)),
        ),
        tools=tools,
        choice=choice,
        forced=forced,
        schema=_schema(body),
        limit=whole_number(body, "max_tokens"),
        stream=body.get("stream") is True,
        counted=True,
    )


def _messages(sent: list[dict[str, Any]]) -> Iterator[ChatMessage]:
    open_calls: set[str] = set()
    for place, one in enumerate(sent):
        where = f"messages.{place}"
        if one.get("role") not in ("user", "assistant"):
            raise BadRequest(f"{where}.role: {one.get('role')!r} is neither user nor assistant")
        blocks = one.get("content")
        blocks = (
            [{"type": "text", "text": blocks}]
            if isinstance(blocks, str)
            else listed(one, "content", f"{where}.")
        )
        if one["role"] == "assistant":
            calls = [block for block in blocks if block.get("type") == "tool_use"]
            open_calls = {need(call, "id", str, f"{where}.content.") for call in calls}
            names = tuple(need(call, "name", str, f"{where}.content.") for call in calls)
            yield ChatMessage("assistant", text_of(blocks, where), names)
            continue
        for block in blocks:
            if block.get("type") == "tool_result":
                if block.get("tool_use_id") not in open_calls:
                    raise BadRequest(
                        f"{where}: unexpected tool_use_id {block.get('tool_use_id')!r} in a tool_result"
                    )
                open_calls.remove(block["tool_use_id"])
                yield ChatMessage("tool", text_of(block.get("content"), where))
        if open_calls:
            raise BadRequest(
                f"{where}: tool_use ids without tool_result blocks: {', '.join(sorted(open_calls))}"
            )
        text = text_of([block for block in blocks if block.get("type") != "tool_result"], where)
        if text or not any(block.get("type") == "tool_result" for block in blocks):
            yield ChatMessage("user", text)


def _tools(body: dict[str, Any]) -> Iterator[OfferedTool]:
    for place, one in enumerate(listed(body, "tools")):
        name = need(one, "name", str, f"tools.{place}.")
        if not NAME.fullmatch(name):
            raise BadRequest(f"tools.{place}.name: {name!r} does not match '^{NAME.pattern}$'")
        yield OfferedTool(name, need(one, "input_schema", dict, f"tools.{place}."))


def _choice(given: Any, tools: tuple[OfferedTool, ...]) -> tuple[Choice, str]:
    match given:
        case None | {"type": "auto"}:
            return "auto", ""
        case {"type": "none"}:
            return "none", ""
        case {"type": "any"} if tools:
            return "required", ""
        case {"type": "tool", "name": str(name)} if any(tool.name == name for tool in tools):
            return "required", name
    raise BadRequest(f"tool_choice: {given!r} names no tool of this request")


def _schema(body: dict[str, Any]) -> dict[str, Any] | None:
    match body:
        case {"output_config": {"format": {"type": "json_schema", "schema": dict(schema)}}}:
            return schema
        case {"output_format": {"type": "json_schema", "schema": dict(schema)}}:
            return schema
    return None


# --- answers ----------------------------------------------------------------------------------------------------


def whole(request: StubRequest, said: Say) -> bytes:
    """The body of an answer in one piece."""
    content: list[dict[str, Any]] = [{"type": "text", "text": said.text}] if said.text else []
    for place, call in enumerate(said.calls):
        content.append({**_opened(request, said, place), "input": parsed(call)})
    message = _message(request, said)
    return encoded({**message, "content": content, "stop_reason": _stop(said)})


def pieces(request: StubRequest, said: Say) -> Iterator[bytes]:
    """The body of a streamed answer: server-sent events."""
    message = _message(request, said)
    started = {**message, "usage": message["usage"] and {**message["usage"], "output_tokens": 1}}
    yield _event("message_start", message=started)
    yield _event("ping")
    index = 0
    if said.text:
        yield _event("content_block_start", index=index, content_block={"type": "text", "text": ""})
        for part in parts(said.text):
            yield _event("content_block_delta", index=index, delta={"type": "text_delta", "text": part})
        yield _event("content_block_stop", index=index)
        index += 1
    for place, call in enumerate(said.calls):
        yield _event("content_block_start", index=index, content_block=_opened(request, said, place))
        for part in ("", *parts(arguments(call))):
            delta = {"type": "input_json_delta", "partial_json": part}
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
        index += 1
    stopped = {"stop_reason": _stop(said), "stop_sequence": None}
    written = {"output_tokens": message["usage"]["output_tokens"]} if said.metered else {}
    yield _event("message_delta", delta=stopped, usage=written)
    yield _event("message_stop")


def error(fail: Fail) -> bytes:
    """The body of an error."""
    kind, message = ERRORS.get(fail.status, ERRORS[500 if fail.status >= 500 else 400])
    told = {"type": fail.code or kind, "message": fail.message or message}
    return encoded({"type": "error", "error": told, "request_id": "req_stub"})


def _event(kind: str, **more: Any) -> bytes:
    return f"event: {kind}\ndata: ".encode() + encoded({"type": kind, **more}) + b"\n\n"


def _message(request: StubRequest, said: Say) -> dict[str, Any]:
    spent = usage(request, said)
    return {
        "id": f"msg_{request.digest:016x}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": spent.prompt - spent.cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": spent.cached,
            "output_tokens": spent.completion,
        }
        if said.metered
        else {},
    }


def _opened(request: StubRequest, said: Say, place: int) -> dict[str, Any]:
    call = said.calls[place]
    return {"type": "tool_use", "id": call_id(request, call, place, "toolu"), "name": call.name, "input": {}}


def _stop(said: Say) -> str:
    return "refusal" if said.refused else STOPS[said.finish or ("tool_calls" if said.calls else "stop")]
