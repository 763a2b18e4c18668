"""Code by name: built-in, installed with an entry point, or the user's own as `module:Name` or `file.py:Name`."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import inspect
import itertools
import marshal
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from riskbox.sandbox.errors import PluginError, UnknownName, did_you_mean


@cache
def installed(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group, by name."""
    return {point.name: point for point in entry_points(group=group)}


@cache
def built_in(spec: str) -> Any:
    """A part that ships with Riskbox, by `module:Name`."""
    module, _, name = spec.partition(":")
    return getattr(importlib.import_module(module), name)


@dataclass(frozen=True)
class Plugins:
    """What may play one role besides what is built in: installed packages, and the user's own code."""

    role: str
    """agent, user, toolset or evaluator; the group of entry points is `riskbox.` and its plural."""

    @property
    def installed(self) -> dict[str, EntryPoint]:
        """What installed packages offer, by name."""
        return installed(f"riskbox.{self.role}s")

    def listed(self) -> list[tuple[str, str]]:
        """Each installed one by name, with the package it comes from."""
        points = sorted(self.installed.items())
        return [(name, point.dist.name if point.dist else point.value) for name, point in points]

    def is_own(self, spec: str) -> bool:
        """Whether a name is code that does not ship with Riskbox."""
        return ":" in spec or spec in self.installed

    def find(self, spec: str, known: Iterable[str] = (), hint: str = "") -> Any:
        """The object behind a name.

        Args:
            spec: `module:Name`, `file.py:Name`, or the name of an entry point.
            known: Built-in names, for the error.
            hint: What else may be written, for the error.

        Raises:
            UnknownName: nothing has this name; with the nearest that is known.
            PluginError: it does not load, with the reason.
        """
        if ":" in spec:
            return load_object(spec)
        if spec not in self.installed:
            told = did_you_mean(spec, {*known, *self.installed})
            raise UnknownName(f"unknown {self.role} {spec!r}. {told} {hint}".rstrip())
        try:
            return self.installed[spec].load()
        except (Exception, SystemExit) as error:  # importing runs other people's code
            raise PluginError(f"the installed {self.role} {spec!r} cannot be loaded: {error}") from error

    def code(self, spec: str) -> str:
        """A hash of the code behind a name for which `is_own` holds."""
        source = spec if ":" in spec else self.installed[spec].value.partition("[")[0].strip()
        return source_hash(source)


_OBJECTS: dict[str, Any] = {}
"""Objects of this process that no module holds, by the names that `name_object` gave them."""


def name_object(thing: Any) -> str:
    """A name by which `load_object` finds an object of this process.

    It is `module:Name` where a module holds the object, else `object:Name`; the latter is known in this process only.
    """
    module, name = getattr(thing, "__module__", ""), getattr(thing, "__qualname__", "")
    held: Any = sys.modules.get(module or "")
    for part in name.split(".") if name else ():
        held = getattr(held, part, None)
    if name and held is thing:
        return f"{module}:{name}"
    for known, one in _OBJECTS.items():
        if one is thing:
            return known
    label = (name or type(thing).__qualname__).rpartition(".")[2].strip("<>")
    known = next(
        one
        for count in itertools.count(1)
        if (one := f"object:{label}" + (f"-{count}" if count > 1 else "")) not in _OBJECTS
    )
    _OBJECTS[known] = thing
    return known


def described(thing: Any) -> str:
    """What an object is, in words: `the class Note`, `a function`, `an object of type Note`."""
    if inspect.isclass(thing):
        return f"the class {thing.__qualname__}"
    if inspect.ismodule(thing):
        return "a module"
    return "a function" if inspect.isroutine(thing) else f"an object of type {type(thing).__qualname__}"


def is_importable(spec: str) -> bool:
    """Whether another process finds the same object under `module:Name` or `file.py:Name`."""
    return not spec.startswith(("object:", "__main__:"))


def load_object(spec: str) -> Any:
    """The object that `module:Name`, `path/to/file.py:Name` or a name that `name_object` gave names.

    Raises:
        PluginError: it does not exist or its module does not import, with the reason.
    """
    source, colon, name = spec.rpartition(":")
    if not colon or not source or not name:
        raise PluginError(f"{spec!r} does not have the form module:Name or file.py:Name")
    if spec in _OBJECTS:
        return _OBJECTS[spec]
    if source == "object":
        raise PluginError(
            f"{spec} was an object of another Python process; name code that can be imported instead."
        )
    module = _module(source)
    try:
        found: Any = module
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError:
        raise PluginError(f"{source} has no {name!r}. {did_you_mean(name, _public(module))}") from None
    return found


def _public(module: ModuleType) -> Collection[str]:
    """What a module, or the package it is part of, writes itself; what it imports from others is left out."""
    own = module.__name__.partition(".")[0]

    def is_imported(one: Any) -> bool:
        if inspect.isclass(one) or inspect.isroutine(one):
            return (one.__module__ or own).partition(".")[0] != own
        return inspect.ismodule(one) or type(one).__module__ in ("__future__", "typing")

    return [name for name, one in vars(module).items() if not name.startswith("_") and not is_imported(one)]


def _nearest(path: Path) -> str:
    """A sentence offering the Python file of the folder with the nearest name; empty where none is near."""
    near = difflib.get_close_matches(path.name, [one.name for one in path.parent.glob("*.py")], n=1)
    return f". Did you mean {path.with_name(near[0])}?" if near else ""


def _module(source: str) -> ModuleType:
    try:
        if not source.endswith(".py"):
            if "" not in sys.path and str(Path.cwd()) not in sys.path:
                sys.path.insert(0, str(Path.cwd()))  # as `python -m` does
            return importlib.import_module(source)
        path = Path(source).resolve()
        if not path.is_file():
            raise PluginError(f"there is no file {source}{_nearest(Path(source))}")
        name = f"riskbox_user_{hashlib.blake2b(str(path).encode(), digest_size=6).hexdigest()}"
        if name in sys.modules:
            return sys.modules[name]
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise PluginError(f"{source} is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module
    except PluginError:
        raise
    except (Exception, SystemExit) as error:  # importing runs the user's code, which may raise anything
        raise PluginError(f"{source} cannot be imported: {type(error).__name__}: {error}") from error


def source_hash(spec: str) -> str:
    """A hash of the code behind `module:Name` or `file.py:Name`: of the file that is named, and of the file in which
    its object is written, since an agent of an SDK is an instance of the SDK's own class."""
    named = None if spec in _OBJECTS else getattr(_module(spec.rpartition(":")[0]), "__file__", None)
    own = Path(named).read_bytes() if named else b""
    return hashlib.blake2b(own + code_hash(load_object(spec)).encode(), digest_size=8).hexdigest()


def code_hash(thing: Any) -> str:
    """A hash of the source file of a class or function; of its own source or compiled code where there is no file, as
    in a notebook."""
    written = thing if inspect.isclass(thing) or inspect.isroutine(thing) else type(thing)
    try:
        path = inspect.getsourcefile(written)
        content = Path(path).read_bytes() if path else _source(written)
    except (TypeError, OSError):
        content = _source(written)
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def _source(written: Any) -> bytes:
    try:
        return inspect.getsource(written).encode()
    except (TypeError, OSError):
        parts = [written] if inspect.isroutine(written) else [one for _, one in sorted(vars(written).items())]
        compiled = [marshal.dumps(one.__code__) for one in parts if isinstance(one, FunctionType)]
        return b"".join(compiled) or repr(written).encode()
