"""Commands that show files and folders."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Mapping
from datetime import timedelta

from riskbox.tools.files.rows import File
from riskbox.tools.files.terminal.shell import Shell
from riskbox.tools.files.text import human, lines, size
from riskbox.tools.files.tree import DEEPEST


def permissions(file: File) -> str:
    """The permissions as ls writes them."""
    bits = "".join(
        letter if int(digit) & bit else "-"
        for digit in file.mode[-3:]
        for letter, bit in (("r", 4), ("w", 2), ("x", 1))
    )
    if len(file.mode) == 4 and int(file.mode[0]) & 1:
        bits = bits[:-1] + ("t" if bits[-1] == "x" else "T")
    return ("d" if file.kind == "folder" else "-") + bits


class ReadingCommands(Shell):
    """Shows what there is."""

    def do_pwd(self, args: list[str], stdin: str) -> None:
        """Print the working folder."""
        self._say(self.cwd + "\n")

    def do_cd(self, args: list[str], stdin: str) -> None:
        """Change the working folder."""
        target = args[0] if args else "~"
        with self._trying(target):
            path = self._path(target)
            self.tree.folder(path, "x")
            self.cwd = path

    def do_ls(self, args: list[str], stdin: str) -> None:
        """List files."""
        flags, operands = self._options(args, "alAdhrtSR1F", "all")
        loose: list[tuple[str, File]] = []
        folders: list[tuple[str, File]] = []
        for operand in operands or ["."]:
            with self._trying(f"cannot access '{operand}'"):
                file = self.tree.look(self._path(operand))
                if file.kind == "file" or "d" in flags:
                    loose.append((operand, file))
                elif "R" in flags:
                    folders += [(name, one) for name, one in self._below(operand) if one.kind == "folder"]
                else:
                    folders.append((operand, file))
        self._list(loose, flags)
        for name, folder in folders:
            if len(folders) + len(loose) > 1 or "R" in flags:
                self._say(("\n" if self._out else "") + f"{name}:\n")
            with self._trying(f"cannot open directory '{name}'"):
                names = self.tree.names(folder.id)
                hidden = any(flag in flags for flag in ("a", "A", "all"))
                inside = [(one, self.tree.get(posixpath.join(folder.id, one))) for one in names]
                entries = [(one, file) for one, file in inside if file and (hidden or one[0] != ".")]
                dots = [(".", folder), ("..", self.tree.get(posixpath.dirname(folder.id)) or folder)]
                self._list((dots if "a" in flags or "all" in flags else []) + entries, flags)

    def _list(self, entries: list[tuple[str, File]], flags: Mapping[str, str]) -> None:
        if "t" in flags:
            entries = sorted(entries, key=lambda one: one[1].modified, reverse=True)
        elif "S" in flags:
            entries = sorted(entries, key=lambda one: size(one[1].content), reverse=True)
        for name, file in reversed(entries) if "r" in flags else entries:
            name += "/" if "F" in flags and file.kind == "folder" else ""
            if "l" in flags:
                long = human(size(file.content)) if "h" in flags else str(size(file.content))
                owner = self.tree.owner(file)
                far = abs(self.tree.now - file.modified) > timedelta(days=182)
                clock = f" {file.modified.year}" if far else f"{file.modified:%H:%M}"
                when = f"{file.modified:%b} {file.modified.day:>2} {clock}"
                name = f"{permissions(file)} 1 {owner:<8} {file.group or owner:<8} {long:>7} {when} {name}"
            self._say(name + "\n")

    def do_cat(self, args: list[str], stdin: str) -> None:
        """Print files one after the other."""
        flags, operands = self._options(args, "n")
        for _, text in self._inputs(operands, stdin):
            if "n" in flags:
                text = "".join(f"{number:>6}\t{line}\n" for number, line in enumerate(lines(text), 1))
            self._say(text)

    def do_head(self, args: list[str], stdin: str) -> None:
        """Print the first lines."""
        self._part(args, stdin, last=False)

    def do_tail(self, args: list[str], stdin: str) -> None:
        """Print the last lines."""
        self._part(args, stdin, last=True)

    def _part(self, args: list[str], stdin: str, last: bool) -> None:
        flags, operands = self._options(
            [re.sub(r"^-(\d+)$", r"-n\1", one) for one in args], "n:c:q", "lines="
        )
        given = flags.get("c", flags.get("n", flags.get("lines", "10")))
        count = self._number(given)
        for name, text in self._inputs(operands, stdin):
            units = text if "c" in flags else [line + "\n" for line in lines(text)]
            if not last:
                units = units[:count]
            elif given.startswith("+"):
                units = units[max(0, count - 1) :]
            else:
                units = units[max(0, len(units) - count) :]
            if len(operands) > 1 and "q" not in flags:
                self._say(f"==> {name} <==\n")
            self._say("".join(units))

    def do_wc(self, args: list[str], stdin: str) -> None:
        """Count lines, words and bytes."""
        flags, operands = self._options(args, "lwcm")
        total = [0, 0, 0]
        inputs = self._inputs(operands, stdin)
        counted = []
        for name, text in inputs:
            counts = [text.count("\n"), len(text.split()), size(text)]
            total = [old + new for old, new in zip(total, counts, strict=True)]
            counted.append((counts, name))
        for counts, name in [*counted, (total, "total")] if len(counted) > 1 else counted:
            wanted = [
                n for n, flag in zip(counts, ("l", "w", "c"), strict=True) if flag in flags or not flags
            ]
            self._say(" ".join([*map(str, wanted), *([name] if operands else [])]) + "\n")

    def do_du(self, args: list[str], stdin: str) -> None:
        """Print the size of files and folders."""
        flags, operands = self._options(args, "shakbd:", "max-depth=")
        deepest = (
            0 if "s" in flags else self._number(flags.get("d") or flags.get("max-depth") or str(DEEPEST))
        )
        for operand in operands or ["."]:
            with self._trying(f"cannot access '{operand}'"):
                found = self._below(operand)
                base = found[0][1].id.rstrip("/").count("/")
                totals: dict[str, int] = {}
                for _, file in found:
                    above, path = "", file.id
                    while above != path and len(path) >= len(found[0][1].id):
                        totals[path] = totals.get(path, 0) + size(file.content)
                        above, path = path, posixpath.dirname(path)
                for name, file in reversed(found):
                    depth = file.id.rstrip("/").count("/") - base
                    if depth <= deepest and (file.kind == "folder" or "a" in flags or depth == 0):
                        total = totals[file.id]
                        told = (
                            human(total)
                            if "h" in flags
                            else str(total if "b" in flags else -(-total // 1024))
                        )
                        self._say(f"{told}\t{name}\n")

    def do_stat(self, args: list[str], stdin: str) -> None:
        """Print what is known of a file."""
        for operand in self._needing(args):
            with self._trying(f"cannot stat '{operand}'"):
                file = self.tree.look(self._path(operand))
                kind = "directory" if file.kind == "folder" else "regular file"
                owner = self.tree.owner(file)
                self._say(f"  File: {operand}\n  Size: {size(file.content)}\t{kind}\n")
                self._say(
                    f"Access: ({file.mode:0>4}/{permissions(file)})  Uid: {owner}  Gid: {file.group or owner}\n"
                )
                self._say(f"Modify: {file.modified:%Y-%m-%d %H:%M:%S %z}\n")

    def do_sha256sum(self, args: list[str], stdin: str) -> None:
        """Print the SHA-256 hash of files."""
        for name, text in self._inputs(args, stdin):
            self._say(f"{hashlib.sha256(text.encode(errors='replace')).hexdigest()}  {name}\n")
