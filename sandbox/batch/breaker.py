"""Stops an agent whose episodes keep ending in faults, while the other agents of the run go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from riskbox.sandbox.batch.causes import Cause
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.reporting.figures import many
from riskbox.sandbox.reporting.rows import agent_kind
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Spec

FIRST = 20
"""Episodes of an agent that are played first, from as many cases as there are. If all break by its own fault, it is stopped."""
STRIKES = 3
"""Deaths while alone that make an episode a fault."""
DEADLY = 5
"""Deaths while alone, in a row and over all episodes of an agent, after which one is enough. An agent of which no episode
ever went well is stopped then, once each of its cases, up to the first 20, could have died alone."""


@dataclass(frozen=True)
class FaultLimit:
    """How many of an agent's episodes may end in faults before it is stopped; neither figure for no limit."""

    count: int | None = None
    """Stop it at so many."""
    share: float | None = None
    """Stop it at this share of its planned episodes."""

    @classmethod
    def parse(cls, text: str) -> FaultLimit:
        """`5` or `5%`; 0 for no limit.

        Raises:
            InputError: it is neither.
        """
        number, percent, rest = text.strip().partition("%")
        try:
            figure = float(number) if percent else int(number)
        except ValueError:
            figure = -1
        if rest or figure < 0 or (percent and not figure <= 100):
            raise InputError(
                f"run: max_faults {text}: write a number, as 5, or a share, as 5%; 0 for no limit."
            )
        if not figure:
            return cls()
        return cls(share=figure / 100) if percent else cls(count=int(figure))


@dataclass(frozen=True)
class StoppedAgent:
    """An agent that was stopped because its episodes kept ending in faults."""

    agent: str
    """Its name."""
    why: str
    """What came of its episodes, in half a sentence."""
    cause: Cause
    """What broke most often."""
    left: int = 0
    """How many of its episodes were not played."""

    def __str__(self) -> str:
        return (
            f"{self.agent} was stopped: {self.why}. {many(self.left, 'episode')} not played. "
            f"Cause: the {self.cause.culprit}. {self.cause.reason}"
        )


class Breaker:
    """Counts how the episodes of each agent end.

    Args:
        limit: How many may end in faults; None to stop an agent whose first 20 all do by its own fault, or whose process
            died again and again while one episode played alone, and that never played one to its end.
        specs: What is to be played.
    """

    def __init__(self, limit: FaultLimit | None, specs: Sequence[Spec]) -> None:
        self.limit = limit
        self.planned = Counter(kind_of(spec) for spec in specs)
        self.done: Counter[str] = Counter()
        self.causes: dict[str, Counter[Cause]] = {}
        self.unproven = _first(specs) if limit is None else {}
        """By agent, ids of first episodes that have not ended yet. An agent with a first episode that went well has none."""
        self.deaths: Counter[str] = Counter()
        """By agent, deaths of its episodes while they played alone, since one of them went well."""
        self._went_well: set[str] = set()
        cases = Counter(agent for agent, _ in {(kind_of(spec), spec.case) for spec in specs})
        self._enough = {agent: max(DEADLY, min(FIRST, many)) for agent, many in cases.items()}
        self._stopped: dict[str, StoppedAgent] = {}

    def ordered(self, specs: Sequence[Spec]) -> list[Spec]:
        """What is to be played, the first episodes of each agent before all others."""
        first = set().union(*self.unproven.values())
        return sorted(specs, key=lambda spec: spec.id not in first)

    def add(self, spec: Spec) -> None:
        """Count one more that is to be played."""
        self.planned[kind_of(spec)] += 1

    def count(self, row: EpisodeRow, cause: Cause | None) -> str:
        """Count an episode that has ended, with the cause of its fault if it is one.

        Returns:
            The agent, where this is what stops it; else nothing.
        """
        agent = agent_kind(row.agent)
        self.done[agent] += 1
        if cause is None:
            self.deaths[agent] = 0
            self._went_well.add(agent)
            self.unproven.pop(agent, None)
            return ""
        causes = self.causes.setdefault(agent, Counter())
        causes[cause] += 1
        why = "" if agent in self._stopped else self._why(agent, row, cause)
        if why:
            self._stopped[agent] = StoppedAgent(agent, why, cause)
        return agent if why else ""

    def _why(self, agent: str, row: EpisodeRow, cause: Cause) -> str:
        faults = self.causes[agent].total()
        if self.limit is None:
            if self._is_deadly(agent):
                return f"its process died {self.deaths[agent]} times in a row while an episode played alone"
            first = self.unproven.get(agent)
            if first is None:
                return ""
            if cause.culprit not in ("agent", "worker"):
                del self.unproven[agent]
                return ""
            first.discard(row.id)
            return "" if first else f"its first {FIRST} episodes all ended in faults of its own"
        most = self.limit.count
        if self.limit.share is not None:
            most = max(1, round(self.limit.share * self.planned[agent]))
        if most is None or faults < most:
            return ""
        allowed = f"{self.limit.count}" if self.limit.count else f"{self.limit.share:.4g} of its episodes"
        return f"{many(faults, 'episode')} ended in faults, and max_faults is {allowed}"

    def struck(self, agent: str) -> int:
        """Count a death of one of its episodes while that played alone; how many make an episode a fault."""
        self.deaths[agent] += 1
        return 1 if self.deaths[agent] > DEADLY or self._is_deadly(agent) else STRIKES

    def _is_deadly(self, agent: str) -> bool:
        """Whether it died so often alone, and never did anything else, that it is stopped."""
        enough = self._enough.get(agent, DEADLY)
        return self.limit is None and agent not in self._went_well and self.deaths[agent] >= enough

    def is_stopped(self, agent: str) -> bool:
        """Whether an agent is stopped."""
        return agent in self._stopped

    @property
    def stopped(self) -> list[StoppedAgent]:
        """The agents that were stopped before all of their episodes were played."""
        found = [
            replace(
                one,
                left=self.planned[agent] - self.done[agent],
                cause=self.causes[agent].most_common(1)[0][0],
            )
            for agent, one in self._stopped.items()
        ]
        return [one for one in found if one.left > 0]


def kind_of(spec: Spec) -> str:
    """The agent that plays an episode, whatever its place in a scenario file."""
    return agent_kind(spec.cast.agent)


def _first(specs: Iterable[Spec]) -> dict[str, set[str]]:
    """The ids of the first episodes of each agent that has more, taken from its cases in turn."""
    by_agent: dict[str, dict[str, list[str]]] = {}
    for spec in specs:
        by_agent.setdefault(kind_of(spec), {}).setdefault(spec.case, []).append(spec.id)
    found = {}
    for agent, by_case in by_agent.items():
        ids = [id for id in chain.from_iterable(zip_longest(*by_case.values())) if id is not None]
        if len(ids) > FIRST:
            found[agent] = set(ids[:FIRST])
    return found
