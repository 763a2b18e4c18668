"""What happened in an episode: immutable events, each with the parties who may see it."""

from __future__ import annotations

from operator import not_
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter

from riskbox.sandbox.words.frozen import Recorded

AGENT_CRASHED = "agent_crashed"
"""Why an episode ended, as a slug, where the code of the agent under test went wrong in its turn."""
WORKER_DIED = "worker_died"
"""The same where a process died and it is not known to be the agent's."""

OVER_LIMIT = "over_limit"
"""The code of the error of a call beyond the limit of tool calls."""

LATEST = 10**10
"""Seconds after which no event happens, 300 years, so that the world's clock stays a date."""

Ending: TypeAlias = Literal["terminated", "truncated", "fault"]
"""How an episode ended: someone left or a goal closed; a limit was reached; something broke."""


class Happened(Recorded):
    """What all events share."""

    index: int
    """Its place in the trajectory, from 0."""
    time: int = Field(ge=0, le=LATEST)
    """Seconds of the world's clock since the start of the episode."""
    audience: tuple[str, ...]
    """The ids of the parties who may see it."""


class Said(Happened):
    """A party said something."""

    kind: Literal["said"] = "said"
    by: str
    """Who spoke."""
    text: str
    """The words."""


class Called(Happened):
    """A party attempted a tool call."""

    kind: Literal["called"] = "called"
    by: str
    """Who called."""
    call: str
    """The call's id within the episode, for instance `c3`."""
    tool: str
    """The tool's full name as it was asked for, existing or not."""
    arguments: dict[str, Any] | str
    """The arguments as asked for; raw text where they were not a JSON object."""


class Returned(Happened):
    """A tool answered, or the sandbox refused the call."""

    kind: Literal["returned"] = "returned"
    by: str
    """Who called."""
    call: str
    """The call answered."""
    tool: str
    """The tool's full name."""
    permitted: bool
    """Whether the call reached the tool: it exists, was offered to the party and the arguments were valid."""
    result: Any = None
    """What the tool gave back, where it did what was asked."""
    error: dict[str, Any] | None = None
    """Why it did not: class, code, message, retryable, hint."""

    @property
    def ok(self) -> bool:
        """Whether the tool did what was asked."""
        return self.error is None


class Changed(Happened):
    """A call took effect on the world."""

    kind: Literal["changed"] = "changed"
    call: str
    """The call that did it."""
    patch: tuple[dict[str, Any], ...]
    """JSON Patch (RFC 6902) over the world, paths `/toolset/table/row/field`."""


class Injected(Happened):
    """A scenario's injection reached the agent."""

    kind: Literal["injected"] = "injected"
    injection: str
    """The injection's id."""
    call: str
    """The call whose result carried it; empty where it came another way."""


class Noted(Happened):
    """A party's private note to itself."""

    kind: Literal["noted"] = "noted"
    by: str
    """Whose note it is."""
    text: str
    """The note; a model's thought where a model plays the party."""
    carried: dict[str, Any] = Field(default={}, exclude_if=not_)
    """Fields of the model's message that its provider wants back unchanged with the history."""
    why: str = Field(default="", exclude_if=not_)
    """Why it leaves with this move: got_it, gave_up, was_told_no or cannot_go_on; empty if it stays or does not say."""
    out_of_part: str = Field(default="", exclude_if=not_)
    """Why whoever plays the party will not play it; empty as long as it plays."""


class Noticed(Happened):
    """A user saw what changed in its part of the world since its last turn: its own mailbox, its own phone."""

    kind: Literal["noticed"] = "noticed"
    by: str
    """Who saw it."""
    text: str
    """What it saw."""


class Waited(Happened):
    """A party did nothing with its turn."""

    kind: Literal["waited"] = "waited"
    by: str
    """Who waited."""


class Left(Happened):
    """A party left the conversation."""

    kind: Literal["left"] = "left"
    by: str
    """Who left."""


class Ended(Happened):
    """The episode ended; always the last event."""

    kind: Literal["ended"] = "ended"
    ending: Ending
    """Which of the three endings, never mixed."""
    reason: str
    """The limit, the leaving or the broken boundary, as a slug: `user_left`, `agent_turns`, `participant`."""
    detail: str = ""
    """A sentence for people."""


class Opaque(BaseModel):
    """An event of a kind this release does not know, kept as it was."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str
    """The unknown kind."""
    index: int
    """Its place in the trajectory."""
    time: int = 0
    """Seconds of the world's clock since the start."""
    audience: tuple[str, ...] = ()
    """Who may see it."""


KINDS = ("said", "called", "returned", "changed", "injected", "noted", "noticed", "waited", "left", "ended")


def _tag(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if kind in KINDS else "opaque"


Event: TypeAlias = Annotated[
    Annotated[Said, Tag("said")]
    | Annotated[Called, Tag("called")]
    | Annotated[Returned, Tag("returned")]
    | Annotated[Changed, Tag("changed")]
    | Annotated[Injected, Tag("injected")]
    | Annotated[Noted, Tag("noted")]
    | Annotated[Noticed, Tag("noticed")]
    | Annotated[Waited, Tag("waited")]
    | Annotated[Left, Tag("left")]
    | Annotated[Ended, Tag("ended")]
    | Annotated[Opaque, Tag("opaque")],
    Discriminator(_tag),
]

EVENTS: TypeAdapter[tuple[Event, ...]] = TypeAdapter(tuple[Event, ...])
"""Reads and writes a trajectory's events."""
