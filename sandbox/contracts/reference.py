"""Fields of rows that name rows of other tables: `owner: Ref[Customer]`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel

R = TypeVar("R", bound=BaseModel)

if TYPE_CHECKING:
    from typing_extensions import TypeAliasType

    Ref = TypeAliasType("Ref", str, type_params=(R,))
    """The id of a row of another table; empty where it names none.

    `Ref[Customer]` names a row of any table of the toolset whose rows are a `Customer` or a subclass of it, and
    `Ref[Exam | Assignment]` a row of one table or the other. It is a plain `str` otherwise, and may be nested, as in
    `tuple[Ref[Customer], ...]` or in a model of a field.
    """
else:

    class Ref:
        """The same for pydantic, which ignores the mark: a reference is validated and described as any string."""

        def __class_getitem__(cls, kind: Any) -> Any:
            return Annotated[str, _Names(kind)]


@dataclass(frozen=True, slots=True)
class _Names:
    """Marks a string as the id of a row."""

    kind: Any
    """The class of the row, or a union of classes."""


@dataclass(frozen=True, slots=True)
class RowReference:
    """One reference found in a row."""

    path: str
    """Its place below the row, for instance `joint[1]`."""
    id: str
    """The id it holds."""
    kind: Any
    """The class of the row it names, or a union of classes."""


def references(row: BaseModel) -> Iterator[RowReference]:
    """Every reference of a row that names something, those of models within it included."""
    for field, kind in _marked(type(row)).items():
        for path, value in _spread(field, getattr(row, field)):
            if isinstance(value, BaseModel):
                for one in references(value):
                    yield RowReference(f"{path}.{one.path}", one.id, one.kind)
            elif isinstance(value, str) and value and kind is not None:
                yield RowReference(path, value, kind)


def _spread(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, tuple | list):
        for index, one in enumerate(value):
            yield from _spread(f"{path}[{index}]", one)
    else:
        yield path, value


@cache
def _marked(model: type[BaseModel]) -> dict[str, Any]:
    """The fields of a model that hold references, with what these name, or other models; None for those."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        for part in (*field.metadata, *_parts(field.annotation)):
            if isinstance(part, _Names):
                found[name] = part.kind
            elif isinstance(part, type) and issubclass(part, BaseModel):
                found.setdefault(name, None)
    return found


def _parts(annotation: Any) -> Iterator[Any]:
    """The marks and classes that an annotation is made of."""
    yield annotation
    inner = get_args(annotation)
    if get_origin(annotation) is Annotated:
        yield from annotation.__metadata__
        inner = inner[:1]
    for one in inner:
        yield from _parts(one)
