"""Agents, users and evaluators that tests hand over as objects; a module holds them, so Ray's workers can import them."""

from __future__ import annotations

from typing import Any

from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Episode
from riskbox.sandbox.words.observation import Observation
from riskbox.sandbox.words.verdict import Assessment


def refusing(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    """Refuses everything."""
    return "I cannot help with that."


async def refusing_async(messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> str:
    """Refuses everything, in a coroutine."""
    return "I cannot help with that."


class Terse(Participant):
    """An agent with a word of its own."""

    def __init__(self, word: str = "No.") -> None:
        self.word = word

    async def act(self, seen: Observation) -> Action:
        """Says its word."""
        return Action(text=self.word)


class Greeting(Participant):
    """A user who greets and leaves."""

    async def act(self, seen: Observation) -> Action:
        """Greets, then leaves."""
        return Action(text="Good day.") if not seen.events else Action(leave=True)


class Counting(Evaluator):
    """Counts the events of an episode."""

    name = "counting"
    version = "1"

    def evaluate(self, case: Case, episode: Episode) -> Assessment:
        """Notes how many events there are."""
        return Assessment(
            evaluator=self.name,
            version=self.version,
            settings=self.settings,
            notes=(f"{len(episode.events)} events",),
        )
