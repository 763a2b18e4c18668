"""What a participant may do: say something, call tools, leave, or wait."""

from __future__ import annotations

from operator import not_
from typing import Any

from pydantic import Field

from riskbox.sandbox.words.frozen import Frozen


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
    """A private note to itself, such as a model's thought; an event only it sees."""
    carried: dict[str, Any] = Field(default={}, exclude_if=not_)
    """Fields of the model's message that its provider wants back unchanged with the history: `reasoning_content`, say."""

    @property
    def waits(self) -> bool:
        """Whether nothing visible to others is done."""
        return not (self.text or self.calls or self.leave)
