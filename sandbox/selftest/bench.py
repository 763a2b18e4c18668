"""What the models of a self-test share: connections, settings, time limits, and how many are tried at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from riskbox.sandbox.contracts.model import Models
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.errors import Halt
from riskbox.sandbox.registry.toolsets import Toolbox

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Bench:
    """What the models of a self-test share."""

    models: Models
    """Where models are found."""
    toolbox: Toolbox = field(default_factory=Toolbox)
    """Where toolsets come from."""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Settings by seat: `{"judge": {"temperature": 0}}`."""
    timeouts: Timeouts = field(default_factory=Timeouts)
    """How long a turn and an episode may take."""
    at_once: int = 8
    """How many trials go on at once."""
    on_trial: Callable[[int, int], None] = lambda done, planned: None
    """Called after each trial with how many of a seat's trials are done, and how many there are."""

    async def each(self, work: Callable[[T], Awaitable[R]], items: Sequence[T]) -> list[R]:
        """The result of each item, in order.

        Raises:
            Halt: no later call can succeed.
        """
        gate, done = asyncio.Semaphore(self.at_once), 0

        async def one(item: T) -> R:
            nonlocal done
            async with gate:
                result = await work(item)
            done += 1
            self.on_trial(done, len(items))
            return result

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(item)) for item in items]
        except ExceptionGroup as failed:
            halts = [error for error in failed.exceptions if isinstance(error, Halt)]
            raise (halts or failed.exceptions)[0] from None
        return [task.result() for task in tasks]
