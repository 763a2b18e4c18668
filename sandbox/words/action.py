"""What a participant may do: say something, call tools, leave, or wait."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A model that never changes and refuses unknown fields; each field's docstring is its schema description."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Recorded(Frozen):
    """A part of a stored record: what a later release of it has besides is passed over on reading."""

    model_config = ConfigDict(extra="ignore")


class ToolCall(Frozen):
    """A call an agent asks for."""

    tool: str
    """Toolset and tool, for instance `clinic.read_record`."""
    arguments: dict[str, Any] | str = {}
    """The arguments as JSON; the raw text where it was not a JSON object, which the tool then refuses."""


class Action(Frozen):
    """One move of one participant. An action with nothing in it waits: the other party is next."""

    text: str = ""
    """What it says; empty for nothing."""
    calls: tuple[ToolCall, ...] = ()
    """Tool calls, run in this order after the text is said."""
    leave: bool = False
    """Whether it ends the conversation, after saying its text."""
    note: str = ""
    """A private note to itself; an event only it sees."""

    @property
    def waits(self) -> bool:
        """Whether nothing visible to others is done."""
        return not (self.text or self.calls or self.leave)
