"""What goes to a provider and what comes back, the same on every road."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic_core import PydanticSerializationError, to_json

from riskbox.sandbox.escape import clipped
from riskbox.sandbox.words.modelcall import ModelOutcome


@dataclass(frozen=True, slots=True)
class Request:
    """One call, ready to be sent."""

    model: str
    """The model's name as it was given."""
    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]] = ()
    schema: Mapping[str, Any] | None = None
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    """temperature, top_p, max_tokens, ...: sent as they are."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered."""

    text: str = ""
    calls: Sequence[Mapping[str, Any]] = ()
    """Tool calls as they were sent."""
    refusal: str | None = None
    """The words of a refusal; empty where the provider declined without any; None if it did not."""
    finish: str = "stop"
    """Why it stopped: stop, tool_calls, length, content_filter."""
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    """US dollars, where the road knows a price."""


class Trouble(Exception):
    """A call that brought no answer.

    Args:
        outcome: Which way.
        told: One sentence.
        again: Whether sending it again may help.
        after: Seconds to wait before that, where the provider said so.
        halts: Whether no later call of this run can go better.
        free: Whether the provider surely sends no bill for it.
    """

    def __init__(
        self,
        outcome: ModelOutcome,
        told: str,
        *,
        again: bool = False,
        after: float | None = None,
        halts: bool = False,
        free: bool = False,
    ) -> None:
        super().__init__(told)
        self.outcome, self.told, self.again, self.after = outcome, told, again, after
        self.halts, self.free = halts, free or halts


class Road(Protocol):
    """A way to reach providers."""

    async def send(self, request: Request, seconds: float) -> Answer:
        """Send a call once.

        Raises:
            Trouble: it brought no answer.
        """

    def price(self, model: str) -> tuple[float, float] | None:
        """US dollars for one token sent and one received; None where none is known."""

    async def close(self) -> None:
        """Let go of connections."""


def encoded(value: Any) -> bytes:
    """A value as JSON; half a character, which a text may hold and UTF-8 cannot, is escaped."""
    try:
        return to_json(value, inf_nan_mode="null")
    except PydanticSerializationError:
        return json.dumps(value, default=str).encode()


def read_choice(body: Any) -> Answer:
    """An answer from the body of an OpenAI-compatible chat completion.

    Raises:
        Trouble: the body is none; `malformed`, and worth another try.
    """
    try:
        choice = body["choices"][0]
        message = choice["message"]
        content = message.get("content")
        calls = message.get("tool_calls") or ()
        refusal = message.get("refusal")
        finish = str(choice.get("finish_reason") or "stop")
        usage = body.get("usage")
    except (TypeError, KeyError, IndexError, AttributeError):
        raise _none(body) from None
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    if not isinstance(calls, list | tuple) or not (content is None or isinstance(content, str)):
        raise _none(body)
    if finish in ("content_filter", "refusal"):
        refusal = refusal or content or ""
    elif not refusal:
        refusal = None  # some servers send an empty one with every answer
    return Answer(
        text=_whole(content or ""),
        calls=tuple(calls),
        refusal=None if refusal is None else _whole(str(refusal)),
        finish=finish,
        input_tokens=_count(usage, "prompt_tokens"),
        cached_tokens=_count(usage, "prompt_tokens_details", "cached_tokens"),
        output_tokens=_count(usage, "completion_tokens"),
    )


def _none(body: Any) -> Trouble:
    shown = encoded(body)[:200].decode(errors="replace")
    return Trouble("malformed", f"the answer is not a chat completion: {shown}", again=True)


def _whole(text: str) -> str:
    """Text without halves of characters, which nothing could store or send on."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _count(usage: Any, *path: str) -> int:
    """A number of tokens, as far as the server says one."""
    for name in path:
        usage = usage.get(name) if isinstance(usage, dict) else None
    return max(0, int(usage)) if isinstance(usage, int | float) and usage < 1e15 else 0


# --- quotas -----------------------------------------------------------------------------------------------------

SPENT = re.compile(
    r"insufficient[_ ](quota|funds|balance|credit)|exceeded your current quota|billing|credit balance|out of credit",
    re.IGNORECASE,
)
PASSING = re.compile(r"per[ _-]?(second|minute|hour)|(retry|try again|retry again) (in|after)", re.IGNORECASE)


def exhausted(said: str, after: float | None) -> bool:
    """Whether a provider that is asked too much means for good: many call any limit a quota."""
    if "insufficient_quota" in said:
        return True
    return after is None and SPENT.search(said) is not None and PASSING.search(said) is None


# --- schemas ----------------------------------------------------------------------------------------------------

KEYWORDS = frozenset(
    ("type", "properties", "required", "additionalProperties", "items", "enum", "const", "title", "description",
     "anyOf", "$defs", "$ref", "minimum", "maximum", "minItems", "maxItems", "pattern")
)  # fmt: skip
"""What a schema of the strict kind may say."""


def response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """How an OpenAI-compatible API is asked for JSON of a schema."""
    return {
        "type": "json_schema",
        "json_schema": {
            "name": "answer",
            "schema": dict(schema),
            "strict": schema.get("type") == "object" and strict(schema),
        },
    }


def strict(schema: Any) -> bool:
    """Whether a schema is of the strict kind: each object closed, with every property required."""
    if not isinstance(schema, Mapping) or not schema.keys() <= KEYWORDS:
        return False
    properties = schema.get("properties") or {}
    kinds = schema.get("type")
    if properties or kinds == "object" or (isinstance(kinds, list) and "object" in kinds):
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required") or ()) != set(properties):
            return False
    inner = [*properties.values(), *(schema.get("$defs") or {}).values(), *(schema.get("anyOf") or ())]
    return all(map(strict, inner + ([schema["items"]] if "items" in schema else [])))


def without_secrets(text: str) -> str:
    """Text without the keys of this process: some providers repeat in an error what they were sent."""
    for name, value in ((name, value.strip()) for name, value in os.environ.items()):
        if len(value) >= 8 and name.upper().endswith(("KEY", "TOKEN", "SECRET", "PASSWORD")):
            text = text.replace(value, "***")
    return text


def quoted(text: str) -> str:
    """What a provider says in an error, on one line: without keys, which are looked for before it is cut."""
    return clipped(without_secrets(" ".join(text.split())), 300)
