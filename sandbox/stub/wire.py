"""What every wire format can do, and the small things they share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Protocol

from riskbox.sandbox.stub.request import Asked, BadRequest, StubRequest
from riskbox.sandbox.stub.script import CallTool, Fail, Say, Usage

PIECE = 12
"""Characters in one piece of a stream."""

_compact = json.JSONEncoder(separators=(",", ":")).encode


class Format(Protocol):
    """A wire format; each is a module."""

    STREAM: str
    """The content type of a stream."""

    def read(self, body: dict[str, Any]) -> Asked:
        """What a body asks for.

        Raises:
            BadRequest: a provider would not accept it.
        """
        ...

    def whole(self, request: StubRequest, said: Say) -> bytes:
        """The body of an answer in one piece."""
        ...

    def pieces(self, request: StubRequest, said: Say) -> Iterator[bytes]:
        """The body of a streamed answer."""
        ...

    def error(self, fail: Fail) -> bytes:
        """The body of an error."""
        ...


def encoded(value: Any) -> bytes:
    """Compact JSON; a lone surrogate, which UTF-8 cannot hold, stays an escape."""
    return _compact(value).encode()


def usage(request: StubRequest, said: Say) -> Usage:
    """What an answer costs: as scripted, or estimated."""
    if said.usage is not None:
        return said.usage
    written = len(said.text) + sum(len(call.name) + len(arguments(call)) for call in said.calls)
    return Usage(request.tokens, (written + 3) // 4)


def call_id(request: StubRequest, call: CallTool, place: int, prefix: str) -> str:
    """The id of a call: as scripted, or made of the request, so that no two of a conversation are equal."""
    return call.id or f"{prefix}_{request.digest:016x}{place}"


def arguments(call: CallTool) -> str:
    """A call's arguments as text."""
    return call.arguments if isinstance(call.arguments, str) else _compact(call.arguments)


def parsed(call: CallTool) -> Any:
    """A call's arguments as a value, for formats that send one; a text that is not JSON stays a text."""
    if not isinstance(call.arguments, str):
        return call.arguments
    try:
        return json.loads(call.arguments)
    except ValueError:
        return call.arguments


def parts(text: str, size: int = PIECE) -> Iterator[str]:
    """A text in pieces."""
    return (text[at : at + size] for at in range(0, len(text), size))


def text_of(content: Any, where: str) -> str:
    """The text of a message: a string, nothing, or a list of parts.

    Raises:
        BadRequest: it is none of these.
    """
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "".join(text for part in content if isinstance(text := part.get("text"), str))
    raise BadRequest(f"{where}.content: expected a text or a list of parts, got {type(content).__name__}")


def need(body: dict[str, Any], name: str, kind: type, where: str = "") -> Any:
    """A field that must be there.

    Raises:
        BadRequest: it is missing or of another kind.
    """
    value = body.get(name)
    if not isinstance(value, kind):
        state = "is missing" if name not in body else f"must be of type {kind.__name__}"
        raise BadRequest(f"{where}{name} {state}")
    return value


def listed(body: dict[str, Any], name: str, where: str = "", *, least: int = 0) -> list[dict[str, Any]]:
    """A list of objects; empty if left out.

    Raises:
        BadRequest: it is something else, or too short.
    """
    value = body.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadRequest(f"{where}{name} must be a list of objects")
    if len(value) < least:
        raise BadRequest(f"{where}{name} must not be empty")
    return value


def whole_number(body: dict[str, Any], *names: str, least: int = 1) -> int:
    """The first of these fields that is there; 0 for none.

    Raises:
        BadRequest: it is no whole number, or too small.
    """
    for name in names:
        value = body.get(name)
        if value is not None:
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise BadRequest(f"{name} must be a whole number and at least {least}")
            return value
    return 0


def schema_of(body: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    """The JSON Schema of a tool's arguments; any object if left out.

    Raises:
        BadRequest: it is something else.
    """
    schema = body.get(name)
    if schema is None:
        return {"type": "object"}
    if not isinstance(schema, dict):
        raise BadRequest(f"{where}{name} must be a JSON Schema")
    return schema
