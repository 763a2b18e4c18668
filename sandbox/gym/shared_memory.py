"""How the workers of an asynchronous vector hand over what they see. Importing this module tells Gymnasium."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

from gymnasium.vector.utils import create_shared_memory, read_from_shared_memory, write_to_shared_memory

from riskbox.sandbox.gym.observations import Chat, ChatSpace


class _ChatFiles:
    """Where the workers of an asynchronous vector leave what they see: a file each, in a folder nobody else reads.

    Gymnasium would have memory of a fixed size, which a long chat outgrows.
    """

    def __init__(self, workers: int) -> None:
        self.workers, self.folder = workers, Path(tempfile.mkdtemp(prefix="riskbox-"))
        weakref.finalize(self, _remove, self.folder, os.getpid())

    def put(self, worker: int, chat: Chat) -> None:
        (self.folder / str(worker)).write_text(json.dumps(chat), "ascii")

    def get(self, worker: int) -> Chat:
        path = self.folder / str(worker)
        return tuple(json.loads(path.read_text("ascii"))) if path.exists() else ()


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked worker holds the same object
        shutil.rmtree(folder, ignore_errors=True)


class _LatestChats(Sequence[Chat]):
    """What each worker saw last. Gymnasium asks for it once and deep-copies it after each step; the copy is a tuple."""

    def __init__(self, files: _ChatFiles) -> None:
        self.files = files

    def __len__(self) -> int:
        return self.files.workers

    @overload
    def __getitem__(self, place: int) -> Chat: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Chat, ...]: ...
    def __getitem__(self, place: int | slice) -> Chat | tuple[Chat, ...]:
        found = range(len(self))[place]
        return self.files.get(found) if isinstance(found, int) else tuple(map(self.files.get, found))

    def __deepcopy__(self, memo: dict[int, Any]) -> tuple[Chat, ...]:
        return self[:]


@create_shared_memory.register(ChatSpace)
def _create_files(space: ChatSpace, n: int = 1, ctx: Any = None) -> _ChatFiles:
    return _ChatFiles(n)


@read_from_shared_memory.register(ChatSpace)
def _read_files(space: ChatSpace, shared_memory: _ChatFiles, n: int = 1) -> _LatestChats:
    return _LatestChats(shared_memory)


@write_to_shared_memory.register(ChatSpace)
def _write_files(space: ChatSpace, index: int, value: Chat, shared_memory: _ChatFiles) -> None:
    shared_memory.put(index, value)
