"""What is said and refused before a run starts about the processes of the user's code."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.processes.confinement import Confinement, Isolation
from riskbox.sandbox.processes.environment import withheld
from riskbox.sandbox.processes.isolation import check_isolation
from riskbox.sandbox.registry.casts import is_own
from riskbox.sandbox.rules.state import AGENT, USER
from riskbox.sandbox.words.name import COMMANDS, Name
from riskbox.sandbox.words.run import Spec


def confined(settings: RunSettings, specs: Sequence[Spec]) -> list[str]:
    """What to tell of the processes that a run starts for the user's code, in sentences.

    Raises:
        InputError: a limit was given for code that plays in a process of ours, or an agent cannot be isolated.
    """
    seats = dict.fromkeys(
        seat for spec in specs for seat in ((AGENT, spec.cast.agent), (USER, spec.cast.user))
    )
    for role, name in seats:
        if role == AGENT:
            if is_own(role, name) and not _has_process(settings, role, name):
                _refuse_limits(settings, name)
            _refuse_isolation(settings.confinement.isolation, name)
    if settings.address is None:  # the machines of another cluster are told in each episode
        check_isolation(settings.confinement)
    if not any(_has_process(settings, *seat) for seat in seats):
        return []
    confinement = settings.confinement
    hidden = withheld(os.environ, {*confinement.names, *confinement.values})
    if not hidden:
        return []
    names, them = ", ".join(hidden), "it" if len(hidden) == 1 else "one"
    return [f"withheld from the agent's process: {names}; --agent-env NAME lets {them} through."]


def _has_process(settings: RunSettings, role: str, name: str) -> bool:
    """Whether a participant plays in a process of its own on this machine or on one of the cluster."""
    if role == AGENT and Name.parse(name).kind in COMMANDS:
        return True
    return not settings.local and settings.placement(role, name) == "actor"


def _refuse_limits(settings: RunSettings, name: str) -> None:
    if settings.confinement.memory is not None:
        where = "with local everything" if settings.local else "with place agent=inline it"
        raise InputError(
            f"run: agent_memory limits a process of the agent's own, and {where} plays in a process of Riskbox's. "
            f"Leave one of them out, or name a command: process:python {Name.parse(name).code.partition(':')[0]}"
        )


def _refuse_isolation(isolation: Isolation, name: str) -> None:
    kind = Name.parse(name).kind
    if isolation == "none" or kind == "process" or (kind == "mcp" and isolation == "files"):
        return
    if kind == "mcp":
        raise InputError(
            f"run: agent_isolation {isolation}: {name} reaches its tools over the network. Write files instead."
        )
    if kind in ("service", "a2a"):
        raise InputError(f"run: agent_isolation {isolation}: {name} runs elsewhere; isolate it there.")
    if is_own(AGENT, name):
        raise InputError(
            f"run: agent_isolation {isolation}: {name} plays in a process of Ray's or of Riskbox's, which must reach the "
            "others. Name a command that runs it instead: process:python my_agent.py"
        )


def as_before(confinement: Confinement, recorded: Mapping[str, Any]) -> Confinement:
    """What a run that goes on lets its processes use and see: what it was begun with, where nothing else is given.

    Raises:
        InputError: a variable was set for its processes, whose value no store holds, and it is not set again.
    """
    missing = [name for name in recorded.get("set", ()) if name not in confinement.values]
    if missing:
        raise InputError(
            f"run: the run was begun with agent_env {missing[0]}=..., and values are not stored. Give it again."
        )
    return replace(
        confinement,
        memory=confinement.memory or recorded.get("memory"),
        isolation=confinement.isolation
        if confinement.isolation != "none"
        else recorded.get("isolation", "none"),
        names=tuple(dict.fromkeys((*recorded.get("env", ()), *confinement.names))),
    )


def without_values(words: Sequence[str]) -> Iterator[str]:
    """A command line without the values that it sets for the agent's process."""
    option = "--agent-env"
    follows = False
    for word in words:
        given = word.removeprefix(f"{option}=") if word.startswith(f"{option}=") else word if follows else ""
        name, equals, _ = given.partition("=")
        yield word.replace(given, f"{name}=***") if equals else word
        follows = word == option
