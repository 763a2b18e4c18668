"""Scenario files to scenarios: every problem of a file at once, each with file, line, column and what to write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskbox.sandbox.errors import InputError, Problem, ScenarioError, did_you_mean
from riskbox.sandbox.loading.overlay import overlaid
from riskbox.sandbox.loading.semantics import Found, wrong
from riskbox.sandbox.loading.validation import located_in, validated
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.words.alternative import is_alternatives, scenario_of
from riskbox.sandbox.words.scenario import Scenario
from riskbox.sandbox.yamlfile import parse, text_of


@dataclass(frozen=True)
class Loaded:
    """A scenario with its file, and the scenario under each of its variants."""

    path: Path
    """Its file."""
    scenario: Scenario
    """The scenario without any variant."""
    variants: dict[tuple[str, str], Scenario] = field(default_factory=dict)
    """By (axis, name)."""
    fields: dict[str, Any] = field(default_factory=dict)
    """The file as it was read, for overlays of several variants at once."""

    def under(self, variant: dict[str, str]) -> Scenario:
        """The scenario with the overlays of several axes applied, in their order in the file."""
        if not variant:
            return self.scenario
        if len(variant) == 1:
            return self.variants[next(iter(variant.items()))]
        fields = self.fields
        for axis, names in self.scenario.variants.items():
            if axis in variant:
                fields = overlaid(fields, names[variant[axis]])
        return Scenario.model_validate(fields)


def find_files(paths: Iterable[str | Path]) -> list[Path]:
    """The scenario files that paths name: files themselves, and every `.yaml` or `.yml` below folders, sorted.

    Files of alternatives are passed over in folders.

    Raises:
        InputError: a path does not exist or is a file of alternatives, or a folder holds no scenario.
    """
    found: list[Path] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            below = [one for one in files_below(path) if not is_alternatives(one)]
            if not below:
                raise InputError(f"{path}: no scenario files (*.yaml) in this folder.")
            found.extend(below)
        elif path.exists() and is_alternatives(path):
            raise InputError(
                f"{path}: holds alternatives. Name the scenario's file, {scenario_of(path).name}."
            )
        elif path.exists():
            found.append(path)
        else:
            near = [str(one) for one in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
            hint = f" {did_you_mean(str(path), near)}" if near else ""
            raise InputError(f"{path}: there is no such file or folder.{hint}")
    return list(dict.fromkeys(found))


def files_below(folder: Path) -> list[Path]:
    """Every `.yaml` or `.yml` in a folder and below it, sorted."""
    return sorted(one for end in ("*.yaml", "*.yml") for one in folder.rglob(end) if one.is_file())


def shipped() -> Path:
    """The folder of the scenarios that ship with riskbox."""
    from importlib.resources import files

    return Path(str(files("riskbox.scenarios")))


def load_all(paths: Iterable[str | Path], toolbox: Toolbox | None = None) -> list[Loaded]:
    """Every scenario that the paths name.

    Raises:
        ScenarioError: with the problems of all files.
        InputError: a path does not exist.
    """
    toolbox = toolbox or Toolbox()
    loaded: list[Loaded] = []
    problems: list[Problem] = []
    named: dict[str, Path] = {}
    for path in find_files(paths):
        try:
            one = load(path, toolbox)
        except ScenarioError as error:
            problems.extend(error.problems)
            continue
        if one.scenario.scenario in named:
            taken = named[one.scenario.scenario]
            problems.append(
                Problem(
                    f"the name {one.scenario.scenario!r} is already used by {taken}.",
                    str(path),
                    path="scenario",
                )
            )
        named[one.scenario.scenario] = path
        loaded.append(one)
    if problems:
        raise ScenarioError(problems)
    return loaded


def load(path: str | Path, toolbox: Toolbox | None = None) -> Loaded:
    """One scenario from its file.

    Raises:
        ScenarioError: with every problem of the file.
    """
    path = Path(path)
    return loads(text_of(path), path, toolbox)


def loads(text: str, path: str | Path = "scenario.yaml", toolbox: Toolbox | None = None) -> Loaded:
    """One scenario from its text; `path` names it in errors and is where bulk rows are looked for.

    Raises:
        ScenarioError: with every problem of the text.
    """
    path, name = Path(path), str(path)
    fields = parse(text, name)
    if not isinstance(fields, dict):
        raise ScenarioError(
            [Problem("is not a scenario: expected keys such as `scenario:` and `personas:`.", name, 1, 1)]
        )
    found: list[Found] = []
    scenario = validated(Scenario, fields, found)
    variants: dict[tuple[str, str], Scenario] = {}
    if scenario is not None:
        for axis, overlays in scenario.variants.items():
            for variant, overlay in overlays.items():
                under = validated(Scenario, overlaid(fields, overlay), found, ("variants", axis, variant))
                if under is not None:
                    variants[axis, variant] = under
        found.extend(wrong(scenario, variants, toolbox or Toolbox(), path.parent))
    if found:
        raise ScenarioError(located_in(text, found, name))
    assert scenario is not None  # no problem was found, so it was validated
    return Loaded(path, scenario, variants, fields)
