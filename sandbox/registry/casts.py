"""The code behind a cast: it is part of an episode's identity."""

from __future__ import annotations

from riskbox.sandbox.registry import agents, users
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.name import Name

_PLUGINS = {"agent": agents.PLUGINS, "user": users.PLUGINS}
"""Participants of installed packages and of the user's own code, by role."""


def is_own(role: str, name: str) -> bool:
    """Whether a participant is code that does not ship with Riskbox: the user's own, or of an installed package."""
    parsed = Name.parse(name)
    return bool(parsed.code) or (parsed.kind == "plugin" and _PLUGINS[role].is_own(name))


def code(role: str, name: str) -> str:
    """A hash of the code behind a participant for which `is_own` holds."""
    return _PLUGINS[role].code(Name.parse(name).code or name)


def cast_code(**names: str) -> dict[str, str]:
    """The hash of the code behind each participant that Riskbox does not ship, by role; for `Cast.code`.

    Args:
        names: The names of the participants, by role.
    """
    return {role: code(role, name) for role, name in names.items() if is_own(role, name)}


def changed(cast: Cast) -> str:
    """The first participant whose code is no longer what it was when the cast was stored; empty if there is none."""
    names = {"agent": cast.agent, "user": cast.user}
    now = cast_code(**names)
    return next((name for role, name in names.items() if now.get(role) != cast.code.get(role)), "")
