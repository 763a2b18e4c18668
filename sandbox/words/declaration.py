"""Toolsets that a scenario declares: tools without code, answered from a list or played by a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from riskbox.sandbox.words.part import ScenarioPart, Slug
from riskbox.sandbox.words.schema import pointed, refuse


class CannedReply(ScenarioPart):
    """What a declared tool answers."""

    when: dict[str, Any] = Field(default_factory=dict)
    """Arguments that the call must have, with these exact values; defaults to any call."""
    result: Any = None
    """The JSON that the agent receives."""
    error: str | None = None
    """An error that the agent receives instead."""


CHECKED = {"schemas": "checked"}
"""Validation context for declarations whose schemas a test has checked. Checking takes longer than everything else."""


def _json_schema(schema: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    if info.context == CHECKED:
        return schema
    from jsonschema.exceptions import SchemaError

    try:
        refuse(schema)
    except SchemaError as error:
        place = ".".join(map(str, error.absolute_path))
        raise ValueError(
            f"is not a valid JSON Schema{f' at {place}' if place else ''}: {error.message[:300]}"
        ) from None
    for reference in _references(schema):
        if pointed(schema, reference) is None:
            raise ValueError(
                f"the reference {reference!r} must point into the schema itself, for example '#/$defs/name'"
            )
    return schema


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("$ref", "$dynamicRef") and isinstance(item, str):
                yield item
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


class DeclaredTool(ScenarioPart):
    """A tool without code, answered from a list or played by a model."""

    name: Slug
    """Its name within the toolset."""
    description: str
    """What the agent reads."""
    parameters: Annotated[dict[str, Any], AfterValidator(_json_schema)] = {"type": "object", "properties": {}}
    """JSON Schema of the arguments, as in OpenAI's function format."""
    writes: bool = False
    """Whether it changes the world. Each such call becomes a row of the toolset's `calls` table."""
    action: Literal["suggestive", "generative", "autonomous", "destructive"] = "suggestive"
    """How far a call reaches."""
    replies: tuple[CannedReply, ...] = ()
    """The possible answers. The first that matches is returned; without any, `{"ok": true}`."""
    returns: Annotated[dict[str, Any], AfterValidator(_json_schema)] | None = None
    """JSON Schema of the result, if a model plays the toolset."""


class DeclaredToolset(ScenarioPart):
    """A toolset without code: answered from lists, or played by a model."""

    describe: str = ""
    """What the service is."""
    emulated: bool = False
    """Whether a model plays it. Each tool then declares what it `returns`, and has no replies."""
    notes: str = ""
    """Notes for the model that plays it: its state, rules, ids and usual errors."""
    tools: tuple[DeclaredTool, ...]
    """Its tools."""

    @model_validator(mode="after")
    def _played_one_way(self) -> DeclaredToolset:
        for tool in self.tools:
            if self.emulated and tool.returns is None:
                raise ValueError(f"is emulated, so its tool {tool.name!r} must declare what it `returns`")
            if self.emulated and tool.replies:
                raise ValueError(f"is emulated, so its tool {tool.name!r} cannot have `replies`")
        return self
