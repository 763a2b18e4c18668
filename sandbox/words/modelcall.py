"""One call of a language model as it is recorded: what came of it, how long it took, what it cost."""

from __future__ import annotations

from collections.abc import Iterable
from operator import not_
from typing import Literal, NamedTuple, TypeAlias

from pydantic import Field

from riskbox.sandbox.words.frozen import Recorded

ModelOutcome: TypeAlias = Literal[
    "ok", "refused", "malformed", "timeout", "rate_limited", "overflow", "provider_error"
]
"""How a call of a model ended: with an answer, with a refusal, with an answer in the wrong form, or without an answer.

overflow: the conversation no longer fits the model's context.
"""

ModelRole: TypeAlias = Literal["user", "agent", "tool", "judge"]
"""What a model plays in an episode: the user, the agent, a tool, or the judge of it."""


AnswerFlaw: TypeAlias = Literal[
    "empty", "cut_off", "filtered", "calls_as_text", "thought_in_speech", "bad_arguments", "tools_dropped"
]
"""What was wrong with an answer that did come.

empty: neither words nor calls. cut_off: it ended at a limit of tokens. filtered: a content filter cut in, which
is why an answer may be empty. calls_as_text: markup of a tool call stands in the words. thought_in_speech: a thought stood in the words, and was
taken out. bad_arguments: the arguments of a call are no JSON object. tools_dropped: the server counted far fewer tokens
than the tools have, so the model has not seen them.
"""


class ModelCall(Recorded):
    """One call of a model, retries included."""

    seat: ModelRole
    """Who asked."""
    purpose: str = ""
    """What for, where a seat asks for several things: the tool that is played, the question that is judged."""
    model: str
    """The model's name as it was given."""
    event: int = 0
    """The index of the next event when it was asked."""
    key: str = ""
    """Hash of the request: recordings and caches find the call by it."""
    outcome: ModelOutcome
    """What came of it."""
    detail: str = ""
    """One sentence where it did not go well."""
    finish: str = Field(default="", exclude_if=not_)
    """Why the model stopped, in the provider's word: stop, length, tool_calls, content_filter; empty if nobody said."""
    flaws: tuple[AnswerFlaw, ...] = Field(default=(), exclude_if=not_)
    """What was wrong with the answer."""
    estimated: bool = Field(default=False, exclude_if=not_)
    """Whether the tokens are our estimate, because the server reported none that can be true."""
    source: Literal["live", "cache", "replay", "rehearsal"] = "live"
    """Whether a provider was asked, an earlier answer was used again, or a stub rehearsed."""
    attempts: int = 1
    """How often it was sent."""
    seconds: float = 0
    """Wall time, with retries and the wait for admission."""
    latency: float = 0
    """Wall time of the last attempt alone."""
    input_tokens: int = 0
    """Tokens sent, those from the provider's cache included."""
    cached_tokens: int = 0
    """Tokens sent that the provider had cached."""
    output_tokens: int = 0
    """Tokens received."""
    cost: float | None = None
    """US dollars; None where no price is known."""


class CallFigures(NamedTuple):
    """One call in figures, for who counts calls."""

    model: str
    """The model's name as it was given."""
    outcome: ModelOutcome
    """What came of it."""
    seconds: float | None
    """Wall time of the last attempt; None where no server was asked."""
    attempts: int
    """How often it was sent."""
    tokens: tuple[int, int]
    """Tokens sent and received."""
    cost: float
    """US dollars, as far as prices are known."""


def figures_of(calls: Iterable[ModelCall]) -> tuple[CallFigures, ...]:
    """Calls in figures."""
    return tuple(
        CallFigures(
            one.model,
            one.outcome,
            one.latency or one.seconds if one.source in ("live", "rehearsal") else None,
            one.attempts,
            (one.input_tokens, one.output_tokens),
            one.cost or 0.0,
        )
        for one in calls
    )
