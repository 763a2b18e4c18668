"""Commands that search, compare and rearrange text."""

from __future__ import annotations

import difflib
import fnmatch
import getopt
import posixpath
import re
from collections import deque
from collections.abc import Callable

from riskbox.tools.files.pattern import matcher
from riskbox.tools.files.rows import File
from riskbox.tools.files.terminal.shell import Shell
from riskbox.tools.files.text import lines
from riskbox.tools.files.tree import DEEPEST


class FilterCommands(Shell):
    """Finds and filters."""

    def do_grep(self, args: list[str], stdin: str) -> None:
        """Print lines that match a pattern."""
        flags, operands = self._options(
            args, "ivnrRlcEFhHqse:", "include=", "color=", "ignore-case", "recursive"
        )
        pattern = flags.get("e") or self._needing(operands).pop(0)
        deep = any(flag in flags for flag in ("r", "R", "recursive"))
        holds = matcher(
            pattern,
            self.tree.spend,
            fixed="F" in flags,
            extended="E" in flags,
            ignore_case="i" in flags or "ignore-case" in flags,
        )
        inputs = (
            self._searched(operands, flags.get("include", "*")) if deep else self._inputs(operands, stdin)
        )
        named = "h" not in flags and ("H" in flags or deep or len(operands) > 1)
        trouble, any_found = self.code != 0, False
        for name, text in inputs:
            found = [(n, one) for n, one in enumerate(lines(text), 1) if holds(one) != ("v" in flags)]
            any_found = any_found or bool(found)
            head = f"{name}:" if named else ""
            if "q" in flags:
                continue
            if "l" in flags:
                self._say(f"{name}\n" if found else "")
            elif "c" in flags:
                self._say(f"{head}{len(found)}\n")
            else:
                for number, line in found:
                    self._say(f"{head}{number}:{line}\n" if "n" in flags else f"{head}{line}\n")
        if "s" in flags:
            self._err = []
        self.code = 2 if trouble else 0 if any_found else 1

    def _searched(self, operands: list[str], include: str) -> list[tuple[str, str]]:
        read = []
        for operand in operands or ["."]:
            with self._trying(operand):
                for name, file in self._below(operand):
                    if file.kind == "file" and fnmatch.fnmatchcase(posixpath.basename(file.id), include):
                        with self._trying(name):
                            read.append((name, self.tree.text(file.id)))
        return read

    def do_find(self, args: list[str], stdin: str) -> None:
        """Find files below a folder."""
        first = next((n for n, one in enumerate(args) if one[:1] in ("-", "!")), len(args))
        tops, rest = args[:first] or ["."], deque(args[first:])
        tests: list[Callable[[str, File], bool]] = []
        delete, deepest, negate = False, DEEPEST, False
        while rest:
            word = rest.popleft()
            if word in ("-not", "!"):
                negate = True
                continue
            if word == "-delete":
                delete = True
            elif word == "-maxdepth":
                deepest = self._number(rest.popleft() if rest else "")
            elif word != "-print":
                test = self._test(word, rest)
                tests.append(_failing(test) if negate else test)
            negate = False
        for top in tops:
            with self._trying(f"'{top}'"):
                base = self._path(top).rstrip("/").count("/")
                found = self._below(top)
                for name, file in reversed(found) if delete else found:
                    depth = file.id.rstrip("/").count("/") - base
                    if depth <= deepest and all(test(name, file) for test in tests):
                        self._erase(name, file) if delete else self._say(name + "\n")

    def _test(self, word: str, rest: deque[str]) -> Callable[[str, File], bool]:
        if word == "-empty":
            return lambda name, file: (
                not file.content and not (file.kind == "folder" and self.tree.names(file.id))
            )
        if word not in ("-name", "-iname", "-path", "-type", "-user"):
            raise getopt.GetoptError(f"unknown or unsupported predicate '{word}'")
        if not rest:
            raise getopt.GetoptError(f"missing argument to '{word}'")
        wanted = rest.popleft()[:200]
        if word == "-type":
            return lambda name, file: (file.kind == "folder") == (wanted == "d")
        if word == "-user":
            return lambda name, file: self.tree.owner(file) == wanted
        if word == "-path":
            return lambda name, file: fnmatch.fnmatchcase(name, wanted)
        if word == "-iname":
            return lambda name, file: fnmatch.fnmatchcase(posixpath.basename(file.id).lower(), wanted.lower())
        return lambda name, file: fnmatch.fnmatchcase(posixpath.basename(file.id), wanted)

    def do_diff(self, args: list[str], stdin: str) -> None:
        """Compare two files."""
        flags, operands = self._options(args, "uq")
        first, second = self._needing(operands, 2)[:2]
        read = self._inputs([first, second], stdin)
        if len(read) < 2:
            self.code = 2
            return
        old, new = (lines(text) for _, text in read)
        if old == new:
            return
        self.code = 1
        if "q" in flags:
            self._say(f"Files {first} and {second} differ\n")
        elif max(len(old), len(new)) > 600:
            self._complain("files of more than 600 lines can only be compared with -q here", 2)
        elif "u" in flags:
            self.tree.spend(100_000)
            for line in difflib.unified_diff(old, new, first, second, lineterm=""):
                self._say(line + "\n")
        else:
            self.tree.spend(100_000)
            for change, a, b, c, d in difflib.SequenceMatcher(None, old, new).get_opcodes():
                if change != "equal":
                    self._hunk(change[0] if change != "insert" else "a", old[a:b], new[c:d], a, c)

    def _hunk(self, letter: str, gone: list[str], come: list[str], a: int, c: int) -> None:
        def span(start: int, count: int) -> str:
            return f"{start + 1},{start + count}" if count > 1 else str(start + count)

        letter = "c" if letter == "r" else letter
        self._say(f"{span(a, len(gone))}{letter}{span(c, len(come))}\n")
        self._say("".join(f"< {line}\n" for line in gone))
        self._say("---\n" if gone and come else "")
        self._say("".join(f"> {line}\n" for line in come))

    def do_sort(self, args: list[str], stdin: str) -> None:
        """Sort lines."""
        flags, operands = self._options(args, "rnufk:t:")
        found = [line for _, text in self._inputs(operands, stdin) for line in lines(text)]
        field = self._number(re.split("[,.nr]", flags["k"])[0]) - 1 if "k" in flags else -1

        def key(line: str) -> tuple[float, str]:
            part = line
            if field >= 0:
                cells = line.split(flags.get("t") or None)
                part = cells[field] if field < len(cells) else ""
            part = part.lower() if "f" in flags else part
            number = re.match(r"\s*(-?\d{1,300}(?:\.\d{1,300})?)", part, re.ASCII) if "n" in flags else None
            return (float(number[1]) if number else 0.0), part

        self.tree.spend(sum(map(len, found)) + 10 * len(found))
        found = sorted(dict.fromkeys(found) if "u" in flags else found, key=key, reverse="r" in flags)
        self._say("".join(line + "\n" for line in found))

    def do_uniq(self, args: list[str], stdin: str) -> None:
        """Leave out repeated lines."""
        flags, operands = self._options(args, "cdui")
        runs: list[tuple[str, int]] = []
        for line in (line for _, text in self._inputs(operands[:1], stdin) for line in lines(text)):
            same = runs and (runs[-1][0] == line or ("i" in flags and runs[-1][0].lower() == line.lower()))
            if same:
                runs[-1] = (runs[-1][0], runs[-1][1] + 1)
            else:
                runs.append((line, 1))
        for line, count in runs:
            if ("d" in flags and count == 1) or ("u" in flags and count > 1):
                continue
            self._say(f"{count:>7} {line}\n" if "c" in flags else line + "\n")

    def do_cut(self, args: list[str], stdin: str) -> None:
        """Print some fields of each line."""
        flags, operands = self._options(args, "d:f:")
        wanted = [self._number(one) - 1 for one in flags.get("f", "").split(",")]
        for _, text in self._inputs(operands, stdin):
            for line in lines(text):
                cells = line.split(flags.get("d") or "\t")
                picked = [cells[one] for one in wanted if 0 <= one < len(cells)]
                self._say((flags.get("d") or "\t").join(picked) + "\n")


def _failing(test: Callable[[str, File], bool]) -> Callable[[str, File], bool]:
    return lambda name, file: not test(name, file)
