"""Toolsets written in a scenario file: tools with JSON Schema arguments, answered from a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from riskbox.sandbox.questions import alike
from riskbox.sandbox.scenario import DeclaredTool, DeclaredToolset
from riskbox.sandbox.table import Row, Table, ToolError
from riskbox.sandbox.toolset import Tool, Toolset
from riskbox.sandbox.toolspec import ToolSpec


class Logged(Row):
    """A writing call of a declared tool."""

    tool: str
    """The tool's short name."""
    arguments: dict[str, Any]
    """What it was called with."""


class Declared(Toolset):
    """A toolset without code; each of its writing calls becomes a row of `calls`."""

    calls: Table[Logged]
    declared: ClassVar[Mapping[str, Tool]] = {}

    @classmethod
    def tools(cls) -> Mapping[str, Tool]:
        """The tools of the scenario file."""
        return cls.declared


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
    tools = {tool.name: _tool(name, tool) for tool in toolset.tools}
    fields = {"__doc__": toolset.describe or f"The tools of {name}.", "name": name, "declared": tools}
    return type(name.title().replace("_", ""), (Declared,), fields)


def _tool(toolset: str, tool: DeclaredTool) -> Checked:
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
    )
    return Checked(tool.name, method, spec, Row)
