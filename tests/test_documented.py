"""Whatever is public says what it is: classes, functions, methods, and the fields of records."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOPS = ("sandbox", "agents", "tools", "evaluators")
MODULES = sorted(path for top in TOPS for path in (ROOT / top).rglob("*.py"))

PLAIN = {
    "object",
    "Exception",
    "ValueError",
    "ABC",
    "Protocol",
    "Generic",
    "BaseModel",
    "NamedTuple",
    "TypedDict",
}
"""Bases whose methods are not told apart: a public method below them is our own."""

Class = tuple[ast.ClassDef, str]


def bases(node: ast.ClassDef) -> list[str]:
    named = (one.value if isinstance(one, ast.Subscript) else one for one in node.bases)
    return [ast.unparse(one).rpartition(".")[2] for one in named]


@cache
def classes() -> dict[str, list[ast.ClassDef]]:
    """Every class of the tree by name; a name may be taken more than once."""
    found: dict[str, list[ast.ClassDef]] = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(node)
    return found


def inherited(node: ast.ClassDef, seen: frozenset[str] = frozenset()) -> set[str] | None:
    """The names that a class's bases define; None where a base is somebody else's, so that any method may override."""
    names: set[str] = set()
    for base in bases(node):
        if base in PLAIN or base in seen:
            continue
        if base not in classes():
            return None
        for owner in classes()[base]:
            above = inherited(owner, seen | {base})
            if above is None:
                return None
            names |= above | {
                one.name for one in owner.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return names


def is_record(node: ast.ClassDef, seen: frozenset[str] = frozenset()) -> bool:
    """Whether the annotated names of a class are fields: a dataclass, a NamedTuple or a pydantic model."""
    if any("dataclass" in ast.unparse(one) for one in node.decorator_list):
        return True
    for base in bases(node):
        if base in ("BaseModel", "NamedTuple"):
            return True
        if base not in seen and any(is_record(one, seen | {base}) for one in classes().get(base, ())):
            return True
    return False


def undocumented(path: Path) -> Iterator[str]:
    yield from _in(ast.parse(path.read_text()).body, "")


def _in(body: list[ast.stmt], within: str) -> Iterator[str]:
    for node in body:
        if isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        ) and not node.name.startswith("_"):
            if not within and ast.get_docstring(node) is None and not _is_setter(node):
                yield f"{node.lineno}: {node.name}"
            if isinstance(node, ast.ClassDef):
                yield from _members(node, within + node.name)


def _members(node: ast.ClassDef, name: str) -> Iterator[str]:
    above = inherited(node)
    record = is_record(node)
    for place, one in enumerate(node.body):
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            overriding = above is None or one.name in above
            described = ast.get_docstring(one) is not None or _is_setter(one)
            if not (one.name.startswith("_") or overriding or described):
                yield f"{one.lineno}: {name}.{one.name}"
        elif record and isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            kind = ast.unparse(one.annotation)
            if (
                one.target.id.startswith("_")
                or "ClassVar" in kind
                or (kind.startswith("Literal[") and one.target.id == "kind")
            ):
                continue
            listed = f"{one.target.id}: " in (ast.get_docstring(node) or "")  # under Args
            if not (listed or _is_text(node.body[place + 1 : place + 2])):
                yield f"{one.lineno}: {name}.{one.target.id}"


def _is_setter(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Whether a function only completes another of its name: a property's setter, or an overload."""
    named = [ast.unparse(one) for one in node.decorator_list]
    return any(one.endswith(".setter") or one == "overload" for one in named)


def _is_text(following: list[ast.stmt]) -> bool:
    return any(
        isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str)
        for one in following
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_everything_public_has_a_docstring(path: Path) -> None:
    missing = list(undocumented(path))
    assert missing == [], f"{path.relative_to(ROOT)} leaves these without a docstring: {', '.join(missing)}"


def test_what_is_missing_is_found() -> None:
    text = """
class Undescribed(BaseModel):
    '''A record.'''
    field: int
    other: int
    '''What it is.'''
    def method(self): ...
    def _private(self): ...
def function(): ...
"""
    assert list(_in(ast.parse(text).body, "")) == [
        "4: Undescribed.field",
        "7: Undescribed.method",
        "9: function",
    ]
