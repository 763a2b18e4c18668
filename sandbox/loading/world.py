"""The rows a toolset starts from: those written in the file, those of a JSON file beside it, and generated ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.sandbox.errors import Problem, ScenarioError
from riskbox.sandbox.words.scenario import Scenario

RESERVED = ("clock",)
"""Keys of `world` that name no toolset."""
MAX_ROWS_BYTES = 20_000_000
MAX_GENERATED = 20_000


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


def _from_file(name: Any, folder: Path) -> dict[str, list[Any]]:
    path = (folder / str(name)).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ScenarioError([Problem(f"{name!r} lies outside the scenario's folder.", path="rows")])
    try:
        if path.stat().st_size > MAX_ROWS_BYTES:
            raise ScenarioError([Problem(f"{name!r} is larger than {MAX_ROWS_BYTES:,} bytes.", path="rows")])
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ScenarioError([Problem(f"{name!r} cannot be read as JSON: {error}.", path="rows")]) from None
    if not isinstance(content, dict) or not all(isinstance(rows, list) for rows in content.values()):
        raise ScenarioError(
            [Problem(f"{name!r} must hold an object of tables, each a list of rows.", path="rows")]
        )
    return content


def _generated(toolset: type[Toolset], wanted: Any, scenario: Scenario) -> dict[str, list[Any]]:
    if not isinstance(wanted, dict) or not isinstance(wanted.get("seed"), int):
        raise ScenarioError([Problem("write for example {seed: 7, patients: 400}.", path="generate")])
    counts = {table: count for table, count in wanted.items() if table != "seed"}
    for table, count in counts.items():
        if not isinstance(count, int) or not 0 <= count <= MAX_GENERATED:
            raise ScenarioError(
                [Problem(f"expected a number from 0 to {MAX_GENERATED:,}.", path=f"generate.{table}")]
            )
    clock = datetime.fromisoformat(str(scenario.world.get("clock", "2026-01-05T09:00:00Z")))
    try:
        return _made(
            toolset,  # type: ignore[arg-type]  # a class is hashable, whatever the stub thinks
            wanted["seed"],
            tuple(counts.items()),
            clock if clock.tzinfo else clock.replace(tzinfo=UTC),
        )
    except ToolError as error:
        raise ScenarioError([Problem(error.message, path="generate")]) from None


@lru_cache(maxsize=64)
def _made(
    toolset: type[Toolset], seed: int, counts: tuple[tuple[str, int], ...], now: datetime
) -> dict[str, list[Any]]:
    """Generated rows, kept because a file is checked first and becomes cases later."""
    from faker import Faker

    fake = Faker("en_US", use_weighting=False)
    fake.seed_instance(seed)
    return toolset.generate(fake, dict(counts), now)
