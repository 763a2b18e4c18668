"""The files as one account sees them: paths, permissions and space."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from datetime import datetime

from riskbox.sandbox.contracts.table import Table, ToolError
from riskbox.tools.files.draft import Draft
from riskbox.tools.files.machine import Volume
from riskbox.tools.files.refusals import refusal
from riskbox.tools.files.rows import Account, File, Process
from riskbox.tools.files.text import size

LABELS = ("none", "internal", "confidential", "restricted")
"""How sensitive a file is said to be, from the least on."""

LARGEST = 262_144
"""The most characters one file may be given."""

CAPACITY = 8_388_608
"""The most characters all files together may hold before nothing can be added."""

MOST_FILES = 5_000
"""The most rows the tree may grow to."""

DEEPEST = 48
"""The most parts a path may have."""

FUEL = 8_388_608
"""What one call may read and compare, in characters, so that no call takes long."""

HOPS = 40
"""The most symbolic links one path may lead through."""

SYSTEM = ("bin", "boot", "dev", "etc", "home", "lib", "opt", "proc", "root", "sbin", "sys", "usr", "var")
"""Folders below `/` that belong to root where no row says otherwise."""


class Tree:
    """The files as one account sees them: paths, permissions and space. Paths are absolute."""

    def __init__(
        self, rows: Table[File] | Draft, account: Account, now: datetime, volumes: Iterable[Volume] = ()
    ) -> None:
        self.rows, self.account, self.now = rows, account, now
        self.root = account.id == "root"
        self._home = account
        self.free = {one.id: one.size - one.other for one in volumes}
        self._linked = False
        self._fuel = FUEL
        self._below: dict[str, set[str]] = {}
        self._lasting = {"/", "/tmp", account.home}
        self._used = self._count = 0
        for path in sorted(self._lasting):
            self._below.setdefault(path, set())
            self._enter(path)
        for file in rows:
            self._enter(file.id)
            self._used += len(file.content)
            self._count += 1
            self._linked = self._linked or file.kind == "link"
            self._take(file.id, size(file))

    def spend(self, amount: int) -> None:
        """Count work.

        Raises:
            ToolError: `too_much_work` once a call has done more than its share.
        """
        self._fuel -= amount
        if self.exhausted:
            raise ToolError(
                "too_much_work",
                "This would read too much at once.",
                kind="resource",
                hint="Name fewer files.",
            )

    @property
    def exhausted(self) -> bool:
        """Whether the call has done more than its share."""
        return self._fuel < 0

    def resolve(self, path: str, folder: str = "", follow: bool = True) -> str:
        """The absolute path meant by one that may be relative to a folder, by default home.

        Symbolic links are followed; the last part is left as it is without `follow`.
        """
        if path == "~" or path.startswith("~/"):
            path = self.account.home + path[1:]
        whole = "/" + posixpath.normpath(posixpath.join("/", folder or self.account.home, path)).lstrip("/")
        self.checked(whole if path else path)
        return self._followed(whole, follow) if self._linked else whole

    @staticmethod
    def checked(path: str) -> str:
        """The absolute path, if it is short enough and holds no control characters.

        Raises:
            ToolError: `bad_path`.
        """
        parts = path.split("/")
        if not path or len(path) > 1_024 or len(parts) > DEEPEST or any(len(part) > 255 for part in parts):
            raise refusal("bad_path", path[:80])
        if any(ord(char) < 32 or 127 <= ord(char) < 160 for char in path):
            raise refusal("bad_path", repr(path[:80]))
        return path

    def _followed(self, path: str, last: bool) -> str:
        done, waiting, hops = "/", path.split("/")[:0:-1], 0
        while waiting:
            part = waiting.pop()
            if part in ("", "."):
                continue
            here = posixpath.dirname(done) if part == ".." else posixpath.join(done, part)
            file = self.rows.get(here) if waiting or last else None
            if file is None or file.kind != "link":
                done = here
                continue
            self.spend(20)
            hops += 1
            if hops > HOPS:
                raise refusal("too_many_links", path)
            waiting += file.content.split("/")[::-1]
            done = "/" if file.content.startswith("/") else done
        return done

    # --- reading

    def get(self, path: str) -> File | None:
        """The file or folder, listed or implied, whoever may see it."""
        return self.rows.get(path) or (self._implied(path) if path in self._below else None)

    def look(self, path: str, need: str = "") -> File:
        """The file or folder, if every folder above lets it be reached and its permissions give what is needed.

        Raises:
            ToolError: `not_found`, `not_folder` or `permission_denied`.
        """
        self.spend(20)
        parts = path.split("/")[1:-1]
        for depth in range(len(parts) + 1):
            above = self.get("/" + "/".join(parts[:depth]))
            if path == "/":
                break
            if above is None:
                raise refusal("not_found", path)
            if above.kind != "folder":
                raise refusal("not_folder", above.id)
            if not self.may(above, "x"):
                raise refusal("permission_denied", path)
        file = self.get(path)
        if file is None:
            raise refusal("not_found", path)
        if not self.may(file, need):
            raise refusal("permission_denied", path)
        return file

    def folder(self, path: str, need: str = "") -> File:
        """The folder at the path.

        Raises:
            ToolError: as `look`, and `not_folder`.
        """
        file = self.look(path, need)
        if file.kind != "folder":
            raise refusal("not_folder", path)
        return file

    def names(self, path: str) -> list[str]:
        """The names in a folder that may be read, sorted."""
        self.folder(path, "r")
        found = self._below.get(path, set())
        self.spend(len(found))
        return sorted(found)

    def text(self, path: str) -> str:
        """The content of a file that may be read."""
        file = self.look(path, "r")
        if file.kind == "folder":
            raise refusal("is_folder", path)
        if file.kind == "link":
            raise refusal("not_found", path)
        self.spend(len(file.content))
        return file.content

    def walk(self, path: str, barred: list[str]) -> Iterator[File]:
        """All at and below a path, a folder before what is in it; folders that cannot be read go to `barred`."""
        waiting = [self.look(path)]
        while waiting:
            file = waiting.pop()
            self.spend(150)
            yield file
            if file.kind == "folder":
                if not self.may(file, "rx"):
                    barred.append(file.id)
                    continue
                waiting += reversed(self._children(file))

    def owner(self, file: File | Process) -> str:
        """Login of the owner."""
        return file.owner or self._home.id

    def may(self, file: File, need: str) -> bool:
        """Whether the account has these of the permissions r, w and x."""
        if self.root:
            return True
        owner = self.owner(file)
        mine = (self.account.id, *self.account.groups)
        place = 0 if owner == self.account.id else 1 if (file.group or owner) in mine else 2
        given = 7 if file.kind == "link" else int(file.mode[-3:][place])
        return all(given & {"r": 4, "w": 2, "x": 1}[bit] for bit in need)

    def act_as(self, account: Account) -> None:
        """Go on with the permissions of this account."""
        self.account, self.root = account, account.id == "root"

    # --- writing

    def writable(self, path: str) -> File | None:
        """The file at a path that may be written, or None where one may be made.

        Raises:
            ToolError: for instance `permission_denied`, `is_folder` or `not_found`, for a missing folder above.
        """
        old = self.get(path)
        if path == "/" or (old is not None and old.kind == "folder"):
            raise refusal("is_folder", path)
        if old is not None:
            return self.look(path, "w")
        if not self.may(self.folder(posixpath.dirname(path)), "wx"):
            raise refusal("permission_denied", path)
        return None

    def write(self, path: str, content: str, added: int | None = None) -> File:
        """Give a file this content, and make it where it does not exist.

        Args:
            path: The file.
            content: All of it.
            added: How many bytes were added at its end; None where it was written anew.

        Raises:
            ToolError: as `writable`, and `too_large` or `no_space`.
        """
        old = self.writable(path)
        if old is None:
            return self.put(File(id=path, content=content, owner=self.me, modified=self.now))
        grown = None if added is None or old.bytes is None else old.bytes + added
        return self.put(old.but(content=content, bytes=grown, modified=self.now))

    def make(self, path: str, parents: bool = False) -> None:
        """Make a folder, with `parents` also those above it that are missing."""
        old = self.get(path)
        if parents:
            if old is not None and old.kind == "folder":
                return
            self.make(posixpath.dirname(path), True)
        above = self.folder(posixpath.dirname(path))
        if old is not None:
            raise refusal("exists", path)
        if not self.may(above, "wx"):
            raise refusal("permission_denied", path)
        self.put(File(id=path, kind="folder", owner=self.me, modified=self.now))

    def doomed(self, path: str) -> tuple[list[str], list[str]]:
        """What can be removed at and below a path, the deepest first, and what permissions protect."""
        gone: list[str] = []
        kept: list[str] = []

        def visit(file: File, above: File | None) -> bool:
            self.spend(20)
            names = self._below.get(file.id, ()) if file.kind == "folder" else ()
            free = above is not None and self._removable(file, above) and file.id not in self._lasting
            if names and not self.may(file, "rx"):
                free = False
            else:
                emptied = [visit(child, file) for child in self._children(file)]
                if not all(emptied):
                    return False
            (gone if free else kept).append(file.id)
            return free

        file = self.look(path)
        visit(file, self.get(posixpath.dirname(path)) if path != "/" else None)
        return gone, kept

    def drop(self, paths: Iterable[str]) -> None:
        """Remove files and folders, what is in a folder before it; permissions were checked before."""
        going = set(paths := list(paths))
        for path in paths:
            row = self.rows.get(path)
            if row is not None:
                self.rows.remove(path)
                self._used -= len(row.content)
                self._count -= 1
                self._take(path, -size(row))
            above, name = posixpath.split(path)
            self._below.pop(path, None)
            self._below[above].discard(name)
            listed = above in self._lasting or self.rows.get(above) is not None
            if not (listed or self._below[above] or above in going):
                self.put(self._implied(above).but(modified=self.now))  # an emptied folder is still there

    def yields(self, target: str, source: File) -> None:
        """Check that what stands at a target, if anything, may give way to the source."""
        file = self.get(target)
        if file is None:
            return
        if file.kind == "folder":
            raise refusal("not_empty" if self._below.get(target) else "exists", target)
        if source.kind == "folder":
            raise refusal("not_folder", target)
        if not self._removable(file, self.folder(posixpath.dirname(target))):
            raise refusal("permission_denied", target)

    def destination(self, source: str, target: str) -> str:
        """Where moving or copying puts something: inside the target where that is a folder."""
        place = self.get(target)
        if place is not None and place.kind == "folder" and source != target:
            target = posixpath.join(target, posixpath.basename(source))
        if target == source or target.startswith(source.rstrip("/") + "/"):
            raise ToolError("into_itself", f"{source} cannot be put onto or into itself.")
        above = self.folder(posixpath.dirname(target))
        if self.get(target) is None and not self.may(above, "wx"):
            raise refusal("permission_denied", target)
        return target

    def move(self, source: str, target: str) -> None:
        """Move a file or folder to a place that `destination` gave: all of it or nothing."""
        file = self.look(source)
        free = source not in self._lasting and self._removable(file, self.folder(posixpath.dirname(source)))
        leaves = posixpath.dirname(source) != posixpath.dirname(target)
        if not free or (file.kind == "folder" and leaves and not self.may(file, "w")):
            raise refusal("permission_denied", source)
        self.yields(target, file)
        moved = [file]
        for one in moved:
            self.spend(20)
            moved += self._children(one)
        places = {one.id: self.resolve(target + one.id[len(source) :]) for one in moved}
        rows = [row for one in moved if (row := self.rows.get(one.id))]
        volume = self.volume(target)
        if volume != self.volume(source) and sum(map(size, rows)) > self.free.get(volume, float("inf")):
            raise refusal("no_space", target)
        self.drop([one.id for one in reversed(moved)])
        for row in rows:
            self.put(row.but(id=places[row.id]))

    def copy(self, source: str, target: str) -> list[str]:
        """Copy a file or folder to a place that `destination` gave; returns what could not be read."""
        barred: list[str] = []
        fresh: set[str] = set()
        for file in list(self.walk(source, barred)):
            place = self.resolve(target + file.id[len(source) :])
            old, above = self.get(place), posixpath.dirname(place)
            if file.kind == "folder" and old is not None:
                self.folder(place)
            elif not self.may(file, "r"):
                barred.append(file.id)
            elif old is not None:
                self.write(place, file.content)
                self.put(
                    self.look(place).but(bytes=file.bytes, label=max(file.label, old.label, key=LABELS.index))
                )
            elif above not in fresh and not self.may(self.folder(above), "wx"):
                raise refusal("permission_denied", place)
            else:
                fresh.add(place)
                self.put(file.but(id=place, owner=self.me, group="", modified=self.now))
        return barred

    def put(self, file: File) -> File:
        """Write a row.

        Raises:
            ToolError: `too_large` or `no_space`.
        """
        old = self.rows.get(file.id)
        grown = len(file.content) - (len(old.content) if old else 0)
        taken = size(file) - (size(old) if old else 0)
        if grown > 0 and len(file.content) > LARGEST:
            raise refusal("too_large", file.id)
        if (grown > 0 and self._used + grown > CAPACITY) or (old is None and self._count >= MOST_FILES):
            raise refusal("no_space", file.id)
        if taken > 0 and taken > self.free.get(self.volume(file.id), taken):
            raise refusal("no_space", file.id)
        self.spend(len(file.content) + 20)
        self._take(file.id, taken)
        self._linked = self._linked or file.kind == "link"
        self._used += grown
        self._count += old is None
        self._enter(file.id)
        if file.kind == "folder":
            self._below.setdefault(file.id, set())
        return self.rows.put(file)

    def volume(self, path: str) -> str:
        """The folder that the disk is mounted on where a path lies; empty where no disk is listed."""
        over = (one for one in self.free if path == one or path.startswith(one.rstrip("/") + "/"))
        return max(over, key=len, default="")

    def _take(self, path: str, amount: int) -> None:
        if self.free and amount and (volume := self.volume(path)):
            self.free[volume] -= amount

    @property
    def me(self) -> str:
        """Login that new files belong to."""
        return "root" if self.root else self.account.id

    def _removable(self, file: File, above: File) -> bool:
        sticky = len(above.mode) == 4 and int(above.mode[0]) & 1
        mine = self.me in ("root", self.owner(file), self.owner(above))
        return self.may(above, "wx") and (mine or not sticky)

    def _implied(self, path: str) -> File:
        parts = path.split("/")[1:]
        owner = ""
        if path in ("/", "/tmp", "/home") or parts[0] in SYSTEM:
            owner = parts[1] if parts[0] == "home" and len(parts) > 1 else "root"
        return File(id=path, kind="folder", owner=owner, mode="1777" if path == "/tmp" else "755")

    def _enter(self, path: str) -> None:
        while path != "/":
            above, name = posixpath.split(path)
            names = self._below.setdefault(above, set())
            if name in names:
                return
            names.add(name)
            path = above

    def _children(self, file: File) -> list[File]:
        names = sorted(self._below.get(file.id, ())) if file.kind == "folder" else []
        return [child for name in names if (child := self.get(posixpath.join(file.id, name)))]
