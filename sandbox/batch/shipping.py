"""What `--working-dir` ships to the workers of a cluster: looked at first, packed by the same rule."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pathspec import GitIgnoreSpec

from riskbox.sandbox.errors import InputError

LIMIT_MB = 100.0
"""The default of `--working-dir-limit`. Ray keeps each package in the memory of the head, and takes at most 500 MB."""
CLUTTER = frozenset(
    {".git", ".hg", ".svn", "__pycache__", "node_modules", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".nox",
     ".ipynb_checkpoints"}
)  # fmt: skip
"""Names of folders that no worker needs."""
STORES = ("riskbox.db", "riskbox.db-wal", "riskbox.db-shm")
"""The files of the default store, which change while a run plays."""
COUNTED = 20_000
"""Entries of a left-out folder that are looked at for its size."""
NAMED = 4
"""Left-out files and folders that a sentence names."""


@dataclass(frozen=True)
class LeftOut:
    """One file or folder that is not shipped."""

    path: str
    """Where, relative to the folder that is shipped; a folder ends in a slash."""
    why: str
    """Why not."""
    size: int
    """Its bytes."""
    exact: bool = True
    """Whether all of it was counted."""

    def __str__(self) -> str:
        return f"{self.path} ({'' if self.exact else 'over '}{told_size(self.size)}, {self.why})"


@dataclass
class Shipment:
    """What a folder, or a wheel, ships."""

    root: Path
    """The folder or the wheel, as it was given."""
    files: list[tuple[str, int]] = field(default_factory=list)
    """Each file that is shipped, relative to the folder, with its bytes; in order."""
    left_out: list[LeftOut] = field(default_factory=list)
    """What is not shipped."""

    @property
    def size(self) -> int:
        """Bytes that are shipped, before they are packed."""
        return sum(size for _, size in self.files)

    def __str__(self) -> str:
        """`ships 14 files, 82 KB from ./; left out: .venv/ (1.2 GB, a virtual environment)`."""
        count = f"{len(self.files):,} file{'' if len(self.files) == 1 else 's'}"
        told = f"ships {count}, {told_size(self.size)} from {_shown(self.root)}"
        if not self.left_out:
            return told
        biggest = sorted(self.left_out, key=lambda one: (-one.size, one.path))
        more = f" and {len(biggest) - NAMED} more" if len(biggest) > NAMED else ""
        return f"{told}; left out: {', '.join(map(str, biggest[:NAMED]))}{more}"

    def pack(self, into: Path) -> Path:
        """Write a zip file for Ray into a folder. The same files make the same bytes, so that Ray ships them once.

        Raises:
            InputError: a file is gone or cannot be read.
        """
        packed = into / "working_dir.zip"
        if self.root.is_file():
            shutil.copyfile(self.root, packed)  # a wheel is a zip file whose folder can be imported from
            return packed
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, _ in self.files:
                source = self.root / name
                entry = zipfile.ZipInfo(name)
                entry.compress_type = zipfile.ZIP_DEFLATED
                try:
                    entry.external_attr = (source.stat().st_mode & 0xFFFF) << 16
                    entry.file_size = source.stat().st_size
                    with source.open("rb") as read, archive.open(entry, "w") as write:
                        shutil.copyfileobj(read, write, 1 << 20)
                except OSError as error:
                    raise InputError(f"--working-dir: cannot read {source}: {error.strerror}.") from None
        return packed


def look(given: str, limit_mb: float = LIMIT_MB) -> Shipment:
    """Find out what a folder or a wheel ships.

    Left out are files that a .gitignore names (also one above the folder, in the same repository), version control,
    virtual environments, caches, node_modules, the default store, and what is no regular file.

    Args:
        given: The folder, or a `.whl` file.
        limit_mb: The most that may be shipped, in MB (2**20 bytes).

    Raises:
        InputError: there is no such folder or wheel, or it ships more than the limit; the largest are named.
    """
    root = Path(given)
    if root.is_file() and root.suffix == ".whl":
        found = _wheel(root)
    elif root.is_dir():
        found = Shipment(root)
        _walk(found, root.resolve(), "", _ignored_above(root.resolve()))
        found.files.sort()
    else:
        what = "is neither a folder nor a wheel (.whl)" if root.exists() else "does not exist"
        raise InputError(f"--working-dir: {given} {what}.")
    if found.size > limit_mb * 2**20:
        largest = sorted(found.files, key=lambda one: (-one[1], one[0]))[:3]
        named = ", ".join(f"{name} ({told_size(size)})" for name, size in largest)
        raise InputError(
            f"--working-dir: {_shown(root)} would ship {told_size(found.size)}, more than {limit_mb:g} MB; the largest are "
            f"{named}. Name them in a .gitignore, or allow more with --working-dir-limit MB."
        )
    return found


def told_size(size: float) -> str:
    """Bytes as people read them: `82 KB`, `1.2 GB`."""
    for unit in ("bytes", "KB", "MB"):
        if size < 1000 or (unit == "bytes" and size < 1024):
            return f"{size:.3g} {unit}" if unit != "bytes" else f"{size:.0f} bytes"
        size /= 1024
    return f"{size:.3g} GB"


def _shown(root: Path) -> str:
    return str(root) if root.is_file() else f"{'.' if str(root) == '.' else root}/"


def _wheel(root: Path) -> Shipment:
    try:
        with zipfile.ZipFile(root) as archive:
            entries = [(one.filename, one.file_size) for one in archive.infolist() if not one.is_dir()]
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(f"--working-dir: {root} is not a wheel that can be read: {error}.") from None
    if any(Path(name).suffix in (".so", ".pyd") for name, _ in entries) or any(
        ".data/" in name for name, _ in entries
    ):
        raise InputError(
            f"--working-dir: {root} holds more than Python code, so unpacking it is not enough; install it on every machine."
        )
    return Shipment(root, sorted(entries))


def _ignored_above(root: Path) -> list[tuple[Path, GitIgnoreSpec]]:
    """The rules of the .gitignore files above a folder, up to the top of its repository."""
    above = [root, *root.parents]
    top = next((index for index, one in enumerate(above) if (one / ".git").exists()), 0)
    return [spec for one in reversed(above[1 : top + 1]) for spec in _rules(one)]


def _rules(folder: Path) -> Iterator[tuple[Path, GitIgnoreSpec]]:
    try:
        yield folder, GitIgnoreSpec.from_lines((folder / ".gitignore").read_text("utf-8").splitlines())
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise InputError(f"--working-dir: cannot read {folder / '.gitignore'}: {error}.") from None


def _walk(found: Shipment, folder: Path, at: str, rules: Sequence[tuple[Path, GitIgnoreSpec]]) -> None:
    rules = [*rules, *_rules(folder)]
    try:
        entries = sorted(os.scandir(folder), key=lambda one: one.name)
    except OSError as error:
        raise InputError(f"--working-dir: cannot read {folder}: {error.strerror}.") from None
    for entry in entries:
        is_folder = entry.is_dir(follow_symlinks=False)
        why = _why_not(entry, rules, is_folder=is_folder)
        name = f"{at}{entry.name}"
        if is_folder and not why:
            _walk(found, Path(entry.path), f"{name}/", rules)
        elif is_folder:
            size, exact = _size(entry.path)
            found.left_out.append(LeftOut(f"{name}/", why, size, exact))
        elif why:
            found.left_out.append(LeftOut(name, why, entry.stat(follow_symlinks=False).st_size))
        else:
            found.files.append((name, entry.stat().st_size))


def _why_not(entry: os.DirEntry[str], rules: Sequence[tuple[Path, GitIgnoreSpec]], *, is_folder: bool) -> str:
    if is_folder:
        if entry.name in CLUTTER:
            return "never shipped"
        if any((Path(entry.path) / one).exists() for one in ("pyvenv.cfg", "conda-meta")):
            return "a virtual environment"
    elif entry.name in STORES:
        return "the store"
    elif entry.is_dir():
        return "a link to a folder"
    else:
        try:
            if not stat.S_ISREG(entry.stat().st_mode):
                return "no regular file"
        except OSError:
            return "a link to nothing"
    verdict: bool | None = None
    for folder, spec in rules:  # a deeper file has the last word, as in git
        path = f"{Path(entry.path).relative_to(folder).as_posix()}{'/' if is_folder else ''}"
        told = spec.check_file(path).include
        verdict = verdict if told is None else told
    return "ignored by git" if verdict else ""


def _size(folder: str) -> tuple[int, bool]:
    """The bytes of a folder, and whether all of it was counted."""
    size, seen = 0, 0
    for at, _, names in os.walk(folder):
        for name in names:
            seen += 1
            if seen > COUNTED:
                return size, False
            try:
                size += os.lstat(os.path.join(at, name)).st_size
            except OSError:
                continue
    return size, True
