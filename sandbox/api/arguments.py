"""Arguments that are checked when a function is called: their names, and their types by annotation."""

from __future__ import annotations

import inspect
import os
import reprlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, wraps
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from riskbox.sandbox.errors import InputError, did_you_mean

P = ParamSpec("P")
T = TypeVar("T")

_SAID: dict[Any, tuple[str, ...]] = {
    str: ("text",),
    int: ("a whole number",),
    float: ("a number",),
    bool: ("True", "False"),
    Path: ("a path",),
    NoneType: ("None",),
}
"""How a message names a type."""


def checked(name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A decorator under which a function refuses arguments that it does not have and those of a wrong type.

    Where an annotation allows a class or `Any`, every value passes: whoever loads the object says what is wrong with it.

    Args:
        name: The function's name in messages.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def call(*args: P.args, **options: P.kwargs) -> T:
            check_arguments(name, function, args, options)
            return function(*args, **options)

        if not inspect.iscoroutinefunction(function):
            return call

        @wraps(function)
        async def call_async(*args: P.args, **options: P.kwargs) -> Any:
            return await cast("Any", call(*args, **options))

        return cast("Callable[P, T]", call_async)

    return decorate


def check_arguments(
    name: str, function: Callable[..., Any], args: Sequence[Any], options: Mapping[str, Any]
) -> None:
    """Check the arguments of a call. One that is missing or given twice is left to Python.

    Raises:
        InputError: there is no such argument, or its value is of a wrong type.
    """
    kinds = _kinds(function)
    for one in options:
        if one not in kinds:
            raise InputError(f"{name}: there is no argument {one!r}. {did_you_mean(one, kinds)}")
    for one, value in {**dict(zip(kinds, args, strict=False)), **options}.items():
        if not _fits(value, kinds[one]):
            raise InputError(f"{name}: {one} must be {_said(kinds[one])}, not {reprlib.repr(value)}.")


@cache
def _kinds(function: Callable[..., Any]) -> dict[str, Any]:
    """The type of each argument in order; those in an unpacked `TypedDict` are arguments, too."""
    hints = get_type_hints(function)
    kinds: dict[str, Any] = {}
    for one in inspect.signature(function).parameters.values():
        hint = hints.get(one.name, Any)
        if one.kind is inspect.Parameter.VAR_KEYWORD:
            kinds |= get_type_hints(*get_args(hint))
        else:
            kinds[one.name] = hint
    return kinds


def _fits(value: Any, kind: Any) -> bool:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in parts)
    if kind is Any or origin is type:
        return True
    if origin is Literal:
        return isinstance(value, str)  # which word it may be, the function says
    if origin is Sequence:
        return isinstance(value, list | tuple) and all(_fits(one, *parts) for one in value)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            _fits(one, part) for pair in value.items() for one, part in zip(pair, parts, strict=True)
        )
    if origin is tuple:
        return isinstance(value, list | tuple) and len(value) == len(parts) and all(map(_fits, value, parts))
    if kind in (int, float):
        return isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)
    return isinstance(value, os.PathLike if kind is Path else origin or kind)


def _said(kind: Any) -> str:
    """The type in words."""
    *words, last = dict.fromkeys(_words(kind))
    return f"{', '.join(words)} or {last}" if words else last


def _words(kind: Any) -> Iterator[str]:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        for one in parts:
            yield from _words(one)
    elif origin is Sequence:
        yield f"a list of {_said(parts[0])}"
    elif origin is Mapping:
        yield f"a dictionary from {_said(parts[0])} to {_said(parts[1])}"
    elif origin is tuple:
        yield f"({', '.join(map(_said, parts))})"
    elif origin is Literal:
        yield from map(repr, parts)
    else:
        yield from _SAID.get(kind, ("anything" if kind is Any else f"a {kind.__name__}",))
