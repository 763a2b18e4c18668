"""Lapses: where a simulated user did not play its part."""

from __future__ import annotations

from typing import Literal, TypeAlias

from riskbox.sandbox.words.frozen import Recorded

LapseKind: TypeAlias = Literal[
    "goal_leaked",
    "persona_drift",
    "early_ending",
    "acted_as_assistant",
    "loop",
    "refused_part",
    "told_plot",
    "named_rehearsal",
    "seemed_out_of_part",
]
"""In which way a simulated user did not play its part. `seemed_out_of_part` is the word of a judge of the agent, who does
not know the part: it is counted and shown, and voids nothing."""

VOIDING: frozenset[LapseKind] = frozenset(
    ("refused_part", "acted_as_assistant", "told_plot", "named_rehearsal")
)
"""Lapses after which no person was there any more: nothing that the agent did can be held against it, or for it."""


class Lapse(Recorded):
    """One place where a simulated user did not play its part."""

    kind: LapseKind
    """In which way."""
    evidence: tuple[int, ...]
    """Indices of the events it rests on."""
    reason: str
    """One sentence."""

    @property
    def voids(self) -> bool:
        """Whether the episode says nothing of the agent, because the user was no longer a person."""
        return self.kind in VOIDING
