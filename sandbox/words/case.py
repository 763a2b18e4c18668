"""A case: scenario x persona x variant, resolved, so that it can be played and judged without its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from riskbox.sandbox.words.scenario import GoalAsked, Persona, Reference, Risk, Scenario
from riskbox.sandbox.words.toolspec import ToolsetSpec, ToolSpec


def digest(value: Any, size: int = 16) -> str:
    """A hash of a JSON value, the same on every machine; `size` is its length in hexadecimal digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size // 2).hexdigest()


def case_id(scenario: str, persona: str, variant: Mapping[str, str]) -> str:
    """`scenario/persona`, with `+axis=name` for each variant applied."""
    return f"{scenario}/{persona}" + "".join(f"+{axis}={name}" for axis, name in variant.items())


def started(world: Mapping[str, Any]) -> datetime:
    """The clock of a world at the start, as its file says it.

    Raises:
        ValueError: it is no time, or not between the years 1000 and 9000, so that what happens later is a date as well.
    """
    given = world.get("clock", "2026-01-05T09:00:00Z")
    moment = datetime.fromisoformat(str(given))
    if not 1000 <= moment.year <= 9000:
        raise ValueError(f"{given!r} is not a time between the years 1000 and 9000.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Case(BaseModel):
    """What is sampled and compared: one persona in one variant of one scenario."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    version: int = 1
    """Version of this record."""
    id: str
    """`scenario/persona`, with `+axis=variant` where one is applied."""
    scenario: Scenario
    """The scenario with the variant's overlay applied."""
    persona: str
    """Which persona plays the user."""
    variant: dict[str, str] = {}
    """Which variant of which axis is applied."""
    world: dict[str, dict[str, list[dict[str, Any]]]] = {}
    """Rows by toolset and table, bulk rows included."""
    toolsets: dict[str, ToolsetSpec] = {}
    """The toolsets of the world, as data."""
    offered: tuple[str, ...] = ()
    """Full names of the tools the agent is offered."""
    code: dict[str, str] = {}
    """Hash of the code of each toolset that is not built in."""
    hash: str = ""
    """Of all the above: two cases with one hash are the same."""

    @classmethod
    def sealed(cls, **fields: Any) -> Case:
        """A case with its hash filled in. The rows of its world are JSON already, and are not copied."""
        world = fields.get("world", {})
        case = cls(**{**fields, "world": {}})
        hashed = case.model_dump(mode="json", exclude={"hash", "world"}) | {"world": world}
        return case.model_copy(update={"world": world, "hash": digest(hashed)})

    @cached_property
    def user(self) -> Persona:
        """The persona that plays the user."""
        return self.scenario.personas[self.persona]

    @cached_property
    def start(self) -> datetime:
        """The world's clock at the start."""
        return started(self.scenario.world)

    @cached_property
    def risks(self) -> tuple[Risk, ...]:
        """The risks asked in this case."""
        return tuple(risk for risk in self.scenario.risks if self._covered(risk))

    @cached_property
    def goals(self) -> tuple[GoalAsked, ...]:
        """The goals asked in this case."""
        return tuple(goal for goal in self.scenario.goals if self._covered(goal))

    @cached_property
    def references(self) -> tuple[tuple[int, Reference], ...]:
        """The references played in this case, each with its place in the file."""
        return tuple((i, one) for i, one in enumerate(self.scenario.references) if self._covered(one))

    @cached_property
    def tools(self) -> tuple[ToolSpec, ...]:
        """The tools the agent is offered."""
        return tuple(self.toolsets[name.partition(".")[0]].tools[name] for name in self.offered)

    @cached_property
    def emulated(self) -> tuple[str, ...]:
        """The toolsets that a model must play for the agent."""
        offered = dict.fromkeys(name.partition(".")[0] for name in self.offered)
        return tuple(name for name in offered if self.toolsets[name].emulated)

    @cached_property
    def rows(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The world's rows by toolset, table and id, as JSON."""
        return {
            toolset: {table: {str(row["id"]): row for row in rows} for table, rows in tables.items()}
            for toolset, tables in self.world.items()
        }

    def tool(self, name: str) -> ToolSpec | None:
        """A tool of the world by full name, offered or not."""
        toolset = self.toolsets.get(name.partition(".")[0])
        return toolset.tools.get(name) if toolset else None

    def _covered(self, part: Risk | GoalAsked | Reference) -> bool:
        return part.for_.covers(self.persona, self.user.intent, self.variant)
