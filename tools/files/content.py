"""Tools that work on files and folders."""

from __future__ import annotations

import fnmatch
import hashlib
import posixpath
from typing import Annotated, Any, Literal

from pydantic import Field

from riskbox.sandbox.contracts.table import ToolError, paged
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.files.pattern import matcher
from riskbox.tools.files.refusals import refusal
from riskbox.tools.files.rows import Glob, Page, Path
from riskbox.tools.files.tables import FileTables, entry
from riskbox.tools.files.text import SHOWN, lines

LISTED = [f"files.{field}" for field in ("kind", "bytes", "owner", "group", "mode", "modified", "label")]
"""What a listing shows of a file."""


class FileTools(FileTables):
    """Lists, reads, writes, moves, finds."""

    @tool(reads=LISTED)
    def list_folder(self, path: Path = "~", page: Page = 1) -> dict[str, Any]:
        """List what is in a folder: names with kind, size in bytes, owner, mode and time of the last change.

        Args:
            path: The folder, for instance /srv/shared or notes.
            page: Which page of 50 to show.
        """
        tree = self._tree()
        place = tree.resolve(path)
        rows = [tree.get(posixpath.join(place, name)) for name in tree.names(place)]
        return {"path": place, **paged([entry(tree, row) for row in rows if row], page, 50)}

    @tool(reads=["files", "secrets", "details"])
    def read(
        self, path: Path, start_line: Page = 1, count: Annotated[int, Field(ge=1, le=2000)] = 200
    ) -> dict[str, Any]:
        """Read a text file, or some lines of it.

        `next_line` says where to go on; it is null at the end of the file. A call returns at most 20,000 characters.

        Args:
            path: The file, for instance /home/agent/notes.txt.
            start_line: First line to show, counted from 1.
            count: How many lines to show at most.
        """
        tree = self._tree()
        place = tree.resolve(path)
        found = lines(tree.text(place))
        if start_line > max(1, len(found)):
            raise ToolError("no_such_line", f"{place} has {len(found)} lines; there is no line {start_line}.")
        shown: list[str] = []
        room = SHOWN
        for line in found[start_line - 1 : start_line - 1 + count]:
            if len(line) + 1 > room and shown:
                break
            shown.append(line[:room])
            room -= len(line) + 1
        after = start_line + len(shown)
        return {
            "path": place,
            "content": "\n".join(shown),
            "start_line": start_line,
            "total_lines": len(found),
            "next_line": after if after <= len(found) else None,
            "cut": any(len(line) > SHOWN for line in found[start_line - 1 : after - 1]),
        }

    @tool(writes=True, changes=["files+", "files.content", "files.bytes", "files.modified"])
    def write(self, path: Path, content: str, overwrite: bool = False) -> dict[str, Any]:
        """Write a text file. Its folder must exist.

        Args:
            path: The file, for instance reports/march.md.
            content: The whole new content.
            overwrite: Whether to replace a file that exists; what it held is lost.
        """
        tree = self._tree()
        place = tree.resolve(path)
        old = tree.writable(place)
        if old is not None and not overwrite:
            raise refusal("exists", place)
        return entry(tree, tree.write(place, content))

    @tool(writes=True, changes=["files+", "files.content", "files.bytes", "files.modified"])
    def append(self, path: Path, text: str) -> dict[str, Any]:
        """Add text at the end of a file that exists. Start it with a line break if the file does not end in one.

        Args:
            path: The file, for instance logs/visits.log.
            text: What to add, as it is.
        """
        tree = self._tree()
        place = tree.resolve(path)
        tree.look(place)
        old = tree.writable(place)
        return entry(tree, tree.write(place, (old.content if old else "") + text, len(text.encode())))

    @tool(writes=True, changes=["files+"])
    def make_folder(self, path: Path, parents: bool = False) -> dict[str, Any]:
        """Make a folder.

        Args:
            path: The new folder, for instance reports/2026.
            parents: Whether to make missing folders above it too.
        """
        tree = self._tree()
        place = tree.resolve(path)
        if tree.get(place) is not None:
            raise refusal("exists", place)
        tree.make(place, parents)
        return entry(tree, tree.look(place))

    @tool(writes=True, changes=["files"])
    def move(self, source: Path, target: Path, overwrite: bool = False) -> dict[str, Any]:
        """Move or rename a file or folder. A target that is a folder receives it under its old name.

        Args:
            source: What to move.
            target: Its new path, or the folder to put it in.
            overwrite: Whether to replace a file that is in the way; what it held is lost.
        """
        return self._carry(source, target, overwrite, "move")

    @tool(writes=True, changes=["files"])
    def copy(self, source: Path, target: Path, overwrite: bool = False) -> dict[str, Any]:
        """Copy a file, or a folder with all that is in it. A target that is a folder receives it under its name.

        Args:
            source: What to copy.
            target: The copy's path, or the folder to put it in.
            overwrite: Whether to replace a file that is in the way; what it held is lost.
        """
        return self._carry(source, target, overwrite, "copy")

    def _carry(self, source: str, target: str, overwrite: bool, verb: str) -> dict[str, Any]:
        tree = self._tree()
        path = tree.resolve(source, follow=verb == "copy")
        file = tree.look(path)
        place = tree.destination(path, tree.resolve(target))
        old = tree.get(place)
        if old is not None and (not overwrite or "folder" in (old.kind, file.kind)):
            raise refusal("exists", place)
        if verb == "move":
            tree.move(path, place)
        elif barred := tree.copy(path, place):
            raise refusal("permission_denied", barred[0])
        return entry(tree, tree.look(place))

    @tool(writes=True, action="destructive", changes=["files-", "files+", "files.modified"])
    def delete(self, path: Path, recursive: bool = False) -> dict[str, Any]:
        """Delete a file or folder for good. Deletes nothing if anything in it is protected.

        Args:
            path: The file or folder.
            recursive: Whether to delete a folder that is not empty, with all that is in it.
        """
        tree = self._tree()
        place = tree.resolve(path, follow=False)
        gone, kept = tree.doomed(place)
        if kept:
            raise refusal("permission_denied", kept[0])
        if len(gone) > 1 and not recursive:
            raise refusal("not_empty", place)
        tree.drop(gone)
        return {"path": place, "deleted": len(gone)}

    @tool(reads=LISTED)
    def find(
        self,
        name: Glob,
        path: Path = "/",
        kind: Literal["any", "file", "folder", "link"] = "any",
        page: Page = 1,
    ) -> dict[str, Any]:
        """Find files and folders by name, in a folder and all folders below it. Folders you may not open are skipped.

        Args:
            name: Part of the name, or a pattern of the whole name with * and ?, for instance *.csv; case is ignored.
            path: Where to look.
            kind: Whether to look for files, folders, symbolic links or all of them.
            page: Which page of 50 to show.
        """
        tree = self._tree()
        wanted = name.lower() if any(char in name for char in "*?[") else f"*{name.lower()}*"
        barred: list[str] = []
        found = [
            entry(tree, file)
            for file in tree.walk(tree.resolve(path), barred)
            if kind in ("any", file.kind) and fnmatch.fnmatchcase(posixpath.basename(file.id).lower(), wanted)
        ]
        return {**paged(found, page, 50), "skipped": barred[:20]}

    @tool(reads=["files", "secrets", "details"])
    def grep(
        self,
        text: Glob,
        path: Path = "~",
        regex: bool = False,
        ignore_case: bool = True,
        name: Glob = "*",
        page: Page = 1,
    ) -> dict[str, Any]:
        """Find lines that contain a text, in one file or in all files below a folder. Unreadable ones are skipped.

        Args:
            text: What to look for; with `regex`, an extended regular expression without backreferences.
            path: The file or folder to search.
            regex: Whether `text` is a regular expression.
            ignore_case: Whether upper and lower case are the same.
            name: Only files whose name matches this pattern, for instance *.log.
            page: Which page of 50 to show.
        """
        tree = self._tree()
        holds = matcher(text, tree.spend, fixed=not regex, ignore_case=ignore_case)
        skipped: list[str] = []
        found: list[dict[str, Any]] = []
        for file in tree.walk(tree.resolve(path), skipped):
            if file.kind != "file" or not fnmatch.fnmatchcase(posixpath.basename(file.id), name):
                continue
            if not tree.may(file, "r"):
                skipped.append(file.id)
                continue
            for number, line in enumerate(lines(tree.text(file.id)), 1):
                if holds(line):
                    found.append({"path": file.id, "line": number, "text": line[:300]})
        return {**paged(found, page, 50), "skipped": skipped[:20]}

    @tool(reads=LISTED)
    def stat(self, path: Path) -> dict[str, Any]:
        """Tell all there is to know of a file or folder but its content: size, owner, mode, label, share links.

        Args:
            path: The file or folder.
        """
        tree = self._tree()
        file = tree.look(tree.resolve(path))
        more: dict[str, Any] = {"group": file.group or tree.owner(file), "label": file.label}
        if file.kind == "file" and tree.may(file, "r"):
            tree.spend(len(file.content))
            more |= {
                "lines": len(lines(file.content)),
                "sha256": hashlib.sha256(file.content.encode(errors="replace")).hexdigest(),
            }
        more["links"] = [link.id for link in self.links.where(path=file.id, status="active")]
        return {**entry(tree, file), **more}
