"""What goes to a provider and what comes back, the same on every road."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from riskbox.sandbox.modelcall import Outcome


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
    """

    def __init__(
        self,
        outcome: Outcome,
        told: str,
        *,
        again: bool = False,
        after: float | None = None,
        halts: bool = False,
    ) -> None:
        super().__init__(told)
        self.outcome, self.told, self.again, self.after, self.halts = outcome, told, again, after, halts


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


def read_choice(body: Any) -> Answer:
    """An answer from the body of an OpenAI-compatible chat completion.

    Raises:
        Trouble: the body is none; `malformed`, and worth another try.
    """
    try:
        choice = body["choices"][0]
        message = choice["message"]
        usage = body.get("usage") or {}
        content = message.get("content")
        calls = message.get("tool_calls") or ()
        refusal = message.get("refusal")
        finish = choice.get("finish_reason") or "stop"
    except (TypeError, KeyError, IndexError, AttributeError):
        raise Trouble(
            "malformed", f"the answer is not a chat completion: {str(body)[:200]}", again=True
        ) from None
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    if not isinstance(calls, list | tuple) or not (content is None or isinstance(content, str)):
        raise Trouble("malformed", f"the answer is not a chat completion: {str(body)[:200]}", again=True)
    if refusal is None and finish in ("content_filter", "refusal"):
        refusal = content or ""
    details = usage.get("prompt_tokens_details") or {}
    return Answer(
        text=content or "",
        calls=calls,
        refusal=refusal if refusal is None else str(refusal),
        finish=finish,
        input_tokens=int(usage.get("prompt_tokens") or 0),
        cached_tokens=int(details.get("cached_tokens") or 0),
        output_tokens=int(usage.get("completion_tokens") or 0),
    )


def response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """How an OpenAI-compatible API is asked for JSON of a schema."""
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": dict(schema), "strict": _strict(schema)},
    }


def _strict(schema: Any) -> bool:
    """Whether a schema is of the strict kind: each object closed, with every property required."""
    if isinstance(schema, Mapping):
        properties = schema.get("properties")
        if isinstance(properties, Mapping) and (
            schema.get("additionalProperties") is not False
            or set(schema.get("required", ())) != set(properties)
        ):
            return False
        return all(map(_strict, schema.values()))
    return all(map(_strict, schema)) if isinstance(schema, list) else True
