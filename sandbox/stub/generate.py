"""Ollama's generate: a prompt in, a text out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from riskbox.sandbox.stub import ollama
from riskbox.sandbox.stub.request import Asked, ChatMessage, StubRequest
from riskbox.sandbox.stub.script import Fail, Say
from riskbox.sandbox.stub.wire import arguments, encoded, need, parts

STREAM = ollama.STREAM


def read(body: dict[str, Any]) -> Asked:
    """What a body asks for."""
    system = body.get("system")
    messages = (*([ChatMessage("system", system)] if isinstance(system, str) else []),)
    return Asked(
        messages=(*messages, ChatMessage("user", need(body, "prompt", str))), **ollama.settings(body)
    )


def whole(request: StubRequest, said: Say) -> bytes:
    """The body of an answer in one piece."""
    return encoded({**ollama.head(request), "response": _text(said), **ollama.done(request, said)})


def pieces(request: StubRequest, said: Say) -> Iterator[bytes]:
    """The body of a streamed answer: a line of JSON a piece."""
    for part in parts(_text(said)):
        yield encoded({**ollama.head(request), "response": part, "done": False}) + b"\n"
    yield encoded({**ollama.head(request), "response": "", **ollama.done(request, said)}) + b"\n"


def error(fail: Fail) -> bytes:
    """The body of an error."""
    return ollama.error(fail)


def _text(said: Say) -> str:
    """A call has no place of its own here: it is JSON text, which is how clients ask for it in the prompt."""
    if not said.calls:
        return said.text
    call = said.calls[0]
    return f'{{"name": {encoded(call.name).decode()}, "arguments": {arguments(call)}}}'
