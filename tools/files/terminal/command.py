"""What the commands have in common that bashkit does not bring, or that must know of owners, the clock or the world."""

from __future__ import annotations

import getopt
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.files.refusals import REFUSALS
from riskbox.tools.files.rows import File
from riskbox.tools.files.tables import FileTables
from riskbox.tools.files.terminal.disk import Disk
from riskbox.tools.files.text import octets


@dataclass(slots=True)
class Call:
    """One call of a command, and what it comes to."""

    name: str
    """The command."""
    args: list[str]
    """Its arguments."""
    stdin: str = ""
    """What it reads."""
    cwd: str = "/"
    """The folder it works in."""
    env: Mapping[str, str] = field(default_factory=dict)
    """The variables it sees."""
    out: str = ""
    """What it has printed."""
    err: str = ""
    """What it has printed on stderr."""
    code: int = 0
    """Its exit code."""

    def complain(self, message: str, code: int = 1) -> None:
        """Say on stderr what went wrong."""
        self.err += f"{self.name}: {message}\n"
        self.code = code

    def options(self, short: str, *long: str) -> tuple[dict[str, str], list[str]]:
        """The options among the arguments, without their dashes, and the operands.

        Raises:
            GetoptError: there is another option.
        """
        found, operands = getopt.gnu_getopt(self.args, short, long)
        return {name.lstrip("-"): value for name, value in found}, operands

    def needing(self, operands: list[str], count: int = 1) -> list[str]:
        """The operands, if there are that many.

        Raises:
            GetoptError: there are fewer.
        """
        if len(operands) < count:
            raise getopt.GetoptError("missing operand")
        return operands


class Commands:
    """The commands on a machine; `do_x` is the command `x`."""

    def __init__(self, world: FileTables, disk: Disk, random: Random) -> None:
        self.world, self.disk, self.tree, self.random = world, disk, disk.tree, random
        self.hand_on: Callable[[Call, str, list[str]], None] = _nowhere

    @classmethod
    def names(cls) -> Iterator[str]:
        """The names of all commands."""
        for method in dir(cls):
            if method.startswith("do_"):
                yield method.removeprefix("do_").replace("_", "-").replace("--", "__")

    def answer(self, call: Call) -> None:
        """Do what the call says."""
        self.tree.spend(100)
        command = getattr(self, "do_" + call.name.replace("-", "_"))
        try:
            with self.trying(call, ""):
                command(call)
        except getopt.GetoptError as error:
            call.complain(str(error), 2)

    @contextmanager
    def trying(self, call: Call, what: str) -> Iterator[None]:
        """Say what the tree refuses as a command would, and go on."""
        try:
            yield
        except ToolError as error:
            if error.code == "too_much_work":
                raise
            why = REFUSALS[error.code][1] if error.code in REFUSALS else error.message
            call.complain(f"{what}: {why}" if what else why)

    def path(self, call: Call, operand: str, follow: bool = True) -> str:
        """The absolute path of an operand."""
        return self.tree.resolve("./" + operand if operand.startswith("~") else operand, call.cwd, follow)

    def octets(self, call: Call, operand: str) -> bytes:
        """The bytes of a file that is named; `-` is what the command reads."""
        if operand == "-":
            return call.stdin.encode()
        return self.disk.read_file(self.path(call, operand))

    def below(self, call: Call, operand: str) -> list[tuple[str, File]]:
        """All at and below an operand as the user would write them, complaining of closed folders."""
        barred: list[str] = []
        top = self.path(call, operand, follow=operand.endswith("/"))
        found = list(self.tree.walk(top, barred))
        for path in barred:
            call.complain(f"cannot read directory '{told(operand, top, path)}': Permission denied")
        return [(told(operand, top, file.id), file) for file in found]


def told(operand: str, top: str, path: str) -> str:
    """A path below an operand as the user would write it."""
    rest = path[len(top) :].lstrip("/")
    return f"{operand.rstrip('/')}/{rest}" if rest else operand


def number(text: str) -> int:
    """A whole number.

    Raises:
        GetoptError: it is none.
    """
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
        raise getopt.GetoptError(f"invalid number: {text!r}")
    return int(text)


def text_of(content: bytes) -> str:
    """Bytes as they are sent: as text, with a mark for each that is none, and with none for a byte 0."""
    return content.decode(errors="replace").replace("\0", "")


def file_text(file: File) -> str:
    """The text of a file as it is sent."""
    return text_of(octets(file.content)) if file.bytes is None else file.content


def _nowhere(call: Call, name: str, args: list[str]) -> None:
    raise NotImplementedError
