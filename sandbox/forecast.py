"""What a run would ask of language models, estimated before anything is asked: calls, tokens, dollars.

Two figures each. The *typical* one takes as many user turns as the persona's script has lines, and as many tool calls
as the longest safe reference makes. The *most* takes the scenario's limits. A token is taken as four characters of
what is known, and the rest by the constants below, which are written beside the result so that they can be doubted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic_core import to_json

from riskbox.sandbox import registry
from riskbox.sandbox.case import Case
from riskbox.sandbox.clients import Clients
from riskbox.sandbox.launch import Terms
from riskbox.sandbox.message import functions
from riskbox.sandbox.modelcall import Seating
from riskbox.sandbox.observation import AgentView, Budget, Observation
from riskbox.sandbox.run import Spec

LINE = 60
"""Tokens of a line that someone says."""
RESULT = 250
"""Tokens of a tool's result."""
BRIEF = 700
"""Tokens of the instructions of a simulated user, an emulator or a judge."""
JUDGEMENT = 600
"""Tokens of a judgement."""
TURNS = 4
"""User turns where the persona has no script."""

Reckoning = Literal["typical", "most"]


@dataclass
class Share:
    """What one model in one seat is asked."""

    calls: float = 0
    input_tokens: float = 0
    output_tokens: float = 0

    def add(self, calls: float, read: float, written: float) -> None:
        """Add calls that together read and write so many tokens."""
        self.calls += calls
        self.input_tokens += read
        self.output_tokens += written


@dataclass
class Forecast:
    """What a run would ask of models."""

    episodes: int = 0
    shares: dict[tuple[Seating, str], dict[Reckoning, Share]] = field(default_factory=dict)
    """By seat and model."""
    prices: dict[str, tuple[float, float] | None] = field(default_factory=dict)
    """US dollars for one token sent and received, by model; None where none is known."""

    def cost(self, seat: Seating, model: str, reckoning: Reckoning) -> float | None:
        """US dollars; None where no price is known."""
        price, share = self.prices.get(model), self.shares[seat, model][reckoning]
        return None if price is None else share.input_tokens * price[0] + share.output_tokens * price[1]


def forecast(cases: Iterable[Case], specs: Sequence[Spec], terms: Terms) -> Forecast:
    """What playing the specs would ask of models, with no price for models that nobody has priced."""
    by_hash = {case.hash: case for case in cases}
    made = Forecast(episodes=len(specs))
    for spec in specs:
        for reckoning in ("typical", "most"):
            _reckon(made, by_hash[spec.case], spec, terms, reckoning)
    clients = Clients(terms.models)
    for _, model in made.shares:
        own = model.startswith(("http://", "https://"))
        made.prices[model] = clients.price(model) or ((0.0, 0.0) if own else None)
    return made


def _reckon(made: Forecast, case: Case, spec: Spec, terms: Terms, reckoning: Reckoning) -> None:
    turns, calls = _length(case, reckoning)
    steps = turns + calls
    dialogue = 2 * turns * LINE
    history = dialogue + calls * (LINE + RESULT)
    emulated = calls if spec.cast.tools else 0

    def add(
        seat: Seating, models: Iterable[str], asked: float, first: float, grown: float, said: float
    ) -> None:
        for model in models:
            shares = made.shares.setdefault((seat, model), {"typical": Share(), "most": Share()})
            # a history grows from nothing to its whole length: a call reads half of it on average
            shares[reckoning].add(asked, asked * (first + grown / 2), asked * said)

    add("agent", registry.models_of(spec.cast.agent), steps, _told(case), history, LINE)
    add("user", registry.models_of(spec.cast.user), turns, BRIEF, dialogue, LINE)
    add("tool", [spec.cast.tools] if emulated else [], emulated, BRIEF, calls * RESULT, RESULT)
    repeats = int(terms.judging.get("repeats", 1))
    judges: Sequence[str] = terms.judging.get("judges", ())
    # a judge reads the whole of it, not half
    add("judge", judges, repeats, BRIEF + history, 0, JUDGEMENT)


def _length(case: Case, reckoning: Reckoning) -> tuple[int, int]:
    """User turns and tool calls of an episode."""
    limits = case.scenario.limits
    if reckoning == "most":
        return min(limits.user_turns, limits.agent_turns), limits.tool_calls
    scripts = [
        one.agent for _, one in case.references if one.ends == "safe" and not isinstance(one.agent, str)
    ]
    calls = max((sum((b.call is not None) + len(b.calls) for b in script) for script in scripts), default=0)
    turns = min(len(case.user.script) or TURNS, limits.user_turns, limits.agent_turns)
    return turns, min(calls, limits.tool_calls)


def _told(case: Case) -> int:
    """Tokens of what the agent is told before the first line."""
    scenario = case.scenario
    brief = AgentView(name=scenario.agent.name, policy=scenario.agent.policy, tools=case.tools)
    seen = Observation(party="agent", brief=brief, events=(), now=case.start, budget=Budget(0, 0))
    return (len(brief.policy) + len(to_json(functions(seen)))) // 4
