"""What a language model in a seat promises, and what an episode's seats share.

A seat asks with a `Prompt` and gets a `Reply`. Whatever is measured of the call goes to the episode's `Ledger`, never
into events.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from riskbox.sandbox.words.modelcall import ModelCall, ModelOutcome, Seating


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked."""

    messages: Sequence[Mapping[str, Any]]
    """Chat messages in the OpenAI form; the first never changes and the rest are only appended, so that providers can
    cache the prefix."""
    tools: Sequence[Mapping[str, Any]] = ()
    """Tools it may call, in the native function-calling form."""
    schema: Mapping[str, Any] | None = None
    """JSON Schema that the answer must satisfy; the reply then has a `value`."""
    purpose: str = ""
    """What it is for, in a word or two; kept with the call."""
    event: int = 0
    """The index of the next event: with the episode's seed and the seat it gives the call's seed."""
    sample: int = 0
    """Which of several independent samples of the same prompt this is."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered.

    `outcome` is ok, refused or malformed; the other outcomes are raised.
    """

    outcome: ModelOutcome = "ok"
    text: str = ""
    """What it said; for a refusal, the words of the refusal if there are any."""
    calls: Sequence[Mapping[str, Any]] = ()
    """The tool calls as they were sent, unrepaired: `{"id", "type", "function": {"name", "arguments"}}`."""
    value: Any = None
    """For a prompt with a schema, the JSON value that satisfies it; None unless the outcome is ok."""
    detail: str = ""
    """One sentence where the outcome is not ok."""

    def message(self) -> dict[str, Any]:
        """The reply as an assistant message."""
        return {"role": "assistant", "content": self.text or None, "tool_calls": list(self.calls)}


class Model(ABC):
    """A language model in one seat of one episode."""

    name: str
    """Its name as it was given: `provider/model`, or `http://host:port/v1#model`."""

    @abstractmethod
    async def ask(self, prompt: Prompt) -> Reply:
        """Ask once; retries of what may pass are inside.

        Raises:
            ModelFault: no answer came: timeout, rate-limited, provider-error, or an answer that is none.
            BudgetSpent: the call might exceed the episode's budget, so it was not sent.
            Halt: no later call can go better: a wrong key, an unknown model, an exhausted quota, the run's budget.
        """


@dataclass
class Ledger:
    """The model calls of one episode, or of one assessment of it."""

    calls: list[ModelCall] = field(default_factory=list)
    """In the order in which they were answered."""

    @property
    def tokens(self) -> int:
        """Tokens sent and received."""
        return sum(one.input_tokens + one.output_tokens for one in self.calls)

    @property
    def cost(self) -> float:
        """US dollars, as far as prices are known."""
        return sum(one.cost or 0.0 for one in self.calls)


class Models(ABC):
    """Every model that a process may ask, under the limits and budgets of one run."""

    stopping: bool = False
    """Whether the run ends: what is cut off from now on was not ended by a time limit."""

    @abstractmethod
    def model(
        self, name: str, seat: Seating, ledger: Ledger, seed: int, settings: Mapping[str, Any] | None = None
    ) -> Model:
        """A model for one seat of one episode.

        Args:
            name: The model.
            seat: Who asks.
            ledger: Where its calls are written, and whose sum the episode's budget limits.
            seed: The episode's seed.
            settings: temperature, top_p, max_tokens, reasoning_effort, timeout, ...
        """

    @abstractmethod
    async def close(self) -> None:
        """Let go of connections and recordings."""


@dataclass
class Desk:
    """What the model seats of one episode share."""

    models: Models
    seed: int
    """The episode's seed."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings by seat: `{"agent": {"temperature": 0.2}}`."""
    ledger: Ledger = field(default_factory=Ledger)

    def model(self, name: str, seat: Seating) -> Model:
        """A model for a seat of this episode."""
        return self.models.model(name, seat, self.ledger, self.seed, self.settings.get(seat, {}))
