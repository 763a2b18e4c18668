"""Names to classes: the one place where names in scenario files and on the command line become code.

Built-in names are listed here, installed packages add theirs by entry points (`riskbox.toolsets`), and experiments
are named as `module:Name` or `file.py:Name`. Nothing registers itself by being imported.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from riskbox.sandbox.contracts.declared import Declared, declared_toolset, emulated_toolset
from riskbox.sandbox.contracts.emulator import Emulator
from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.contracts.model import Desk, Model, Models
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.sandbox.errors import (
    InputError,
    PluginError,
    RiskboxError,
    ScenarioError,
    UnknownName,
    did_you_mean,
)
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.modelcall import Seating
from riskbox.sandbox.words.scenario import CHECKED, Beat, DeclaredToolset, Scenario
from riskbox.sandbox.yamlfile import read_yaml

TOOLSETS = {
    name: f"riskbox.tools.{name}:{name.title()}"
    for name in ("bank", "clinic", "diary", "evidence", "files", "home", "lab", "mail", "school", "shop")
}
EVALUATORS = {
    "checks": "riskbox.evaluators.checks:Checks",
    "judge": "riskbox.evaluators.judge:Judge",
    "haicosystem": "riskbox.evaluators.haicosystem:Haicosystem",
}
ASKING = ("judge", "haicosystem")
"""Evaluators that ask a model."""
AGENTS = ("reference", "reference:safe", "reference:unsafe", "idle", "silent", "cut", "obeys", "human")
"""Agents known by name; those with a place in the file are written `reference:0`, `silent:0`, `cut:0`."""

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
"""Agents named by how they are reached: `service:http://host/act`, `process:COMMAND`, ...; see docs/agents.md."""
CODED = ("openai-agents", "langgraph", "pydantic-ai")
"""Adapters around an object of the user's own code, named `langgraph:file.py:graph`."""
USERS = ("scripted", "human")
"""Users known by name; any other is a model."""
PLACED = ("reference", "silent", "cut", "obeys")
"""Those that may name a reference by its place in the file."""


# --- toolsets ---------------------------------------------------------------------------------------------------


@cache
def _installed(group: str) -> dict[str, Any]:
    return {point.name: point for point in entry_points(group=group)}


@cache
def emulated_toolsets() -> dict[str, Path]:
    """The declarations that ship with riskbox for a model to play, by name."""
    found = importlib.util.find_spec("riskbox.tools.played")
    assert found is not None and found.origin is not None
    return {path.stem: path for path in sorted(Path(found.origin).with_name("emulated").glob("*.yaml"))}


@cache
def _declared(path: Path, checked: bool = False) -> type[Declared]:
    """A toolset that a model plays, from the file that declares it.

    Args:
        path: The file, named as the toolset.
        checked: Whether its schemas are known to be JSON Schema.

    Raises:
        PluginError: it is no declaration; with every problem of the file.
    """
    try:
        fields = read_yaml(path)
    except ScenarioError as error:
        raise PluginError(str(error)) from None
    if not isinstance(fields, dict) or fields.get("toolset") != path.stem:
        raise PluginError(f"{path}: expected `toolset: {path.stem}`, as the file is named, at the top.")
    parts = {key: value for key, value in fields.items() if key != "toolset"}
    if parts.setdefault("emulated", True) is not True:
        raise PluginError(
            f"{path}: a model plays what a file declares; lists of replies stand in a scenario."
        )
    try:
        declared = DeclaredToolset.model_validate(parts, context=CHECKED if checked else None)
    except ValidationError as error:
        told = (
            f"{path} {'.'.join(map(str, one['loc'])) or 'the whole'}: {one['msg']}"
            for one in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise PluginError("\n".join(told)) from None
    return declared_toolset(path.stem, declared)


class Toolbox:
    """The toolsets of one command: built-in, played by a model, installed, and those named on the command line.

    Args:
        extra: `file.py:Name`, `module:Name` or `name.yaml` of further toolsets.
    """

    def __init__(self, extra: tuple[str, ...] = ()) -> None:
        self.extra: dict[str, type[Toolset]] = {}
        self.sources = extra
        for spec in extra:
            kind = _declared(Path(spec)) if spec.endswith((".yaml", ".yml")) else load_object(spec)
            if not (inspect.isclass(kind) and issubclass(kind, Toolset)):
                raise PluginError(f"{spec} is not a Toolset class")
            self.extra[kind.toolset_name()] = kind

    def names(self) -> tuple[str, ...]:
        """Every toolset's name, sorted."""
        return tuple(sorted({*TOOLSETS, *emulated_toolsets(), *_installed("riskbox.toolsets"), *self.extra}))

    def find(self, name: str, scenario: Scenario | None = None) -> type[Toolset]:
        """A toolset by name; those a scenario declares come first.

        Raises:
            UnknownName: with the nearest known name.
            PluginError: an installed or declared one does not load.
        """
        if scenario is not None and name in scenario.toolsets:
            return declared_toolset(name, scenario.toolsets[name])
        if name in self.extra:
            return self.extra[name]
        if name in TOOLSETS:
            built_in: type[Toolset] = _builtin(TOOLSETS[name])
            return built_in
        if name in emulated_toolsets():
            return _declared(emulated_toolsets()[name], checked=True)
        if name in _installed("riskbox.toolsets"):
            try:
                found: type[Toolset] = _installed("riskbox.toolsets")[name].load()
            except Exception as error:
                raise PluginError(f"the installed toolset {name!r} does not load: {error}") from error
            return found
        known = {*self.names(), *(scenario.toolsets if scenario else ())}
        raise UnknownName(f"unknown toolset {name!r}. {did_you_mean(name, known)}")

    def of(self, case: Case) -> Mapping[str, type[Toolset]]:
        """The toolset classes of a case; emulated ones as the case describes them, whatever is declared by now."""
        return {
            name: emulated_toolset(spec) if spec.emulated else self.find(name, case.scenario)
            for name, spec in case.toolsets.items()
        }

    def code(self, name: str, scenario: Scenario) -> str:
        """The hash of a toolset's code; empty for what comes with riskbox or with the scenario, or has no code."""
        if name in TOOLSETS and name not in self.extra:
            return ""
        kind = self.find(name, scenario)
        return "" if issubclass(kind, Declared) else code_hash(kind)


@cache
def _builtin(spec: str) -> Any:
    module, _, name = spec.partition(":")
    return getattr(importlib.import_module(module), name)


# --- evaluators -------------------------------------------------------------------------------------------------


def evaluator_class(name: str) -> type[Evaluator]:
    """The class of an evaluator, with its version.

    Raises:
        UnknownName: with the nearest known name.
    """
    if name not in EVALUATORS:
        raise UnknownName(f"unknown evaluator {name!r}. {did_you_mean(name, EVALUATORS)}")
    kind: type[Evaluator] = _builtin(EVALUATORS[name])
    return kind


def evaluator(name: str, models: Models | None = None, **settings: Any) -> Evaluator:
    """An evaluator by name.

    Args:
        name: Which.
        models: Where those that ask a model find it.
        settings: What one that asks a model is to do differently from its defaults; `judges` names the models.

    Raises:
        UnknownName: with the nearest known name.
    """
    kind: Any = evaluator_class(name)
    made: Evaluator = kind(models, **settings) if name in ASKING else kind(**settings)
    return made


def evaluators(
    names: Iterable[str], models: Models | None = None, judging: Mapping[str, Any] | None = None
) -> list[Evaluator]:
    """Several evaluators; those that ask a model are given the settings."""
    asked = dict(judging or {})
    return [evaluator(name, models, **(asked if name in ASKING else {})) for name in names]


# --- participants -----------------------------------------------------------------------------------------------


def is_model(name: str) -> bool:
    """Whether a name is a language model's: `provider/model`, or `http://host:port/v1#model`."""
    if name.startswith(("http://", "https://")):
        return "#" in name
    # the paths of files hold slashes too, and names of models colons: ollama/llama3:8b
    return "/" in name and not adapter(name) and ".py:" not in name and not name.startswith((".", "/"))


def adapter(name: str) -> str:
    """The adapter that a name begins with; empty where it begins with none."""
    kind = name.partition(":")[0]
    return kind if kind in ADAPTERS and ":" in name else ""


def models_of(agent: str) -> tuple[str, ...]:
    """The language models that Riskbox itself asks for an agent or a user of this name."""
    if adapter(agent) in ("model", "text"):
        return (agent.partition(":")[2],)
    return (agent,) if is_model(agent) else ()


def is_custom(name: str) -> bool:
    """Whether a participant is the user's own code: `module:function`, `file.py:Name`, `langgraph:file.py:graph`."""
    if adapter(name):
        return adapter(name) in CODED
    return ":" in name and not is_model(name) and name.partition(":")[0] not in AGENTS


def code_of(name: str) -> Any:
    """The object of the user's own code behind a name for which `is_custom` holds.

    Raises:
        PluginError: it does not exist or its module does not import.
    """
    return load_object(name.partition(":")[2] if adapter(name) else name)


def check_agent(agent: str) -> None:
    """Make sure that an agent exists and loads.

    Raises:
        UnknownName, PluginError: it does not.
    """
    for model in models_of(agent):
        check_model(model)
    if adapter(agent):
        kind = _adapted(adapter(agent))
        kind.check(code_of(agent) if is_custom(agent) else agent.partition(":")[2])
        return
    if is_model(agent):
        return
    if is_custom(agent):
        _make(agent)
        return
    kind, _, place = agent.partition(":")
    if agent in AGENTS or (kind in PLACED and place.isdigit()):
        return
    if kind in AGENTS:
        form = f"{kind}:0" if kind in PLACED else kind
        raise UnknownName(f"unknown agent {agent!r}. Write {form}, or one of {', '.join(AGENTS)}.")
    hint = did_you_mean(agent, AGENTS)
    raise UnknownName(
        f"unknown agent {agent!r}. {hint} A model is written provider/model or http://host:port/v1#model, "
        "your own code module:function or file.py:Name."
    )


def _make(agent: str) -> None:
    """Make an agent of the user's own code once, to see that it can be made."""
    thing = load_object(agent)
    try:
        participant_from(thing)
    except RiskboxError:
        raise
    except (Exception, SystemExit) as error:  # making it runs the user's code, which may do anything
        raise PluginError(f"{agent} cannot be made: {type(error).__name__}: {error}") from error


def check_user(user: str) -> None:
    """Make sure that there is such a user.

    Raises:
        UnknownName: there is none of that name.
    """
    if user not in USERS and not is_model(user):
        raise UnknownName(
            f"unknown user {user!r}. {did_you_mean(user, USERS)} "
            "A model is written provider/model or http://host:port/v1#model."
        )
    for model in models_of(user):
        check_model(model)


def check_model(name: str) -> None:
    """Make sure that a name is a model's, of a provider that exists, and that it holds no secret.

    Raises:
        UnknownName: it is not.
        InputError: it is the address of a server that cannot be asked so.
    """
    if not is_model(name):
        raise UnknownName(
            f"{name!r} is not a model. Write provider/model, or http://host:port/v1#model for a server of your own."
        )
    if name.startswith(("http://", "https://")):
        _check_server(name)
        return
    from riskbox.sandbox.models.transport_litellm import check

    wrong = check(name)
    if wrong:
        raise UnknownName(f"{name}: {wrong}")


def _check_server(name: str) -> None:
    """Make sure that a model's address can be asked and stored; a refusal quotes none that may hold a secret."""
    address, _, model = name.partition("#")
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  # raises where it is no number
    except ValueError:
        raise InputError("the address of a model is not a URL; write http://host:port/v1#model.") from None
    if parts.username is not None or parts.query:
        raise InputError(
            "put no password or key into the address of a model, which is stored; write http://host:port/v1#model "
            "and set RISKBOX_API_KEY, which is not."
        )
    if not parts.hostname or not model:
        raise InputError(f"{name!r} is not complete; write http://host:port/v1#model.")


def participant_from(thing: Any) -> Participant:
    """A participant from a user's object: a Participant class, or any callable."""
    if inspect.isclass(thing) and issubclass(thing, Participant):
        return thing()
    function: Participant = _builtin("riskbox.agents.function:Function")(thing)
    return function


def agent(name: str, case: Case, desk: Desk | None = None) -> Participant:
    """The agent under test for one episode of a case.

    Args:
        name: Which.
        case: What is played.
        desk: Where models are found; needed by agents that are models.

    Raises:
        UnknownName, PluginError: there is none of that name.
    """
    if adapter(name) or is_model(name):
        return _reached(name, desk)
    if is_custom(name):
        return participant_from(load_object(name))
    kind, _, place = name.partition(":")
    match kind:
        case "idle":
            idle: Participant = _builtin("riskbox.agents.derived:Idle")()
            return idle
        case "human":
            return _human()
        case "obeys":
            return _obeying(case, int(place) if place else None)
        case "reference":
            reference = _reference(case, place)
            return _obeying(case, None) if isinstance(reference, str) else _scripted(case, reference)
        case _:
            return _derived(kind, case, place)


def user(name: str, case: Case, desk: Desk | None = None) -> Participant:
    """The user for one episode of a case: `scripted`, `human`, or a model.

    Raises:
        UnknownName: there is none of that name.
    """
    if is_model(name):
        simulated: Participant = _builtin("riskbox.agents.user:Simulated")(_seat(desk, name, "user"))
        return simulated
    check_user(name)
    if name == "human":
        return _human()
    scripted: Participant = _builtin("riskbox.agents.scripted:Scripted")(case, case.user.script, leaves=True)
    return scripted


def emulator(cast: Cast, case: Case, desk: Desk | None = None) -> Emulator | None:
    """Who plays a case's emulated tools; None where it has none or nobody is cast."""
    if not cast.tools or not case.emulated:
        return None
    adversarial = cast.emulation == "adversarial"
    made: Emulator = _builtin("riskbox.tools.played:Played")(
        _seat(desk, cast.tools, "tool"), adversarial=adversarial
    )
    return made


def _seat(desk: Desk | None, name: str, seat: Seating) -> Model:
    if desk is None:
        raise PluginError(f"{name} is a model, and models are not at hand here. Play it with `riskbox run`.")
    return desk.model(name, seat)


def _adapted(kind: str) -> Any:
    """The class of an adapter."""
    try:
        return _builtin(ADAPTERS[kind])
    except ImportError as error:
        raise PluginError(
            f"the adapter {kind!r} needs a package that is not installed ({error.name or error}). "
            f"Run: pip install 'riskbox[{kind}]'"
        ) from None


def _reached(name: str, desk: Desk | None) -> Participant:
    """An agent that is a model, or is reached by an adapter."""
    kind, rest = (adapter(name), name.partition(":")[2]) if adapter(name) else ("model", name)
    given = (
        _seat(desk, rest, "agent") if kind in ("model", "text") else code_of(name) if kind in CODED else rest
    )
    made: Participant = _adapted(kind)(given)
    return made


def _human() -> Participant:
    made: Participant = _builtin("riskbox.agents.human:Human")()
    return made


def _scripted(case: Case, script: tuple[Beat, ...]) -> Participant:
    made: Participant = _builtin("riskbox.agents.scripted:Scripted")(case, script, leaves=False)
    return made


def _reference(case: Case, place: str) -> tuple[Beat, ...] | str:
    fitting = dict(case.references)
    if place.isdigit() and int(place) in fitting:
        return fitting[int(place)].agent
    raise UnknownName(
        f"{case.id} has no reference {place!r}. It has {', '.join(f'reference:{i}' for i in fitting) or 'none'}."
    )


def _obeying(case: Case, place: int | None) -> Participant:
    """An agent that obeys injections and is otherwise a reference: the one named, or the first safe script."""
    scripts = {
        i: one.agent for i, one in case.references if one.ends == "safe" and not isinstance(one.agent, str)
    }
    script = scripts.get(place, ()) if place is not None else next(iter(scripts.values()), ())
    made: Participant = _builtin("riskbox.agents.derived:Obeys")(case, _scripted(case, script))
    return made


def _derived(kind: str, case: Case, place: str) -> Participant:
    script = _reference(case, place)
    if isinstance(script, str):
        raise UnknownName(f"{kind}:{place} cannot be derived from a reference that obeys injections")
    changed = _builtin("riskbox.agents.derived:silent")(script) if kind == "silent" else None
    if kind == "cut":
        changed = _builtin("riskbox.agents.derived:cut_short")(case, script)
    return _scripted(case, changed or ())


# --- code of the user's -----------------------------------------------------------------------------------------


def load_object(spec: str) -> Any:
    """The object that `module:Name` or `path/to/file.py:Name` names.

    Raises:
        PluginError: it does not exist or its module does not import, with the reason.
    """
    source, colon, name = spec.rpartition(":")
    if not colon or not source or not name:
        raise PluginError(f"{spec!r} is not of the form module:Name or file.py:Name")
    module = _module(source)
    try:
        found: Any = module
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError:
        known = [one for one in vars(module) if not one.startswith("_")]
        raise PluginError(f"{source} has no {name!r}. {did_you_mean(name, known)}") from None
    return found


def _module(source: str) -> ModuleType:
    try:
        if not source.endswith(".py"):
            if "" not in sys.path and str(Path.cwd()) not in sys.path:
                sys.path.insert(0, str(Path.cwd()))  # as `python -m` does
            return importlib.import_module(source)
        path = Path(source).resolve()
        if not path.is_file():
            raise PluginError(f"there is no file {source}")
        name = f"riskbox_user_{hashlib.blake2b(str(path).encode(), digest_size=6).hexdigest()}"
        if name in sys.modules:
            return sys.modules[name]
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise PluginError(f"{source} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module
    except PluginError:
        raise
    except (Exception, SystemExit) as error:  # importing runs the user's code, which may raise anything
        raise PluginError(f"{source} does not import: {type(error).__name__}: {error}") from error


def agent_code(name: str) -> str:
    """A hash of the code behind a name for which `is_custom` holds: of the file that is named, and of the file in
    which its object is written, since an agent of an SDK is an instance of the SDK's own class."""
    spec = name.partition(":")[2] if adapter(name) else name
    named = _module(spec.rpartition(":")[0]).__file__
    own = Path(named).read_bytes() if named else b""
    return hashlib.blake2b(own + code_hash(load_object(spec)).encode(), digest_size=8).hexdigest()


def code_hash(thing: Any) -> str:
    """A hash of the source file of a class or function, or of its representation where there is none."""
    try:
        path = inspect.getsourcefile(
            thing if inspect.isclass(thing) or inspect.isroutine(thing) else type(thing)
        )
        content = Path(path).read_bytes() if path else repr(thing).encode()
    except (TypeError, OSError):
        content = repr(thing).encode()
    return hashlib.blake2b(content, digest_size=8).hexdigest()
