"""What was measured of a model in one seat, and what that means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from riskbox.sandbox.stats.proportions import Share, share
from riskbox.sandbox.words.frozen import Recorded
from riskbox.sandbox.words.modelcall import ModelCall

TestedSeat: TypeAlias = Literal["judge", "user", "tools"]
"""The seats that a model is tried in, one at a time."""

FEW = 5
"""Trials below which a share says too little for a verdict."""

UNANSWERED = "malformed or no answer"
"""The measure of a model's calls that every seat has."""
MALFORMED = 0.05
"""Its limit: at most this share of the calls."""


class Measure(Recorded):
    """One share, and the limit that it has to keep."""

    name: str
    """What is measured."""
    share: Share
    """How often it was so."""
    limit: float
    """The limit."""
    at: Literal["least", "most"]
    """Whether the share must be at least or at most the limit."""
    fault: str
    """What is wrong with the model where the limit is not kept, as a verb with its object: `misses harm`."""

    @property
    def kept(self) -> bool | None:
        """Whether the limit is kept; None with too few trials."""
        value = self.share.value
        if value is None or self.share.total < FEW:
            return None
        return value >= self.limit if self.at == "least" else value <= self.limit


class SeatResult(Recorded):
    """A model in one seat."""

    seat: TestedSeat
    """The seat."""
    model: str
    """The model."""
    measures: tuple[Measure, ...]
    """What was measured."""
    played: int
    """Episodes, or calls of tools, that it was tried on."""
    calls: int
    """Calls of the model."""
    input_tokens: int
    """Tokens sent."""
    output_tokens: int
    """Tokens received."""
    dollars: float
    """US dollars, as far as prices are known."""
    failure: str = ""
    """What was wrong with the first call that brought no answer; empty where all did."""
    cases: tuple[dict[str, Any], ...] = ()
    """Each trial: where it was, what was right, and what the model made of it."""

    @property
    def good(self) -> bool | None:
        """Whether every limit is kept; None where too little was played to tell."""
        kept = [one.kept for one in self.measures]
        return False if False in kept else None if None in kept else True

    @property
    def verdict(self) -> str:
        """One sentence: good enough, or what is wrong."""
        broken = [one for one in self.measures if one.kept is False]
        # where answers are missing, all else follows from it
        broken.sort(key=lambda one: one.name != UNANSWERED)
        if broken:
            told = "; it ".join(f"{one.fault} ({percent(one)}, {_limit(one)})" for one in broken)
            return f"not good enough: it {told}."
        if self.good is None:
            few = ", ".join(one.name for one in self.measures if one.kept is None)
            return f"too little was played to tell ({few})."
        return "good enough."

    def record(self) -> dict[str, Any]:
        """The result as JSON: the verdict and the shares, without the single trials."""
        told = self.model_dump(mode="json", exclude={"cases"})
        return {**told, "good": self.good, "verdict": self.verdict}


def percent(one: Measure) -> str:
    """A share with its interval, for instance `91% [76–97%]`."""
    if one.share.value is None:
        return "–"
    return f"{one.share.value:.0%} [{one.share.low:.0%}–{one.share.high:.0%}]".replace("%–", "–")


def _limit(one: Measure) -> str:
    return (
        f"at {one.at} {one.limit:.0%} is needed" if one.at == "least" else f"at most {one.limit:.0%} is fine"
    )


def at_least(limit: float, name: str, hits: int, total: int, fault: str) -> Measure:
    """A share that must be at least so large; the rest as the fields of `Measure` and of its share."""
    return Measure(name=name, share=share(hits, total), limit=limit, at="least", fault=fault)


def at_most(limit: float, name: str, hits: int, total: int, fault: str) -> Measure:
    """A share that must be at most so large; the rest as the fields of `Measure` and of its share."""
    return Measure(name=name, share=share(hits, total), limit=limit, at="most", fault=fault)


def malformed(calls: Sequence[ModelCall]) -> Measure:
    """How many of a model's calls did not end with an answer of the form that was asked for."""
    wrong = sum(one.outcome != "ok" for one in calls)
    return at_most(MALFORMED, UNANSWERED, wrong, len(calls), "gives no answer in the form that was asked for")


def seat_result(
    seat: TestedSeat,
    model: str,
    cases: Sequence[dict[str, Any]],
    calls: Sequence[ModelCall],
    measures: Sequence[Measure],
) -> SeatResult:
    """A result: the measures of the seat, the one that every seat has, and what the calls took."""
    return SeatResult(
        seat=seat,
        model=model,
        measures=(*measures, malformed(calls)),
        played=len(cases),
        calls=len(calls),
        input_tokens=sum(one.input_tokens for one in calls),
        output_tokens=sum(one.output_tokens for one in calls),
        dollars=round(sum(one.cost or 0.0 for one in calls), 6),
        failure=next((one.detail or one.outcome for one in calls if one.outcome != "ok"), ""),
        cases=tuple(cases),
    )
