"""Scenario files to scenarios: every problem of a file at once, each with file, line, column and what to write."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from riskbox.sandbox.errors import InputError, Problem, ScenarioError, did_you_mean
from riskbox.sandbox.loading.overlay import overlaid
from riskbox.sandbox.loading.semantics import Loc, wrong
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.words.scenario import Scenario
from riskbox.sandbox.yamlfile import Marks, Path_, marks, parse, text_of


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

    Raises:
        InputError: a path does not exist, or a folder holds no scenario.
    """
    found: list[Path] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            below = sorted(one for end in ("*.yaml", "*.yml") for one in path.rglob(end) if one.is_file())
            if not below:
                raise InputError(f"{path}: no scenario files (*.yaml) in this folder.")
            found.extend(below)
        elif path.exists():
            found.append(path)
        else:
            near = [str(one) for one in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
            hint = f" {did_you_mean(str(path), near)}" if near else ""
            raise InputError(f"{path}: there is no such file or folder.{hint}")
    return list(dict.fromkeys(found))


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
    found: list[tuple[Loc, str]] = []
    scenario = _validated(fields, (), found)
    variants: dict[tuple[str, str], Scenario] = {}
    if scenario is not None:
        for axis, overlays in scenario.variants.items():
            for variant, overlay in overlays.items():
                under = _validated(
                    overlaid(fields, overlay), ("variants", axis, variant), found, inside=overlay
                )
                if under is not None:
                    variants[axis, variant] = under
        found.extend(wrong(scenario, variants, toolbox or Toolbox(), path.parent))
    if found:
        raise ScenarioError(_located(found, text, name))
    assert scenario is not None  # no problem was found, so it was validated
    return Loaded(path, scenario, variants, fields)


def _validated(
    fields: dict[str, Any], where: Loc, found: list[tuple[Loc, str]], inside: Any = None
) -> Scenario | None:
    try:
        return Scenario.model_validate(fields)
    except ValidationError as error:
        told = [
            (tuple(part for part in one["loc"] if not _is_type(part)), one)
            for one in error.errors(include_url=False, include_context=True)
        ]
        for at, one in told:
            if not _follows(at, one["type"], [other for other, _ in told]):
                found.append(((*where, *_written(at, fields)), _sentence(one, at)))
        return None


def _follows(at: Loc, kind: str, others: list[Loc]) -> bool:
    """Whether a problem only follows from one below it: a list whose only item is wrong is short of items, too."""
    return kind in ("too_short", "literal_error") and any(
        len(one) > len(at) and one[: len(at)] == at for one in others
    )


def _written(at: Loc, fields: Any) -> Loc:
    """A place as far as the file goes: one name may be written where a list of names is meant."""
    for depth, part in enumerate(at):
        if isinstance(fields, str) and isinstance(part, int):
            return at[:depth]
        if isinstance(fields, dict):
            fields = fields.get(part)
        elif isinstance(fields, list) and isinstance(part, int):
            fields = fields[part] if part < len(fields) else None
    return at


def _is_type(part: str | int) -> bool:
    """Whether a part of pydantic's location names a member of a union or a validator rather than a key of the file."""
    return isinstance(part, str) and (
        "[" in part
        or part
        in ("str", "constrained-str", "bool", "int", "float", "literal", "dict", "list", "tuple", "Scope")
    )


def _sentence(error: Any, at: Loc) -> str:
    """Pydantic's complaint as a sentence that says what to write."""
    kind, given = error["type"], error.get("input")
    if kind == "extra_forbidden":
        return f"unknown key {at[-1]!r}. {did_you_mean(str(at[-1]), _keys(at[:-1]), listed=30)}"
    if kind == "missing":
        return f"the key {at[-1]!r} is missing."
    if kind == "literal_error" and isinstance(given, str):
        expected = [part.strip(" '") for part in error["ctx"]["expected"].replace(" or ", ", ").split(",")]
        return f"{given!r} does not fit. {did_you_mean(given, expected)}"
    if kind == "string_pattern_mismatch" and at[0] == "secrets" and given != at[-1]:
        return f"{given!r} is too short to be found: a secret has three letters or digits at least."
    if kind == "string_pattern_mismatch":
        return f"{given!r} is not a name: use lower-case letters, digits and underscores, beginning with a letter."
    if kind == "value_error":
        text = str(error["ctx"]["error"])
        return text if text.endswith((".", "?")) else text + "."
    if kind in ("string_type",) and given is not None and not isinstance(given, str | dict | list):
        return f"expected text, found {given!r}; put it in quotes."
    message = str(error["msg"])
    shown = "" if isinstance(given, dict | list) or given is None else f" (found {given!r})"
    return f"{message[0].lower()}{message[1:]}{shown}."


@cache
def schema() -> dict[str, Any]:
    """JSON Schema of a scenario file, for editors; `scenarios/schema.json` is this, written out."""
    made = Scenario.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def schema_text() -> str:
    """The text of `scenarios/schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _keys(at: Loc) -> set[str]:
    """The keys that may stand at a place of the file."""
    nodes: list[dict[str, Any]] = [schema()]
    for part in at:
        nodes = [child for node in nodes for child in _children(node, part)]
    return {key for node in nodes for one in _forms(node) for key in one.get("properties", {})}


def _forms(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in node:
        yield from _forms(schema()["$defs"][node["$ref"].rsplit("/", 1)[1]])
    elif "anyOf" in node:
        for one in node["anyOf"]:
            yield from _forms(one)
    else:
        yield node


def _children(node: dict[str, Any], part: str | int) -> Iterator[dict[str, Any]]:
    for form in _forms(node):
        if isinstance(part, int):
            if isinstance(form.get("items"), dict):
                yield form["items"]
        elif part in form.get("properties", {}):
            yield form["properties"][part]
        elif isinstance(form.get("additionalProperties"), dict):
            yield form["additionalProperties"]
        else:
            yield from form.get("patternProperties", {}).values()


def located(found: list[tuple[Loc, str]], path: Path) -> list[Problem]:
    """Problems of a file with line and column, in the order of the file."""
    return _located(found, text_of(path), str(path)) if found else []


def _located(found: list[tuple[Loc, str]], text: str, name: str) -> list[Problem]:
    """Problems with line and column, in the order of the file, each said once."""
    places = marks(text, name)
    problems = {Problem(message, name, *_mark(at, places), _dotted(at)) for at, message in found}
    return sorted(problems, key=lambda one: (one.line, one.column, one.path, one.message))


def _mark(at: Loc, places: Marks) -> tuple[int, int]:
    """Where a path is in the file; the nearest place above it where it is not there itself."""
    key: Path_ = (*at[:-1], "~", at[-1]) if at else ()
    if at and key in places and at not in places:
        return places[key]
    while at:
        if at in places:
            return places[at]
        at = at[:-1]
    return places.get((), (1, 1))


def _dotted(at: Loc) -> str:
    """`('risks', 0, 'category')` as `risks[0].category`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at).lstrip(".")
