"""Limits on the use of language models: requests at once, rates per minute, budgets of tokens and dollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from riskbox.sandbox.words.name import Name

IN_FLIGHT = 100
"""Default for requests at once to one provider's model. A server of one's own has no default: it queues by itself."""


Price: TypeAlias = tuple[float, float] | tuple[float, float, float]
"""US dollars for a million tokens sent, received and, where that differs, sent and cached."""


def dollars(price: Price, sent: int, cached: int, received: int) -> float:
    """What a call costs.

    Args:
        price: The model's price.
        sent: Tokens sent, cached ones included.
        cached: Tokens sent that the provider had cached.
        received: Tokens received.
    """
    kept = price[2] if len(price) == 3 else price[0]
    return ((sent - cached) * price[0] + cached * kept + received * price[1]) / 1e6


@dataclass(frozen=True, slots=True)
class ModelLimits:
    """What a run may use, all its workers together. Figures by model use its name, and `""` for all other models."""

    in_flight: Mapping[str, float] = field(default_factory=dict)
    """Requests at once, by model."""
    requests: Mapping[str, float] = field(default_factory=dict)
    """Requests a minute, by model."""
    tokens: Mapping[str, float] = field(default_factory=dict)
    """Tokens a minute, by model."""
    run_dollars: float | None = None
    """US dollars for the whole run."""
    run_tokens: float | None = None
    """Tokens for the whole run."""
    episode_dollars: float | None = None
    """US dollars for one episode."""
    episode_tokens: float | None = None
    """Tokens for one episode."""

    def at_once(self, model: str) -> float | None:
        """Requests at once to a model; None if unlimited."""
        return _of(self.in_flight, model, None if Name.parse(model).is_own_server else IN_FLIGHT)

    def per_minute(self, model: str) -> tuple[float | None, float | None]:
        """Requests and tokens a minute to a model; None if unlimited."""
        return _of(self.requests, model, None), _of(self.tokens, model, None)

    def less(self, dollars: float, tokens: float) -> ModelLimits:
        """These limits with an amount that is already spent subtracted from the run's budgets."""
        return replace(
            self,
            run_dollars=None if self.run_dollars is None else max(self.run_dollars - dollars, 0.0),
            run_tokens=None if self.run_tokens is None else max(self.run_tokens - tokens, 0.0),
        )

    @property
    def budgeted(self) -> bool:
        """Whether any budget is set."""
        return any(
            one is not None
            for one in (self.run_dollars, self.run_tokens, self.episode_dollars, self.episode_tokens)
        )


def _of(figures: Mapping[str, float], model: str, otherwise: float | None) -> float | None:
    return figures.get(model, figures.get("", otherwise))
