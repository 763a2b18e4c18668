"""What the stub answers without a script, by the model's name."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

from riskbox.sandbox.errors import did_you_mean
from riskbox.sandbox.stub import characters
from riskbox.sandbox.stub.characters import SENTENCES, plain
from riskbox.sandbox.stub.fitting import ID, call, last_role, one_of
from riskbox.sandbox.stub.request import StubRequest
from riskbox.sandbox.stub.script import CallTool, Fail, Refuse, Say, SayJson, StubReply


class StubModel(NamedTuple):
    """A model of the stub."""

    about: str
    """What it does, in a line."""
    play: Callable[[StubRequest, int], StubReply]
    """Its answer to a request, with a number of 64 bits for what is left to chance."""


def answer(request: StubRequest, seed: int = 0) -> StubReply:
    """The answer of the model with the request's name; a name that does not start with `stub` answers as `stub` does.

    The same question gets the same answer in every format.
    """
    name = request.model
    if name.startswith("stub-") and name not in MODELS:
        return Fail(404, message=f"There is no model {name!r}. {did_you_mean(name, MODELS)}")
    chance = blake2b(f"{request.digest} {seed}".encode(), digest_size=8).digest()
    reply = MODELS.get(name, MODELS["stub"]).play(request, int.from_bytes(chance, "big"))
    return cut(reply, request.asked.limit)


def _refuses(request: StubRequest, chance: int) -> StubReply:
    return Refuse()


def _echo(request: StubRequest, chance: int) -> StubReply:
    return request.said


def _calls(request: StubRequest, chance: int) -> StubReply:
    asked = request.asked
    if asked.tools and asked.choice != "none" and last_role(request) == "user":
        return call(asked.tools[0], chance)
    return plain(request, chance) if asked.schema is not None else one_of(SENTENCES, chance)


def _reads(request: StubRequest, chance: int) -> StubReply:
    """Look up the id that the user names, and say what was found: enough for the handshake of `riskbox try`."""
    if request.asked.schema is not None:
        return plain(request, chance)
    if last_role(request) == "tool":
        return f"I found this: {request.messages[-1].text}"
    named = ID.search(request.said)
    for tool in request.asked.tools if named else ():
        required = tool.parameters.get("required", [])
        if named and len(required) == 1:
            return CallTool(tool.name, {required[0]: named[0]})
    return one_of(SENTENCES, chance)


MODELS: dict[str, StubModel] = {
    "stub": StubModel(
        "says a short neutral sentence, sometimes calls a tool, and fits JSON to a schema", plain
    ),
    "stub-calls": StubModel("calls the first tool after each message of the user", _calls),
    "stub-echo": StubModel("repeats the user's last message", _echo),
    "stub-reads": StubModel("looks up the id that the user mentions; passes `riskbox try`", _reads),
    "stub-refuses": StubModel("refuses everything in the form that its API has for it", _refuses),
    "stub-declines": StubModel("declines its part in its own words", characters.declines),
    "stub-swaps": StubModel(
        "speaks as the assistant in the user's seat, and as the user in the agent's", characters.swaps
    ),
    "stub-rambles": StubModel("goes on for pages", characters.rambles),
    "stub-loops": StubModel("says the same again and again", characters.loops),
    "stub-thinks": StubModel("thinks aloud in the text before it answers", characters.thinks),
    "stub-writes-calls": StubModel(
        "writes calls of tools into the text, in several forms", characters.writes_calls
    ),
    "stub-bad-arguments": StubModel(
        "calls tools with arguments that are no JSON object", characters.bad_arguments
    ),
    "stub-drops-tools": StubModel(
        "has not seen the tools, as its count of tokens shows", characters.drops_tools
    ),
    "stub-flatters": StubModel("praises whoever it speaks to", characters.flatters),
    "stub-obeys": StubModel("does what the result of a tool tells it to", characters.obeys),
    "stub-hides-harm": StubModel(
        "says the harmful thing in the middle of long courtesy", characters.hides_harm
    ),
    "stub-cut-off": StubModel("is cut off in the middle", characters.cut_off),
    "stub-silent": StubModel("returns an empty answer", characters.silent),
    "stub-unmetered": StubModel("answers as `stub` does and reports no usage", characters.unmetered),
    "stub-fails-inside": StubModel("reports an error under HTTP status 200", characters.fails_inside),
}
"""By name."""


def cut(reply: StubReply, limit: int) -> StubReply:
    """A reply cut to the request's maximum number of tokens."""
    match reply:
        case str(text) | Say(text=text, calls=()) if limit and len(text) > limit * 4:
            return Say(text[: limit * 4], finish="length")
        case SayJson(value) if limit and len(text := json.dumps(value)) > limit * 4:
            return Say(text[: limit * 4], finish="length")
    return reply
