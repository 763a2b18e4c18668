"""A file system written in Python, in the form that bashkit mounts.

bashkit takes a foreign file system as a capsule with a table of C functions, its stable interface number 1. Each of
these functions calls the method of the same name of a `Mountable`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Protocol

from bashkit import FileSystem

from riskbox.sandbox.contracts.table import ToolError

CAPSULE = b"bashkit.FileSystem.v1"
VERSION = 1

KINDS = {
    "not_found": 1,
    "exists": 2,
    "permission_denied": 3,
    "bad_path": 4,
    "is_folder": 5,
    "not_folder": 6,
    "not_empty": 7,
}
"""bashkit's number for an error; 0 for any other."""

Stat = tuple[str, int, int, int]
"""What a path is ("file", "folder" or "link"), its size in bytes, its mode, and when it was changed, in seconds."""


class Mountable(Protocol):
    """What bashkit asks of a file system; each method may raise a ToolError. Paths are absolute."""

    fault: Exception | None
    """An exception that is no ToolError: a fault of ours, to be raised once bashkit is done."""

    def read_file(self, path: str) -> bytes:
        """The bytes of a file."""
        ...

    def write_file(self, path: str, content: bytes) -> None:
        """Give a file these bytes."""
        ...

    def append_file(self, path: str, content: bytes) -> None:
        """Add bytes at the end of a file."""
        ...

    def mkdir(self, path: str, parents: bool) -> None:
        """Make a folder, and those above it with `parents`."""
        ...

    def remove(self, path: str, recursive: bool) -> None:
        """Remove a file, or a folder."""
        ...

    def stat(self, path: str) -> Stat:
        """What a path is; a link is not followed."""
        ...

    def read_dir(self, path: str) -> Sequence[tuple[str, Stat]]:
        """What is in a folder."""
        ...

    def exists(self, path: str) -> bool:
        """Whether there is something at a path."""
        ...

    def rename(self, source: str, target: str) -> None:
        """Put a file or folder at another place."""
        ...

    def copy(self, source: str, target: str) -> None:
        """Copy a file."""
        ...

    def symlink(self, target: str, link: str) -> None:
        """Make a symbolic link to a target."""
        ...

    def read_link(self, path: str) -> str:
        """Where a symbolic link leads."""
        ...

    def chmod(self, path: str, mode: int) -> None:
        """Change the mode of a file."""
        ...

    def said(self, error: ToolError) -> str:
        """What a shell says of the error."""
        ...


class _Bytes(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("size", ctypes.c_size_t)]


class _Error(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_uint32), ("message", _Bytes)]


class _Stat(ctypes.Structure):
    _fields_ = [
        ("kind", ctypes.c_uint8),
        ("reserved", ctypes.c_uint8 * 7),
        ("size", ctypes.c_uint64),
        ("mode", ctypes.c_uint32),
        ("modified", ctypes.c_int64),
        ("modified_nanos", ctypes.c_uint32),
        ("created", ctypes.c_int64),
        ("created_nanos", ctypes.c_uint32),
    ]


class _Entry(ctypes.Structure):
    _fields_ = [("name", _Bytes), ("stat", _Stat)]


_kept: dict[int, Any] = {}  # memory that bashkit reads, by its address, until it says that it is done
_mounted: dict[int, Mountable] = {}
_held: dict[int, int] = {}  # how often bashkit holds each
_numbers = count(1)


def _given(content: bytes) -> _Bytes:
    if not content:
        return _Bytes(None, 0)
    buffer = ctypes.create_string_buffer(content, len(content))
    at = ctypes.addressof(buffer)
    _kept[at] = buffer
    return _Bytes(at, len(content))


def _taken(value: _Bytes) -> bytes:
    return ctypes.string_at(value.at, value.size) if value.size else b""


def _path(value: _Bytes) -> str:
    return _taken(value).decode()


def _stat(found: Stat) -> _Stat:
    kind, size, mode, changed = found
    return _Stat(
        kind={"file": 0, "folder": 1, "link": 2}[kind],
        size=size,
        mode=mode,
        modified=changed,
        created=changed,
    )


def _entries(found: Sequence[tuple[str, Stat]]) -> _Bytes:
    if not found:
        return _Bytes(None, 0)
    array = (_Entry * len(found))(*(_Entry(_given(name.encode()), _stat(stat)) for name, stat in found))
    at = ctypes.addressof(array)
    _kept[at] = array
    return _Bytes(at, len(found))


def _as_is(value: Any) -> Any:
    return value


_IN: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "path": (_Bytes, _path),
    "bytes": (_Bytes, _taken),
    "flag": (ctypes.c_bool, bool),
    "mode": (ctypes.c_uint32, int),
}
_OUT: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "bytes": (_Bytes, _given),
    "path": (_Bytes, lambda text: _given(text.encode())),
    "stat": (_Stat, _stat),
    "entries": (_Bytes, _entries),
    "flag": (ctypes.c_bool, _as_is),
}

_METHODS: dict[str, tuple[tuple[str, ...], str]] = {
    "read_file": (("path",), "bytes"),
    "write_file": (("path", "bytes"), ""),
    "append_file": (("path", "bytes"), ""),
    "mkdir": (("path", "flag"), ""),
    "remove": (("path", "flag"), ""),
    "stat": (("path",), "stat"),
    "read_dir": (("path",), "entries"),
    "exists": (("path",), "flag"),
    "rename": (("path", "path"), ""),
    "copy": (("path", "path"), ""),
    "symlink": (("path", "path"), ""),
    "read_link": (("path",), "path"),
    "chmod": (("path", "mode"), ""),
}
"""What each function takes and gives, in the order of the table."""


def _function(name: str) -> Any:
    takes, gives = _METHODS[name]
    types = [_IN[one][0] for one in takes]
    if gives:
        types.append(ctypes.POINTER(_OUT[gives][0]))

    def call(instance: int, *given: Any) -> int:
        error, mounted = given[-1], _mounted[instance]
        try:
            told = [_IN[kind][1](one) for kind, one in zip(takes, given, strict=False)]
            result = getattr(mounted, name)(*told)
            if gives:
                given[len(takes)][0] = _OUT[gives][1](result)
        except ToolError as refused:
            error[0].kind = KINDS.get(refused.code, 0)
            error[0].message = _given(mounted.said(refused).encode())
            return 1
        except Exception as fault:
            mounted.fault = fault
            error[0].kind = 0
            error[0].message = _given(b"Input/output error")
            return 1
        return 0

    return ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p, *types, ctypes.POINTER(_Error))(call)


def _forget_bytes(instance: int, value: _Bytes) -> None:
    _kept.pop(value.at, None)


def _forget_entries(instance: int, value: _Bytes) -> None:
    for entry in _kept.pop(value.at, ()):
        _kept.pop(entry.name.at, None)


def _retain(instance: int) -> None:
    _held[instance] = _held.get(instance, 0) + 1


def _release(instance: int) -> None:
    _held[instance] -= 1
    if not _held[instance]:
        del _held[instance], _mounted[instance]


_FREE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, _Bytes)
_COUNT = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
# the functions live as long as the module, so that bashkit can call them whenever it drops what it holds
_functions = {name: _function(name) for name in _METHODS}
_functions |= {"free_bytes": _FREE(_forget_bytes), "free_dir_entries": _FREE(_forget_entries)}
_counting = _COUNT(_retain), _COUNT(_release)


class _Table(ctypes.Structure):
    _fields_ = [(name, type(one)) for name, one in _functions.items()]


class _Handle(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
        ("instance", ctypes.c_void_p),
        ("retain", _COUNT),
        ("release", _COUNT),
        ("table", ctypes.POINTER(_Table)),
    ]


_table = _Table(*_functions.values())
_capsule = ctypes.pythonapi.PyCapsule_New
_capsule.restype = ctypes.py_object
_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


def mountable(system: Mountable) -> FileSystem:
    """The file system as bashkit takes it; it is let go when bashkit drops the last that mounts it."""
    number = next(_numbers)
    _mounted[number] = system
    handle = _Handle(VERSION, 0, number, *_counting, ctypes.pointer(_table))
    return FileSystem.from_capsule(_capsule(ctypes.addressof(handle), CAPSULE, None))
