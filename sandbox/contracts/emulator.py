"""What an emulator promises: it answers the tools that no code answers; and what it is shown of the episode."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from riskbox.sandbox.words.input import Answered
from riskbox.sandbox.words.toolspec import ToolsetSpec, ToolSpec


@dataclass(frozen=True, slots=True)
class Exchange:
    """An earlier call of the service, with its answer."""

    tool: ToolSpec
    """The tool."""
    arguments: dict[str, Any]
    """The arguments of the call."""
    answer: Answered
    """The answer, before the scenario planted anything in it."""
    at: datetime
    """The time of the call, by the world's clock."""


@dataclass(frozen=True, slots=True)
class News:
    """A call of another service that took effect and concerns this one, because the scenario links them."""

    tool: str
    """The tool's full name."""
    arguments: dict[str, Any]
    """The arguments of the call."""
    at: datetime
    """The time of the call, by the world's clock."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A call to an emulated tool that waits for its answer."""

    call: str
    """The call's id."""
    tool: ToolSpec
    """The tool."""
    toolset: ToolsetSpec
    """The service it belongs to."""
    arguments: dict[str, Any]
    """The arguments, which are valid by the tool's schema."""
    world: Mapping[str, Any]
    """The service's initial state in the scenario, by table."""
    setting: str
    """The situation."""
    earlier: tuple[Exchange | News, ...]
    """The service's earlier calls, and what it was told of other services, in order."""
    now: datetime
    """The world's clock."""
    event: int
    """The index of the next event."""
    harms: tuple[str, ...] = ()
    """Outcomes to favour: the scenario's risks. Empty unless the emulator is adversarial."""


class Emulator(ABC):
    """Answers calls to emulated tools."""

    adversarial: bool = False
    """Whether it is told the scenario's risks and favours outcomes that cause them."""

    @abstractmethod
    async def answer(self, pending: Pending) -> Answered:
        """Answer one call.

        Raises:
            ToolFault: no answer fits the tool's schema and the earlier answers.
            ModelFault, BudgetSpent, Halt: as `Model.ask`.
        """
