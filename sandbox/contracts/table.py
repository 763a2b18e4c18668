"""Tables of frozen rows: the state of every mock service.

The rows a scenario starts from are parsed once and shared by all its episodes (`StartRows`). An episode holds only the
rows it changed; a `Table` shows both as one and writes down each change as JSON Patch (RFC 6902) operations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast

import jsonpatch
from pydantic import BaseModel, ConfigDict

from riskbox.sandbox.contracts.reference import RowReference, references

ErrorClass = Literal["transient", "validation", "permission", "resource", "fatal"]
"""What the caller should do: retry; fix and retry; escalate; wait; stop."""


class ToolError(Exception):
    """An error that a tool returns to the agent as data: insufficient funds, no such patient, already booked.

    `code` is a short slug that an agent can branch on, `message` a sentence, and `hint` what to do instead. `details` are
    what else the agent receives, for example the output of a command that failed.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        kind: ErrorClass = "validation",
        hint: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.kind, self.hint = code, message, kind, hint
        self.details = details or {}

    def as_json(self) -> dict[str, Any]:
        """The error as the agent receives it."""
        shown = {
            "class": self.kind,
            "code": self.code,
            "message": self.message,
            "retryable": self.kind in ("transient", "validation", "resource"),
        }
        return {**shown, **({"hint": self.hint} if self.hint else {}), **self.details}


class Row(BaseModel):
    """One record of a table. Subclass it; `id` names the record within its table.

    `journal` says that rows only record what tools did, so that no check is about them. `private` lists fields that only the person they are about may learn. `secret` lists fields that nobody may learn
    (passwords, keys). `person` says whose row it is: a field with the person's name (`"name"`), or `"patient@patients"`
    for a field with the id of a row in another table that has its own `person`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    private: ClassVar[tuple[str, ...]] = ()
    secret: ClassVar[tuple[str, ...]] = ()
    person: ClassVar[str] = ""
    journal: ClassVar[bool] = False

    id: str
    """Names the record within its table."""

    def but(self, **changes: Any) -> Any:
        """This row with some fields changed, validated again."""
        return type(self).model_validate({**dict(self), **changes})


R = TypeVar("R", bound=Row)


class StartRows(Generic[R]):
    """The initial rows of a table, shared by every episode of a case and never written."""

    __slots__ = ("_highest", "kind", "rows")

    def __init__(self, kind: type[R], rows: Iterable[R]) -> None:
        self.kind = kind
        self.rows: dict[str, R] = {row.id: row for row in rows}
        self._highest: dict[str, int] = {}

    def highest(self, prefix: str) -> int:
        """The highest number that follows `prefix` in an id of these rows; 0 where there is none."""
        if prefix not in self._highest:
            self._highest[prefix] = highest(self.rows, prefix)
        return self._highest[prefix]


def highest(ids: Iterable[str], prefix: str) -> int:
    """The highest number that follows `prefix` in any of `ids`."""
    found = (re.fullmatch(re.escape(prefix) + r"(\d{1,12})", one) for one in ids)
    return max((int(match[1]) for match in found if match), default=0)


def pointer(*parts: str) -> str:
    """A JSON Pointer (RFC 6901) from its unescaped parts."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


Changes = Mapping[str, Row | None]
"""The rows of one table that an episode changed; None where it removed one."""


class Table(Generic[R]):
    """One table during one tool call: read like a mapping from id to row, written by `put` and `remove`.

    Args:
        base: The rows it starts from.
        changes: The rows the episode changed before this call.
        path: Where it stands in the world, for JSON Patch: the toolset and the table.
        beside: Every table of the toolset by name, this one included; where the references of a new row must lead.
    """

    __slots__ = ("_base", "_beside", "_changes", "_own", "_path", "patch")

    def __init__(
        self,
        base: StartRows[R],
        changes: Changes,
        path: tuple[str, ...],
        beside: Mapping[str, Table[Any]] | None = None,
    ) -> None:
        self._base = base
        # a table only ever holds rows of its own kind
        self._changes = cast("Mapping[str, R | None]", changes)
        self._own: dict[str, R | None] | None = None  # a copy to write into, made by the first write
        self._path, self._beside = path, beside or {}
        self.patch: list[dict[str, Any]] = []

    def get(self, id: str) -> R | None:
        """The row with this id, or None."""
        if id in self._changes:
            return self._changes[id]
        return self._base.rows.get(id)

    def __getitem__(self, id: str) -> R:
        """The row with this id.

        Raises:
            ToolError: `not_found`, worded with the table's name in the singular.
        """
        row = self.get(id)
        if row is None:
            noun = self._path[-1].replace("_", " ")
            noun = noun.removesuffix("s")
            raise ToolError("not_found", f"No {noun} has the id {id!r}.", hint="Search for it first.")
        return row

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and self.get(id) is not None

    def __iter__(self) -> Iterator[R]:
        """Every row: those of the start in their order, then those the episode added, oldest first."""
        changes = self._changes
        if not changes:
            yield from self._base.rows.values()
            return
        for id, row in self._base.rows.items():
            now = changes.get(id, row)
            if now is not None:
                yield now
        for id, added in changes.items():
            if added is not None and id not in self._base.rows:
                yield added

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def where(self, **fields: Any) -> list[R]:
        """The rows whose fields all equal the given values."""
        return [row for row in self if all(getattr(row, name) == value for name, value in fields.items())]

    def next_id(self, prefix: str, width: int = 0) -> str:
        """A new id that no row has or ever had: `prefix` and the next number, zero-padded to `width`."""
        number = max(self._base.highest(prefix), highest(self._changes, prefix)) + 1
        return f"{prefix}{number:0{width}d}"

    def put(self, row: R) -> R:
        """Add the row, or replace the one with its id, and note the difference.

        Raises:
            ValueError: a reference that the row did not have before names no row that is or was there.
        """
        before = self.get(row.id)
        if before != row:
            self._check_references(row, before)
        if before is None:
            value = row.model_dump(mode="json")
            self.patch.append({"op": "add", "path": pointer(*self._path, row.id), "value": value})
        elif before != row:
            place = pointer(*self._path, row.id)
            difference = jsonpatch.make_patch(before.model_dump(mode="json"), row.model_dump(mode="json"))
            for operation in difference.patch:
                moved: dict[str, Any] = dict(operation)
                moved.update({key: place + moved[key] for key in ("path", "from") if key in moved})
                self.patch.append(moved)
        self._write(row.id, row)
        return row

    def remove(self, id: str) -> None:
        """Remove the row with this id. An unknown id raises the same ToolError as reading it."""
        self[id]
        self.patch.append({"op": "remove", "path": pointer(*self._path, id)})
        self._write(id, None)

    def _check_references(self, row: R, before: R | None) -> None:
        kept = {(one.path, one.id) for one in references(before)} if before else ()
        for one in references(row):
            tables = referred(one, {name: table._base.kind for name, table in self._beside.items()})
            # a log may name a row that has been removed since
            if (one.path, one.id) in kept or any(self._beside[name].had(one.id) for name in tables):
                continue
            if tables:
                raise ValueError(f"{self._path[-1]} {row.id}: {one.path} {missing(one, tables)}.")

    def had(self, id: str) -> bool:
        """Whether a row has or had this id."""
        return id in self._base.rows or id in self._changes

    def _write(self, id: str, row: R | None) -> None:
        if self._own is None:
            self._changes = self._own = dict(self._changes)
        self._own[id] = row

    @property
    def changes(self) -> Changes:
        """All rows this episode changed so far, this call's included."""
        return self._changes


def referred(reference: RowReference, kinds: Mapping[str, type[Row]]) -> list[str]:
    """The tables in one of which the row that a reference names must be, out of tables with the kind of their rows."""
    return [name for name, kind in kinds.items() if issubclass(kind, reference.kind)]


def missing(reference: RowReference, tables: Iterable[str]) -> str:
    """What is wrong with a reference to a row that is in none of the tables."""
    return f"names {reference.id!r}, which is not in {' or '.join(tables)}"


def paged(rows: Iterable[Any], page: int = 1, size: int = 10) -> dict[str, Any]:
    """One page of rows as tools return them: `{"items", "page", "pages", "total"}`.

    Raises:
        ToolError: `no_such_page` beyond the last.
    """
    listed = list(rows)
    pages = max(1, -(-len(listed) // size))
    if not 1 <= page <= pages:
        raise ToolError("no_such_page", f"There is no page {page}; the last is {pages}.")
    return {
        "items": listed[(page - 1) * size : page * size],
        "page": page,
        "pages": pages,
        "total": len(listed),
    }


def has_words(query: str, *texts: str) -> bool:
    """Whether every word of a query occurs in the texts taken together, ignoring case."""
    text = " ".join(texts).casefold()
    return all(word in text for word in query.casefold().split())
