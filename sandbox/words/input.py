"""What moves an episode on: an action, a tool's outcome from outside, or a stop. State is the fold of these."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.event import Ending
from riskbox.sandbox.words.frozen import Frozen


class Acted(Frozen):
    """A party moved."""

    kind: Literal["acted"] = "acted"
    by: str
    """Who."""
    action: Action
    """What it did."""
    turn_after: bool = Field(default=False, exclude_if=lambda after: not after)
    """Whether the agent still has a turn after the user left: its parting words wait for one."""


class Answered(Frozen):
    """A tool that is answered outside the step has answered."""

    kind: Literal["answered"] = "answered"
    call: str
    """The call answered."""
    result: Any = None
    """JSON the agent receives."""
    error: dict[str, Any] | None = None
    """The tool's refusal instead."""
    note: str = ""
    """What whoever plays the tool keeps in mind; an event no party sees."""


class Stopped(Frozen):
    """The driver ended the episode: a limit, a timeout, a cancellation or a fault."""

    kind: Literal["stopped"] = "stopped"
    ending: Ending
    """Which ending."""
    reason: str
    """The slug: `episode_seconds`, `cancelled`, `participant`..."""
    detail: str = ""
    """A sentence for people."""


Input: TypeAlias = Annotated[Acted | Answered | Stopped, Field(discriminator="kind")]
