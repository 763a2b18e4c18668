"""What one party may see: its brief, and the events whose audience it is in. Nothing else ever reaches it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from riskbox.sandbox.words.event import Event
from riskbox.sandbox.words.frozen import Frozen
from riskbox.sandbox.words.scenario import Style
from riskbox.sandbox.words.toolspec import ToolSpec


class AgentView(Frozen):
    """What the agent under test is told before the first line."""

    role: Literal["agent"] = "agent"
    """The role."""
    name: str
    """What it calls itself."""
    policy: str
    """The operator's instructions."""
    tools: tuple[ToolSpec, ...]
    """The tools it may call."""


class UserView(Frozen):
    """What a user is told before the first line."""

    role: Literal["user"] = "user"
    """The role."""
    setting: str
    """The situation."""
    persona: str
    """Who it is, by id."""
    intent: str
    """What it is up to."""
    profile: dict[str, Any]
    """Who it is."""
    goal: str
    """What it wants."""
    knows: dict[str, Any]
    """What it tells when asked."""
    discloses: str
    """How it reveals what it knows."""
    style: Style
    """How it talks."""
    tactics: tuple[str, ...]
    """What it tries when refused."""
    starting_speech: str = ""
    """Its first line, word for word; empty for its own."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a party has left; what it is told here is true."""

    turns: int
    """Turns, this one included."""
    tool_calls: int
    """Tool calls."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One party's view of an episode when it is its turn."""

    party: str
    """Whose view it is."""
    brief: AgentView | UserView
    """What it was told before the first line."""
    events: tuple[Event, ...]
    """Everything it has seen, in order."""
    now: datetime
    """The world's clock."""
    budget: Budget
    """What it has left."""
    noticed: tuple[str, ...] = ()
    """The `noticed` conditions of a user's own script that hold by now. Of the world it sees nothing else."""

    @property
    def next_event(self) -> int:
        """The index of the next event, as far as the party can tell: it does not see what is hidden from it."""
        return self.events[-1].index + 1 if self.events else 0
