"""An episode that is being played right now, as others may see it before it is stored."""

from __future__ import annotations

from collections.abc import Sequence

from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import CaseRef, Episode, Played
from riskbox.sandbox.words.event import Event
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

    def so_far(self, run: str, case: Case, events: Sequence[Event]) -> Played:
        """The episode as far as it is known: without an ending, unless that is among the events, and assessed by nobody."""
        spec = self.spec
        episode = Episode(
            id=spec.id,
            run=run,
            case=CaseRef.of(case),
            cast=spec.cast,
            seed=spec.seed,
            retake=spec.retake,
            inputs=(),
            events=tuple(events),
            attempt=self.attempt,
            host=self.host,
        )
        return Played(episode=episode)
