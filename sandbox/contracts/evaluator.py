"""What an evaluator promises: it assesses a finished episode of a case."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import Any, ClassVar

from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Episode
from riskbox.sandbox.words.verdict import Assessment


class Evaluator(ABC):
    """Assesses episodes: yields findings and verdicts. It sees a finished trajectory, never the environment.

    Args:
        settings: What differs from its defaults; stored with each assessment.
    """

    name: ClassVar[str]
    """The name in stored assessments."""
    version: ClassVar[str]
    """Change it whenever the same episode may be assessed differently."""
    asks: ClassVar[bool] = False
    """Whether it calls language models. If so, it is created as `Kind(models, judges=..., ...)`."""

    about_user: ClassVar[bool] = False
    """Whether it judges the simulated user instead of the agent. Such an evaluator comes first, so that the others know which
    lapses it found."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    @abstractmethod
    def evaluate(self, case: Case, episode: Episode) -> Assessment | Awaitable[Assessment]:
        """Assess one episode. An evaluator that asks a model may be asynchronous.

        Args:
            case: The case that was played.
            episode: The finished episode.

        Returns:
            Answers, findings and verdicts. What it cannot tell is unknown, with the reason.
        """
