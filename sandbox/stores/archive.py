"""Runs that were exported, opened to be read: a file of `riskbox export jsonl`, or a folder of them.

The lines are imported into an SQLite file of its own in the folder for temporary files, which goes when the store is
closed. All that reads a store then reads an archive; nothing writes to it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.stores import jsonl
from riskbox.sandbox.stores.sqlite.store import SqliteStore


class SealedStore(SqliteStore):
    """A store that is read-only once it is filled: in an SQLite file of its own, which goes when it is closed."""

    _sealed = False
    _folder: TemporaryDirectory[str]

    def __init__(self, path: Path, url: str) -> None:
        super().__init__(path)
        self.url = url

    def close(self) -> None:
        """Let go of the store; what was imported goes with it."""
        if hasattr(self, "_db"):
            super().close()
        self._folder.cleanup()

    @contextmanager
    def _writing(self, run: str | None = None) -> Iterator[sqlite3.Connection]:
        if self._sealed:
            raise refusal(self.url)
        with super()._writing(run) as db:
            yield db


class ArchiveStore(SealedStore):
    """What one file of JSON lines holds, or all of a folder's.

    Raises:
        InputError: there is no such file, or it is not what `riskbox export jsonl` writes.
    """

    def __init__(self, path: str | Path) -> None:
        files = _files(Path(path))
        self._folder = TemporaryDirectory(prefix="riskbox-archive-")
        try:
            super().__init__(Path(self._folder.name) / "runs.db", f"jsonl:///{path}")
            for file in files:
                with file.open("rb") as lines:
                    jsonl.load(self, lines, str(file))
        except OSError as error:
            self.close()
            raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None
        except BaseException:
            self.close()
            raise
        self._sealed = True


def refusal(url: str) -> InputError:
    """The error for whoever would write to an archive."""
    return InputError(f"{url} is read-only. Import it into a store first: riskbox import --help")


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(path.glob("*.jsonl"))
        if not found:
            raise InputError(f"the folder {str(path)!r} contains no .jsonl file of `riskbox export jsonl`.")
        return found
    if not path.is_file():
        raise InputError(
            f"there is no archive {str(path)!r}. Write one with `riskbox export jsonl -o FILE`; save a pipe to a file first."
        )
    return [path]
