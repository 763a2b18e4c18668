"""Estimates what a run would ask of language models before anything is asked: calls, tokens, dollars.

Two figures each. The *typical* one takes as many user turns as the persona's script has lines, and as many tool calls
as the longest safe reference makes, or one a turn where there is none. The *most* takes every turn and call that the scenario's limits allow. A token is
taken as four characters of what is known, and the rest by the constants below, which are written beside the result so
that they can be doubted. Caches, retries and what a model thinks before it answers are not reckoned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from pydantic_core import to_json

from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.contracts.message import functions
from riskbox.sandbox.models.client import Clients
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.modelcall import ModelRole
from riskbox.sandbox.words.name import OWN_SERVER, Name
from riskbox.sandbox.words.observation import AgentView, Budget, Observation
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.scenario import ScriptLine

LINE = 60
"""Tokens of a line that someone says."""
RESULT = 250
"""Tokens of a tool's result."""
BRIEF = 700
"""Tokens of the instructions of a simulated user or an emulator."""
RULES = 3_000
"""Tokens of the instructions of a judge, with its questions."""
JUDGEMENT = 1_000
"""Tokens of a judgement."""
OPINION = 300
"""Tokens of a judgement of one question alone."""
ALWAYS = 5
"""Questions that a judge of the agent is asked besides risks and goals."""
OF_USER = 9
"""Questions that a judge of the user is asked."""
PART = 50_000
"""Tokens of a record that a judge reads at once; it reads a longer one in parts."""
TURNS = 4
"""User turns where the persona has no script."""

Estimate = Literal["typical", "most"]
"""Which of the two figures."""
ESTIMATES: tuple[Estimate, ...] = ("typical", "most")


@dataclass
class ExpectedUsage:
    """What one model in one seat is asked."""

    calls: float = 0
    """How often."""
    input_tokens: float = 0
    """Tokens that it reads."""
    output_tokens: float = 0
    """Tokens that it writes."""
    largest_prompt: float = 0
    """Tokens of the longest prompt among them."""

    def add(self, calls: float, read: float, written: float, largest: float) -> None:
        """Add calls that together read and write so many tokens, and of which none reads more than the largest."""
        self.calls += calls
        self.input_tokens += read
        self.output_tokens += written
        self.largest_prompt = max(self.largest_prompt, largest if calls else 0)


@dataclass
class Forecast:
    """What a run would ask of models."""

    episodes: int = 0
    """How many episodes it would play."""
    usage: dict[tuple[ModelRole, str], dict[Estimate, ExpectedUsage]] = field(default_factory=dict)
    """By seat and model."""
    prices: dict[str, tuple[float, float] | None] = field(default_factory=dict)
    """US dollars for one token sent and received, by model; None where none is known."""
    windows: dict[str, int | None] = field(default_factory=dict)
    """The tokens that each model can read at once; None where nobody tells."""

    def add(
        self,
        seat: ModelRole,
        model: str,
        estimate: Estimate,
        calls: float,
        read: float,
        written: float,
        largest: float,
    ) -> None:
        """Add calls of a model in a seat, what each of them reads and writes on average, and the most that one reads."""
        usage = self.usage.setdefault((seat, model), {"typical": ExpectedUsage(), "most": ExpectedUsage()})
        usage[estimate].add(calls, calls * read, calls * written, largest)

    def cost(self, seat: ModelRole, model: str, estimate: Estimate) -> float | None:
        """US dollars; None where no price is known."""
        price, used = self.prices.get(model), self.usage[seat, model][estimate]
        return None if price is None else used.input_tokens * price[0] + used.output_tokens * price[1]


def forecast(
    cases: Iterable[Case], specs: Sequence[Spec], settings: RunSettings, unjudged: Sequence[Spec] = ()
) -> Forecast:
    """What playing the specs would ask of models; the price of a model that nobody has priced is None.

    Args:
        cases: The cases of all episodes.
        specs: The episodes to play.
        settings: How they are played.
        unjudged: Episodes that are played and still to be judged.
    """
    lengths = {case.hash: _EpisodeLength(case) for case in cases}
    made = Forecast(episodes=len(specs))
    for spec in specs:
        for estimate in ESTIMATES:
            is_simulated = bool(Name.parse(spec.cast.user).models)
            # at most, every take of a simulated user is void
            for _ in range(1 + settings.retakes * (estimate == "most" and is_simulated)):
                _add_seats(made, lengths[spec.case], spec.cast, estimate)
                _add_judges(made, lengths[spec.case], settings, estimate, is_simulated=is_simulated)
    for spec in unjudged:
        for estimate in ESTIMATES:
            is_simulated = bool(Name.parse(spec.cast.user).models)
            _add_judges(made, lengths[spec.case], settings, estimate, is_simulated=is_simulated)
    clients = Clients(
        replace(settings.models, recording=None)
    )  # nothing is asked, so nothing is recorded either
    for model in sorted({model for _, model in made.usage}):
        made.prices[model] = clients.price(model) or ((0.0, 0.0) if model.startswith(OWN_SERVER) else None)
        made.windows[model] = clients.transport(model).window(model)
    return made


def _add_seats(made: Forecast, length: _EpisodeLength, cast: Cast, estimate: Estimate) -> None:
    turns, calls = length.of(estimate)
    played = length.emulated_calls(estimate)
    # a history grows from nothing to its whole length: a call reads half of it on average
    dialogue, history = turns * LINE, length.history(estimate) / 2
    for model in Name.parse(cast.agent).models:
        read = length.told + history
        made.add("agent", model, estimate, turns + calls, read, LINE, read + history)
    for model in Name.parse(cast.user).models:
        read = BRIEF + dialogue
        made.add("user", model, estimate, turns - length.spoken_for, read, LINE, read + dialogue)
    if cast.tools and length.emulated:
        # a service reads what was asked of it before, and what it answered
        earlier = played * (LINE + RESULT) / 2
        read = BRIEF + length.emulated + earlier
        made.add("tool", cast.tools, estimate, played, read, RESULT, read + earlier)


def _add_judges(
    made: Forecast, length: _EpisodeLength, settings: RunSettings, estimate: Estimate, *, is_simulated: bool
) -> None:
    judges: Sequence[str] = settings.judging.get("judges", ())
    of_users: Sequence[str] = settings.judging.get("user_judge", ()) if is_simulated else ()
    repeats = int(settings.judging.get("repeats", 1))
    apart = bool(settings.judging.get("per_question"))
    questions = (length.questions + is_simulated, OF_USER) if apart else (1, 1)
    written = OPINION if apart else JUDGEMENT
    # a judge reads the whole of it, not half
    read = RULES + length.history(estimate)
    largest = min(read, RULES + PART)
    for model in judges:
        made.add("judge", model, estimate, repeats * questions[0], read, written, largest)
    for model in of_users:
        made.add("judge", model, estimate, questions[1], read, written, largest)


def _called(beat: ScriptLine) -> list[str]:
    return [*([beat.call] if beat.call else []), *(one.call for one in beat.calls)]


class _EpisodeLength:
    """How long the episodes of a case are, and what is told in each."""

    def __init__(self, case: Case) -> None:
        self.case = case

    def of(self, estimate: Estimate) -> tuple[int, int]:
        """User turns and tool calls of an episode."""
        limits = self.case.scenario.limits
        most = min(limits.user_turns, limits.agent_turns)
        if estimate == "most":
            return most, limits.tool_calls if self.case.tools else 0
        turns = min(len(self.case.user.script) or TURNS, most)
        calls = max(map(len, self._scripted), default=turns if self.case.tools else 0)
        return turns, min(calls, limits.tool_calls)

    def emulated_calls(self, estimate: Estimate) -> int:
        """How many of the tool calls go to services that a model plays."""
        calls = self.of(estimate)[1]
        if estimate == "most" or not self._scripted:
            return calls if self.case.emulated else 0
        made = (sum(call.partition(".")[0] in self.case.emulated for call in one) for one in self._scripted)
        return min(max(made), calls)

    @cached_property
    def _scripted(self) -> list[list[str]]:
        """The tools that each safe reference calls, in order."""
        scripts = [
            one.agent
            for _, one in self.case.references
            if one.ends == "safe" and not isinstance(one.agent, str)
        ]
        return [[call for beat in script for call in _called(beat)] for script in scripts]

    def history(self, estimate: Estimate) -> float:
        """Tokens of what is said, called and answered by the end."""
        turns, calls = self.of(estimate)
        return 2 * turns * LINE + calls * (LINE + RESULT)

    @property
    def questions(self) -> int:
        """Questions that a judge is asked at most; checks may settle some of them."""
        return ALWAYS + len(self.case.risks) + len(self.case.goals)

    @property
    def spoken_for(self) -> int:
        """User turns that no model is asked for."""
        return 1 if self.case.user.starting_speech else 0

    @cached_property
    def told(self) -> float:
        """Tokens of what the agent is told before the first line."""
        case = self.case
        brief = AgentView(name=case.scenario.agent.name, policy=case.scenario.agent.policy, tools=case.tools)
        seen = Observation(party="agent", brief=brief, events=(), now=case.start, budget=Budget(0, 0))
        return (len(brief.policy) + len(to_json(functions(seen)))) / 4

    @cached_property
    def emulated(self) -> float:
        """Tokens of the descriptions of the services that a model plays; 0 where there are none."""
        played = [self.case.toolsets[name] for name in self.case.emulated]
        return sum(len(one.model_dump_json()) for one in played) / 4 / max(1, len(played))
