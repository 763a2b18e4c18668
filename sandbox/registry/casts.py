"""The code behind a cast: it is part of an episode's identity."""

from __future__ import annotations

from riskbox.sandbox.registry import agents, users
from riskbox.sandbox.words.episode import Cast


def cast_code(agent: str, user: str) -> dict[str, str]:
    """The hash of the code behind each seat that Riskbox does not ship, by role; for `Cast.code`."""
    found = {}
    if agents.is_own(agent):
        found["agent"] = agents.agent_code(agent)
    if users.is_own(user):
        found["user"] = users.user_code(user)
    return found


def changed(cast: Cast) -> str:
    """The first participant whose code is no longer what it was when the cast was stored; empty if there is none."""
    now = cast_code(cast.agent, cast.user)
    return next(
        (
            name
            for role, name in (("agent", cast.agent), ("user", cast.user))
            if now.get(role) != cast.code.get(role)
        ),
        "",
    )
