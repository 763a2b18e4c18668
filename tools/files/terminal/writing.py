"""Commands that change files and folders."""

from __future__ import annotations

import getopt
import posixpath
import re
from collections.abc import Callable

from riskbox.tools.files.refusals import refusal
from riskbox.tools.files.rows import File
from riskbox.tools.files.terminal.shell import Shell


class WritingCommands(Shell):
    """Makes, changes and removes."""

    def do_mkdir(self, args: list[str], stdin: str) -> None:
        """Make folders."""
        flags, operands = self._options(args, "pv", "parents")
        for operand in self._needing(operands):
            with self._trying(f"cannot create directory '{operand}'"):
                self.tree.make(self._path(operand), parents="p" in flags or "parents" in flags)

    def do_touch(self, args: list[str], stdin: str) -> None:
        """Make files, or set their times."""
        flags, operands = self._options(args, "c")
        for operand in self._needing(operands):
            with self._trying(f"cannot touch '{operand}'"):
                path = self._path(operand)
                old = self.tree.get(path)
                if old is None and "c" not in flags:
                    self.tree.write(path, "")
                elif old is not None:
                    self.tree.put(self.tree.look(path, "w").but(modified=self.tree.now))

    def do_tee(self, args: list[str], stdin: str) -> None:
        """Write the input to files and print it."""
        flags, operands = self._options(args, "a")
        for operand in operands:
            with self._trying(operand):
                self._save(operand if operand == "/dev/null" else self._path(operand), "a" in flags, stdin)
        self._say(stdin)

    def do_rm(self, args: list[str], stdin: str) -> None:
        """Remove files."""
        flags, operands = self._options(args, "rRfivd", "recursive", "force", "no-preserve-root")
        deep = any(flag in flags for flag in ("r", "R", "recursive"))
        force = "f" in flags or "force" in flags
        for operand in operands if force else self._needing(operands):
            with self._trying(f"cannot remove '{operand}'"):
                path = self._path(operand)
                if path == "/" and "no-preserve-root" not in flags:
                    self._complain("it is dangerous to operate recursively on '/'")
                elif posixpath.basename(operand.rstrip("/")) in (".", ".."):
                    self._complain(f"refusing to remove '.' or '..' directory: skipping '{operand}'")
                elif not (force and self.tree.get(path) is None):
                    if self.tree.look(path).kind == "folder" and not deep:
                        raise refusal("is_folder", path)
                    gone, kept = self.tree.doomed(path)
                    for one in kept:
                        self._complain(f"cannot remove '{self._told(operand, path, one)}': Permission denied")
                    self.tree.drop(gone)

    def do_rmdir(self, args: list[str], stdin: str) -> None:
        """Remove empty folders."""
        for operand in self._needing(args):
            with self._trying(f"failed to remove '{operand}'"):
                self._erase(operand, self.tree.folder(self._path(operand)))

    def do_mv(self, args: list[str], stdin: str) -> None:
        """Move files."""
        flags, operands = self._options(args, "fnvi")
        self._carry(operands, "move", keep="n" in flags)

    def do_cp(self, args: list[str], stdin: str) -> None:
        """Copy files."""
        flags, operands = self._options(args, "rRafnpv", "recursive")
        deep = any(flag in flags for flag in ("r", "R", "a", "recursive"))
        self._carry(operands, "copy", keep="n" in flags, deep=deep)

    def _carry(self, operands: list[str], verb: str, *, keep: bool, deep: bool = True) -> None:
        *sources, last = self._needing(operands, 2)
        target = self._path(last)
        if len(sources) > 1:
            with self._trying(f"target '{last}'"):
                self.tree.folder(target)
        if self.code:
            return
        for source in sources:
            with self._trying(f"cannot {verb} '{source}' to '{last}'"):
                path = self._path(source)
                if self.tree.look(path).kind == "folder" and not deep:
                    self._complain(f"-r not specified; omitting directory '{source}'")
                    continue
                place = self.tree.destination(path, target)
                if keep and self.tree.get(place) is not None:
                    continue
                if verb == "move":
                    self.tree.move(path, place)
                    continue
                for barred in self.tree.copy(path, place):
                    self._complain(
                        f"cannot open '{self._told(source, path, barred)}' for reading: Permission denied"
                    )

    def do_chmod(self, args: list[str], stdin: str) -> None:
        """Change the mode of files."""
        mode, *operands = self._needing([one for one in args if one != "-R"], 2)
        if not re.fullmatch(r"[0-7]{3,4}|[ugoa]*[+=-][rwx]*(,[ugoa]*[+=-][rwx]*){0,8}", mode):
            raise getopt.GetoptError(f"invalid mode: '{mode}'")
        self._change(
            "changing permissions of", operands, "-R" in args, lambda file: {"mode": moded(file.mode, mode)}
        )

    def do_chown(self, args: list[str], stdin: str) -> None:
        """Change the owner of files."""
        whom, *operands = self._needing([one for one in args if one != "-R"], 2)
        owner, _, group = whom.partition(":")
        changes = {name: value for name, value in (("owner", owner), ("group", group)) if value}
        for operand in operands if not self.tree.root else ():
            self._complain(f"changing ownership of '{operand}': Operation not permitted")
        if self.tree.root:
            self._change("changing ownership of", operands, "-R" in args, lambda file: changes)

    def _change(
        self, what: str, operands: list[str], deep: bool, changes: Callable[[File], dict[str, str]]
    ) -> None:
        for operand in operands:
            with self._trying(f"cannot access '{operand}'"):
                found = self._below(operand) if deep else [(operand, self.tree.look(self._path(operand)))]
                for name, file in found:
                    if self.tree.me in ("root", self.tree.owner(file)):
                        self.tree.put(file.but(**changes(file)))
                    else:
                        self._complain(f"{what} '{name}': Operation not permitted")


def moded(before: str, change: str) -> str:
    """Permissions after a change written as chmod takes it.

    >>> moded("644", "go-r"), moded("644", "+x"), moded("644", "600")
    ('600', '755', '600')
    """
    if change.isdigit():
        return change
    digits = {who: int(digit) for who, digit in zip("ugo", before[-3:], strict=True)}
    for part in change.split(","):
        whom, sign, what = re.split("([+=-])", part, maxsplit=1)
        bits = sum({"r": 4, "w": 2, "x": 1}[letter] for letter in set(what))
        for who in "ugo" if not whom or "a" in whom else set(whom):
            old = digits[who]
            digits[who] = old | bits if sign == "+" else old & ~bits if sign == "-" else bits
    return before[:-3] + "".join(str(digits[who]) for who in "ugo")
