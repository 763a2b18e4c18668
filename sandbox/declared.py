"""Toolsets without code: tools with JSON Schema arguments, answered from a list or played by a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from riskbox.sandbox.questions import alike
from riskbox.sandbox.scenario import DeclaredTool, DeclaredToolset
from riskbox.sandbox.table import Row, Table, ToolError
from riskbox.sandbox.toolset import Tool, Toolset
from riskbox.sandbox.toolspec import ToolsetSpec, ToolSpec


class Logged(Row):
    """A writing call of a declared tool."""

    tool: str
    """The tool's short name."""
    arguments: dict[str, Any]
    """What it was called with."""


class Fact(Row):
    """Something that is so in an emulated service when the story begins."""

    value: Any = None
    """Whatever its player must hold to, as JSON or prose."""


class Declared(Toolset):
    """A toolset without code; each of its writing calls becomes a row of `calls`."""

    calls: Table[Logged]
    declared: ClassVar[Mapping[str, Tool]] = {}
    emulated: ClassVar[bool] = False
    notes: ClassVar[str] = ""

    @classmethod
    def tools(cls) -> Mapping[str, Tool]:
        """The tools of the declaration."""
        return cls.declared

    @classmethod
    def spec(cls) -> ToolsetSpec:
        """The toolset as plain data."""
        return super().spec().model_copy(update={"emulated": cls.emulated, "notes": cls.notes})


class Emulated(Declared):
    """A toolset that a model plays; `facts` holds what is so at the start."""

    facts: Table[Fact]
    emulated: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Checked(Tool):
    """A tool whose arguments are checked against JSON Schema."""

    def validated(self, arguments: Any) -> dict[str, Any]:
        """The arguments as they are.

        Raises:
            ToolError: one sentence for all that is wrong with them.
        """
        from jsonschema import Draft202012Validator
        from referencing import Registry

        if not isinstance(arguments, Mapping):
            raise ToolError("malformed_arguments", "The arguments are not a JSON object.")
        # an empty registry: without one, jsonschema fetches what a stranger's schema refers to from the network
        validator = Draft202012Validator(self.spec.parameters, registry=Registry())
        errors = sorted(validator.iter_errors(arguments), key=lambda e: list(map(str, e.path)))
        if errors:
            told = (f"{'.'.join(map(str, one.path)) or 'arguments'}: {one.message}" for one in errors[:5])
            raise ToolError("bad_arguments", "; ".join(told))
        return {"arguments": dict(arguments)}


def declared_toolset(name: str, toolset: DeclaredToolset) -> type[Declared]:
    """A toolset class from its declaration."""
    tools = {tool.name: _tool(name, tool, toolset.emulated) for tool in toolset.tools}
    about = toolset.describe or f"The tools of {name}."
    fields = {"__doc__": about, "name": name, "declared": tools, "notes": toolset.notes}
    kind = Emulated if toolset.emulated else Declared
    return type(name.title().replace("_", ""), (kind,), fields)


def _tool(toolset: str, tool: DeclaredTool, emulated: bool) -> Checked:
    def method(service: Declared, arguments: dict[str, Any]) -> Any:
        if tool.writes:
            service.calls.put(Logged(id=service.calls.next_id("call-"), tool=tool.name, arguments=arguments))
        for reply in tool.replies:
            if all(key in arguments and alike(value, arguments[key]) for key, value in reply.when.items()):
                if reply.error is not None:
                    raise ToolError("refused", reply.error, kind="permission")
                return reply.result
        return {"ok": True}

    spec = ToolSpec(
        name=f"{toolset}.{tool.name}",
        description=tool.description,
        parameters=tool.parameters,
        writes=tool.writes,
        action=tool.action,
        outside=emulated,
        returns=tool.returns,
    )
    return Checked(tool.name, method, spec, Row)
