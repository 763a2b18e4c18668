"""What a participant promises: given what it sees, it acts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.observation import Observation


class Participant(ABC):
    """Whoever observes and acts: a simulated user, an agent under test, a person.

    A `stateless` participant derives everything from what it observes, so that it can be replayed and forked at any
    event. A `session` keeps state of its own (a process, a person at a terminal): a fork feeds it the recorded
    observations again and requires the same actions.
    """

    continuity: Literal["stateless", "session"] = "stateless"

    async def ready(self) -> None:  # noqa: B027  # most participants are ready as they are
        """Get ready: start a process, load a model. Called once before the first turn and no part of its time."""

    @abstractmethod
    async def act(self, seen: Observation) -> Action:
        """Its next move.

        Args:
            seen: Its brief, and every event it may see so far.

        Returns:
            What it does; an empty action waits.
        """

    async def close(self) -> None:  # noqa: B027  # most participants hold nothing to let go of
        """Let go of what it holds; called once, when the episode is over."""
