"""Toolsets without code: tools with JSON Schema arguments, answered from a list or played by a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from riskbox.sandbox.contracts.questions import alike
from riskbox.sandbox.contracts.table import Row, Table, ToolError
from riskbox.sandbox.contracts.toolset import Tool, Toolset
from riskbox.sandbox.words import schema as schemas
from riskbox.sandbox.words.declaration import DeclaredTool, DeclaredToolset
from riskbox.sandbox.words.pattern import PatternError
from riskbox.sandbox.words.toolspec import ToolsetSpec, ToolSpec

ToolMethod = Callable[[Any, dict[str, Any]], Any]
"""The method of a declared tool: from the toolset and the arguments to the result."""


class Logged(Row):
    """A call to a declared tool that writes."""

    tool: str
    """The tool's short name."""
    arguments: dict[str, Any]
    """The arguments of the call."""


class Fact(Row):
    """Something that is true of an emulated service at the start."""

    value: Any = None
    """What the emulator must respect, as JSON or prose."""


class Declared(Toolset):
    """A toolset without code. Each call that writes becomes a row of `calls`."""

    calls: Table[Logged]
    """Its writing calls."""
    declared: ClassVar[Mapping[str, Tool]] = {}
    """Its tools, by short name."""

    @classmethod
    def tools(cls) -> Mapping[str, Tool]:
        """The tools of the declaration."""
        return cls.declared


class Emulated(Declared):
    """A toolset whose tools a model plays."""

    facts: Table[Fact]
    """What is true of the service at the start."""
    notes: ClassVar[str] = ""
    """What the emulator is told about the service."""

    @classmethod
    def spec(cls) -> ToolsetSpec:
        """The toolset as plain data."""
        return super().spec().model_copy(update={"emulated": True, "notes": cls.notes})


@dataclass(frozen=True, slots=True)
class SchemaTool(Tool):
    """A tool whose arguments are validated by a JSON Schema."""

    def validated(self, arguments: Any) -> dict[str, Any]:
        """The arguments, unchanged.

        Raises:
            ToolError: they do not satisfy the schema; the message lists what is wrong.
        """
        if not isinstance(arguments, Mapping):
            raise ToolError("malformed_arguments", "The arguments are not a JSON object.")
        wrong = list(misfits(arguments, self.spec.parameters, "arguments"))
        if wrong:
            raise ToolError("bad_arguments", "; ".join(wrong[:5]))
        return {"arguments": dict(arguments)}


def misfits(value: Any, schema: Mapping[str, Any], name: str) -> Iterator[str]:
    """Where a JSON value does not match a JSON Schema, in words. `name` stands for the whole value."""
    try:
        found = schemas.errors(value, schemas.validator(schema))
    except (schemas.TooManySteps, PatternError, RecursionError) as error:
        yield f"{name}: {error}."
        return
    for one in sorted(found, key=lambda error: list(map(str, error.path))):
        yield f"{'.'.join(map(str, one.path)) or name}: {one.message}"


def declared_toolset(name: str, toolset: DeclaredToolset) -> type[Declared]:
    """A toolset class from its declaration."""
    about = toolset.describe or f"The tools of {name}."
    specs = {tool.name: _spec(name, tool, outside=toolset.emulated) for tool in toolset.tools}
    if toolset.emulated:
        tools = {spec.name: spec for spec in specs.values()}
        return emulated_toolset(
            ToolsetSpec(name=name, description=about, notes=toolset.notes, tools=tools, tables={})
        )
    listed = {
        tool.name: SchemaTool(tool.name, _listed(tool), specs[tool.name], Row) for tool in toolset.tools
    }
    return type(_class_name(name), (Declared,), {"__doc__": about, "name": name, "declared": listed})


def emulated_toolset(spec: ToolsetSpec) -> type[Emulated]:
    """An emulated toolset from its description, so that a stored case can be played again without its declaration."""
    tools = {}
    for full, tool in spec.tools.items():
        name = full.partition(".")[2]
        tools[name] = SchemaTool(name, _logged(name, tool.writes), tool, Row)
    fields = {"__doc__": spec.description, "name": spec.name, "declared": tools, "notes": spec.notes}
    return type(_class_name(spec.name), (Emulated,), fields)


def _class_name(name: str) -> str:
    return name.title().replace("_", "")


def _spec(toolset: str, tool: DeclaredTool, *, outside: bool) -> ToolSpec:
    return ToolSpec(
        name=f"{toolset}.{tool.name}",
        description=tool.description,
        parameters=tool.parameters,
        writes=tool.writes,
        action=tool.action,
        outside=outside,
        returns=tool.returns,
    )


def _logged(tool: str, writes: bool) -> ToolMethod:
    """Record a call; its result is the emulator's answer."""

    def method(service: Declared, arguments: dict[str, Any]) -> None:
        if writes:
            service.calls.put(Logged(id=service.calls.next_id("call-"), tool=tool, arguments=arguments))

    return method


def _listed(tool: DeclaredTool) -> ToolMethod:
    """Record a call, and return the first reply whose `when` fits its arguments."""
    logged = _logged(tool.name, tool.writes)

    def method(service: Declared, arguments: dict[str, Any]) -> Any:
        logged(service, arguments)
        for reply in tool.replies:
            if all(key in arguments and alike(value, arguments[key]) for key, value in reply.when.items()):
                if reply.error is not None:
                    raise ToolError("refused", reply.error, kind="permission")
                return reply.result
        return {"ok": True}

    return method
