"""What a worker is given to do, and what it hands back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from riskbox.sandbox.contracts.store import Packed
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.verdict import Assessment


@dataclass(frozen=True, slots=True)
class Attempt:
    """One episode to play."""

    spec: Spec
    """What is played."""
    number: int = 1
    """How often it was started, this time included."""

    @property
    def key(self) -> str:
        """The key of its result."""
        return self.spec.id


@dataclass(frozen=True, slots=True)
class Judging:
    """One episode to judge: it is played and stored."""

    id: str
    """The episode's id."""
    blob: bytes
    """`record.pack` of its `Played`, with the assessments that are pending."""

    @property
    def key(self) -> str:
        """The key of its result, another than that of the episode as it was played."""
        return judging_key(self.id)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the evaluators that ask models say of a stored episode."""

    id: str
    """The episode's id."""
    assessments: Sequence[Assessment]
    """Those that were pending, and those that change with them."""

    @property
    def key(self) -> str:
        """The key of this result."""
        return judging_key(self.id)


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An episode that could not go on because a process it needed died; the cause may be another episode."""

    id: str
    """The episode's id."""
    reason: str
    """One sentence."""
    played: Packed | None = None
    """The episode as far as it was played, with a fault at its end."""


@dataclass(frozen=True, slots=True)
class Unstarted:
    """An episode that its worker was asked to hand back, and had not started."""

    id: str
    """The episode's id."""


Work: TypeAlias = Attempt | Judging
"""What a worker is given."""
WorkResult: TypeAlias = Packed | Judged | Interrupted | Unstarted
"""What came of it: an episode ready for the store, assessments of a stored one, or why there is neither."""


def judging_key(id: str) -> str:
    """The key of an episode's judging."""
    return f"{id} judged"


def result_key(result: WorkResult) -> str:
    """The key by which a result is acknowledged: that of the work it came of."""
    if isinstance(result, Packed):
        return result.row.id
    return result.key if isinstance(result, Judged) else result.id
