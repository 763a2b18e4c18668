"""The rows a toolset starts from: those written in the file, those of a JSON file beside it, and generated ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from riskbox.sandbox import budget
from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.sandbox.errors import Problem, ScenarioError
from riskbox.sandbox.words.case import started
from riskbox.sandbox.words.scenario import Scenario

RESERVED = ("clock",)
"""Keys of `world` that name no toolset."""


def world_rows(toolset: type[Toolset], given: Any, scenario: Scenario, folder: Path) -> dict[str, list[Any]]:
    """All rows of one toolset, by table: bulk rows first, then those of the scenario file.

    Raises:
        ScenarioError: a file that cannot be read, or a table nobody can generate; with the path below the toolset.
    """
    if not isinstance(given, dict):
        raise ScenarioError([Problem("expected tables, each with a list of rows.")])
    tables: dict[str, list[Any]] = {}
    if "generate" in given:
        _extend(tables, _generated(toolset, given["generate"], scenario))
    if "rows" in given:
        _extend(tables, _from_file(given["rows"], folder))
    listed = {table: rows for table, rows in given.items() if table not in ("generate", "rows")}
    if not tables:
        return listed
    wrong = [
        Problem("expected a list of rows.", path=table)
        for table, rows in listed.items()
        if not isinstance(rows, list)
    ]
    if wrong:
        raise ScenarioError(wrong)
    # rows of the scenario file stand first, so that their places match the file in error messages
    return {table: [*listed.get(table, []), *tables.get(table, [])] for table in {**listed, **tables}}


def _extend(tables: dict[str, list[Any]], more: dict[str, list[Any]]) -> None:
    for table, rows in more.items():
        tables.setdefault(table, []).extend(rows)


def over_budget(scenarios: Iterable[Scenario], cases: int, folder: Path) -> Iterator[str]:
    """What a scenario's worlds ask for above the budget, in sentences, found without making or reading any row.

    Args:
        scenarios: The scenario without a variant, and under each variant that changes its world.
        cases: How many cases it has.
        folder: Where its files of rows are.
    """
    worlds: dict[str, tuple[int, int]] = {}
    for one in scenarios:
        for name, given in one.world.items():
            if name not in RESERVED and isinstance(given, dict):
                key = json.dumps([name, given], sort_keys=True, default=str)
                worlds[key] = worlds.get(key) or _asked(given, folder)
    rows, generated = (sum(one[place] for one in worlds.values()) for place in (0, 1))
    if generated > budget.GENERATED:
        yield f"{generated:,} rows are generated in all, and the limit is {budget.GENERATED:,}; generate fewer."
    if rows > budget.ROWS:
        yield (
            f"has {rows:,} rows in all variants, and the limit is {budget.ROWS:,}; "
            "write fewer rows, or let fewer variants change `world`."
        )
    elif rows * cases > budget.COPIES:
        yield (
            f"has {rows:,} rows in each of {cases:,} cases, and the limit is {budget.COPIES:,} rows in all cases; "
            "write fewer rows, or split the variants over several files."
        )


def _asked(given: dict[str, Any], folder: Path) -> tuple[int, int]:
    """How many rows a toolset's part of a world has, a file's counted by its size, and how many of them are generated."""
    listed = sum(len(rows) for rows in given.values() if isinstance(rows, list))
    wanted = given.get("generate")
    counts = wanted.items() if isinstance(wanted, dict) else ()
    generated = sum(
        count for table, count in counts if table != "seed" and isinstance(count, int) and count > 0
    )
    size = 0
    if isinstance(name := given.get("rows"), str):
        try:
            size = (folder / name).stat().st_size
        except (OSError, ValueError):
            size = 0  # whoever reads the file says what is wrong with it
    return listed + generated + size // budget.ROW_BYTES, generated


def _from_file(name: Any, folder: Path) -> dict[str, list[Any]]:
    if not isinstance(name, str):
        raise ScenarioError([Problem("expected the name of a JSON file beside this one.", path="rows")])
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise ScenarioError([Problem(f"{name!r} lies outside the scenario's folder.", path="rows")])
        seen = path.stat()
        content = _read(path, (seen.st_mtime_ns, seen.st_size, seen.st_ino))
    except budget.OverBudget as error:
        raise ScenarioError([Problem(f"{name!r} {error}.", path="rows")]) from None
    except (OSError, ValueError, RecursionError, RuntimeError) as error:  # RuntimeError is a loop of links
        raise ScenarioError([Problem(f"{name!r} cannot be read as JSON: {error}.", path="rows")]) from None
    if not isinstance(content, dict) or not all(isinstance(rows, list) for rows in content.values()):
        raise ScenarioError(
            [Problem(f"{name!r} must hold an object of tables, each a list of rows.", path="rows")]
        )
    if (count := sum(map(len, content.values()))) > budget.ROWS:
        raise ScenarioError(
            [Problem(f"{name!r} has {count:,} rows, and the limit is {budget.ROWS:,}.", path="rows")]
        )
    return content


@lru_cache(maxsize=4)
def _read(path: Path, version: tuple[int, ...]) -> Any:
    """The JSON of a file of rows, kept because each variant and later each case asks for it again."""
    text = budget.own_content(path, budget.ROWS_BYTES, "write fewer rows").decode()
    return json.loads(text, parse_constant=_no_number)


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


def _generated(toolset: type[Toolset], wanted: Any, scenario: Scenario) -> dict[str, list[Any]]:
    if not isinstance(wanted, dict) or not isinstance(wanted.get("seed"), int):
        raise ScenarioError([Problem("write for example {seed: 7, patients: 400}.", path="generate")])
    counts = {table: count for table, count in wanted.items() if table != "seed"}
    for table, count in counts.items():
        if not isinstance(count, int) or not 0 <= count <= budget.GENERATED:
            raise ScenarioError(
                [Problem(f"expected a number from 0 to {budget.GENERATED:,}.", path=f"generate.{table}")]
            )
    try:
        return _made(
            toolset,  # type: ignore[arg-type]  # a class is hashable, whatever the stub thinks
            wanted["seed"],
            tuple(counts.items()),
            started(scenario.world),
        )
    except ToolError as error:
        raise ScenarioError([Problem(error.message, path="generate")]) from None


@lru_cache(maxsize=16)
def _made(
    toolset: type[Toolset], seed: int, counts: tuple[tuple[str, int], ...], now: datetime
) -> dict[str, list[Any]]:
    """Generated rows, kept because a file is checked first and becomes cases later."""
    from faker import Faker

    fake = Faker("en_US", use_weighting=False)
    fake.seed_instance(seed)
    return toolset.generate(fake, dict(counts), now)
