"""Single calls of a toolset's tools, each proven."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jsonpatch

from riskbox.sandbox.contracts.table import Changes, Table
from riskbox.sandbox.contracts.toolset import ToolOutcome, Toolset
from riskbox.sandbox.errors import RiskboxError
from riskbox.sandbox.testing.claim import require, short

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""The world's clock in these checks, a Monday."""
Call = tuple[str, Mapping[str, Any]]


class Driver:
    """A world of one toolset that remembers what its calls changed.

    Each call is proven: it is made twice and must give the same bytes, its patch must turn the old world into the new
    one, a refused call and a reading tool must change nothing, and what an agent is given must be JSON.

    Args:
        kind: The toolset.
        world: Its rows by table, as in a scenario.
        now: The world's clock; may be set to another time between calls.
        seed: The seed of every call; may be set, too.
    """

    def __init__(
        self, kind: type[Toolset], world: Mapping[str, Any], *, now: datetime = NOW, seed: int = 1
    ) -> None:
        self.kind, self.now, self.seed = kind, now, seed
        self.bases = kind.parse(world)
        self.changes: Mapping[str, Changes] = {}

    def rows(self, table: str) -> dict[str, dict[str, Any]]:
        """The rows of a table as JSON, by id."""
        changes = self.changes.get(table, {})
        path = (self.kind.toolset_name(), table)
        rows: Table[Any] = Table(self.bases[table], changes, path)
        return {row.id: row.model_dump(mode="json") for row in rows}

    def world(self) -> dict[str, Any]:
        """Every row as JSON, by toolset, table and id: what a patch is about."""
        return {self.kind.toolset_name(): {table: self.rows(table) for table in self.bases}}

    def outcome(self, tool: str, arguments: Any) -> ToolOutcome:
        """What a call comes to, proven.

        Args:
            tool: The tool's short name.
            arguments: What an agent sent, whatever it is.

        Raises:
            AssertionError: the toolset breaks a promise.
        """
        name = f"{self.kind.toolset_name()}.{tool}({short(arguments)})"
        before = self.world()
        first, again = self._answered(tool, arguments, name), self._answered(tool, arguments, name)
        for what in ("result", "error", "patch"):
            require(
                _bytes(getattr(first, what), name) == _bytes(getattr(again, what), name),
                f"{name} gives another {what} when it is called again with the same seed. Draw from self.random and "
                "read the clock from self.now.",
            )
        self.changes = first.changes
        patch: Any = list(first.patch)
        after = self.world()
        require(
            jsonpatch.apply_patch(before, patch) == after, f"{name}: its patch does not give the new world."
        )
        if first.error is not None:
            require(not patch, f"{name} was refused and changed the world all the same.")
            code, message = first.error.get("code"), first.error.get("message")
            require(bool(code and message), f"{name}: its error needs a code and a message: {first.error}")
        if not self.kind.tools()[tool].spec.writes:
            require(not patch, f"{name} is marked reading and changed the world.")
        return first

    def ok(self, tool: str, /, **arguments: Any) -> Any:
        """The result of a call that must go well."""
        outcome = self.outcome(tool, arguments)
        require(outcome.error is None, f"{tool}({short(arguments)}) was refused: {outcome.error}")
        return outcome.result

    def error(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """The error of a call that must be refused."""
        outcome = self.outcome(tool, arguments)
        require(outcome.error is not None, f"{tool}({short(arguments)}) was not refused: {outcome.result}")
        assert outcome.error is not None
        return outcome.error

    def _answered(self, tool: str, arguments: Any, name: str) -> ToolOutcome:
        given = (tool, arguments, self.bases, self.changes, self.now, self.seed)
        try:
            if inspect.iscoroutinefunction(self.kind.tools()[tool].method):
                # such a tool writes nothing, so its outcome does not say what has changed so far
                return replace(asyncio.run(self.kind.answer(*given)), changes=self.changes)
            return self.kind.call(*given)
        except RiskboxError as error:  # a fault: it raised something else, or wrote while marked reading
            raise AssertionError(f"{name}: {error}") from error


def _bytes(value: Any, name: str) -> str:
    try:
        return json.dumps(value, allow_nan=False, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"{name} gives what is not JSON: {error}") from error
