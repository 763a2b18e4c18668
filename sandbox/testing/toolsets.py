"""Checks that a toolset can call on itself; the built-in ones pass them too.

    def test_my_service():
        check_toolset(Depot, {"parcels": [...]}, [("find", {"addressee": "Falk"}), ("hand_out", {"parcel": "PX-310"})])

`Driver` makes single calls, for tests of what is particular to a service, and proves each of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.sandbox.errors import RiskboxError
from riskbox.sandbox.testing.claim import require, short
from riskbox.sandbox.testing.driver import NOW, Call, Driver
from riskbox.sandbox.testing.effects import check_effects
from riskbox.sandbox.testing.hostile import TEXTS

WRONG: Mapping[str, Any] = {
    "string": 7, "integer": "seven", "number": "seven", "boolean": "perhaps", "array": 7, "object": 7,
}  # fmt: skip
"""A value that is not of a JSON type."""


def check_toolset(
    kind: type[Toolset],
    world: Mapping[str, Any],
    calls: Iterable[Call],
    *,
    now: datetime = NOW,
    counts: Mapping[str, int] | None = None,
) -> None:
    """Everything that a toolset promises.

    Args:
        kind: The toolset.
        world: Rows to begin with, by table, as in a scenario.
        calls: Calls that must go well one after the other, as (tool, arguments); each tool must be among them.
        now: The world's clock.
        counts: How many rows of which table to generate; None where the toolset generates none.

    Raises:
        AssertionError: it breaks a promise; with a sentence that says which, and where.
    """
    check_descriptions(kind)
    made = [(tool, dict(arguments)) for tool, arguments in calls]
    unknown = sorted({tool for tool, _ in made} - set(kind.tools()))
    require(not unknown, f"{kind.toolset_name()} has no tool {', '.join(unknown)}.")
    missing = [tool for tool in kind.tools() if tool not in {one for one, _ in made}]
    require(not missing, f"no call shows that these tools work: {', '.join(missing)}.")
    check_effects(Driver(kind, world, now=now), made)
    driver = Driver(kind, world, now=now)
    for tool, arguments in made:
        check_bad_arguments(driver, tool, arguments)
        result = driver.ok(tool, **arguments)
        check_pages(driver, tool, arguments, result)
    if counts is not None:
        check_generated(kind, counts, now=now)


def check_descriptions(kind: type[Toolset]) -> None:
    """An agent is told what the service, each tool and each parameter is: it has nothing else to go by."""
    spec = kind.spec()
    require(bool(spec.description), f"{spec.name} has no docstring.")
    require(bool(spec.tools), f"{spec.name} has no tools; mark methods with @tool.")
    for tool in spec.tools.values():
        require(bool(tool.description), f"{tool.name} has no docstring, which is all that an agent reads.")
        for parameter, schema in tool.parameters.get("properties", {}).items():
            told = bool(schema.get("description"))
            require(told, f"{tool.name} does not describe {parameter!r} under Args.")


def check_bad_arguments(driver: Driver, tool: str, arguments: Mapping[str, Any]) -> None:
    """Wrong arguments are a tool error that changes nothing, and never an exception.

    Args:
        driver: Where the tool stands; it is left as it is.
        tool: The tool.
        arguments: Right ones.
    """
    name = f"{driver.kind.toolset_name()}.{tool}"
    schema = driver.kind.tools()[tool].spec.parameters
    stands = driver.changes
    refused: list[Any] = ["no object", [1], None, {**arguments, "no_such_parameter": 1}]
    refused += [
        {key: one for key, one in arguments.items() if key != left} for left in schema.get("required", ())
    ]
    for key, of in schema.get("properties", {}).items():
        if of.get("type") in WRONG:
            refused.append({**arguments, key: WRONG[of["type"]]})
    for wrong in refused:
        outcome = driver.outcome(tool, wrong)
        require(
            outcome.error is not None and outcome.error["code"] in ("bad_arguments", "malformed_arguments"),
            f"{name} took {short(wrong)}, which its signature does not allow.",
        )
    for key, of in schema.get("properties", {}).items():
        if of.get("type") == "string":
            for text in TEXTS:  # whether it is taken is the service's to say; it must not break
                driver.outcome(tool, {**arguments, key: text})
                driver.changes = stands


def check_pages(driver: Driver, tool: str, arguments: Mapping[str, Any], result: Any) -> None:
    """A paged list holds each item once, counts them truly, and has no page beyond the last.

    Args:
        driver: Where the tool stands.
        tool: The tool.
        arguments: What it was called with.
        result: What it answered; nothing is checked where that is not a page.
    """
    if "page" not in arguments and "page" not in driver.kind.tools()[tool].spec.parameters.get(
        "properties", {}
    ):
        return
    if not isinstance(result, dict) or not {"items", "pages", "total"} <= result.keys():
        return
    name = f"{driver.kind.toolset_name()}.{tool}"
    items = []
    for page in range(1, result["pages"] + 1):
        items += driver.ok(tool, **{**arguments, "page": page})["items"]
    require(len(items) == result["total"], f"{name} counts {result['total']} items and lists {len(items)}.")
    ids = [one["id"] for one in items if isinstance(one, dict) and "id" in one]
    require(len(ids) == len(set(ids)), f"{name} lists an item on two pages.")
    for beyond in (0, -1, result["pages"] + 1):
        driver.error(tool, **{**arguments, "page": beyond})


def check_generated(
    kind: type[Toolset], counts: Mapping[str, int], *, now: datetime = NOW, seeds: Sequence[int] = (1, 2)
) -> None:
    """Generated rows are as many as asked, fit their tables, and are the same for the same seed.

    Args:
        kind: The toolset.
        counts: How many rows of which table.
        now: The world's clock.
        seeds: Two seeds that must give different rows.
    """
    from faker import Faker

    def rows(seed: int) -> dict[str, list[dict[str, Any]]]:
        fake = Faker()
        fake.seed_instance(seed)
        try:
            return kind.generate(fake, counts, now)
        except ToolError as error:
            raise AssertionError(
                f"{kind.toolset_name()} does not generate {dict(counts)}: {error}"
            ) from error

    def written(found: object) -> str:  # rows may hold dates, which a scenario writes as text
        return json.dumps(found, default=str, sort_keys=True)

    first, again, other = rows(seeds[0]), rows(seeds[0]), rows(seeds[1])
    name = kind.toolset_name()
    require(written(first) == written(again), f"{name} generates other rows for the same seed.")
    require(written(first) != written(other), f"{name} generates the same rows for every seed.")
    for table, count in counts.items():
        found = len(first.get(table, ()))
        require(found == count, f"{name} was asked for {count} {table} and generated {found}.")
    try:
        kind.parse(first)
    except RiskboxError as error:
        raise AssertionError(f"{name} generates rows that it does not accept: {error}") from error
