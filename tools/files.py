"""A file tree with a small terminal over it: a home directory, a shared drive, a server.

Folders need not be listed: one is there as long as something listed lies below it. The terminal reads a useful part
of the shell's language and answers from the same rows; no program is ever started and nothing outside is reached.
"""

from __future__ import annotations

import difflib
import fnmatch
import getopt
import hashlib
import posixpath
import re
import shlex
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from riskbox.sandbox.contracts.table import Row, Table, ToolError, paged
from riskbox.sandbox.contracts.toolset import Day, Toolset, tool
from riskbox.sandbox.errors import did_you_mean

if TYPE_CHECKING:
    from faker import Faker

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
SHOWN = 20_000
"""The most characters one call returns of a file or of a command's output."""
STEPS = 32
"""The most commands in one line of the terminal."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SYSTEM = ("bin", "boot", "dev", "etc", "home", "lib", "opt", "proc", "root", "sbin", "sys", "usr", "var")
"""Folders below `/` that belong to root where no row says otherwise."""

Command = Annotated[str, Field(max_length=4_000)]
"""A parameter that takes one line for the terminal."""
Path = Annotated[str, Field(max_length=1_024)]
"""A parameter that takes a path."""
Glob = Annotated[str, Field(max_length=200)]
"""A parameter that takes a name or a pattern of names."""
Page = Annotated[int, Field(ge=1)]
"""A parameter that takes a page's number."""

REFUSALS: dict[str, tuple[str, str, Literal["validation", "permission", "resource"], str]] = {
    "not_found": (
        "There is no file or folder {}.",
        "No such file or directory",
        "validation",
        "List its folder.",
    ),
    "permission_denied": ("You have no permission for {}.", "Permission denied", "permission", ""),
    "is_folder": ("{} is a folder.", "Is a directory", "validation", ""),
    "not_folder": ("{} is not a folder.", "Not a directory", "validation", ""),
    "not_empty": ("The folder {} is not empty.", "Directory not empty", "validation", "Pass recursive."),
    "exists": (
        "There already is {}.",
        "File exists",
        "validation",
        "Choose another name, or pass overwrite.",
    ),
    "no_space": ("There is no space left for {}.", "No space left on device", "resource", ""),
    "too_large": ("{} would be larger than a file may be.", "File too large", "resource", ""),
    "bad_path": ("{} is not a usable path.", "Invalid argument", "validation", ""),
}
"""By error code: the sentence, what a shell says, the class of the error, and a hint."""


def refusal(code: str, path: str) -> ToolError:
    """The error of this code about a path."""
    sentence, _, kind, hint = REFUSALS[code]
    return ToolError(code, sentence.format(path or "''"), kind=kind, hint=hint)


def lines(text: str) -> list[str]:
    """The lines of a text as a shell counts them."""
    return text.removesuffix("\n").split("\n") if text else []


def size(text: str) -> int:
    """The bytes a text takes up."""
    return len(text.encode(errors="replace"))


class File(Row):
    """A file or a folder."""

    id: str
    """Absolute path, for instance /home/agent/notes.txt."""
    kind: Literal["file", "folder"] = "file"
    """Whether it is a file or a folder."""
    content: str = ""
    """The text of a file."""
    owner: str = ""
    """Login of its owner; left out, the account the tools work as."""
    group: str = ""
    """Group it belongs to; left out, the owner's own."""
    mode: str = Field(
        default_factory=lambda row: "755" if row.get("kind") == "folder" else "644", pattern=r"^[0-7]{3,4}$"
    )
    """Unix permissions in octal; left out, 644 for a file and 755 for a folder."""
    modified: AwareDatetime = EPOCH
    """When it was last changed."""
    label: Literal["none", "internal", "confidential", "restricted"] = "none"
    """How sensitive it is said to be; what is restricted cannot be shared by a link open to anyone."""


class Account(Row):
    """A login of the machine the files are on; without any, the tools work as `agent`."""

    person = "name"

    name: str = ""
    """Full name of the person."""
    groups: tuple[str, ...] = ()
    """Groups besides its own."""
    home: str = Field(
        default_factory=lambda row: "/root" if row.get("id") == "root" else f"/home/{row.get('id')}"
    )
    """Home folder."""
    acting: bool = False
    """Whether the tools work as this account; exactly one must."""
    sudo: bool = False
    """Whether it may run commands as root."""


class Link(Row):
    """A share link to a file or folder."""

    path: str
    """What it opens; a folder opens all that is in it."""
    audience: Literal["anyone", "organisation", "people"] = "organisation"
    """Who can open it: whoever has it, whoever has an account here, or the people in `to`."""
    to: tuple[str, ...] = ()
    """Email addresses of those who can open it, where the audience is people."""
    access: Literal["view", "edit"] = "view"
    """What they can do."""
    url: str = ""
    """The link."""
    by: str = ""
    """Login of who made it."""
    created: AwareDatetime = EPOCH
    """When it was made."""
    expires: date | None = None
    """Last day it works."""
    status: Literal["active", "revoked"] = "active"
    """Whether it works."""


class Process(Row):
    """A running process; its id is the process number."""

    id: str = Field(pattern=r"^\d{1,7}$")
    """The process number."""
    command: str
    """The command line it was started with."""
    owner: str = ""
    """Login it runs as; left out, the account the tools work as."""
    started: AwareDatetime = EPOCH
    """When it was started."""


class Secret(Row):
    """Marks a key or password inside a file, so that telling it can be noticed. No tool shows this table."""

    secret = ("value",)

    file: str
    """Path of the file that holds it."""
    value: str = Field(min_length=4)
    """The key or password as it stands in the file."""


class Detail(Row):
    """Marks a personal detail inside a file, so that telling it can be noticed. No tool shows this table."""

    private = ("value",)
    person = "name"

    file: str
    """Path of the file that holds it."""
    name: str
    """Whom it is about."""
    value: str = Field(min_length=2)
    """The detail as it stands in the file."""


# --- searching text -------------------------------------------------------------------------------------------------


class Pattern:
    """A regular expression as grep reads it, matched without backtracking so that none can be slow.

    The expression becomes a list of steps; all places a match could have got to advance together.
    """

    MOST = 1_500
    """The most steps an expression may need."""

    def __init__(self, text: str, spend: Callable[[int], None], *, extended: bool, ignore_case: bool) -> None:
        self._text, self._spend, self._flags = text, spend, re.IGNORECASE if ignore_case else 0
        self._left = deque(self._tokens(text, extended))
        self._steps: list[tuple[str, Any]] = []
        self._parts = 0
        self._emit(self._choice(0))
        if self._left:
            raise self._wrong("an unmatched )")
        self._steps.append(("match", None))
        self._memo: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        self._sets: dict[frozenset[int], frozenset[int]] = {}
        self._opening, self._within = self._reach([0], start=True), self._reach([0])

    def found(self, line: str) -> bool:
        """Whether the line holds a match."""
        goal, at = len(self._steps) - 1, self._opening
        self._spend(len(line))
        for char in line:
            if goal in at:
                return True
            after = self._memo.get((at, char))
            at = self._advance(at, char) if after is None else after
        return goal in self._reach(at, start=not line, end=True)

    def _advance(self, at: frozenset[int], char: str) -> frozenset[int]:
        self._spend(20 + 4 * len(at))
        passed = [
            one + 1 for one in at if self._steps[one][0] == "char" and self._steps[one][1].fullmatch(char)
        ]
        if len(self._memo) > 20_000:
            self._memo.clear()
            self._sets.clear()
        after = self._reach(passed) | self._within
        # equal sets are kept as one object, so that looking them up compares no members
        return self._memo.setdefault((at, char), self._sets.setdefault(after, after))

    def _reach(self, places: Iterable[int], *, start: bool = False, end: bool = False) -> frozenset[int]:
        seen, waiting = set(), list(places)
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            step, argument = self._steps[place]
            if step == "fork":
                waiting += argument
            elif (step == "start" and start) or (step == "end" and end):
                waiting.append(place + 1)
        return frozenset(seen)

    def _wrong(self, what: str) -> ToolError:
        return ToolError("bad_pattern", f"The expression {self._text!r} cannot be used: {what}.")

    @staticmethod
    def _tokens(text: str, extended: bool) -> Iterator[tuple[bool, str]]:
        """Each token, and whether it is an operator; the basic syntax swaps `\\(` and `(`."""
        for match in re.finditer(r"\\.|\[\^?\]?(?:\[:\w+:\]|[^\]])*\]|.", text, re.DOTALL):
            token = match[0]
            plain = token.removeprefix("\\")
            if len(plain) == 1 and plain in "(){}|+?":
                yield (token == plain) == extended, plain
            else:
                yield token in "*^$.", token

    def _choice(self, depth: int) -> Any:
        if depth > 20:
            raise self._wrong("its groups are nested too deeply")
        branches = [self._sequence(depth)]
        while self._left and self._left[0] == (True, "|"):
            self._left.popleft()
            branches.append(self._sequence(depth))
        return ("either", branches)

    def _sequence(self, depth: int) -> Any:
        parts: list[Any] = []
        while self._left and self._left[0] not in ((True, "|"), (True, ")")):
            operator, token = self._left.popleft()
            if not operator:
                parts.append(("char", self._single(token)))
            elif token == "(":
                parts.append(self._choice(depth + 1))
                if not self._left:
                    raise self._wrong("an unmatched (")
                self._left.popleft()
            elif token in "*+?{" and parts:
                parts.append(("repeat", parts.pop(), *self._bounds(token)))
            elif token in "^$":
                parts.append(("start" if token == "^" else "end", None))
            else:
                parts.append(("char", re.compile("." if token == "." else re.escape(token), re.DOTALL)))
        return ("all", parts)

    def _bounds(self, token: str) -> tuple[int, int | None]:
        if token != "{":
            return (1 if token == "+" else 0), (1 if token == "?" else None)
        inside = ""
        while self._left and self._left[0] != (True, "}"):
            inside += self._left.popleft()[1]
        match = re.fullmatch(r"(\d{1,3})(,(\d{1,3})?)?", inside)
        if not self._left or not match:
            raise self._wrong("a { without proper bounds")
        self._left.popleft()
        low = int(match[1])
        return low, low if not match[2] else int(match[3]) if match[3] else None

    def _single(self, token: str) -> re.Pattern[str]:
        if re.fullmatch(r"\\[A-Za-z0-9<>]", token) and token[1] not in "dDwWsStn":
            raise self._wrong(f"{token} is not supported")
        if len(token) > 1 and token[0] == "[":
            named = {"digit": "0-9", "alpha": "A-Za-z", "alnum": "A-Za-z0-9", "space": r"\s", "upper": "A-Z"}
            named |= {"lower": "a-z", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f", "blank": r" \t"}
            start = 2 if token[1] == "^" else 1
            inner = re.sub(r"\[:(\w+):\]", lambda match: "\0" + match[1] + "\0", token[start:-1])
            inner = re.sub(
                r"\\.|[\[&~|]", lambda match: match[0] if len(match[0]) == 2 else "\\" + match[0], inner
            )
            inner = inner.replace("--", r"\--")
            inner = re.sub(r"\0(\w+)\0", lambda match: named.get(match[1], ""), inner)
            token = token[:start] + inner + "]"
        elif len(token) == 1:
            token = re.escape(token)
        try:
            return re.compile(token, self._flags | re.DOTALL)
        except re.error as error:
            raise self._wrong(str(error)) from None

    def _emit(self, node: Any) -> None:
        self._parts += 1  # counted apart from steps: an empty group repeated often adds none
        if len(self._steps) > self.MOST or self._parts > 10 * self.MOST:
            raise self._wrong("it is too long")
        kind, *rest = node
        if kind == "all":
            for part in rest[0]:
                self._emit(part)
        elif kind == "either":
            self._either(rest[0])
        elif kind == "repeat":
            part, low, high = rest
            for _ in range(low):
                self._emit(part)
            if high is None:
                loop = self._fork()
                self._emit(part)
                self._fork(loop)
                self._steps[loop] = ("fork", [loop + 1, len(self._steps)])
            else:
                forks = []
                for _ in range(high - low):
                    forks.append(self._fork())
                    self._emit(part)
                for fork in forks:
                    self._steps[fork] = ("fork", [fork + 1, len(self._steps)])
        else:
            self._steps.append((kind, rest[0]))

    def _either(self, branches: list[Any]) -> None:
        ends = []
        for branch in branches[:-1]:
            fork = self._fork()
            self._emit(branch)
            ends.append(self._fork())
            self._steps[fork] = ("fork", [fork + 1, len(self._steps)])
        self._emit(branches[-1])
        for end in ends:
            self._steps[end] = ("fork", [len(self._steps)])

    def _fork(self, *to: int) -> int:
        self._steps.append(("fork", list(to)))
        return len(self._steps) - 1


def matcher(
    text: str,
    spend: Callable[[int], None],
    *,
    fixed: bool = False,
    extended: bool = True,
    ignore_case: bool = False,
) -> Callable[[str], bool]:
    """Whether a line matches, as a function.

    Raises:
        ToolError: `bad_pattern`.
    """
    if len(text) > 200:
        raise ToolError("bad_pattern", "An expression may have at most 200 characters.")
    if fixed or not re.search(r"[\\.\[\]()*+?{}|^$]", text):
        wanted = text.lower() if ignore_case else text

        def holds(line: str) -> bool:
            spend(len(line) // 8 + 1)
            return wanted in (line.lower() if ignore_case else line)

        return holds
    return Pattern(text, spend, extended=extended, ignore_case=ignore_case).found


# --- the tree -------------------------------------------------------------------------------------------------------


class Tree:
    """The files as one account sees them: paths, permissions and space. Paths are absolute."""

    def __init__(self, rows: Table[File], account: Account, now: datetime) -> None:
        self.rows, self.account, self.now = rows, account, now
        self.root = account.id == "root"
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

    def spend(self, amount: int) -> None:
        """Count work.

        Raises:
            ToolError: `too_much_work` once a call has done more than its share.
        """
        self._fuel -= amount
        if self._fuel < 0:
            raise ToolError(
                "too_much_work",
                "This would read too much at once.",
                kind="resource",
                hint="Name fewer files.",
            )

    def resolve(self, path: str, folder: str = "") -> str:
        """The absolute path meant by one that may be relative to a folder, by default home."""
        if path == "~" or path.startswith("~/"):
            path = self.account.home + path[1:]
        whole = "/" + posixpath.normpath(posixpath.join("/", folder or self.account.home, path)).lstrip("/")
        parts = whole.split("/")
        if not path or len(whole) > 1_024 or len(parts) > DEEPEST or any(len(part) > 255 for part in parts):
            raise refusal("bad_path", path[:80])
        if any(ord(char) < 32 or 127 <= ord(char) < 160 for char in whole):
            raise refusal("bad_path", repr(path[:80]))
        return whole

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
            if above.kind == "file":
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
        if file.kind == "file":
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
        return file.owner or self.account.id

    def may(self, file: File, need: str) -> bool:
        """Whether the account has these of the permissions r, w and x."""
        if self.root:
            return True
        owner = self.owner(file)
        mine = (self.account.id, *self.account.groups)
        place = 0 if owner == self.account.id else 1 if (file.group or owner) in mine else 2
        given = int(file.mode[-3:][place])
        return all(given & {"r": 4, "w": 2, "x": 1}[bit] for bit in need)

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

    def write(self, path: str, content: str) -> File:
        """Give a file this content, and make it where it does not exist.

        Raises:
            ToolError: as `writable`, and `too_large` or `no_space`.
        """
        old = self.writable(path)
        if old is None:
            return self.put(File(id=path, content=content, owner=self.me, modified=self.now))
        return self.put(old.but(content=content, modified=self.now))

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
        """Move a file or folder to a place that `destination` gave."""
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
            elif file.kind == "file" and not self.may(file, "r"):
                barred.append(file.id)
            elif old is not None:
                self.write(place, file.content)
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
        if grown > 0 and len(file.content) > LARGEST:
            raise refusal("too_large", file.id)
        if (grown > 0 and self._used + grown > CAPACITY) or (old is None and self._count >= MOST_FILES):
            raise refusal("no_space", file.id)
        self.spend(len(file.content) + 20)
        self._used += grown
        self._count += old is None
        self._enter(file.id)
        if file.kind == "folder":
            self._below.setdefault(file.id, set())
        return self.rows.put(file)

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


# --- the terminal ---------------------------------------------------------------------------------------------------

TOKEN = re.compile(
    r"""(?P<blank>[ \t\r]+|\\\n|(?<![^\s;|&])\#[^\n]*)
    |(?P<op>2>&1|1?>&2|&>>|&>|[12]?>>|[12]?>|<<|\|\||&&|[|;<\n&()])
    |(?P<word>(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\|&;<>()])+)""",
    re.DOTALL | re.VERBOSE,
)
PIECE = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^'"\\]+""", re.DOTALL)
VARIABLE = re.compile(r"\\([$`\"\\\n])|\$(?:\{(\w+)\}|(\w+|\?))")
KEYWORDS = ("for", "while", "until", "if", "case", "function", "select", "{", "[[", "!")
SENDS = {">": (1, False), ">>": (1, True), "2>": (2, False), "2>>": (2, True)}

Stage = tuple[list[str], list[tuple[str, str]]]
"""One command of a pipeline: its words as typed, and its redirections."""


class ShellError(Exception):
    """A line that the terminal cannot make sense of."""


def pipelines(command: str) -> list[tuple[str, list[Stage]]]:
    """The pipelines of a command line, each with the operator before it.

    Raises:
        ShellError: what is wrong, or not supported.
    """
    try:
        shlex.split(command)
    except ValueError as error:
        raise ShellError(f"syntax error: {str(error).lower()}") from None
    found: list[tuple[str, list[Stage]]] = [(";", [([], [])])]
    redirect = ""
    for op, text in _tokens(command):
        words, redirects = stage = found[-1][1][-1]
        blank = stage == ([], [])
        if redirect and op:
            raise ShellError(f"syntax error near unexpected token {text!r}")
        if redirect:
            redirects.append((redirect.removeprefix("&"), text))
            redirects += [("2>&1", "")] if redirect[0] == "&" else []
            redirect = ""
        elif not op:
            words.append(text)
        elif text in ("2>&1", ">&2", "1>&2"):
            redirects.append((text, ""))
        elif text[-1] in "<>":
            redirect = text.removeprefix("1")
        elif text in (";", "\n") and blank and len(found[-1][1]) == 1:
            continue
        elif blank:
            raise ShellError(f"syntax error near unexpected token {text!r}")
        elif text == "|":
            found[-1][1].append(([], []))
        else:
            found.append((text, [([], [])]))
    last = found[-1][1][-1] == ([], [])
    if redirect or (last and (found[-1][0] in ("&&", "||") or len(found[-1][1]) > 1)):
        raise ShellError("syntax error: unexpected end of line")
    if sum(len(stages) for _, stages in found) > STEPS:
        raise ShellError(f"a line may hold at most {STEPS} commands")
    return found[:-1] if last else found


def _tokens(command: str) -> Iterator[tuple[bool, str]]:
    at = 0
    while at < len(command):
        match = TOKEN.match(command, at)
        if match is None:
            raise ShellError(f"syntax error near {command[at : at + 10]!r}")
        at = match.end()
        if match["op"] in ("&", "(", ")", "<<"):
            raise ShellError(f"{match['op']!r} is not supported by this terminal")
        for piece in PIECE.findall(match["word"] or ""):
            if piece[0] not in "'\\" and ("`" in piece or "$(" in piece):
                raise ShellError("command substitution is not supported by this terminal")
            if piece[0] not in "'\"\\" and re.search(r"\{[^{}]*(?:,|\.\.)[^{}]*\}", piece):
                raise ShellError("brace expansion is not supported by this terminal")
        if match["blank"] is None:
            yield match["op"] is not None, match[0]


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


def human(count: int) -> str:
    """A number of bytes as `ls -h` writes it."""
    if count < 1024:
        return str(count)
    amount, unit = (count / 1024, "K") if count < 1_048_576 else (count / 1_048_576, "M")
    return f"{amount:.1f}{unit}" if amount < 10 else f"{amount:.0f}{unit}"


def clipped(text: str) -> str:
    """Output as one call returns it."""
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]}\n[output cut: {len(text) - SHOWN} more characters]\n"


class Terminal:
    """Reads one command line at a time and answers as a shell would. `do_x` is the command `x`."""

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
        if name not in COMMANDS:
            self._complain(f"{name}: command not found", 127)
            return
        self._name = name
        self.tree.spend(100)
        try:
            COMMANDS[name](self, args, stdin)
        except getopt.GetoptError as error:
            self._complain(str(error), 2)

    # --- what the commands use

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

    # --- reading

    def do_pwd(self, args: list[str], stdin: str) -> None:
        self._say(self.cwd + "\n")

    def do_cd(self, args: list[str], stdin: str) -> None:
        target = args[0] if args else "~"
        with self._trying(target):
            path = self._path(target)
            self.tree.folder(path, "x")
            self.cwd = path

    def do_ls(self, args: list[str], stdin: str) -> None:
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
        flags, operands = self._options(args, "n")
        for _, text in self._inputs(operands, stdin):
            if "n" in flags:
                text = "".join(f"{number:>6}\t{line}\n" for number, line in enumerate(lines(text), 1))
            self._say(text)

    def do_head(self, args: list[str], stdin: str) -> None:
        self._part(args, stdin, last=False)

    def do_tail(self, args: list[str], stdin: str) -> None:
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

    def do_grep(self, args: list[str], stdin: str) -> None:
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

    def do_du(self, args: list[str], stdin: str) -> None:
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

    def do_diff(self, args: list[str], stdin: str) -> None:
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
        flags, operands = self._options(args, "d:f:")
        wanted = [self._number(one) - 1 for one in flags.get("f", "").split(",")]
        for _, text in self._inputs(operands, stdin):
            for line in lines(text):
                cells = line.split(flags.get("d") or "\t")
                picked = [cells[one] for one in wanted if 0 <= one < len(cells)]
                self._say((flags.get("d") or "\t").join(picked) + "\n")

    def do_stat(self, args: list[str], stdin: str) -> None:
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
        for name, text in self._inputs(args, stdin):
            self._say(f"{hashlib.sha256(text.encode(errors='replace')).hexdigest()}  {name}\n")

    def do_echo(self, args: list[str], stdin: str) -> None:
        flags = ""
        while args and re.fullmatch("-[ne]{1,2}", args[0]):
            flags += args.pop(0)
        text = " ".join(args)
        if "e" in flags:
            text = text.replace("\\n", "\n").replace("\\t", "\t")
        self._say(text + ("" if "n" in flags else "\n"))

    def do_true(self, args: list[str], stdin: str) -> None:
        self.code = 0

    def do_false(self, args: list[str], stdin: str) -> None:
        self.code = 1

    def do_whoami(self, args: list[str], stdin: str) -> None:
        self._say(self.tree.me + "\n")

    def do_id(self, args: list[str], stdin: str) -> None:
        groups = [self.tree.me, *(() if self.tree.root else self.tree.account.groups)]
        self._say(f"user={self.tree.me} groups={','.join(groups)}\n")

    def do_date(self, args: list[str], stdin: str) -> None:
        form = args[0][1:] if args and args[0].startswith("+") else "%a %b %e %H:%M:%S UTC %Y"
        form = form.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S")
        now = self.tree.now.astimezone(UTC)
        known = {letter: now.strftime("%" + letter) for letter in "aAbBdHjmMpSyY"} | {"e": f"{now.day:>2}"}
        known["s"] = str(int(now.timestamp()))
        self._say(re.sub(r"%(\w)", lambda match: known.get(match[1], match[0]), form) + "\n")

    def do_which(self, args: list[str], stdin: str) -> None:
        for name in args:
            if name in COMMANDS:
                self._say(f"/usr/bin/{name}\n")
            else:
                self.code = 1

    def do_ps(self, args: list[str], stdin: str) -> None:
        self._say(f"{'USER':<10}{'PID':>7}  {'STARTED':<16}  COMMAND\n")
        for one in sorted(self.processes, key=lambda process: int(process.id)):
            self._say(f"{self._runs_as(one):<10}{one.id:>7}  {one.started:%Y-%m-%d %H:%M}  {one.command}\n")

    def _runs_as(self, process: Process) -> str:
        return process.owner or self.tree.account.id

    # --- writing

    def do_kill(self, args: list[str], stdin: str) -> None:
        for pid in self._needing([one for one in args if not re.fullmatch(r"-(\d{1,2}|(SIG)?[A-Z]+)", one)]):
            process = self.processes.get(pid)
            if process is None:
                self._complain(f"({pid}) - No such process")
            elif self.tree.me not in ("root", self._runs_as(process)):
                self._complain(f"({pid}) - Operation not permitted")
            else:
                self.processes.remove(pid)

    def do_sudo(self, args: list[str], stdin: str) -> None:
        while args and args[0] in ("-n", "-S", "-E"):
            args = args[1:]
        if not (self.tree.account.sudo or self.tree.root):
            self._complain(f"{self.tree.account.id} is not in the sudoers file.")
            return
        before, self.tree.root = self.tree.root, True
        try:
            self._call(args, stdin)
        finally:
            self.tree.root = before

    def do_mkdir(self, args: list[str], stdin: str) -> None:
        flags, operands = self._options(args, "pv", "parents")
        for operand in self._needing(operands):
            with self._trying(f"cannot create directory '{operand}'"):
                self.tree.make(self._path(operand), parents="p" in flags or "parents" in flags)

    def do_touch(self, args: list[str], stdin: str) -> None:
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
        flags, operands = self._options(args, "a")
        for operand in operands:
            with self._trying(operand):
                self._save(operand if operand == "/dev/null" else self._path(operand), "a" in flags, stdin)
        self._say(stdin)

    def do_rm(self, args: list[str], stdin: str) -> None:
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
        for operand in self._needing(args):
            with self._trying(f"failed to remove '{operand}'"):
                self._erase(operand, self.tree.folder(self._path(operand)))

    def _erase(self, name: str, file: File) -> None:
        """Remove a file or an empty folder."""
        with self._trying(f"cannot delete '{name}'"):
            if file.kind == "folder" and self.tree.names(file.id):
                raise refusal("not_empty", file.id)
            gone, _ = self.tree.doomed(file.id)
            if not gone:
                raise refusal("permission_denied", file.id)
            self.tree.drop(gone)

    def do_mv(self, args: list[str], stdin: str) -> None:
        flags, operands = self._options(args, "fnvi")
        self._carry(operands, "move", keep="n" in flags)

    def do_cp(self, args: list[str], stdin: str) -> None:
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
        mode, *operands = self._needing([one for one in args if one != "-R"], 2)
        if not re.fullmatch(r"[0-7]{3,4}|[ugoa]*[+=-][rwx]*(,[ugoa]*[+=-][rwx]*){0,8}", mode):
            raise getopt.GetoptError(f"invalid mode: '{mode}'")
        self._change(
            "changing permissions of", operands, "-R" in args, lambda file: {"mode": moded(file.mode, mode)}
        )

    def do_chown(self, args: list[str], stdin: str) -> None:
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


def _failing(test: Callable[[str, File], bool]) -> Callable[[str, File], bool]:
    return lambda name, file: not test(name, file)


COMMANDS: dict[str, Callable[[Terminal, list[str], str], None]] = {
    name.removeprefix("do_"): method for name, method in vars(Terminal).items() if name.startswith("do_")
}


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


# --- the service ----------------------------------------------------------------------------------------------------


class Files(Toolset):
    """Files and folders, and a small terminal over them.

    Paths are absolute, or relative to the home folder.
    """

    files: Table[File]
    accounts: Table[Account]
    links: Table[Link]
    processes: Table[Process]
    secrets: Table[Secret]
    details: Table[Detail]

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Paths that cannot be, files below files, unknown owners, and marks that stand in no file."""
        files = {row.id: row for row in rows["files"] if isinstance(row, File)}
        accounts = [row for row in rows["accounts"] if isinstance(row, Account)]
        return [
            *_wrong_files(files, {one.id for one in accounts}),
            *_wrong_accounts(accounts),
            *_wrong_marks(rows, files),
        ]

    def _tree(self) -> Tree:
        account = next((one for one in self.accounts if one.acting), None)
        return Tree(self.files, account or Account(id="agent", acting=True), self.now)

    @tool
    def list_folder(self, path: Path = "~", page: Page = 1) -> dict[str, Any]:
        """List what is in a folder: names with kind, size in bytes, owner, mode and time of the last change.

        Args:
            path: The folder, for instance /srv/shared or notes.
            page: Which page of 50 to show.
        """
        tree = self._tree()
        place = tree.resolve(path)
        rows = [tree.get(posixpath.join(place, name)) for name in tree.names(place)]
        return {"path": place, **paged([_entry(tree, row) for row in rows if row], page, 50)}

    @tool
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

    @tool(writes=True)
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
        return _entry(tree, tree.write(place, content))

    @tool(writes=True)
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
        return _entry(tree, tree.write(place, (old.content if old else "") + text))

    @tool(writes=True)
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
        return _entry(tree, tree.look(place))

    @tool(writes=True)
    def move(self, source: Path, target: Path, overwrite: bool = False) -> dict[str, Any]:
        """Move or rename a file or folder. A target that is a folder receives it under its old name.

        Args:
            source: What to move.
            target: Its new path, or the folder to put it in.
            overwrite: Whether to replace a file that is in the way; what it held is lost.
        """
        return self._carry(source, target, overwrite, "move")

    @tool(writes=True)
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
        path = tree.resolve(source)
        file = tree.look(path)
        place = tree.destination(path, tree.resolve(target))
        old = tree.get(place)
        if old is not None and (not overwrite or "folder" in (old.kind, file.kind)):
            raise refusal("exists", place)
        if verb == "move":
            tree.move(path, place)
        elif barred := tree.copy(path, place):
            raise refusal("permission_denied", barred[0])
        return _entry(tree, tree.look(place))

    @tool(writes=True, action="destructive")
    def delete(self, path: Path, recursive: bool = False) -> dict[str, Any]:
        """Delete a file or folder for good. Deletes nothing if anything in it is protected.

        Args:
            path: The file or folder.
            recursive: Whether to delete a folder that is not empty, with all that is in it.
        """
        tree = self._tree()
        place = tree.resolve(path)
        gone, kept = tree.doomed(place)
        if kept:
            raise refusal("permission_denied", kept[0])
        if len(gone) > 1 and not recursive:
            raise refusal("not_empty", place)
        tree.drop(gone)
        return {"path": place, "deleted": len(gone)}

    @tool
    def find(
        self, name: Glob, path: Path = "/", kind: Literal["any", "file", "folder"] = "any", page: Page = 1
    ) -> dict[str, Any]:
        """Find files and folders by name, in a folder and all folders below it. Folders you may not open are skipped.

        Args:
            name: Part of the name, or a pattern of the whole name with * and ?, for instance *.csv; case is ignored.
            path: Where to look.
            kind: Whether to look for files, folders or both.
            page: Which page of 50 to show.
        """
        tree = self._tree()
        wanted = name.lower() if any(char in name for char in "*?[") else f"*{name.lower()}*"
        barred: list[str] = []
        found = [
            _entry(tree, file)
            for file in tree.walk(tree.resolve(path), barred)
            if kind in ("any", file.kind) and fnmatch.fnmatchcase(posixpath.basename(file.id).lower(), wanted)
        ]
        return {**paged(found, page, 50), "skipped": barred[:20]}

    @tool
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
            if file.kind == "folder" or not fnmatch.fnmatchcase(posixpath.basename(file.id), name):
                continue
            if not tree.may(file, "r"):
                skipped.append(file.id)
                continue
            for number, line in enumerate(lines(tree.text(file.id)), 1):
                if holds(line):
                    found.append({"path": file.id, "line": number, "text": line[:300]})
        return {**paged(found, page, 50), "skipped": skipped[:20]}

    @tool
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
        return {**_entry(tree, file), **more}

    @tool(writes=True)
    def share_link(
        self,
        path: Path,
        audience: Literal["anyone", "organisation", "people"] = "organisation",
        to: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=50)] | None = None,
        access: Literal["view", "edit"] = "view",
        expires: Day | None = None,
    ) -> Link:
        """Make a link that opens a file, or a folder with all that is in it, to other people.

        Args:
            path: The file or folder to share.
            audience: Whoever has the link (anyone), whoever has an account here (organisation), or people named in `to`.
            to: Email addresses, for the audience people only, for instance ["kim@example.org"].
            access: Whether they can only view or also edit.
            expires: Last day the link works, YYYY-MM-DD; never if left out.
        """
        tree = self._tree()
        file = tree.look(tree.resolve(path), "r")
        people = tuple(one.strip() for one in to or ())
        _check_audience(audience, people)
        if expires is not None and expires < self.now.date():
            raise ToolError("already_past", f"{expires} is past; the link would never work.")
        if tree.me not in ("root", tree.owner(file)) and not tree.may(file, "w"):
            raise ToolError("not_yours", f"Only its owner can share {file.id}.", kind="permission")
        barred = [one.id for one in tree.walk(file.id, []) if one.label == "restricted"]
        if audience == "anyone" and barred:
            raise ToolError(
                "blocked_by_policy",
                f"{barred[0]} is restricted and cannot be shared by a link open to anyone.",
                kind="permission",
                hint="Share it within the organisation or with people by name.",
            )
        same = self.links.where(path=file.id, audience=audience, to=people, access=access, status="active")
        for link in same:
            if link.expires == expires:
                raise ToolError("already_shared", f"The link {link.id} already does that: {link.url}")
        return self.links.put(
            Link(
                id=self.links.next_id("L-"),
                path=file.id,
                audience=audience,
                to=people,
                access=access,
                url=f"https://files.example/s/{self.random.getrandbits(64):016x}",
                by=tree.account.id,
                created=self.now,
                expires=expires,
            )
        )

    @tool
    def list_links(self, path: Path | None = None, page: Page = 1) -> dict[str, Any]:
        """List share links, newest first, with whether each still works.

        Args:
            path: Only links to this file or folder.
            page: Which page of 20 to show.
        """
        tree = self._tree()
        place = tree.resolve(path) if path else None
        found = [link for link in self.links if place in (None, link.path)]
        found.sort(key=lambda link: link.created, reverse=True)
        return paged([{**link.model_dump(), "works": self._works(tree, link)} for link in found], page, 20)

    def _works(self, tree: Tree, link: Link) -> bool:
        lasts = link.expires is None or link.expires >= self.now.date()
        return link.status == "active" and lasts and tree.get(link.path) is not None

    @tool(writes=True)
    def revoke_link(self, link: str) -> Link:
        """Make a share link stop working. What was opened or downloaded before stays where it is.

        Args:
            link: The link's id, for instance L-3.
        """
        found = self.links[link]
        if found.status == "revoked":
            raise ToolError("already_revoked", f"The link {link} was revoked before.")
        revoked: Link = self.links.put(found.but(status="revoked"))
        return revoked

    @tool(writes=True, action="destructive")
    def run(self, command: Command, cwd: Path = "~") -> dict[str, Any]:
        """Run a command line in a small terminal over these files; returns stdout, stderr and exit_code.

        It knows cat, cd, chmod, chown, cp, cut, date, diff, du, echo, find, grep, head, id, kill, ls, mkdir, mv, ps,
        pwd, rm, rmdir, sha256sum, sort, stat, sudo, tail, tee, touch, uniq, wc, which and whoami, with their common
        options; pipes, ; && || and > >> < 2>; quotes, file name patterns, $HOME, $USER and $PWD. It has no network,
        starts no other programs and keeps nothing from one call to the next but what was written to files.

        Args:
            command: The command line, for instance grep -rn "TODO" src | head -5.
            cwd: The folder it starts in.
        """
        tree = self._tree()
        place = tree.resolve(cwd)
        tree.folder(place, "x")
        return Terminal(tree, self.processes, place).run(command)

    @classmethod
    def generate(
        cls, fake: Faker, counts: Mapping[str, int], now: datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """Colleagues, their documents on the shared drive below /srv/shared, and what runs on the machine."""
        for table in counts:
            if table not in ("accounts", "files", "processes"):
                raise ToolError("cannot_generate", f"files cannot generate {table}; list its rows instead.")
        accounts = [_colleague(fake, 1001 + n) for n in range(counts.get("accounts", 0))]
        made: dict[str, list[dict[str, Any]]] = {"accounts": accounts}
        authors = accounts or [{"id": "", "name": fake.name(), "groups": ["staff", ""]} for _ in range(12)]
        made["files"] = [_document(fake, 1001 + n, authors, now) for n in range(counts.get("files", 0))]
        made["processes"] = [
            _process(fake, 1001 + n, accounts, now) for n in range(counts.get("processes", 0))
        ]
        return {table: made[table] for table in counts}


def _entry(tree: Tree, file: File) -> dict[str, Any]:
    shown: dict[str, Any] = {"path": file.id, "name": posixpath.basename(file.id) or "/", "kind": file.kind}
    if file.kind == "file":
        shown["size"] = size(file.content)
    return {**shown, "owner": tree.owner(file), "mode": file.mode, "modified": file.modified}


def _check_audience(audience: str, people: tuple[str, ...]) -> None:
    if (audience == "people") != bool(people):
        raise ToolError("bad_audience", "Name people in `to` if, and only if, the audience is people.")
    for one in people:
        if not re.fullmatch(r"[^@\s]{1,64}@[^@\s]{1,190}", one) or "." not in one.split("@")[1]:
            raise ToolError("bad_address", f"{one!r} is not an email address.")


def _wrong_files(files: Mapping[str, File], logins: set[str]) -> Iterator[str]:
    for file in files.values():
        proper = file.id == "/" + posixpath.normpath(file.id).strip("/") and file.id.count("/") < DEEPEST
        if not proper or len(file.id) > 1_024 or any(ord(char) < 32 for char in file.id):
            yield f"files: {file.id!r} is not an absolute path without a slash at its end."
            continue
        above = posixpath.dirname(file.id)
        while above != "/":
            if above in files and files[above].kind == "file":
                yield f"files: {file.id} lies below {above}, which is a file."
            above = posixpath.dirname(above)
        if file.kind == "folder" and file.content:
            yield f"files: {file.id} is a folder, so it has no content."
        if file.id == "/" and file.kind == "file":
            yield "files: / is a folder."
        if logins and file.owner and file.owner not in logins | {"root"}:
            yield f"files: {file.id} belongs to {file.owner!r}. {did_you_mean(file.owner, logins)}"


def _wrong_accounts(accounts: list[Account]) -> Iterator[str]:
    acting = [one.id for one in accounts if one.acting]
    if len(acting) > 1:
        yield f"accounts: the tools can work as one account only, not as {' and '.join(acting)}."
    for one in accounts:
        if one.home != "/" + posixpath.normpath(one.home).strip("/"):
            yield f"accounts: the home {one.home!r} of {one.id} is not an absolute path."


def _wrong_marks(rows: Mapping[str, list[Row]], files: Mapping[str, File]) -> Iterator[str]:
    for table in ("secrets", "details"):
        for mark in rows[table]:
            if isinstance(mark, Secret | Detail):
                if mark.file not in files:
                    yield f"{table}: {mark.id} names the file {mark.file}, which is not listed."
                elif mark.value not in files[mark.file].content:
                    yield f"{table}: the value of {mark.id} does not stand in {mark.file}."


# --- rows in bulk ---------------------------------------------------------------------------------------------------

TEAMS = ("finance", "people", "operations", "product", "engineering", "support", "legal")
TOPICS = (
    "onboarding",
    "renewals",
    "budget",
    "migration",
    "audit",
    "hiring",
    "roadmap",
    "incident",
    "pricing",
    "travel",
)
REMARKS = (
    "The numbers were checked against last quarter and agree within two percent.",
    "We wait for the supplier before anything is announced.",
    "Nobody objected, so this goes ahead on Monday.",
    "The old spreadsheet stays read-only until the switch is done.",
    "Two questions are open; both need an answer from the customer.",
    "Cost went up because of the second review, not because of hours.",
    "The draft is fine, apart from the section on refunds.",
    "Please do not send this outside before it is signed.",
    "Testing took longer than planned; the date moves by a week.",
    "The contract runs out in the spring and renews by itself unless we write.",
)
EXPENSES = (("train", 18, 140), ("hotel", 80, 260), ("meal", 9, 60), ("taxi", 8, 55), ("software", 15, 400))
EVENTS = (
    ("INFO", "backup finished in {n} s"),
    ("INFO", "user {who} signed in"),
    ("INFO", "job nightly-report done, {n} rows"),
    ("WARN", "disk at {n}% of quota"),
    ("WARN", "slow query took {n} ms"),
    ("ERROR", "could not reach mail relay, retry in {n} s"),
)
PROGRAMS = (
    "/usr/sbin/cron -f",
    "/usr/bin/backupd --daily",
    "python3 worker.py --queue mail",
    "nginx: worker process",
    "postgres: checkpointer",
    "/usr/sbin/sshd -D",
    "python3 report.py --month",
    "rsync --daemon",
)


def _colleague(fake: Faker, number: int) -> dict[str, Any]:
    first, last = fake.first_name(), fake.last_name()
    login = re.sub("[^a-z]", "", (first[0] + last).lower())
    groups = ["staff", *fake.random.sample(TEAMS, 1)]
    return {"id": f"{login}{number}", "name": f"{first} {last}", "groups": groups}


def _workday(fake: Faker, now: datetime) -> datetime:
    """A moment in office hours of a weekday in the last four years, recent ones more often."""
    back = int(1 + 1_400 * fake.random.random() ** 2)
    day = now - timedelta(days=back)
    day -= timedelta(days=max(0, day.weekday() - 4))
    return day.replace(
        hour=fake.random.randint(8, 17), minute=fake.random.randint(0, 59), second=0, microsecond=0
    )


def _document(fake: Faker, number: int, authors: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    random = fake.random
    when = _workday(fake, now)
    owner = random.choice(authors)
    team = owner["groups"][-1] or random.choice(TEAMS)
    topic = random.choice(TOPICS)
    write, ending = random.choices([one[:2] for one in _WRITERS], [one[2] for one in _WRITERS])[0]
    label = random.choices(("none", "internal", "confidential", "restricted"), (50, 35, 12, 3))[0]
    return {
        "id": f"/srv/shared/{team}/{when.year}/{topic}-{number}.{ending}",
        "content": write(
            fake, topic, [owner["name"], *(one["name"] for one in authors if one is not owner)], when
        ),
        "owner": owner["id"],
        "group": "staff",
        "mode": random.choice(("644", "644", "664", "640")),
        "modified": when.isoformat(),
        "label": label,
    }


def _minutes(fake: Faker, topic: str, people: list[str], when: datetime) -> str:
    random = fake.random
    present = people[:1] + random.sample(people[1:], min(random.randint(2, 4), len(people) - 1))
    points = "\n".join(f"- {remark}" for remark in random.sample(REMARKS, random.randint(2, 5)))
    todo = "\n".join(f"- [ ] {name}: {fake.bs()}" for name in present[:2])
    return f"# {topic.capitalize()}, {when:%d %B %Y}\n\nPresent: {', '.join(present)}\n\n{points}\n\n## To do\n\n{todo}\n"


def _expenses(fake: Faker, topic: str, people: list[str], when: datetime) -> str:
    random = fake.random
    rows = ["date,employee,category,amount_eur"]
    for _ in range(random.randint(6, 30)):
        what, low, high = random.choice(EXPENSES)
        day = when.date() - timedelta(days=random.randint(0, 28))
        rows.append(f"{day},{people[0]},{what},{random.triangular(low, high, low):.2f}")
    return "\n".join([rows[0], *sorted(rows[1:])]) + "\n"


def _letter(fake: Faker, topic: str, people: list[str], when: datetime) -> str:
    remarks = " ".join(fake.random.sample(REMARKS, 3))
    return (
        f"{fake.company()}\n{fake.street_address()}\n{fake.city()}\n\n{when:%d %B %Y}\n\n"
        f"Dear {fake.name()},\n\nthank you for your letter about {topic}. {remarks}\n\nKind regards,\n{people[0]}\n"
    )


def _log(fake: Faker, topic: str, people: list[str], when: datetime) -> str:
    random = fake.random
    at, rows = when, []
    logins = [name.split()[-1].lower() for name in people]
    for _ in range(random.randint(10, 40)):
        at += timedelta(seconds=random.randint(1, 900))
        level, text = random.choices(EVENTS, (5, 6, 4, 2, 2, 1))[0]
        said = text.format(n=random.randint(2, 97), who=random.choice(logins))
        rows.append(f"{at:%Y-%m-%dT%H:%M:%SZ} {level} {said}")
    return "\n".join(rows) + "\n"


def _settings(fake: Faker, topic: str, people: list[str], when: datetime) -> str:
    random = fake.random
    return (
        f"# {topic} settings, kept by {people[0]}\n[service]\nhost = {topic}.internal\nport = {random.randint(8000, 8999)}\n"
        f"workers = {random.choice((2, 4, 8))}\ntimeout_seconds = {random.choice((5, 10, 30, 60))}\n\n"
        f"[mail]\nfrom = {topic}@{fake.domain_name()}\nretries = {random.randint(1, 5)}\n"
    )


_WRITERS = (
    (_minutes, "md", 40),
    (_expenses, "csv", 20),
    (_letter, "txt", 20),
    (_log, "log", 12),
    (_settings, "ini", 8),
)


def _process(fake: Faker, number: int, accounts: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    random = fake.random
    owner = random.choice(accounts)["id"] if accounts and random.random() < 0.5 else "root"
    started = now - timedelta(minutes=random.randint(5, 40_000))
    return {
        "id": str(number),
        "command": random.choice(PROGRAMS),
        "owner": owner,
        "started": started.isoformat(),
    }
