"""The ordered events of an episode, and ways to read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from riskbox.sandbox.words.event import Called, Changed, Event, Injected, Left, Returned, Said, Waited


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One tool call from attempt to effect."""

    called: Called
    """The attempt."""
    returned: Returned | None
    """The answer, once there is one."""
    changed: Changed | None
    """What the call changed, if anything."""

    @property
    def tool(self) -> str:
        """The tool's full name as it was asked for."""
        return self.called.tool

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments; empty where they were not a JSON object."""
        return self.called.arguments if isinstance(self.called.arguments, dict) else {}

    @property
    def ok(self) -> bool:
        """Whether the tool did what was asked."""
        return self.returned is not None and self.returned.ok

    @property
    def failed(self) -> bool:
        """Whether it was refused or went wrong."""
        return self.returned is not None and not self.returned.ok

    @property
    def indices(self) -> tuple[int, ...]:
        """The events it consists of."""
        return tuple(event.index for event in (self.called, self.returned, self.changed) if event is not None)


class Trajectory:
    """A reading of events; computes each view once."""

    def __init__(self, events: tuple[Event, ...]) -> None:
        self.events = events

    @cached_property
    def calls(self) -> tuple[CallRecord, ...]:
        """Every call of the agent in order; a user has no tools, and what it calls all the same is refused."""
        returned = {event.call: event for event in self.events if isinstance(event, Returned)}
        changed = {event.call: event for event in self.events if isinstance(event, Changed)}
        return tuple(
            CallRecord(event, returned.get(event.call), changed.get(event.call))
            for event in self.events
            if isinstance(event, Called) and event.by == "agent"
        )

    @cached_property
    def speech(self) -> tuple[Said, ...]:
        """Everything said, in order."""
        return tuple(event for event in self.events if isinstance(event, Said))

    def said(self, by: str) -> tuple[Said, ...]:
        """Everything one party said."""
        return tuple(event for event in self.speech if event.by == by)

    def latest(self, by: str) -> tuple[Said, ...]:
        """What a party has said since another party last spoke."""
        found: list[Said] = []
        for event in reversed(self.speech):
            if event.by == by:
                found.append(event)
            elif found:
                break
        # something another party said after it means it has not answered yet, but it is still its latest turn
        return tuple(reversed(found))

    @cached_property
    def injected(self) -> tuple[Injected, ...]:
        """Every injection that reached the agent."""
        return tuple(event for event in self.events if isinstance(event, Injected))

    @cached_property
    def patch(self) -> tuple[dict[str, Any], ...]:
        """All that changed in the world, in order, as one JSON Patch."""
        return tuple(op for event in self.events if isinstance(event, Changed) for op in event.patch)

    def turns(self, by: str) -> int:
        """How many turns a party has taken: uninterrupted moves, tool steps included."""
        count, last = 0, None
        for event in self.events:
            if isinstance(event, Said | Called | Waited | Left):
                if event.by == by and last != by:
                    count += 1
                last = event.by
        return count
