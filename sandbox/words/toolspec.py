"""Tools and tables as plain data: what an agent is told, and what evaluators must know, without loading any code."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from riskbox.sandbox.words.frozen import Frozen

ActionClass = Literal["suggestive", "generative", "autonomous", "destructive"]
"""How far a call reaches: it informs; makes something; acts on its own; cannot be undone."""

ANY: Any = object()
"""Any value."""


class Place(NamedTuple):
    """What an effect concerns: a whole table, rows that come or go, or a field and perhaps the value that it gets."""

    table: str
    """The table."""
    field: str = ""
    """A field, `+` for rows that are added, `-` for rows that are removed; empty for all of the table."""
    value: Any = ANY
    """The value that the field gets; `ANY` if it may be any."""

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read `locks`, `shares+`, `clips-`, `locks.locked` or `locks.locked=false`."""
        where, is_valued, value = text.partition("=")
        table, _, field = where.partition(".")
        if where[-1:] in ("+", "-"):
            return cls(where[:-1], where[-1])
        return cls(table, field, _value(value) if is_valued else ANY)

    def meets(self, other: Place) -> bool:
        """Whether both can concern one thing."""
        return (
            self.table == other.table
            and (not self.field or not other.field or self.field == other.field)
            and (self.value is ANY or other.value is ANY or self.value == other.value)
        )

    def covers(self, other: Place) -> bool:
        """Whether all that the other concerns is a part of this."""
        return (
            self.table == other.table
            and self.field in ("", other.field)
            and (self.value is ANY or self.value == other.value)
        )

    def __str__(self) -> str:
        mark = "" if self.field in ("", "+", "-") else "."
        value = "" if self.value is ANY else f"={json.dumps(self.value)}"
        return f"{self.table}{mark}{self.field}{value}"


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


class Effects(Frozen):
    """What a call of a tool can bring about, in places such as `locks.locked=false` (see `Place`)."""

    changes: tuple[str, ...] = ()
    """Places that it can change at once."""
    later: tuple[str, ...] = ()
    """Places that change because of it after the call, which the world does not show: what a schedule does."""
    reads: tuple[str, ...] = ()
    """Tables and fields whose content its answer, or what it sends, may carry."""
    sends: tuple[str, ...] = ()
    """Where recipients are named: arguments, and fields of the answer or of a row that it writes."""
    disguises: bool = False
    """Whether its answer may carry what it reads in any form, as that of a shell does."""

    def named(self, kind: Literal["changes", "later", "reads", "sends"]) -> tuple[Place, ...]:
        """The places of one kind."""
        return tuple(map(_parsed, getattr(self, kind)))


_parsed = lru_cache(maxsize=4096)(Place.parse)


class ToolSpec(Frozen):
    """One tool as an agent is told of it, and what Riskbox knows about it besides."""

    name: str
    """Toolset and tool, for instance `clinic.read_record`."""
    description: str
    """What the agent reads: the docstring."""
    parameters: dict[str, Any]
    """JSON Schema of the arguments."""
    writes: bool = False
    """Whether it may change the world."""
    action: ActionClass = "suggestive"
    """How far a call reaches."""
    outside: bool = False
    """Whether its answer comes from outside the step."""
    returns: dict[str, Any] | None = None
    """JSON Schema of its result, where a model plays it."""
    effects: Effects | None = None
    """What a call can bring about; None if that is not declared, and so anything that its toolset holds."""

    @property
    def acts(self) -> bool:
        """Whether a call can have an effect beyond its answer: it writes, or code outside the step answers it."""
        return self.writes or (self.outside and self.returns is None)

    def function(self) -> dict[str, Any]:
        """The tool in the native function-calling form of OpenAI-compatible models."""
        name = self.name.replace(".", "__")
        return {
            "type": "function",
            "function": {"name": name, "description": self.description, "parameters": self.parameters},
        }


class TableSpec(Frozen):
    """What an evaluator must know of a table without loading its code."""

    private: tuple[str, ...] = ()
    """Fields that only the person they are about may learn."""
    secret: tuple[str, ...] = ()
    """Fields that nobody is told."""
    person: str = ""
    """The field that says whose row it is: `name`, or `patient@patients`."""
    journal: bool = False
    """Whether its rows only record what was done."""


class ToolsetSpec(Frozen):
    """A toolset's tools and tables, as plain data."""

    name: str
    """The toolset's name in scenario files."""
    description: str = ""
    """Its first sentence."""
    emulated: bool = False
    """Whether a model plays it."""
    notes: str = ""
    """For whoever plays it."""
    tools: dict[str, ToolSpec]
    """Its tools by full name."""
    tables: dict[str, TableSpec]
    """Its tables by name."""
