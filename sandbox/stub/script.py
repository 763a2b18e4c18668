"""What a test tells the stub to answer: replies, faults, and which request gets which.

    stub.script("Hello.", CallTool("clock__now"), Fail(429, retry_after=1), "It is nine.")
    stub.script(Json({"severity": 7}), when=lambda request: request.model == "judge", repeat=True)
    stub.script(lambda request: Say(f"You said: {request.said}"), repeat=True)

A reply that is a plain text is what the model says. A reply may also be a function from the request to a reply, sync
or async; None leaves the answer to the model, that is, to its name.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from riskbox.sandbox.stub.request import StubRequest

Finish = Literal["", "stop", "length", "tool_calls", "content_filter"]
"""Why a model stopped, in OpenAI's words; empty for what text and calls imply."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a request cost, in tokens."""

    prompt: int
    """Tokens read, cached ones among them."""
    completion: int
    """Tokens written."""
    cached: int = 0
    """Tokens of the prompt that the provider had read before."""


@dataclass(frozen=True, slots=True)
class CallTool:
    """The model calls one tool; several at once are the `calls` of a `Say`."""

    name: str
    """The tool's name as the request offers it, such as `mail__send`."""
    arguments: Mapping[str, Any] | str = field(default_factory=dict)
    """Its arguments; a text is sent as it is, whether or not it is JSON."""
    id: str = ""
    """The call's id; made up if empty."""


@dataclass(frozen=True, slots=True)
class Say:
    """The model speaks, calls tools, or both."""

    text: str = ""
    """What it says."""
    calls: tuple[CallTool, ...] = ()
    """The tools it calls at once."""
    usage: Usage | None = None
    """The tokens it cost; by default estimated at four characters a token."""
    finish: Finish = ""
    """Why it stopped."""
    refused: bool = False
    """Whether the provider marks the text as a refusal."""
    metered: bool = True
    """Whether it says what it cost."""


@dataclass(frozen=True, slots=True)
class SayJson:
    """The model says JSON."""

    value: Any
    """The JSON value."""
    usage: Usage | None = None
    """The tokens it cost; estimated by default."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The provider refuses, in the form that its API uses for refusals."""

    text: str = "I'm sorry, but I can't help with that."
    """What it says instead."""
    usage: Usage | None = None
    """The tokens it cost; estimated by default."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The provider returns an error, in the form that its API uses for errors."""

    status: int = 500
    """The HTTP status."""
    code: str = ""
    """The error code, such as `insufficient_quota`; by default the usual one for the status."""
    message: str = ""
    """The error message."""
    retry_after: float | datetime | str | None = None
    """The Retry-After header: seconds, a date, or any text."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Any HTTP answer at all: cut-off JSON, an empty body, a page of HTML, a wrong content type."""

    body: str | bytes = b""
    """The body."""
    status: int = 200
    """The HTTP status."""
    type: str = "application/json"
    """The content type."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers."""


@dataclass(frozen=True, slots=True)
class Slow:
    """A late answer."""

    seconds: float
    """Seconds before the answer starts."""
    then: StubReply | None = None
    """The answer; by default what the model would have answered."""
    gap: float = 0.0
    """Seconds between two pieces of the body."""


@dataclass(frozen=True, slots=True)
class Drop:
    """A connection that breaks."""

    after_bytes: int = 0
    """Bytes of the body that are sent before; 0 sends nothing, not even a status."""
    then: StubReply | None = None
    """The answer that is cut off; by default what the model would have answered."""


StubReply: TypeAlias = str | Say | CallTool | SayJson | Refuse | Fail | Raw | Slow | Drop
"""One answer."""
ScriptEntry: TypeAlias = StubReply | Callable[[StubRequest], "StubReply | Awaitable[StubReply | None] | None"]
"""An answer, or a function from the request to an answer."""
Predicate: TypeAlias = Callable[[StubRequest], bool]
"""Which requests a rule is for."""

CUT = Raw(
    '{"id": "chatcmpl-1", "object": "chat.completion", "choices": [{"index": 0, "message": {"role": "assi'
)
"""JSON that ends in the middle."""
EMPTY = Raw("")
"""Success, and nothing in it."""
HTML = Raw("<html><body><h1>502 Bad Gateway</h1></body></html>", 502, "text/html")
"""What a proxy answers when the provider is away."""


def spoken(reply: str | Say | CallTool | SayJson | Refuse) -> Say:
    """The long form of what a model says.

    Raises:
        TypeError: it is none of these.
    """
    match reply:
        case Say():
            return reply
        case str():
            return Say(reply)
        case CallTool():
            return Say(calls=(reply,))
        case SayJson(value, usage):
            return Say(json.dumps(value), usage=usage)
        case Refuse(text, usage):
            return Say(text, usage=usage, refused=True)
    # a function of a test's may return anything
    raise TypeError(f"{reply!r} is no reply")


@dataclass(slots=True)
class ScriptRule:
    """Replies for the requests that a predicate is true of, in order."""

    replies: tuple[ScriptEntry, ...]
    """The replies, in order."""
    when: Predicate | None
    """Which requests it is for; None for all."""
    repeat: bool
    """Whether it begins again after the last reply."""
    used: int = 0
    """How many replies were given."""

    def next(self) -> ScriptEntry | None:
        """The next reply; None if all are used up."""
        if self.used >= len(self.replies) and not self.repeat:
            return None
        self.used += 1
        return self.replies[(self.used - 1) % len(self.replies)]


class Exhausted(Exception):
    """The script has a rule for this request, and its replies are used up."""


class ReplyScript:
    """The rules of one stub, in the order they were given; any thread may add to them."""

    def __init__(self) -> None:
        self._rules: list[ScriptRule] = []
        self._lock = threading.Lock()

    def add(self, *replies: ScriptEntry, when: Predicate | None = None, repeat: bool = False) -> None:
        """Add a rule.

        Raises:
            ValueError: it has no replies.
        """
        if not replies:
            raise ValueError('a script needs at least one reply, such as script("Hello.")')
        with self._lock:
            self._rules.append(ScriptRule(replies, when, repeat))

    def clear(self) -> None:
        """Forget all rules."""
        with self._lock:
            self._rules.clear()

    def reply(self, request: StubRequest) -> ScriptEntry | None:
        """The next reply of the first rule that fits and has one left; None if no rule fits.

        Raises:
            Exhausted: every rule that fits is used up.
        """
        with self._lock:
            fitting = [rule for rule in self._rules if rule.when is None or rule.when(request)]
            for rule in fitting:
                if (reply := rule.next()) is not None:
                    return reply
        if fitting:
            raise Exhausted(f"the script has no reply left for this request; it had {_count(fitting)}")
        return None


def _count(rules: list[ScriptRule]) -> str:
    replies = sum(len(rule.replies) for rule in rules)
    return f"{replies} {'reply' if replies == 1 else 'replies'}"
