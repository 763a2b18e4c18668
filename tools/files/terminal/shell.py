"""A shell: runs the stages of a command line, and what all commands use."""

from __future__ import annotations

import fnmatch
import getopt
import posixpath
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from riskbox.sandbox.contracts.table import Table, ToolError
from riskbox.tools.files.refusals import REFUSALS, refusal
from riskbox.tools.files.rows import File, Process
from riskbox.tools.files.terminal.syntax import KEYWORDS, PIECE, SENDS, VARIABLE, ShellError, Stage, pipelines
from riskbox.tools.files.text import clipped
from riskbox.tools.files.tree import Tree


class Shell:
    """Reads one command line at a time. `do_x` is the command `x`, which subclasses add."""

    def __init__(self, tree: Tree, processes: Table[Process], cwd: str) -> None:
        self.tree, self.processes, self.cwd = tree, processes, cwd
        self.code = 0
        self._name = "sh"
        self._out: list[str] = []
        self._err: list[str] = []

    def run(self, command: str) -> dict[str, Any]:
        """What the line comes to: stdout, stderr and exit code."""
        out: list[str] = []
        err: list[str] = []
        try:
            for joint, stages in pipelines(command):
                if (joint == "&&" and self.code) or (joint == "||" and not self.code):
                    continue
                text = ""
                for stage in stages:
                    text, errors = self._stage(stage, text)
                    err.append(errors)
                out.append(text)
        except ShellError as error:
            err.append(f"sh: {error}\n")
            self.code = 2
        except ToolError as error:
            err += [*self._err, f"sh: stopped: {error.message}\n"]
            self.code = 1
        return {"stdout": clipped("".join(out)), "stderr": clipped("".join(err)), "exit_code": self.code}

    def _stage(self, stage: Stage, stdin: str) -> tuple[str, str]:
        words, redirects = stage
        self._name, self._out, self._err = "sh", [], []
        self.code, before = 0, self.code
        sent: dict[int, tuple[str, bool]] = {}
        with self._trying(""):
            argv = [text for word in words for text in self._expand(word, before)]
            for op, word in redirects:
                target = "".join(self._expand(word, before))
                with self._trying(target):
                    if op == "<":
                        stdin = self._text(target, stdin)
                    elif word:
                        stream, append = SENDS[op]
                        sent[stream] = (self._open(target, append), append)
            if not self.code:
                self._call(argv, stdin)
        out, err = "".join(self._out), "".join(self._err)
        ops = [op for op, _ in redirects]
        if "2>&1" in ops:
            out, err = out + err, ""
        elif ">&2" in ops or "1>&2" in ops:
            out, err = "", err + out
        self._err = []
        for stream, text in ((1, out), (2, err)):
            if stream in sent:
                with self._trying(sent[stream][0]):
                    self._save(*sent[stream], text)
        return ("" if 1 in sent else out), ("" if 2 in sent else err) + "".join(self._err)

    def _open(self, target: str, append: bool) -> str:
        """The path of a file that output goes to; the shell empties it before the command runs."""
        if target == "/dev/null":
            return target
        path = self._path(target)
        old = self.tree.writable(path)
        if old is not None and old.content and not append:
            self.tree.write(path, "")
        return path

    def _save(self, path: str, append: bool, text: str) -> None:
        if path != "/dev/null":
            old = self.tree.writable(path)
            self.tree.write(path, (old.content if old and append else "") + text)

    def _expand(self, word: str, code: int) -> list[str]:
        """The texts a word stands for: quotes removed, variables replaced, file names matched."""
        known = {"HOME": self.tree.account.home, "USER": self.tree.me, "PWD": self.cwd, "?": str(code)}

        def value(match: re.Match[str]) -> str:
            return match[1].strip("\n") if match[1] else known.get(match[2] or match[3], "")

        text = pattern = ""
        quoted = magic = False
        for piece in PIECE.findall(word):
            if piece[0] in "'\"\\":
                said = piece[1:].strip("\n") if piece[0] == "\\" else piece[1:-1]
                said = VARIABLE.sub(value, said) if piece[0] == '"' else said
                pattern += re.sub(r"[*?[]", r"[\g<0>]", said)
                quoted = True
            else:
                said = VARIABLE.sub(value, piece)
                if not text and not quoted and (said == "~" or said.startswith("~/")):
                    said = known["HOME"] + said[1:]
                pattern += said
                magic = magic or any(char in piece for char in "*?[")
            text += said
        if not text and not quoted:
            return []
        return (magic and self._matching(pattern)) or [text]

    def _matching(self, pattern: str) -> list[str]:
        found = ["/" if pattern.startswith("/") else ""]
        for part in pattern.split("/"):
            if part in (".", ".."):
                found = [posixpath.join(above, part) for above in found]
            elif part:
                found = [posixpath.join(above, name) for above in found for name in self._names(above, part)]
        return sorted(found)

    def _names(self, above: str, part: str) -> list[str]:
        try:
            names = self.tree.names(self._path(above or "."))
        except ToolError as error:
            if error.code == "too_much_work":
                raise
            return []
        shown = [name for name in names if part.startswith(".") or not name.startswith(".")]
        return fnmatch.filter(shown, part)

    def _call(self, argv: list[str], stdin: str) -> None:
        if not argv:
            return
        name, *args = argv
        if name in KEYWORDS:
            raise ShellError(f"{name!r} is not supported by this terminal")
        command = self._command(name)
        if command is None:
            self._complain(f"{name}: command not found", 127)
            return
        self._name = name
        self.tree.spend(100)
        try:
            command(args, stdin)
        except getopt.GetoptError as error:
            self._complain(str(error), 2)

    def _command(self, name: str) -> Callable[[list[str], str], None] | None:
        """The method that is a command, where there is one."""
        found: Callable[[list[str], str], None] | None = getattr(self, f"do_{name}", None)
        return found

    def _say(self, text: str) -> None:
        self.tree.spend(len(text))
        self._out.append(text)

    def _complain(self, message: str, code: int = 1) -> None:
        self.tree.spend(len(message))
        self._err.append(f"{self._name}: {message}\n")
        self.code = code

    @contextmanager
    def _trying(self, what: str) -> Iterator[None]:
        """Say what the tree refuses as a command would, and go on."""
        try:
            yield
        except ToolError as error:
            if error.code == "too_much_work":
                raise
            why = REFUSALS[error.code][1] if error.code in REFUSALS else error.message
            self._complain(f"{what}: {why}" if what else why)

    def _path(self, operand: str) -> str:
        return self.tree.resolve(operand, self.cwd)

    def _text(self, operand: str, stdin: str) -> str:
        if operand in ("-", "/dev/stdin"):
            return stdin
        return "" if operand == "/dev/null" else self.tree.text(self._path(operand))

    def _inputs(self, operands: list[str], stdin: str) -> list[tuple[str, str]]:
        """Each input by name, those that cannot be read complained of and left out."""
        read = []
        for operand in operands or ["-"]:
            with self._trying(operand):
                read.append((operand, self._text(operand, stdin)))
        return read

    def _options(self, args: list[str], short: str, *long: str) -> tuple[dict[str, str], list[str]]:
        found, operands = getopt.gnu_getopt(args, short, long)
        return {name.lstrip("-"): value for name, value in found}, operands

    @staticmethod
    def _number(text: str) -> int:
        if not re.fullmatch(r"\+?[0-9]{1,9}", text):
            raise getopt.GetoptError(f"invalid number: {text!r}")
        return int(text)

    @staticmethod
    def _needing(operands: list[str], count: int = 1) -> list[str]:
        if len(operands) < count:
            raise getopt.GetoptError("missing operand")
        return operands

    def _below(self, operand: str) -> list[tuple[str, File]]:
        """All at and below an operand as the user would write them, complaining of closed folders."""
        barred: list[str] = []
        top = self._path(operand)
        found = list(self.tree.walk(top, barred))
        for path in barred:
            self._complain(f"{self._told(operand, top, path)}: Permission denied")
        return [(self._told(operand, top, file.id), file) for file in found]

    @staticmethod
    def _told(operand: str, top: str, path: str) -> str:
        rest = path[len(top) :].lstrip("/")
        return posixpath.join(operand, rest) if rest else operand

    def _erase(self, name: str, file: File) -> None:
        """Remove a file or an empty folder."""
        with self._trying(f"cannot delete '{name}'"):
            if file.kind == "folder" and self.tree.names(file.id):
                raise refusal("not_empty", file.id)
            gone, _ = self.tree.doomed(file.id)
            if not gone:
                raise refusal("permission_denied", file.id)
            self.tree.drop(gone)
