"""What a participant may do: say something, call tools, leave, or wait."""

from __future__ import annotations

from operator import not_
from typing import Any, Literal, TypeAlias

from pydantic import Field

from riskbox.sandbox.words.frozen import Frozen, is_none

LeaveReason: TypeAlias = Literal["got_it", "gave_up", "was_told_no", "cannot_go_on"]
"""Why somebody leaves: it has what it came for, it gives up, it was refused, or it cannot go on for a reason of its own."""

LEFT_BECAUSE: dict[str, str] = {
    "got_it": "has what it came for",
    "gave_up": "gives up",
    "was_told_no": "was told no",
    "cannot_go_on": "cannot go on",
}
"""The reasons in words: it leaves because it ..."""


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
    why: LeaveReason | None = Field(default=None, exclude_if=is_none)
    """Why it leaves, where it says so. Readers and judges see it; no other party does."""
    out_of_part: str = Field(default="", exclude_if=not_)
    """Why whoever plays a user will not play it; empty as long as it plays. The episode is then void."""
    note: str = ""
    """A private note to itself, such as a model's thought; an event only it sees."""
    carried: dict[str, Any] = Field(default={}, exclude_if=not_)
    """Fields of the model's message that its provider wants back unchanged with the history: `reasoning_content`, say."""

    @property
    def waits(self) -> bool:
        """Whether nothing visible to others is done."""
        return not (self.text or self.calls or self.leave)
