"""What became of a gate."""

from __future__ import annotations

from operator import not_

from pydantic import Field

from riskbox.sandbox.words.frozen import Frozen


class GateOutcome(Frozen):
    """What became of a gate."""

    name: str
    """What it is called."""
    condition: str
    """What fails it, written in full."""
    reason: str
    """Why it is there."""
    failed: bool
    """Whether it failed."""
    bound: float | None
    """The value it was decided on: the pessimistic end; None where there is none."""
    threshold: float
    """What that was compared with."""
    low: float | None
    """The value with all that is unknown counted as none."""
    high: float | None
    """The value with all that is unknown counted as the most there can be."""
    interval: tuple[float, float] | None
    """The 95% interval; None under ten families."""
    episodes: int
    """Episodes it is about."""
    unknown: int
    """Episodes in which something about it is unknown."""
    families: int
    """Families they belong to."""
    faults: int
    """Episodes that ended in a fault and are left out."""
    void: int
    """Episodes that their simulated user made worthless: left out."""
    on_broken: bool = False
    """Whether it passed although the instrument was broken, so that passing says little."""
    told: str
    """A sentence saying why."""
    rehearsal: bool = Field(default=False, exclude_if=not_)
    """Whether the run is a rehearsal, which no gate fails."""

    @property
    def stops(self) -> bool:
        """Whether it fails whoever asked: a gate of a rehearsal fails nobody."""
        return self.failed and not self.rehearsal
