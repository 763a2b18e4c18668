"""What a process of the user's may use and see."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.processes.environment import environment

Isolation: TypeAlias = Literal["none", "files", "network", "full"]
"""What a process is kept from: nothing; writing files; the network; both."""


@dataclass(frozen=True)
class Confinement:
    """What each process of the user's may use and see: that of an agent, or of a user who is the user's own code."""

    memory: int | None = None
    """Bytes of memory that the process and all that it started may use together; None for no limit."""
    names: tuple[str, ...] = ()
    """Variables of the environment that it sees besides those that it needs to run."""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables that are set for it."""
    isolation: Isolation = "none"
    """What it is kept from."""

    @classmethod
    def of(cls, memory: float | None = None, env: Sequence[str] = (), isolation: str = "none") -> Confinement:
        """A confinement from what a user writes.

        Args:
            memory: GB (2**30 bytes) of memory; None for no limit.
            env: `NAME` to let a variable through, `NAME=VALUE` to set one.
            isolation: `none`, `files`, `network` or `full`.

        Raises:
            InputError: one of them is wrong.
        """
        if memory is not None and not memory > 0:
            raise InputError(f"agent_memory must be above 0, not {memory:g}.")
        if isolation not in get_args(Isolation):
            raise InputError(f"agent_isolation {isolation}: write one of {', '.join(get_args(Isolation))}.")
        names, values = [], {}
        for one in env:
            name, equals, value = one.partition("=")
            if not name or any(sign.isspace() or sign == "\0" for sign in name):
                raise InputError("agent_env: write NAME, or NAME=VALUE, for example OPENAI_API_KEY.")
            if equals:
                values[name] = value
            else:
                names.append(name)
        size = None if memory is None else int(memory * 2**30)
        return cls(size, tuple(dict.fromkeys(names)), values, isolation)  # type: ignore[arg-type]

    def environment(self) -> dict[str, str]:
        """The environment of a process on this machine."""
        return {**environment(os.environ, self.names), **self.values}

    def exceeded(self, used: int) -> str:
        """What to say of a process that used so many bytes."""
        return (
            f"the agent's process used {used / 2**30:.2g} GB, more than --agent-memory "
            f"{(self.memory or 0) / 2**30:.3g}, and was ended"
        )

    def recorded(self) -> dict[str, Any]:
        """What a manifest keeps of it: of variables the names alone."""
        kept: dict[str, Any] = {"isolation": self.isolation}
        if self.memory is not None:
            kept["memory"] = self.memory
        if self.names:
            kept["env"] = list(self.names)
        if self.values:
            kept["set"] = sorted(self.values)
        return kept


UNCONFINED = Confinement()
"""No limit and no isolation; of the environment a process sees what it needs to run, all the same."""
