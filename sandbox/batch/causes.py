"""Why episodes ended in a fault, and whose fault it was."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from riskbox.sandbox.escape import line
from riskbox.sandbox.words.event import AGENT_CRASHED, Ended

Culprit: TypeAlias = Literal["agent", "user", "toolset", "worker"]
"""Who broke; an evaluator that breaks ends no episode and is reported apart."""


TOO_LONG = "The conversation no longer fits into the context of its model."
"""The reason of faults in which a server declined for want of context."""


class Cause(NamedTuple):
    """One reason for which episodes ended in a fault."""

    culprit: Culprit
    """Who broke."""
    reason: str
    """What happened, in one line."""

    @classmethod
    def of(cls, ended: Ended) -> Cause:
        """The cause of an ending in a fault."""
        party, colon, rest = ended.detail.partition(": ")
        # servers tell numbers that differ from conversation to conversation
        told = TOO_LONG if ended.reason == "context" else ""
        if ended.reason == AGENT_CRASHED and party != "agent":
            return cls("agent", line(ended.detail, 300))
        if colon and party in ("agent", "user"):
            return cls("agent" if party == "agent" else "user", told or line(rest, 300))
        if ended.reason == "worker_died":
            for one in ("agent", "user"):
                if f"process of the {one}" in ended.detail:
                    return cls("agent" if one == "agent" else "user", line(ended.detail, 300))
            return cls("worker", line(ended.detail, 300))
        # a participant's faults name the party, so what is left broke while a tool answered
        return cls("toolset", told or line(ended.detail, 300))
