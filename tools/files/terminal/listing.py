"""Commands that show files with their owners, sizes and modes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from datetime import UTC, timedelta

from riskbox.tools.files.rows import File
from riskbox.tools.files.terminal.command import Call, Commands, number
from riskbox.tools.files.text import human, size
from riskbox.tools.files.tree import DEEPEST

KINDS = {"file": "regular file", "folder": "directory", "link": "symbolic link"}


def permissions(file: File) -> str:
    """The permissions as ls writes them."""
    bits = "".join(
        letter if int(digit) & bit else "-"
        for digit in file.mode[-3:]
        for letter, bit in (("r", 4), ("w", 2), ("x", 1))
    )
    special = int(file.mode[0]) if len(file.mode) == 4 else 0
    for bit, place, letter in ((4, 2, "s"), (2, 5, "s"), (1, 8, "t")):
        if special & bit:
            bits = bits[:place] + (letter if bits[place] == "x" else letter.upper()) + bits[place + 1 :]
    return {"folder": "d", "link": "l", "file": "-"}[file.kind] + bits


class ListingCommands(Commands):
    """Shows what there is."""

    def do_ls(self, call: Call) -> None:
        """List files."""
        flags, operands = call.options(
            "alAdhrtSR1FinsgopkLHUcQmxCG", "all", "almost-all", "human-readable", "reverse", "recursive",
            "directory", "color=", "full-time", "time-style=", "group-directories-first", "inode", "size", "classify",
        )  # fmt: skip
        flags |= {"l": ""} if any(one in flags for one in ("n", "g", "o", "full-time")) else {}
        loose: list[tuple[str, File]] = []
        folders: list[tuple[str, File]] = []
        for operand in operands or ["."]:
            with self.trying(call, f"cannot access '{operand}'"):
                keeps = "l" in flags or "d" in flags or "directory" in flags
                file = self.tree.look(self.path(call, operand, follow=not keeps or operand.endswith("/")))
                if file.kind != "folder" or "d" in flags or "directory" in flags:
                    loose.append((operand, file))
                elif "R" in flags or "recursive" in flags:
                    folders += [
                        (name, one) for name, one in self.below(call, operand) if one.kind == "folder"
                    ]
                else:
                    folders.append((operand, file))
        self._list(call, loose, flags)
        for name, folder in folders:
            if len(folders) + len(loose) > 1 or "R" in flags:
                call.out += ("\n" if call.out else "") + f"{name}:\n"
            with self.trying(call, f"cannot open directory '{name}'"):
                names = self.tree.names(folder.id)
                hidden = any(flag in flags for flag in ("a", "A", "all", "almost-all"))
                inside = [(one, self.tree.get(posixpath.join(folder.id, one))) for one in names]
                entries = [(one, file) for one, file in inside if file and (hidden or one[0] != ".")]
                dots = [(".", folder), ("..", self.tree.get(posixpath.dirname(folder.id)) or folder)]
                entries = (dots if "a" in flags or "all" in flags else []) + entries
                if "l" in flags or "s" in flags:
                    call.out += f"total {sum(_blocks(one) for _, one in entries)}\n"
                self._list(call, entries, flags)
        call.code = 2 if call.code else 0

    def _list(self, call: Call, entries: list[tuple[str, File]], flags: Mapping[str, str]) -> None:
        if "t" in flags:
            entries = sorted(entries, key=lambda one: one[1].modified, reverse=True)
        elif "S" in flags:
            entries = sorted(entries, key=lambda one: size(one[1]), reverse=True)
        for name, file in reversed(entries) if "r" in flags or "reverse" in flags else entries:
            self.tree.spend(100)
            if "F" in flags or "p" in flags:
                name += "/" if file.kind == "folder" else ""
            if "l" in flags:
                if file.kind == "link":
                    name += f" -> {file.content}"
                name = self._long(file, flags) + name
            call.out += name + "\n"

    def _long(self, file: File, flags: Mapping[str, str]) -> str:
        short = "h" in flags or "human-readable" in flags
        long = human(size(file)) if short else str(size(file))
        owner = self.tree.owner(file)
        who = ("" if "g" in flags else f"{owner:<8} ") + (
            "" if "o" in flags else f"{file.group or owner:<8} "
        )
        changed = file.modified.astimezone(UTC)
        style = flags.get("time-style", "full-iso" if "full-time" in flags else "")
        if style == "full-iso":
            when = f"{changed:%Y-%m-%d %H:%M:%S}.000000000 +0000"
        elif style == "long-iso":
            when = f"{changed:%Y-%m-%d %H:%M}"
        elif style.startswith("+"):
            when = changed.strftime(style[1:])
        else:
            far = abs(self.tree.now - changed) > timedelta(days=182)
            when = f"{changed:%b} {changed.day:>2} " + (f" {changed.year}" if far else f"{changed:%H:%M}")
        return f"{permissions(file)} 1 {who}{long:>8} {when} "

    def do_du(self, call: Call) -> None:
        """Print the size of files and folders."""
        flags, operands = call.options(
            "shakmbcxd:S", "max-depth=", "summarize", "human-readable", "all", "total", "bytes", "apparent-size",
            "block-size=",
        )  # fmt: skip
        deepest = number(flags.get("d") or flags.get("max-depth") or str(DEEPEST))
        deepest = 0 if "s" in flags or "summarize" in flags else deepest
        whole = 0
        for operand in operands or ["."]:
            with self.trying(call, f"cannot access '{operand}'"):
                found = self.below(call, operand)
                top = found[0][1].id
                totals: dict[str, int] = {}
                for _, file in found:
                    above, path = "", file.id
                    while above != path and len(path) >= len(top):
                        totals[path] = totals.get(path, 0) + size(file)
                        above, path = path, posixpath.dirname(path)
                whole += totals[top]
                for name, file in reversed(found):
                    depth = file.id.rstrip("/").count("/") - top.rstrip("/").count("/")
                    if depth <= deepest and (
                        file.kind == "folder" or "a" in flags or "all" in flags or not depth
                    ):
                        call.out += f"{_amount(totals[file.id], flags)}\t{name}\n"
        if "c" in flags or "total" in flags:
            call.out += f"{_amount(whole, flags)}\ttotal\n"

    def do_less(self, call: Call) -> None:
        """Print files, as a pager does that has no keyboard."""
        self.hand_on(call, "cat", [one for one in call.args if not one.startswith(("-", "+")) or one == "-"])

    do_more = do_less

    def do_zcat(self, call: Call) -> None:
        """Print files that gzip has packed."""
        self.hand_on(call, "gzip", ["-dc", *call.args])

    def do_df(self, call: Call) -> None:
        """Print how full the disks are."""
        flags, operands = call.options("hkmTPaiHt:x:", "human-readable", "output=", "total")
        volumes = self.world.disks()
        if operands:
            wanted = []
            for operand in operands:
                with self.trying(call, operand):
                    wanted.append(self.tree.volume(self.tree.look(self.path(call, operand)).id))
            volumes = [one for one in volumes if one.id in wanted]
            if not wanted:
                return
        head = "Size  Used Avail" if {"h", "H", "human-readable"} & set(flags) else "1K-blocks Used Available"
        call.out += f"{'Filesystem':<15} {head} Use% Mounted on\n"
        for one in volumes:
            free = max(0, self.tree.free[one.id])
            shares = [_amount(amount, flags) for amount in (one.size, one.size - free, free)]
            full = -(-100 * (one.size - free) // max(1, one.size))
            call.out += (
                f"{one.device:<15} {shares[0]:>4}  {shares[1]:>4}  {shares[2]:>4} {full:>3}% {one.id}\n"
            )

    def do_stat(self, call: Call) -> None:
        """Print what is known of a file."""
        flags, operands = call.options("c:Lf", "format=", "printf=")
        form = flags.get("c") or flags.get("format") or flags.get("printf")
        for operand in call.needing(operands):
            with self.trying(call, f"cannot statx '{operand}'"):
                file = self.tree.look(self.path(call, operand, follow="L" in flags))
                owner, when = self.tree.owner(file), f"{file.modified:%Y-%m-%d %H:%M:%S}.000000000 +0000"
                arrow = f" -> {file.content}" if file.kind == "link" else ""
                known = {
                    "n": operand, "N": f"'{operand}'{arrow}", "s": str(size(file)), "U": owner, "G": file.group or owner,
                    "a": file.mode, "A": permissions(file), "F": KINDS[file.kind], "y": when, "x": when, "z": when,
                    "w": "-", "Y": str(int(file.modified.timestamp())), "h": "1", "%": "%", "b": str(_blocks(file) * 2),
                }  # fmt: skip
                known |= {"X": known["Y"], "Z": known["Y"]}
                if form is not None:
                    call.out += "".join(
                        known.get(one[1:], "?") if one[:1] == "%" else one for one in re.split("(%.)", form)
                    )
                    call.out += "" if "printf" in flags else "\n"
                    continue
                call.out += (
                    f"  File: {operand}{arrow}\n  Size: {size(file)}\t{KINDS[file.kind]}\n"
                    f"Access: ({file.mode:0>4}/{permissions(file)})  Uid: {owner}  Gid: {file.group or owner}\n"
                    f"Modify: {when}\n"
                )


def _blocks(file: File) -> int:
    return -(-size(file) // 4096) * 4 if file.kind != "folder" else 4


def _amount(count: int, flags: Mapping[str, str]) -> str:
    if {"h", "H", "human-readable"} & set(flags):
        return human(count)
    if "b" in flags or "bytes" in flags:
        return str(count)
    return str(-(-count // (1_048_576 if "m" in flags else 1024)))
