"""What an episode changed in its world, as old and new: its patches replayed over the rows the case starts from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from riskbox.sandbox.words.case import Case

RowKey: TypeAlias = tuple[str, str, str]
"""Toolset, table and row."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row before and after one call; None where it was not there."""

    toolset: str
    """The toolset."""
    table: str
    """Its table."""
    row: str
    """The row's id."""
    before: Any
    """The row before the call."""
    after: Any
    """The row after the call."""
    problem: str = ""
    """Why the patch could not be replayed, if it could not."""

    def fields(self) -> Iterator[tuple[str, Any, Any]]:
        """The fields that differ, each with its old and new value."""
        before = self.before if isinstance(self.before, dict) else {}
        after = self.after if isinstance(self.after, dict) else {}
        for name in dict.fromkeys([*before, *after]):
            if before.get(name, _ABSENT) != after.get(name, _ABSENT):
                yield name, before.get(name), after.get(name)


_ABSENT = object()


class WorldReplay:
    """The world of an episode as it goes by; only the rows that are touched are copied."""

    def __init__(self, case: Case) -> None:
        self._rows: Mapping[str, Mapping[str, Mapping[str, Any]]] = case.rows
        self._touched: dict[RowKey, Any] = {}

    @property
    def touched(self) -> Mapping[RowKey, Any]:
        """Every row that was changed so far, as it is now; None where it is gone."""
        return self._touched

    def apply(self, patch: Iterable[Mapping[str, Any]]) -> list[RowChange]:
        """Take one call's JSON Patch, and say what it changed."""
        by_row: dict[RowKey, list[dict[str, Any]]] = {}
        problems = []
        for operation in patch:
            parts = str(operation.get("path", "")).split("/", 4)
            if len(parts) < 4 or parts[0]:
                problems.append(
                    RowChange("", "", "", None, None, problem=f"not a row of the world: {dict(operation)}")
                )
                continue
            key = _unescaped(parts[1]), _unescaped(parts[2]), _unescaped(parts[3])
            place = "/" + "/".join(parts[1:4])
            moved = {
                name: "/row" + str(operation[name]).removeprefix(place)
                for name in ("path", "from")
                if name in operation
            }
            by_row.setdefault(key, []).append({**operation, **moved})
        return [self._changed(key, operations) for key, operations in by_row.items()] + problems

    def _changed(self, key: RowKey, operations: list[Any]) -> RowChange:
        import jsonpatch
        import jsonpointer

        toolset, table, row = key
        before = self._touched.get(key, self._rows.get(toolset, {}).get(table, {}).get(row))
        document = {} if before is None else {"row": before}
        try:
            after = jsonpatch.JsonPatch(operations).apply(document).get("row")
        except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError, KeyError) as error:
            return RowChange(*key, before, before, problem=f"the patch does not fit the row: {error}")
        self._touched[key] = after
        return RowChange(*key, before, after)


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
