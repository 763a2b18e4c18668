"""One call of a language model as it is recorded: what came of it, how long it took, what it cost."""

from __future__ import annotations

from typing import Literal, TypeAlias

from riskbox.sandbox.words.frozen import Recorded

ModelOutcome: TypeAlias = Literal["ok", "refused", "malformed", "timeout", "rate_limited", "provider_error"]
"""How a call of a model ended: with an answer, with a refusal, with an answer in the wrong form, or without an answer."""

ModelRole: TypeAlias = Literal["user", "agent", "tool", "judge"]
"""What a model plays in an episode: the user, the agent, a tool, or the judge of it."""


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
    source: Literal["live", "cache", "replay"] = "live"
    """Whether a provider was asked, or an earlier answer was used again."""
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
