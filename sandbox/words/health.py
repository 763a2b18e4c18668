"""Health: how the instrument itself did, counted from the calls of its models.

The instrument is all that Riskbox measures an agent with: the models that play the user, tools and the judge, and the
way in which the agent's own model is reached. A rate says little where the instrument was broken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from riskbox.sandbox.words.frozen import Recorded
from riskbox.sandbox.words.mark import CALLS, SEATS, CallMark, EpisodeMark
from riskbox.sandbox.words.modelcall import AnswerFlaw, ModelCall, ModelOutcome


class HealthCount(Recorded):
    """How often one thing was counted."""

    mark: str
    """The seat and the mark, `agent.empty`; `agent.calls` are all calls of a seat."""
    many: int
    """How often."""


def marks(call: ModelCall) -> Iterable[AnswerFlaw | ModelOutcome | Literal["failed", "retried", "estimated"]]:
    """What a call is counted as, beside being a call.

    An agent that refuses behaves, which is what is measured; in every other seat a refusal is a failure.
    """
    flaws = dict.fromkeys(call.flaws)
    if "filtered" in flaws:
        flaws.pop("empty", None)  # the filter is why
    yield from flaws
    if call.outcome != "ok" and (call.seat, call.outcome) != ("agent", "refused"):
        yield call.outcome
        yield "failed"
    if call.attempts > 1:
        yield "retried"
    if call.estimated:
        yield "estimated"


def health_of(calls: Iterable[ModelCall], seat: str = "") -> tuple[HealthCount, ...]:
    """The calls of some models, counted.

    Args:
        calls: The calls.
        seat: The seat that all of them count for; the one that each names by default.
    """
    found: Counter[str] = Counter()
    for call in calls:
        whose = seat or call.seat
        found.update(f"{whose}.{mark}" for mark in (CALLS, *marks(call)))
    return tuple(HealthCount(mark=mark, many=many) for mark, many in found.items())


class Health(Recorded):
    """How the instrument did over some episodes, counted."""

    episodes: int = 0
    """Stored episodes, whatever their ending."""
    void: int = 0
    """Those of them that their simulated user made worthless."""
    lapsed: int = 0
    """Others in which the simulated user did not play its part throughout."""
    seats: dict[str, dict[str, int]] = {}
    """By seat of a model (agent, user, tool, judge): its `calls`, and how many of them bear each mark."""
    unrecorded: int = 0
    """Calls of models of which nothing more is known, because an earlier release recorded them."""

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Health:
        """Health from counts by `seat.mark`, and by the names of the other fields."""
        seats = {
            seat: {
                mark: many
                for mark in (CALLS, *get_args(CallMark))
                if (many := counts.get(f"{seat}.{mark}", 0))
            }
            for seat in SEATS
        }
        return cls(
            episodes=counts.get("episodes", 0),
            void=counts.get("void", 0),
            lapsed=counts.get("lapsed", 0),
            seats={seat: found for seat, found in seats.items() if found},
            unrecorded=counts.get("unrecorded", 0),
        )

    @property
    def calls(self) -> int:
        """Calls of all seats that were counted."""
        return self.share_of(CALLS)[0]

    def share_of(self, mark: str, seat: str = "") -> tuple[int, int]:
        """How many calls bear a mark, and how many calls there were; for a mark of episodes, the same of episodes.

        Args:
            mark: One of `MARKS`.
            seat: Of which seat; all seats together by default.
        """
        if mark in get_args(EpisodeMark):
            return getattr(self, mark), self.episodes
        chosen = [counts for of, counts in self.seats.items() if seat in ("", of)]
        return sum(counts.get(mark, 0) for counts in chosen), sum(counts.get(CALLS, 0) for counts in chosen)
