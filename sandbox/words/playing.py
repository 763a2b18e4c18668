"""An episode that is being played right now, as others may see it before it is stored."""

from __future__ import annotations

from riskbox.sandbox.words.frozen import Recorded
from riskbox.sandbox.words.run import Spec


class Playing(Recorded):
    """An episode that is being played."""

    spec: Spec
    """What is played: case, cast and seed."""
    case: str
    """The case's id."""
    attempt: int = 1
    """How often it was started, this time included."""
    turn: int = 0
    """How many turns were taken so far, by all parties together."""
    since: float
    """When this attempt began, in seconds since 1970, by the clock of the machine that plays it."""
    host: str = ""
    """The machine that plays it."""

    @property
    def id(self) -> str:
        """The episode's id."""
        return self.spec.id
