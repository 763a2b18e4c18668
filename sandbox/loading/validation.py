"""What a file holds against its model: each problem with its line, its column and what to write instead."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from riskbox.sandbox import budget
from riskbox.sandbox.errors import Problem, did_you_mean
from riskbox.sandbox.loading.semantics import Found, Loc
from riskbox.sandbox.yamlfile import Marks, Path_, marks, text_of

Model = TypeVar("Model", bound=BaseModel)


def validated(kind: type[Model], fields: Any, found: list[Found], where: Loc = ()) -> Model | None:
    """A file's content as its model; None if it does not fit, and then `found` has every reason.

    Args:
        kind: The model.
        fields: The content as it was read.
        found: To which problems are added.
        where: The place in the file that all problems are told under.
    """
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        told = [
            (tuple(part for part in one["loc"] if not _is_type(part)), one)
            for one in error.errors(include_url=False, include_context=True)[: budget.PROBLEMS + 1]
        ]
        for at, one in told:
            if not _follows(at, one["type"], [other for other, _ in told]):
                inside = getattr(one.get("ctx", {}).get("error"), "place", ())  # of a JSON Schema in the file
                found.append(((*where, *_written(at, fields), *inside), _sentence(kind, one, at)))
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


def _sentence(model: type[BaseModel], error: Any, at: Loc) -> str:
    """Pydantic's complaint as a sentence that says what to write."""
    kind, given = error["type"], error.get("input")
    if kind == "extra_forbidden":
        return f"unknown key {at[-1]!r}. {did_you_mean(str(at[-1]), _keys(model, at[:-1]), listed=30)}"
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
    if kind in ("tuple_type", "list_type"):
        return "expected a list: write [...], or one item a line, each after a dash."
    if kind == "too_short":
        return f"the list needs at least {error['ctx']['min_length']} item(s), and has {error['ctx']['actual_length']}."
    if kind == "string_too_short" and not given:
        return "the text is empty."
    message = str(error["msg"])
    shown = "" if isinstance(given, dict | list) or given is None else f" (found {given!r})"
    return f"{message[0].lower()}{message[1:]}{shown}."


@cache
def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema of a kind of file, for editors."""
    made = model.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def schema_text(model: type[BaseModel]) -> str:
    """The same as text, as it lies in `scenarios/`."""
    return json.dumps(schema_of(model), indent=2, ensure_ascii=False) + "\n"


def _keys(model: type[BaseModel], at: Loc) -> set[str]:
    """The keys that may stand at a place of the file."""
    whole = schema_of(model)
    nodes = [whole]
    for part in at:
        nodes = [child for node in nodes for child in _children(whole, node, part)]
    return {key for node in nodes for one in _forms(whole, node) for key in one.get("properties", {})}


def _forms(whole: dict[str, Any], node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in node:
        yield from _forms(whole, whole["$defs"][node["$ref"].rsplit("/", 1)[1]])
    elif "anyOf" in node:
        for one in node["anyOf"]:
            yield from _forms(whole, one)
    else:
        yield node


def _children(whole: dict[str, Any], node: dict[str, Any], part: str | int) -> Iterator[dict[str, Any]]:
    for form in _forms(whole, node):
        if isinstance(part, int):
            if isinstance(form.get("items"), dict):
                yield form["items"]
        elif part in form.get("properties", {}):
            yield form["properties"][part]
        elif isinstance(form.get("additionalProperties"), dict):
            yield form["additionalProperties"]
        else:
            yield from form.get("patternProperties", {}).values()


def located(found: Iterable[Found], path: Path) -> list[Problem]:
    """Problems of a file with line and column, in the order of the file."""
    listed = list(found)
    return located_in(text_of(path), listed, str(path)) if listed else []


def located_in(text: str, found: Iterable[Found], name: str) -> list[Problem]:
    """Problems of a text with line and column, in its order, each said once."""
    places = marks(text, name)
    problems = {Problem(message, name, *_mark(at, places), _dotted(at)) for at, message in found}
    told = sorted(problems, key=lambda one: (one.line, one.column, one.path, one.message))
    if len(told) > budget.PROBLEMS:
        told = [*told[: budget.PROBLEMS], Problem("has more problems; these are the first to mend.", name)]
    return told


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
