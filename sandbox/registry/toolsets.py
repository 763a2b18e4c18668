"""Toolsets, by name: built-in, played by a model, installed, or the user's own."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from riskbox.sandbox.contracts.declared import Declared, declared_toolset, emulated_toolset
from riskbox.sandbox.contracts.emulator import Emulator, Pending
from riskbox.sandbox.contracts.model import Model, ModelSession
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.sandbox.errors import PluginError, ScenarioError
from riskbox.sandbox.registry.models import seated_model
from riskbox.sandbox.registry.plugins import Plugins, built_in, code_hash, described, load_object
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.declaration import CHECKED, DeclaredToolset
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.scenario import Scenario
from riskbox.sandbox.yamlfile import read_yaml

TOOLSETS = {
    name: f"riskbox.tools.{name}.toolset:{name.title()}"
    for name in ("bank", "clinic", "diary", "evidence", "files", "home", "lab", "mail", "school", "shop")
}
"""The toolsets that ship with Riskbox as code."""
PLUGINS = Plugins("toolset")
"""Toolsets of installed packages."""


@cache
def emulated_toolsets() -> dict[str, Path]:
    """The declarations that ship with riskbox for a model to play, by name."""
    found = importlib.util.find_spec("riskbox.tools.emulator.model")
    assert found is not None and found.origin is not None
    return {
        path.stem: path for path in sorted(Path(found.origin).parent.with_name("emulated").glob("*.yaml"))
    }


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
        raise PluginError(f"{path}: expected `toolset: {path.stem}` at the top, like the name of the file.")
    parts = {key: value for key, value in fields.items() if key != "toolset"}
    if parts.setdefault("emulated", True) is not True:
        raise PluginError(
            f"{path}: a model plays a toolset that a file declares; only a scenario can list replies."
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
            kind = (
                _declared(Path(spec))
                if spec.endswith((".yaml", ".yml"))
                else _toolset(spec, load_object(spec))
            )
            self.extra[kind.toolset_name()] = kind

    def names(self) -> tuple[str, ...]:
        """Every toolset's name, sorted."""
        return tuple(sorted({*TOOLSETS, *emulated_toolsets(), *PLUGINS.installed, *self.extra}))

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
            shipped: type[Toolset] = built_in(TOOLSETS[name])
            return shipped
        if name in emulated_toolsets():
            return _declared(emulated_toolsets()[name], checked=True)
        known = {*self.names(), *(scenario.toolsets if scenario else ())}
        return _toolset(name, PLUGINS.find(name, known))

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


def _toolset(name: str, thing: Any) -> type[Toolset]:
    if not (inspect.isclass(thing) and issubclass(thing, Toolset)):
        raise PluginError(
            f"{name} is {described(thing)}, not a toolset. A toolset is a class that derives from Toolset."
        )
    return thing


def emulator(cast: Cast, case: Case, session: ModelSession | None = None) -> Emulator | None:
    """Who plays a case's emulated tools; None where it has none or nobody is cast."""
    if not cast.tools or not case.emulated:
        return None
    adversarial = cast.emulation == "adversarial"
    return emulator_played_by(seated_model(session, cast.tools, "tool"), adversarial=adversarial)


def emulator_played_by(model: Model, *, adversarial: bool = False) -> Emulator:
    """A model as whoever plays emulated tools."""
    made: Emulator = built_in("riskbox.tools.emulator.model:EmulatorModel")(model, adversarial=adversarial)
    return made


def contradiction(pending: Pending, result: Any) -> str:
    """What in an emulated tool's result contradicts the facts and its earlier answers; empty if nothing."""
    told: str = built_in("riskbox.tools.emulator.consistency:contradiction")(pending, result)
    return told
