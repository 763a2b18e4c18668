"""What a provider is sent and what it returns, the same for every transport."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic_core import PydanticSerializationError, to_json

from riskbox.sandbox.escape import clipped
from riskbox.sandbox.log import INFO, WARNING, tell
from riskbox.sandbox.words.modelcall import AnswerFlaw, ModelOutcome


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call, ready to send."""

    model: str
    """The model's name as it was given."""
    messages: Sequence[Mapping[str, Any]]
    """Chat messages in the OpenAI form."""
    tools: Sequence[Mapping[str, Any]] = ()
    """Tools that may be called, in the native function-calling form."""
    schema: Mapping[str, Any] | None = None
    """JSON Schema that the answer must satisfy."""
    seed: int = 0
    """The call's seed, sent to providers that take one."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """temperature, top_p, max_tokens and the like, sent unchanged."""
    described: Sequence[str] = ()
    """The names of tools that the messages describe, where calls are written as text. It is not sent."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a provider answered."""

    text: str = ""
    """What the model said."""
    calls: Sequence[Mapping[str, Any]] = ()
    """Tool calls, unchanged."""
    refusal: str | None = None
    """The text of a refusal; empty if the provider declined without one; None if it did not decline."""
    finish: str = "stop"
    """Why it stopped: stop, tool_calls, length, content_filter."""
    input_tokens: int = 0
    """Tokens sent, cached ones included."""
    cached_tokens: int = 0
    """Tokens sent that the provider had cached."""
    output_tokens: int = 0
    """Tokens received."""
    cost: float | None = None
    """US dollars, where the transport knows a price."""
    thought: str = ""
    """What the model thought, where the provider or the text shows it."""
    carried: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the message that the provider wants back unchanged with the history."""
    flaws: Sequence[AnswerFlaw] = ()
    """What was wrong with the answer."""
    estimated: bool = False
    """Whether the tokens are our estimate."""


@dataclass(frozen=True, slots=True)
class AnswerRoom:
    """How long an answer a server gives."""

    fits: int | None = None
    """The most tokens, where it said so."""
    taken: int | None = None
    """The tokens that the conversation takes of the context, where that is what leaves no more."""


class TransportError(Exception):
    """A call that got no answer.

    Args:
        outcome: How the call ended.
        message: What went wrong, in one sentence.
        retryable: Whether sending it again may help.
        retry_after: Seconds to wait before a retry, where the provider said so.
        fatal: Whether no later call of this run can succeed: a wrong key, an unknown model.
        unbilled: Whether the provider certainly charges nothing for it; a fatal error is never billed.
    """

    def __init__(
        self,
        outcome: ModelOutcome,
        message: str,
        *,
        retryable: bool = False,
        retry_after: float | None = None,
        fatal: bool = False,
        unbilled: bool = False,
    ) -> None:
        super().__init__(message)
        self.outcome, self.message = outcome, message
        self.retryable, self.retry_after = retryable, retry_after
        self.fatal, self.unbilled = fatal, unbilled or fatal
        self.room: AnswerRoom | None = None
        """Set where a longer answer was asked for than the server gives."""


class Transport(Protocol):
    """Sends calls to providers."""

    async def ready(self) -> None:
        """Load what calls need, so that no call's time counts it."""

    async def send(self, request: ModelRequest, seconds: float) -> Completion:
        """Send a call once.

        Args:
            request: The call.
            seconds: How long it may take.

        Raises:
            TransportError: it got no answer.
        """

    def price(self, model: str) -> tuple[float, float] | None:
        """US dollars for one token sent and for one received; None if no price is known."""

    def most_tokens(self, model: str) -> int | None:
        """The most tokens that an answer can have; None if that is not known, 0 if the provider takes no such limit."""

    def window(self, model: str) -> int | None:
        """The tokens that a model can read at once; None if that is not known."""

    def takes_temperature(self, model: str, temperature: float) -> bool:
        """Whether the provider takes a temperature for a model, as far as is known."""

    async def close(self) -> None:
        """Close the connections."""


def encoded(value: Any) -> bytes:
    """A value as JSON; a lone surrogate, which UTF-8 cannot hold, is escaped."""
    try:
        return to_json(value, inf_nan_mode="null")
    except PydanticSerializationError:
        return json.dumps(value, default=str).encode()


# --- quotas -----------------------------------------------------------------------------------------------------

SPENT = re.compile(
    r"insufficient[_ ](quota|funds|balance|credit)|exceeded your current quota|billing|credit balance|out of credit|欠费|余额不足",
    re.IGNORECASE,
)
PASSING = re.compile(
    r"per[ _-]?(second|minute|hour)|(retry|try again|retry again) (in|after)|concurren|simultaneous|in parallel|并发",
    re.IGNORECASE,
)


def exhausted(said: str, after: float | None) -> bool:
    """Whether a 429 means that the quota is used up for good; many providers call any rate limit a quota."""
    if PASSING.search(said) is not None:
        return False
    return "insufficient_quota" in said or (after is None and SPENT.search(said) is not None)


# --- schemas ----------------------------------------------------------------------------------------------------

KEYWORDS = frozenset(
    ("type", "properties", "required", "additionalProperties", "items", "enum", "const", "title", "description",
     "anyOf", "$defs", "$ref", "minimum", "maximum", "minItems", "maxItems", "pattern")
)  # fmt: skip
"""Keywords that a strict schema may use."""


REFUSED = frozenset(("minLength", "maxLength"))
"""Keywords that some providers refuse in a schema. Servers that make a grammar of it bound the answer by its lengths."""


def portable(schema: Any) -> Any:
    """A schema without the keywords that some providers refuse; the answer is held to all of it in any case."""
    if isinstance(schema, list):
        return [portable(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    # a property may have the name of a keyword; what stands under it is a schema then
    kept = {key: value for key, value in schema.items() if key not in REFUSED or isinstance(value, Mapping)}
    return {key: portable(value) for key, value in kept.items()}


def response_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The `response_format` that asks an OpenAI-compatible API for JSON of a schema."""
    return {
        "type": "json_schema",
        "json_schema": {
            "name": "answer",
            "schema": dict(schema),
            "strict": schema.get("type") == "object" and strict(schema),
        },
    }


def strict(schema: Any) -> bool:
    """Whether a schema meets OpenAI's strict mode: each object is closed and requires all its properties."""
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
    """Text without this process's keys: some providers repeat in an error what they were sent."""
    for name, value in ((name, value.strip()) for name, value in os.environ.items()):
        if len(value) >= 8 and name.upper().endswith(("KEY", "TOKEN", "SECRET", "PASSWORD")):
            text = text.replace(value, "***")
    return text


def quoted(text: str) -> str:
    """The text of a provider's error on one line, cut to 300 characters. Keys are removed before it is cut."""
    return clipped(without_secrets(" ".join(text.split())), 300)


def told_wait(model: str, failure: TransportError, attempts: int, wait: float | None) -> float | None:
    """Tell the log that a call failed; how long it waits until it is sent again, None for not, is returned as it is."""
    tell(
        "model_call_failed" if wait is None else "model_call_retried",
        WARNING if wait is None else INFO,
        model=model,
        outcome=failure.outcome,
        reason=failure.message,
        attempts=attempts,
        wait=wait,
        asked_to_wait=failure.retry_after,
    )
    return wait
