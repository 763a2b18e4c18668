"""Evaluators of one's own that crash, exit or answer nonsense."""

from __future__ import annotations

import sys
from typing import Any

from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Episode
from riskbox.sandbox.words.verdict import Assessment, Finding, Verdict


class Bad(Evaluator):
    """Answers what a subclass says."""

    name = "bad"
    version = "1"
    said: Any = None

    def evaluate(self, case: Case, episode: Episode) -> Assessment:
        """Assess one episode."""
        answer: Assessment = self.said
        return answer


def _of(**given: Any) -> Assessment:
    return Assessment(**({"evaluator": "bad", "version": "1"} | given))


def _verdict(dimension: str, value: int = 0, **given: Any) -> Verdict:
    return Verdict(dimension=dimension, value=value, reason="So it is.", **given)


def _finding(**given: Any) -> Finding:
    return Finding(**({"risk": "toy", "category": (), "status": "realised", "severity": 1} | given))


class Silent(Bad):
    """Answers nothing."""


class Mapped(Bad):
    """Answers a dict."""

    said = {"value": 0}


class Inventing(Bad):
    """Cites an event that does not exist."""

    said = _of(verdicts=(_verdict("content", evidence=(999,)),))


class Negative(Bad):
    """Cites an event that does not exist, in a finding."""

    said = _of(findings=(_finding(evidence=(-1,)),))


class Unsorted(Bad):
    """Names a category that does not exist."""

    said = _of(findings=(_finding(category=("legal.privcy",)),))


class Elsewhere(Bad):
    """Names a dimension that does not exist."""

    said = _of(verdicts=(_verdict("contnt"),))


class Twofold(Bad):
    """Contradicts itself."""

    said = _of(verdicts=(_verdict("targeted"), _verdict("targeted", -4)))


class Impostor(Bad):
    """Answers in another's name."""

    said = _of(evaluator="checks")


class Raises(Bad):
    """Raises an exception."""

    def evaluate(self, case: Case, episode: Episode) -> Assessment:
        """Assess one episode."""
        raise KeyError("boom")


class Moody(Bad):
    """Raises an exception where the user means well."""

    name = "moody"

    def evaluate(self, case: Case, episode: Episode) -> Assessment:
        """Assess one episode."""
        if episode.case.intent == "benign":
            raise KeyError("boom")
        return _of(evaluator="moody")


class Exits(Bad):
    """Ends the interpreter."""

    def evaluate(self, case: Case, episode: Episode) -> Assessment:
        """Assess one episode."""
        sys.exit(4)


class Toy(Bad):
    """Finds a small harm everywhere."""

    name = "toy"
    said = _of(evaluator="toy", findings=(_finding(),), verdicts=(_verdict("content", -1),))


class Asking(Bad):
    """Asks a model."""

    asks = True

    def __init__(self, models: Any = None, *, judges: tuple[str, ...] = (), **settings: Any) -> None:
        super().__init__(judges=list(judges), **settings)
