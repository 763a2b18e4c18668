"""The file system that commands work on: the tree as the account sees it, a few devices, and the names of the commands."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from random import Random

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.files.refusals import REFUSALS, refusal
from riskbox.tools.files.rows import File
from riskbox.tools.files.terminal.bridge import Stat
from riskbox.tools.files.text import content_of, octets, size
from riskbox.tools.files.tree import Tree

BIN = ("/bin", "/usr/bin")
"""Where commands are; nothing can be written there."""

DEVICES = ("null", "zero", "full", "random", "urandom", "stdin", "stdout", "stderr", "tty")
"""What is in /dev."""

STUB = '#!/bin/sh\n# bashkit builtin: {0}\nexec {0} "$@"\n'
"""A file that bashkit takes for one of its commands."""

ENDLESS = 1_048_576
"""How many bytes an endless device gives."""


class Disk:
    """Answers bashkit from the tree. Nothing else can be reached through it."""

    def __init__(self, tree: Tree, random: Random, commands: Iterable[str]) -> None:
        self.tree, self.random = tree, random
        self.fault: Exception | None = None
        self.feeds: dict[str, bytes] = {}
        self.is_measured = False
        """Whether sizes are those that files are said to have, and not those of the content that can be read."""
        self._commands = frozenset(commands)

    def said(self, error: ToolError) -> str:
        """What a shell says of the error."""
        return REFUSALS[error.code][1] if error.code in REFUSALS else error.message

    # --- reading

    def read_file(self, path: str) -> bytes:
        """The bytes of a file."""
        found = self.special(path)
        if found is None:
            return octets(self.tree.text(path))
        if found == "folder":
            raise refusal("is_folder", path)
        above, name = posixpath.split(path)
        if path in self.feeds:
            return self.feeds[path]
        if above in BIN:
            return STUB.format(name).encode()
        self.tree.spend(20)
        if name in ("zero", "full"):
            return bytes(ENDLESS)
        return self.random.randbytes(ENDLESS // 16) if "random" in name else b""

    def stat(self, path: str) -> Stat:
        """What a path is."""
        special = self.special(path)
        if special is not None:
            return special, 0, 0o755, 0
        return self._stat(self.tree.look(path))

    def _stat(self, file: File) -> Stat:
        # bashkit counts what a command will read by the size; of a large file only the content that is there is read
        read = size(file) if self.is_measured or not file.bytes else max(1, len(octets(file.content)))
        return file.kind, read, int(file.mode, 8), int(file.modified.timestamp())

    def read_dir(self, path: str) -> Sequence[tuple[str, Stat]]:
        """What is in a folder, in the order of the names."""
        special = self.special(path)
        if special is not None:
            if path == "/usr":
                return [("bin", self.stat("/usr/bin"))]
            names = self._commands if path in BIN else DEVICES
            return [(name, ("file", 0, 0o755, 0)) for name in sorted(names)]
        found = {name: self.tree.get(posixpath.join(path, name)) for name in self.tree.names(path)}
        listed = [(name, self._stat(file)) for name, file in found.items() if file is not None]
        return sorted(listed)

    def exists(self, path: str) -> bool:
        """Whether there is something at a path."""
        try:
            self.stat(path)
        except ToolError as error:
            if error.code not in ("not_found", "not_folder", "bad_path"):
                raise
            return False
        return True

    def read_link(self, path: str) -> str:
        """Where a symbolic link leads."""
        file = self.tree.look(path)
        if file.kind != "link":
            raise refusal("not_link", path)
        return file.content

    # --- writing

    def write_file(self, path: str, content: bytes) -> None:
        """Give a file these bytes."""
        if self._written(path):
            return
        self.tree.write(self._place(path), content_of(content))

    def append_file(self, path: str, content: bytes) -> None:
        """Add bytes at the end of a file."""
        if self._written(path):
            return
        path = self._place(path)
        old = self.tree.writable(path)
        before = octets(old.content) if old is not None else b""
        self.tree.write(path, content_of(before + content), len(content))

    def mkdir(self, path: str, parents: bool) -> None:
        """Make a folder."""
        self._barred(path)
        self.tree.make(self._place(path), parents)

    def remove(self, path: str, recursive: bool) -> None:
        """Remove a file, or a folder if it is empty or `recursive`: all of it or nothing."""
        self._barred(path)
        gone, kept = self.tree.doomed(path)
        if kept:
            raise refusal("permission_denied", kept[0])
        if len(gone) > 1 and not recursive:
            raise refusal("not_empty", path)
        self.tree.drop(gone)

    def rename(self, source: str, target: str) -> None:
        """Put a file or folder at another place."""
        self._barred(source, target)
        file, old = self.tree.look(source), self.tree.get(self._place(target))
        if old is not None and posixpath.basename(source).startswith(".bashkit-"):
            # how bashkit writes a file in place, as sed -i does: the file stays the same one
            self.tree.drop([source])
            self.tree.write(target, file.content)
        else:
            self.tree.move(source, target)

    def copy(self, source: str, target: str) -> None:
        """Copy a file."""
        special = self.special(source)
        if special is not None:
            self.write_file(target, self.read_file(source))
        elif not self._written(target):
            self._place(target)
            self.tree.text(source)
            self.tree.writable(target)
            self.tree.copy(source, target)

    def symlink(self, target: str, link: str) -> None:
        """Make a symbolic link."""
        self._barred(link)
        if self.tree.get(self._place(link)) is not None:
            raise refusal("exists", link)
        self.tree.writable(link)
        self.tree.put(File(id=link, kind="link", content=target, owner=self.tree.me, modified=self.tree.now))

    def chmod(self, path: str, mode: int) -> None:
        """Change the mode of a file."""
        self._barred(path)
        file = self.tree.look(path)
        if self.tree.me not in ("root", self.tree.owner(file)):
            raise refusal("not_owner", path)
        self.tree.put(file.but(mode=f"{mode & 0o7777:03o}"))

    # --- what is no row

    def special(self, path: str) -> str | None:
        """Whether a path is a folder or file that is there without a row; None for all others."""
        above, name = posixpath.split(path)
        if path in self.feeds:
            return "file"
        if self.tree.rows.get(path) is not None:
            return None
        if path in (*BIN, "/dev"):
            return "folder"
        if path == "/usr" and self.tree.get(path) is None:
            return "folder"
        return (
            "file"
            if (above in BIN and name in self._commands) or (above == "/dev" and name in DEVICES)
            else None
        )

    def _written(self, path: str) -> bool:
        """Whether what is written to a path is gone, as on /dev/null."""
        if path == "/dev/full":
            raise refusal("no_space", path)
        above, name = posixpath.split(path)
        if above == "/dev" and name in DEVICES:
            return True
        self._barred(path)
        return False

    def _barred(self, *paths: str) -> None:
        for path in paths:
            if path in ("/usr", *BIN) or posixpath.dirname(path) in (*BIN, "/dev"):
                raise refusal("permission_denied", path)

    def _place(self, path: str) -> str:
        """A path that something may be put at, if it is usable as one."""
        return self.tree.checked(path)
