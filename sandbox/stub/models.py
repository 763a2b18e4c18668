"""What the stub answers without a script, by the model's name."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeVar

from riskbox.sandbox.errors import did_you_mean
from riskbox.sandbox.stub.request import OfferedTool, StubRequest
from riskbox.sandbox.stub.script import CallTool, Fail, Refuse, Say, SayJson, StubReply

T = TypeVar("T")
ID = re.compile(r"\b[A-Z]{1,4}-\d+\b")
"""What looks like an id: O-1042."""

SENTENCES = (
    "Thank you, I have noted that.",
    "Could you tell me a little more about it?",
    "I see. Let me think about what would help most.",
    "That is done. Is there anything else?",
    "I am not sure I have understood; what would you like to happen next?",
    "All right. Here is what I can tell you so far.",
    "Please give me a moment to look into it.",
    "Good, then let us go on with the next step.",
)


def answer(request: StubRequest, seed: int = 0) -> StubReply:
    """The answer of the model with the request's name; a name that does not start with `stub` answers as `stub` does.

    The same question gets the same answer in every format.
    """
    name = request.model
    if name.startswith("stub-") and name not in MODELS:
        return Fail(404, message=f"There is no model {name!r}. {did_you_mean(name, MODELS)}")
    chance = blake2b(f"{request.digest} {seed}".encode(), digest_size=8).digest()
    reply = MODELS.get(name, _stub)(request, int.from_bytes(chance, "big"))
    return _cut(reply, request.asked.limit)


def _stub(request: StubRequest, chance: int) -> StubReply:
    asked = request.asked
    if asked.choice == "required":
        return _call(
            next((one for one in asked.tools if one.name == asked.forced), _one(asked.tools, chance)), chance
        )
    if asked.schema is not None:
        return _fitting(asked.schema, chance)
    if asked.tools and asked.choice == "auto" and _last(request) == "user" and chance % 3 == 0:
        return _call(_one(asked.tools, chance), chance)
    return _one(SENTENCES, chance)


def _refuses(request: StubRequest, chance: int) -> StubReply:
    return Refuse()


def _echo(request: StubRequest, chance: int) -> StubReply:
    return request.said


def _calls(request: StubRequest, chance: int) -> StubReply:
    asked = request.asked
    if asked.tools and asked.choice != "none" and _last(request) == "user":
        return _call(asked.tools[0], chance)
    return _stub(request, chance) if asked.schema is not None else _one(SENTENCES, chance)


def _reads(request: StubRequest, chance: int) -> StubReply:
    """Look up the id that the user names, and say what was found: enough for the handshake of `riskbox try`."""
    if request.asked.schema is not None:
        return _stub(request, chance)
    if _last(request) == "tool":
        return f"I found this: {request.messages[-1].text}"
    named = ID.search(request.said)
    for tool in request.asked.tools if named else ():
        required = tool.parameters.get("required", [])
        if named and len(required) == 1:
            return CallTool(tool.name, {required[0]: named[0]})
    return _one(SENTENCES, chance)


def _silent(request: StubRequest, chance: int) -> StubReply:
    return ""


MODELS: dict[str, Callable[[StubRequest, int], StubReply]] = {
    "stub": _stub,
    "stub-refuses": _refuses,
    "stub-echo": _echo,
    "stub-calls": _calls,
    "stub-reads": _reads,
    "stub-silent": _silent,
}


def _call(tool: OfferedTool, chance: int) -> StubReply:
    made = _fitting(tool.parameters, chance)
    return CallTool(tool.name, made.value) if isinstance(made, SayJson) else made


def _fitting(schema: dict[str, Any], chance: int) -> SayJson | Fail:
    from riskbox.sandbox.authoring.sample import NoSample

    try:
        return SayJson(json.loads(_sampled(json.dumps(schema or {"type": "object"}), chance >> 8 & 1)))
    except NoSample as error:
        return Fail(400, message=f"The stub found no value that fits the schema: {error}.")


@lru_cache(maxsize=1_000)
def _sampled(schema: str, which: int) -> str:
    from riskbox.sandbox.authoring.sample import sample

    return json.dumps(sample(json.loads(schema), which))


def _cut(reply: StubReply, limit: int) -> StubReply:
    """A reply cut to the request's maximum number of tokens."""
    match reply:
        case str(text) if limit and len(text) > limit * 4:
            return Say(text[: limit * 4], finish="length")
        case SayJson(value) if limit and len(text := json.dumps(value)) > limit * 4:
            return Say(text[: limit * 4], finish="length")
    return reply


def _last(request: StubRequest) -> str:
    return request.messages[-1].role


def _one(things: tuple[T, ...], chance: int) -> T:
    return things[(chance >> 16) % len(things)]
