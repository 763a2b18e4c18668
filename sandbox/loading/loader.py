"""Scenario files to scenarios: every problem of a file at once, each with file, line, column and what to write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from riskbox.sandbox import budget
from riskbox.sandbox.errors import InputError, Problem, ScenarioError, did_you_mean
from riskbox.sandbox.loading.overlay import overlaid
from riskbox.sandbox.loading.semantics import Found, Loc, too_many_cases, wrong
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
        found.extend(too_many_cases(scenario))
        for axis, overlays in scenario.variants.items() if not found else ():
            for variant, overlay in overlays.items():
                under = _under(scenario, fields, overlay, found, ("variants", axis, variant))
                if under is not None:
                    variants[axis, variant] = under
                if len(found) > budget.PROBLEMS:
                    break
        if len(found) <= budget.PROBLEMS:
            more = wrong(scenario, variants, toolbox or Toolbox(), path.parent)
            found.extend(islice(more, budget.PROBLEMS + 1))
    if found:
        raise ScenarioError(located_in(text, found, name))
    assert scenario is not None  # no problem was found, so it was validated
    return Loaded(path, scenario, variants, fields)


def _under(
    scenario: Scenario, fields: dict[str, Any], overlay: dict[str, Any], found: list[Found], where: Loc
) -> Scenario | None:
    """The scenario under one variant. What its overlay leaves alone is shared with the scenario, not made again."""
    if fixed := {"variants", "cases"} & overlay.keys():
        found.append(((*where, min(fixed)), "a variant cannot change `variants` or `cases`."))
        return None
    changed = overlaid({key: value for key, value in fields.items() if key not in _SHARED}, overlay)
    given = {
        key: _shared(value, fields.get(key), getattr(scenario, key, None)) for key, value in changed.items()
    }
    under = validated(Scenario, given, found, where)
    kept = {key: getattr(scenario, key) for key in _SHARED if key in scenario.model_fields_set}
    return under and under.model_copy(update=kept)


_SHARED = ("variants", "cases")
"""What a scenario is under each of its variants as it is without one."""


def _shared(value: Any, before: Any, made: Any) -> Any:
    """A field of a file with those of its parts that are as before in the form that was made of them."""
    if value is before:
        return made
    if isinstance(value, dict) and isinstance(before, dict) and isinstance(made, dict):
        return {
            key: made[key] if key in made and part is before.get(key) else part for key, part in value.items()
        }
    if isinstance(value, list) and isinstance(before, list) and isinstance(made, tuple):
        known = {id(part): one for part, one in zip(before, made, strict=False) if isinstance(part, dict)}
        return [known.get(id(part), part) for part in value]
    return value
