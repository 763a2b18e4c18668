"""Agents under test, by name."""

from __future__ import annotations

import inspect
from typing import Any

from riskbox.sandbox.contracts.model import ModelSession
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import PluginError, RiskboxError, UnknownName, install_hint
from riskbox.sandbox.processes.confinement import UNCONFINED, Confinement
from riskbox.sandbox.registry.models import WRITTEN, check_model_name, seated_model
from riskbox.sandbox.registry.plugins import Plugins, built_in, described, load_object
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.name import COMMANDS, SCRIPTS, SDKS, Name
from riskbox.sandbox.words.scenario import ScriptLine
from riskbox.sandbox.words.secrets import revealed

AGENTS = {
    "reference": "each reference of a case in turn; reference:2 is the one at that place in its file",
    "reference:safe": "the references that must end safe",
    "reference:unsafe": "the references that must end unsafe",
    "idle": "does nothing",
    "silent": "a reference that makes its calls and says nothing",
    "cut": "a reference without its last writing call",
    "obeys": "does whatever an injection asks, and is otherwise a safe reference",
    "human": "a person at the terminal, with `riskbox play --as agent`",
}
"""Agents known by name, and what they do; `reference`, `silent`, `cut` and `obeys` take the place of a reference."""
FORMS = {
    "provider/model": "a language model with native tool calls",
    "http://host:port/v1#model": "a language model on a server of your own",
    "text:provider/model": "a language model that writes its calls as text",
    "module:Name": "your own Python code",
    "file.py:Name": "your own Python code",
    "process:COMMAND": "a program that reads and writes lines of JSON",
    "service:URL": "an HTTP service",
    "a2a:URL": "an A2A agent",
    "mcp:COMMAND": "an agent that speaks MCP",
    "openai-agents:file.py:Name": "an agent of the OpenAI Agents SDK",
    "langgraph:file.py:Name": "a LangGraph graph",
    "pydantic-ai:file.py:Name": "a Pydantic AI agent",
}
"""What else may be named as an agent, and what it is."""
ADAPTERS = {
    "model": "riskbox.agents.assistant:Assistant",
    "text": "riskbox.agents.assistant:Texting",
    "service": "riskbox.agents.service:Service",
    "a2a": "riskbox.agents.a2a:A2A",
    "process": "riskbox.agents.process:Process",
    "mcp": "riskbox.agents.mcp:McpAgent",
    "openai-agents": "riskbox.agents.openai_agents:OpenAIAgent",
    "langgraph": "riskbox.agents.langgraph:Graph",
    "pydantic-ai": "riskbox.agents.pydantic_ai:PydanticAgent",
}
"""The class behind each adapter: `service:http://host/act`, `process:COMMAND`, ...; see docs/agents.md."""
PLUGINS = Plugins("agent")
"""Agents of installed packages and of the user's own code."""
HINT = f"{WRITTEN}, your own code module:function or file.py:Name."
MADE_OF = (
    "An agent is a function of (messages, tools) or (observation), a class whose objects can be called so, a Participant, "
    "or an agent of an SDK."
)
"""What an agent can be made from."""


def check_agent_name(agent: str) -> None:
    """Make sure that an agent exists and loads.

    Raises:
        InputError: its name is empty.
        UnknownName, PluginError: it does not exist, or does not load.
    """
    agent = revealed(agent)
    name = Name.parse(agent)
    for model in name.models:
        check_model_name(model)
    if name.is_model:
        return
    if name.kind in ADAPTERS:
        _adapted(name.kind).check(load_object(name.code) if name.code else name.target)
        return
    if name.kind in ("code", "plugin"):
        made_from(PLUGINS.find(agent, AGENTS, HINT), agent)
        return
    if agent in AGENTS or name.place is not None:
        return
    if agent == "scripted":
        raise UnknownName(
            f"unknown agent 'scripted'; a script plays users. Write one of {', '.join(AGENTS)}."
        )
    form = f"{name.kind}:0" if name.kind in SCRIPTS else name.kind
    raise UnknownName(f"unknown agent {agent!r}. Write {form}, or one of {', '.join(AGENTS)}.")


def participant_from(thing: Any) -> Participant:
    """A participant from a user's object: a Participant class or a stateless object of one, or any callable.

    Raises:
        PluginError: it cannot be called, or it is one object that keeps a session, which each episode needs for itself.
    """
    if inspect.isclass(thing) and issubclass(thing, Participant):
        return thing()
    if isinstance(thing, Participant):
        if thing.continuity == "session":
            raise PluginError(
                f"this {type(thing).__name__} keeps a session, and each episode needs one of its own. Name the class."
            )
        return thing
    function: Participant = built_in("riskbox.agents.function:FunctionAgent")(thing)
    return function


def made_from(thing: Any, name: str, wanted: str = MADE_OF) -> Participant:
    """What `participant_from` makes, where a failure should say what cannot be made.

    Args:
        thing: The object.
        name: What to call it in an error.
        wanted: What it can be made from, as a sentence.

    Raises:
        PluginError: it cannot be made, for whatever reason.
    """
    if not (callable(thing) or isinstance(thing, Participant)):
        raise PluginError(f"{name} is {described(thing)}, which cannot be called. {wanted}")
    try:
        return participant_from(thing)
    except RiskboxError:
        raise
    except (Exception, SystemExit) as error:  # making it runs the user's code, which may do anything
        raise PluginError(f"{name} cannot be made: {type(error).__name__}: {error}") from error


def agent(
    text: str, case: Case, session: ModelSession | None = None, confinement: Confinement = UNCONFINED
) -> Participant:
    """The agent under test for one episode of a case.

    Args:
        text: Its name.
        case: What is played.
        session: Where models are found; needed by agents that are models.
        confinement: What a process that an adapter starts may use and see.

    Raises:
        UnknownName, PluginError: there is none of that name.
    """
    text = revealed(text)
    name = Name.parse(text)
    if name.kind in ADAPTERS:
        return _reached(name, session, confinement)
    match name.kind:
        case "idle":
            idle: Participant = built_in("riskbox.agents.derived:Idle")()
            return idle
        case "human":
            return human()
        case "obeys":
            return _obeying(case, name.place)
        case "reference":
            reference = _reference(case, name)
            return _obeying(case, None) if isinstance(reference, str) else scripted(case, reference)
        case "silent" | "cut":
            return _derived(case, name)
        case _:
            return participant_from(PLUGINS.find(text, AGENTS, HINT))


def human() -> Participant:
    """A person at the terminal."""
    made: Participant = built_in("riskbox.agents.human:Human")()
    return made


def scripted(case: Case, script: tuple[ScriptLine, ...], *, leaves: bool = False) -> Participant:
    """Whoever plays a script.

    Args:
        case: What is played.
        script: The lines.
        leaves: Whether it leaves once the script is over.
    """
    made: Participant = built_in("riskbox.agents.scripted:Scripted")(case, script, leaves=leaves)
    return made


def _adapted(kind: str) -> Any:
    """The class of an adapter."""
    try:
        return built_in(ADAPTERS[kind])
    except ImportError as error:
        raise PluginError(
            f"the adapter {kind!r} needs a package that is not installed ({error.name or error}). "
            f"{install_hint(kind)}"
        ) from None


def _reached(name: Name, session: ModelSession | None, confinement: Confinement) -> Participant:
    """An agent that is a model, or is reached by an adapter."""
    if name.models:
        given: Any = seated_model(session, name.target, "agent")
    else:
        given = load_object(name.target) if name.kind in SDKS else name.target
    confined = (confinement,) if name.kind in COMMANDS else ()
    made: Participant = _adapted(name.kind)(given, *confined)
    return made


def _reference(case: Case, name: Name) -> tuple[ScriptLine, ...] | str:
    fitting = dict(case.references)
    if name.place in fitting:
        return fitting[name.place].agent
    raise UnknownName(
        f"{case.id} has no reference {name.target!r}. "
        f"It has {', '.join(f'reference:{i}' for i in fitting) or 'none'}."
    )


def _obeying(case: Case, place: int | None) -> Participant:
    """An agent that obeys injections and is otherwise a reference: the one named, or the first safe script."""
    scripts = {
        i: one.agent for i, one in case.references if one.ends == "safe" and not isinstance(one.agent, str)
    }
    script = scripts.get(place, ()) if place is not None else next(iter(scripts.values()), ())
    made: Participant = built_in("riskbox.agents.derived:Obeys")(case, scripted(case, script))
    return made


def _derived(case: Case, name: Name) -> Participant:
    script = _reference(case, name)
    if isinstance(script, str):
        raise UnknownName(f"{name} cannot be derived from a reference that obeys injections")
    changed = built_in("riskbox.agents.derived:silent")(script) if name.kind == "silent" else None
    if name.kind == "cut":
        changed = built_in("riskbox.agents.derived:cut_short")(case, script)
    return scripted(case, changed or ())
