"""Objects in place of names: what a caller hands over gets a name under which it plays and is stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from riskbox.sandbox.registry.plugins import is_importable, name_object
from riskbox.sandbox.words.name import Name

_SDKS = {"agents": "openai-agents", "langgraph": "langgraph", "pydantic_ai": "pydantic-ai"}
"""The adapter of an SDK's agents, by the package that their class comes from."""


def name_of(thing: Any) -> str:
    """The name of an agent, a user, an evaluator or a toolset: the text itself, or that of an object.

    An object that a module holds is named `module:Name`; another is named `object:Name` and is known in this process
    only. An agent of an SDK gets its adapter before the name.
    """
    if isinstance(thing, str):
        return thing
    packages = [kind.__module__.partition(".")[0] for kind in type(thing).__mro__]
    sdk = next((_SDKS[one] for one in packages if one in _SDKS), "")
    return f"{sdk}:{name_object(thing)}" if sdk else name_object(thing)


def names_of(things: Any) -> list[str]:
    """The names of one thing or of several in a list or tuple."""
    return [name_of(one) for one in listed(things)]


def listed(things: Any) -> list[Any]:
    """A list of one thing, of several in a list or tuple, or of none."""
    if things is None:
        return []
    return list(things) if isinstance(things, list | tuple | range) else [things]


def unshippable(names: Iterable[str]) -> list[str]:
    """Those names behind which is an object that another process cannot import."""
    found = []
    for name in names:
        code = Name.parse(name).code or (name if ":" in name else "")
        if code and not is_importable(code):
            found.append(name)
    return found
