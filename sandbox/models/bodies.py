"""Bodies of answers in other forms than a chat completion, as one: a stream that nobody asked for, a message of Anthropic's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from riskbox.sandbox.models import failures
from riskbox.sandbox.models.transport import TransportError

FIELD = re.compile(r"\s*(data|event|id|retry)?:")
"""How a stream of events begins; a line without a name is a comment."""
END = "[DONE]"
"""What ends a stream of chat completions."""
SET = frozenset(("role", "name", "id", "type", "format", "index"))
"""Texts that come whole, however often they come."""


def streamed(text: str) -> dict[str, Any] | None:
    """The chat completion that a stream of events holds; None if the text is no stream.

    A message of Anthropic's becomes one. Some servers answer with a stream although none was asked for: with the whole message in one event, or in pieces.

    Raises:
        TransportError: it broke off before its end, or holds events of another kind: `malformed`, which may be retried.
    """
    text = text.lstrip("\ufeff")
    if not FIELD.match(text):
        return None
    events = list(_events(text))
    found = [one for one in events if isinstance(one, dict)]
    if (of_anthropic := _message(found)) is not None:
        return of_message(of_anthropic)
    for one in found:
        is_known = isinstance(one.get("choices"), list) or one.get("error") or one.get("object") == "error"
        if is_known and failures.told(one) is not None:
            return one
    choices = [choice for one in found for choice in _choices(one)]
    whole = next((one for one in found for choice in _choices(one) if choice.get("message")), None)
    if whole is not None:
        return whole
    finish = next((one["finish_reason"] for one in reversed(choices) if one.get("finish_reason")), None)
    if not choices or (finish is None and END not in events):
        told = f"the server answers as a stream, which holds no whole answer: {text[:120]!r}"
        raise TransportError("malformed", told, retryable=True)
    message: dict[str, Any] = {}
    for one in choices:
        delta = one.get("delta")
        _add(message, delta if isinstance(delta, dict) else {})
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        message["tool_calls"] = _joined(calls)
    usage = next((one["usage"] for one in reversed(found) if one.get("usage")), None)
    return {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}


def _events(text: str) -> Iterator[Any]:
    """What each event holds: JSON, or the text that ends the stream."""
    for event in re.split(r"(?:\r\n|\r|\n){2,}", text):
        lines = (
            line.removeprefix("data:").strip() for line in event.splitlines() if line.startswith("data:")
        )
        told = "\n".join(lines)
        try:
            yield told if told == END else json.loads(told)
        except (ValueError, RecursionError):
            # events without an empty line between them
            for line in told.splitlines():
                try:
                    yield line if line == END else json.loads(line)
                except (ValueError, RecursionError):
                    continue


def _message(events: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The message of Anthropic's that such events hold, whole or in pieces; None if they hold none, or not its end."""
    message: dict[str, Any] = {}
    blocks: dict[Any, dict[str, Any]] = {}
    for one in events:
        given = one.get("delta")
        delta: dict[str, Any] = given if isinstance(given, dict) else {}
        match one.get("type"):
            case "message":
                return dict(one)
            case "message_start" if isinstance(one.get("message"), dict):
                message = {**one["message"], "stop_reason": None}
            case "content_block_start" if isinstance(one.get("content_block"), dict):
                blocks[one.get("index")] = {**one["content_block"]}
            case "content_block_delta":
                _add(blocks.setdefault(one.get("index"), {}), {k: v for k, v in delta.items() if k != "type"})
            case "message_delta":
                usage = {**(message.get("usage") or {}), **(one.get("usage") or {})}
                message = {**message, **delta, "usage": usage}
    for block in blocks.values():
        if "partial_json" in block:
            block["input"] = block.pop("partial_json")
    return (
        {**message, "type": "message", "content": list(blocks.values())}
        if message.get("stop_reason")
        else None
    )


def _choices(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The choices of an event that are of the first answer."""
    listed = event.get("choices")
    found = listed if isinstance(listed, list) else []
    return [one for one in found if isinstance(one, dict) and not one.get("index")]


def _add(whole: dict[str, Any], piece: Mapping[str, Any]) -> None:
    """Add a piece to what came before it: texts and lists grow, objects are filled, the rest is set."""
    for key, value in piece.items():
        before = whole.get(key)
        if value is None:
            whole.setdefault(key, None)
        elif isinstance(before, str) and isinstance(value, str) and key not in SET:
            whole[key] = before + value
        elif isinstance(before, list) and isinstance(value, list):
            before.extend(value)
        elif isinstance(before, dict) and isinstance(value, dict):
            _add(before, value)
        elif not before or value:
            whole[key] = value


def _joined(pieces: Iterable[Any]) -> list[dict[str, Any]]:
    """Calls of which each came in pieces. A piece without a number is of the call before it, unless it names one."""
    calls: dict[Any, dict[str, Any]] = {}
    for piece in pieces:
        if not isinstance(piece, dict):
            continue
        key = piece.get("index")
        if not isinstance(key, int):
            key = f"unnumbered {len(calls)}" if piece.get("id") or not calls else list(calls)[-1]
        _add(calls.setdefault(key, {}), piece)
    return list(calls.values())


STOPS = {"end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls"}
"""Anthropic's words for why an answer ended, where they are not understood as they are."""


def of_message(body: Any) -> dict[str, Any] | None:
    """A message of Anthropic's as a chat completion; None if it is none."""
    blocks = body.get("content") if isinstance(body, dict) and body.get("type") == "message" else None
    if not isinstance(blocks, list):
        return None
    parts = [one for one in blocks if isinstance(one, dict)]
    calls = [
        {
            "id": one.get("id"),
            "type": "function",
            "function": {"name": one.get("name"), "arguments": _arguments(one.get("input"))},
        }
        for one in parts
        if one.get("type") == "tool_use"
    ]
    thinking = [one for one in parts if one.get("type") in ("thinking", "redacted_thinking")]
    message = {
        "content": [one for one in parts if one.get("type") == "text"],
        **({"tool_calls": calls} if calls else {}),
        **({"thinking_blocks": thinking} if thinking else {}),
    }
    stop = body.get("stop_reason")
    choice = {"message": message, "finish_reason": STOPS.get(str(stop), stop)}
    return {"choices": [choice], "usage": body.get("usage")}


def _arguments(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value or {})
