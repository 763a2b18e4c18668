"""What a language model promises to whoever asks it, and what the models of one episode share.

A participant, an emulator or a judge asks with a `Prompt` and gets a `Reply`. What is measured of the call goes to the
episode's `Ledger`, never into events.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from riskbox.sandbox.words.modelcall import AnswerFlaw, ModelCall, ModelOutcome, ModelRole


@dataclass(frozen=True, slots=True)
class Prompt:
    """The input of a model call."""

    messages: Sequence[Mapping[str, Any]]
    """Chat messages in the OpenAI form; the first never changes and the rest are only appended, so that providers can
    cache the prefix."""
    tools: Sequence[Mapping[str, Any]] = ()
    """Tools it may call, in the native function-calling form."""
    described: Sequence[str] = ()
    """The names of tools that the messages describe, where the model writes its calls as text."""
    schema: Mapping[str, Any] | None = None
    """JSON Schema that the answer must satisfy; the reply then has a `value`."""
    asked: Mapping[str, Any] | None = None
    """The JSON Schema that the model is asked for, where it is narrower than what is accepted; by default `schema`."""
    purpose: str = ""
    """What it is for, in a word or two; stored with the call."""
    event: int = 0
    """The index of the next event. The call's seed is derived from it, the episode's seed and the model's role."""
    sample: int = 0
    """The number of this sample, among several independent samples of the same prompt."""
    max_tokens: int | None = None
    """The most tokens that its answer can need, thought included; None for what its seat has by default. A setting of the
    user's comes first."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered.

    The other outcomes of a call are raised.
    """

    outcome: ModelOutcome = "ok"
    """ok, refused or malformed."""
    text: str = ""
    """What it said; for a refusal, its text if there is any."""
    calls: Sequence[Mapping[str, Any]] = ()
    """The tool calls, unrepaired: `{"id", "type", "function": {"name", "arguments"}}`."""
    value: Any = None
    """For a prompt with a schema, the JSON value that satisfies it; None unless the outcome is ok."""
    detail: str = ""
    """One sentence about what went wrong: where the outcome is not ok, and where the answer was cut off."""
    thought: str = ""
    """What it thought, where its provider or the text shows it; nobody hears it."""
    carried: Mapping[str, Any] = field(default_factory=dict)
    """Fields of its message that the provider wants back unchanged with the history."""
    finish: str = ""
    """Why it stopped, in the provider's word."""
    flaws: Sequence[AnswerFlaw] = ()
    """What was wrong with the answer."""

    def message(self) -> dict[str, Any]:
        """The reply as an assistant message."""
        return {"role": "assistant", "content": self.text or None, "tool_calls": list(self.calls)}


class Model(ABC):
    """A language model in one role of one episode."""

    name: str
    """The name as the user wrote it: `provider/model`, or `http://host:port/v1#model`."""

    @abstractmethod
    async def ask(self, prompt: Prompt) -> Reply:
        """Ask once; failures that may pass are retried.

        Raises:
            ModelFault: no answer came: timeout, rate limit, provider error, or an answer that cannot be read.
            BudgetSpent: the call may cost more than is left of the episode's budget, and was not sent.
            Halt: no later call can succeed: a wrong key, an unknown model, an exhausted quota, the run's budget.
        """


@dataclass
class Ledger:
    """The model calls of one episode, or of one assessment of it."""

    calls: list[ModelCall] = field(default_factory=list)
    """In the order in which they ended."""

    @property
    def tokens(self) -> int:
        """Tokens sent and received."""
        return sum(one.input_tokens + one.output_tokens for one in self.calls)

    @property
    def cost(self) -> float:
        """US dollars; calls whose price is unknown count as 0."""
        return sum(one.cost or 0.0 for one in self.calls)


class Models(ABC):
    """Every model that a process may ask, within the limits and budgets of one run."""

    stopping: bool = False
    """Whether the run is ending; a call that is cancelled from now on did not time out."""

    @abstractmethod
    def model(
        self, name: str, role: ModelRole, ledger: Ledger, seed: int, settings: Mapping[str, Any] | None = None
    ) -> Model:
        """A model for one role of one episode.

        Args:
            name: The model.
            role: What it plays.
            ledger: Where its calls are written; the episode's budget limits their sum.
            seed: The episode's seed.
            settings: temperature, top_p, max_tokens, reasoning_effort, timeout, ...
        """

    @abstractmethod
    async def close(self) -> None:
        """Close connections and recordings."""


@dataclass
class ModelSession:
    """What the models of one episode share: its seed, their settings and the ledger of their calls."""

    models: Models
    """Where models are found."""
    seed: int
    """The episode's seed."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings by role: `{"agent": {"temperature": 0.2}}`."""
    ledger: Ledger = field(default_factory=Ledger)
    """The calls of this episode."""

    def model(self, name: str, role: ModelRole) -> Model:
        """A model for a role of this episode."""
        return self.models.model(name, role, self.ledger, self.seed, self.settings.get(role, {}))
