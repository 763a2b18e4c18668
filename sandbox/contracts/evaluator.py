"""What an evaluator promises: from a case and a finished episode, an assessment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import Any, ClassVar

from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Episode
from riskbox.sandbox.words.verdict import Assessment


class Evaluator(ABC):
    """Anything that yields findings and verdicts. It sees a finished trajectory, never the environment."""

    name: ClassVar[str]
    """Its name in stored assessments."""
    version: ClassVar[str]
    """Raise it whenever the same episode could be assessed differently."""
    asks: ClassVar[bool] = False
    """Whether it asks language models; then it is made as `Kind(models, judges=..., ...)`."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    @abstractmethod
    def evaluate(self, case: Case, episode: Episode) -> Assessment | Awaitable[Assessment]:
        """Assess one episode; one that asks a model answers awaitably.

        Args:
            case: What was played.
            episode: What happened.

        Returns:
            Answers, findings, verdicts; unknown where it cannot tell, with the reason.
        """
