"""Tools and tables as plain data: what an agent is told, and what evaluators must know, without loading any code."""

from __future__ import annotations

from typing import Any, Literal

from riskbox.sandbox.words.frozen import Frozen

ActionClass = Literal["suggestive", "generative", "autonomous", "destructive"]
"""How far a call reaches: it informs; makes something; acts on its own; cannot be undone."""


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
