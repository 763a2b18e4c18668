"""Proof that a toolset's tools declare all that they change and read: seeded random calls, and what they did.

What a tool sends leaves the world, so a declaration of that is checked only for names that exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from riskbox.sandbox.contracts.effects import leaves
from riskbox.sandbox.contracts.toolset import ToolOutcome
from riskbox.sandbox.testing.claim import require, short
from riskbox.sandbox.testing.driver import Call, Driver
from riskbox.sandbox.words.toolspec import ANY, Place

ROUNDS = 400
"""Random calls for a toolset."""
_TELLING = 8
"""Letters and digits of a text that is found in an answer by chance no more."""


def check_effects(driver: Driver, calls: Sequence[Call], *, seed: int = 1, rounds: int = ROUNDS) -> None:
    """No call changes or tells what its tool does not declare.

    Args:
        driver: The world in which the calls are made; it is left as it is.
        calls: Calls that go well, from which random ones are made.
        seed: Of the random calls.
        rounds: How many of them.

    Raises:
        AssertionError: a tool did; with its name and the pointer.
    """
    check_declared(driver)
    for tool, arguments, outcome, before in made(driver, calls, seed=seed, rounds=rounds):
        check_call(driver, tool, arguments, outcome, before)


def check_declared(driver: Driver) -> None:
    """Every place and every recipient that a tool declares exists."""
    kinds = driver.kind.row_types()
    for name, tool in driver.kind.tools().items():
        spec = tool.spec
        if spec.effects is None:
            continue
        for kind in ("changes", "later", "reads"):
            for place in spec.effects.named(kind):
                fields = kinds[place.table].model_fields if place.table in kinds else {}
                is_known = bool(fields) and (place.field in ("", "+", "-") or place.field in fields)
                require(
                    is_known, f"{spec.name} declares {kind} {place}, which is no place of {name}'s toolset."
                )
        require(
            spec.writes or not (spec.effects.changes or spec.effects.later),
            f"{spec.name} declares changes and is marked reading.",
        )
        known = {
            *spec.parameters.get("properties", {}),
            *(one for kind in kinds.values() for one in kind.model_fields),
        }
        for place in spec.effects.named("sends"):
            require(place.table in known, f"{spec.name} sends to {place}, which is no argument and no field.")


def check_call(
    driver: Driver, tool: str, arguments: Mapping[str, Any], outcome: ToolOutcome, before: Mapping[str, Any]
) -> None:
    """One call changed and told nothing that its tool does not declare.

    Args:
        driver: The world after the call.
        tool: The tool.
        arguments: What it was called with.
        outcome: What came of it.
        before: The toolset's rows before it, by table and id.
    """
    spec = driver.kind.tools()[tool].spec
    if spec.effects is None:
        return
    call = f"{spec.name}({short(arguments)})"
    for pointer, place in changed(outcome, driver):
        require(
            any(one.covers(place) for one in spec.effects.named("changes")),
            f"{call} changed {pointer}, which {spec.name} does not declare; add {str(place)!r} to its `changes`.",
        )
    for pointer, place in told(outcome, arguments, before, spec.effects.named("reads")):
        require(
            False,
            f"{call} told {pointer}, which {spec.name} does not declare; add {str(place)!r} to its `reads`.",
        )


def changed(outcome: ToolOutcome, driver: Driver) -> Iterator[tuple[str, Place]]:
    """What a call changed: each pointer, and the place in the form of a declaration."""
    for op in outcome.patch:
        _, table, row, *below = [
            part.replace("~1", "/").replace("~0", "~") for part in op["path"].strip("/").split("/")
        ]
        if below:
            now = driver.rows(table).get(row, {})
            yield op["path"], Place(table, below[0], now.get(below[0], ANY))
        else:
            yield op["path"], Place(table, "-" if op["op"] == "remove" else "+")


def told(
    outcome: ToolOutcome,
    arguments: Mapping[str, Any],
    before: Mapping[str, Any],
    declared: Iterable[Place],
) -> Iterator[tuple[str, Place]]:
    """What an answer told that is not declared, as far as a text shows where it comes from."""
    listed = list(declared)
    heard = {one for one in leaves(outcome.result) if isinstance(one, str)}
    heard -= {one for one in leaves(arguments) if isinstance(one, str)}
    if not heard:
        return
    origins: dict[str, list[tuple[str, Place]]] = {}
    for table, rows in before.items():
        for id, row in rows.items():
            for field, value in row.items():
                for one in leaves(value):
                    if isinstance(one, str) and one in heard and field != "id":
                        origins.setdefault(one, []).append((f"/{table}/{id}/{field}", Place(table, field)))
    for text, places in origins.items():
        is_telling = sum(map(str.isalnum, text)) >= _TELLING and (" " in text or "@" in text)
        if is_telling and not any(one.covers(place) for one in listed for _, place in places):
            yield places[0]


def made(
    driver: Driver, calls: Sequence[Call], *, seed: int, rounds: int
) -> Iterator[tuple[str, dict[str, Any], ToolOutcome, dict[str, Any]]]:
    """Random calls, one after the other, each with its outcome and the rows before it.

    Arguments are those of the given calls, ids and values of the world, and what the schema lists.
    """
    random, stood = Random(seed), driver.changes
    name = driver.kind.toolset_name()
    templates: dict[str, list[Mapping[str, Any]]] = {}
    for tool, arguments in calls:
        templates.setdefault(tool, []).append(arguments)
    for number in range(rounds):
        if number % 40 == 0:
            driver.changes = stood
        tool = random.choice(sorted(templates))
        before = driver.world()[name]
        arguments = _drawn(random, driver, tool, random.choice(templates[tool]), before)
        driver.seed = number
        yield tool, arguments, driver.outcome(tool, arguments), before
    driver.changes = stood


def _drawn(
    random: Random, driver: Driver, tool: str, template: Mapping[str, Any], rows: Mapping[str, Any]
) -> dict[str, Any]:
    schema = driver.kind.tools()[tool].spec.parameters
    drawn = dict(template)
    for key, of in schema.get("properties", {}).items():
        if key in drawn and random.random() < 0.6:
            continue
        if key not in drawn and random.random() < 0.6:
            continue
        if key in drawn and key not in schema.get("required", ()) and random.random() < 0.2:
            del drawn[key]
            continue
        value = _value(random, key, of, drawn.get(key), rows)
        if value is not None:
            drawn[key] = value
    return drawn


def _value(random: Random, key: str, of: Mapping[str, Any], given: Any, rows: Mapping[str, Any]) -> Any:
    """Another value for an argument; None to leave it."""
    choices = next((one["enum"] for one in (of, *of.get("anyOf", ())) if "enum" in one), None)
    if choices:
        return random.choice(choices)
    if of.get("type") == "boolean":
        return random.random() < 0.5
    if of.get("type") in ("integer", "number"):
        return random.choice([0, 1, 2, 10, given if given is not None else 1])
    for table, listed in rows.items():  # the id of a row is replaced by that of another of its table
        of_table = given in listed if isinstance(given, str) else table.rstrip("s") == key
        if of_table and listed:
            return random.choice(sorted(listed))
    if isinstance(given, list) and given:
        return [_value(random, key, {}, given[0], rows) or given[0]]
    texts = sorted(
        {
            one
            for listed in rows.values()
            for row in listed.values()
            for one in leaves(row.get(key))
            if isinstance(one, str)
        }
    )
    return random.choice(texts) if texts else None
