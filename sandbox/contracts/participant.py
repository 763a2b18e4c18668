"""The contract of a participant: it observes and acts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.observation import Observation


class Participant(ABC):
    """Anyone who observes and acts: a simulated user, an agent under test, a person.

    A `stateless` participant derives everything from what it observes, so it can be replayed and forked at any event. A
    `session` keeps its own state (a process, a person at a terminal): a fork shows it the recorded observations again and
    requires the same actions.
    """

    continuity: Literal["stateless", "session"] = "stateless"

    async def ready(self) -> None:  # noqa: B027  # most participants are ready as they are
        """Set up: start a process, load a model. Called once before the first turn; does not count towards its time."""

    @abstractmethod
    async def act(self, seen: Observation) -> Action:
        """Return the next move.

        Args:
            seen: The brief, and every event that the participant may see so far.

        Returns:
            The action. An empty action waits.
        """

    async def close(self) -> None:  # noqa: B027  # most participants hold nothing to release
        """Release resources. Called once, when the episode is over."""
