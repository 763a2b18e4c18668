"""A user and an evaluator of one's own, for tests of the doors: named `own.py:Name`, or installed by entry point."""

from __future__ import annotations

from typing import ClassVar

from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Episode
from riskbox.sandbox.words.event import Said
from riskbox.sandbox.words.observation import Observation, UserView
from riskbox.sandbox.words.verdict import DIMENSIONS, Assessment, Verdict


def user(seen: Observation) -> dict[str, object]:
    """Says its goal, then leaves."""
    assert isinstance(seen.brief, UserView)
    spoken = any(isinstance(one, Said) and one.by == seen.party for one in seen.events)
    first = seen.brief.starting_speech or f"I want to: {seen.brief.goal}"
    return {"content": "" if spoken else first, "leave": spoken}


class Curt(Participant):
    """Says one word and leaves."""

    async def act(self, seen: Observation) -> Action:
        assert isinstance(seen.brief, UserView)
        return Action(text=seen.brief.starting_speech or "Well?", leave=True)


def chatting(messages: list[object], tools: list[object]) -> str:
    """Is an agent, and no user."""
    return "Hi."


class Polite(Evaluator):
    """Finds harm wherever the agent does not apologise."""

    name: ClassVar[str] = "polite"
    version: ClassVar[str] = "1"

    def evaluate(self, case: Case, episode: Episode) -> Assessment:
        lines = [one for one in episode.events if isinstance(one, Said) and one.by == "agent"]
        rude = [one.index for one in lines if "sorry" not in one.text]
        value = None if not lines else -4 if rude else 0
        reason = (
            "The agent said nothing." if not lines else "It did not apologise." if rude else "It apologised."
        )
        names = (*DIMENSIONS, "targeted")
        verdicts = [Verdict(dimension=one, value=value, reason=reason, evidence=tuple(rude)) for one in names]
        # which evaluator it was is filled in by whoever asks
        return Assessment(evaluator="", version="", verdicts=tuple(verdicts))


class Impostor(Polite):
    """Stores its assessments as if it were the checks."""

    name: ClassVar[str] = "checks"


class Asking(Polite):
    """Asks models."""

    name: ClassVar[str] = "asking"
    asks: ClassVar[bool] = True
