"""The terminal: bash, as bashkit reads it, over the files of the world.

Nothing of the host is mounted and the network is off, so that all a command line can reach is the tree. Time, chance and
names are the world's. What runs is bounded in commands, memory, output and time.
"""

from __future__ import annotations

import re
import shlex
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import NamedTuple, TypeVar

from bashkit import Bash, BuiltinContext, BuiltinResult

from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.files.draft import Draft
from riskbox.tools.files.tables import FileTables
from riskbox.tools.files.terminal.bridge import mountable
from riskbox.tools.files.terminal.changing import ChangingCommands
from riskbox.tools.files.terminal.clock import ClockCommands
from riskbox.tools.files.terminal.command import Call, Commands
from riskbox.tools.files.terminal.disk import Disk
from riskbox.tools.files.terminal.listing import ListingCommands
from riskbox.tools.files.terminal.process import SUDO, ProcessCommands
from riskbox.tools.files.terminal.service import ServiceCommands
from riskbox.tools.files.terminal.versions import VersionCommands
from riskbox.tools.files.text import clipped
from riskbox.tools.files.tree import Tree

MOST_COMMANDS = 2_000
"""How many commands one call may run."""

MOST_MEMORY = 33_554_432
"""How many bytes the variables and pipes of one call may hold."""

SECONDS = 5.0
"""How long one call may take."""

STACK = 536_870_912
"""Bytes of address space for the stack. bashkit recurses: a text that evaluates itself needs 40 KiB a command."""

HIDDEN = (
    "assert", "bind", "busybox", "complete", "compopt", "csv", "dotenv", "fc", "glob", "help", "http", "json", "log",
    "man", "nano", "nt", "openssl", "parallel", "retry", "semver", "template", "tomlq", "verify", "vi", "w", "watch",
)  # fmt: skip
"""Commands of bashkit that this machine does not have: few machines do, or they need a keyboard or draw numbers of their own."""

SHELL = re.compile(r"(?s)(: command not found)\. (?:Did you mean|Compilers)[^\n]*")
"""What bashkit adds to the message that a command is unknown."""

T = TypeVar("T")

_stack = threading.Lock()  # the size of stacks is one for the process


class Outcome(NamedTuple):
    """What a command line came to."""

    stdout: str
    """What it printed, cut where it is long."""
    stderr: str
    """What it printed on stderr, cut likewise."""
    code: int
    """Its exit code."""


class Programs(
    ListingCommands, ChangingCommands, ClockCommands, ProcessCommands, ServiceCommands, VersionCommands
):
    """All commands besides bashkit's own."""


class Terminal:
    """Runs one command line on the world's files.

    Args:
        world: The tables.
        tree: The files as the account sees them, over a draft that `run` settles.
        random: Where chance comes from.
    """

    def __init__(self, world: FileTables, tree: Tree, random: Random) -> None:
        self._world, self._tree = world, tree
        self._seed = random.getrandbits(15)
        self._disk = Disk(tree, random, (*_brought(), *Programs.names()))
        self._programs: Commands = Programs(world, self._disk, random)
        self._programs.hand_on = self._hand_on
        self._ends = 0.0

    def run(self, command: str, cwd: str) -> Outcome:
        """Run a command line, of one line or several, in a folder.

        Raises:
            ToolError: `timed_out`; nothing has changed then.
        """
        self._ends = time.monotonic() + SECONDS
        found = _on_a_large_stack(lambda: self._run(self._bash(cwd), command))
        if self._disk.fault is not None:
            raise self._disk.fault
        if isinstance(self._tree.rows, Draft):
            self._tree.rows.settle()
        return found

    def _run(self, bash: Bash, command: str) -> Outcome:
        now = self._tree.now
        result = bash.execute_sync(_timed(command, now))
        error = result.error or ""
        if "timeout" in error or time.monotonic() > self._ends:
            raise ToolError(
                "timed_out",
                f"The command did not end within {SECONDS:.0f} seconds. Nothing was changed.",
                kind="resource",
                hint="Do less at once.",
            )
        code = 2 if error.startswith("parse error") else result.exit_code
        said = f"bash: {error}\n" if error else result.stderr
        if self._tree.exhausted:
            said, code = said + "bash: stopped: This would read too much at once.\n", code or 1
        return Outcome(clipped(SHELL.sub(r"\1", result.stdout)), clipped(_plain(said)), code)

    def _bash(self, cwd: str, own: str = "") -> Bash:
        """A shell; the command `own` is bashkit's own there."""
        account, now = self._tree.account, int(self._tree.now.timestamp())
        names = [name for name in Programs.names() if name != own]
        bash = Bash(
            username=account.id,
            hostname=self._world.hostname(),
            env={
                "HOME": account.home, "LOGNAME": account.id, "SHELL": "/bin/bash", "LANG": "C.UTF-8", "TERM": "dumb",
                "PATH": "/usr/local/bin:/usr/bin:/bin",
            },
            max_commands=MOST_COMMANDS,
            max_loop_iterations=MOST_COMMANDS,
            max_memory=MOST_MEMORY,
            timeout_seconds=max(0.0, self._ends - time.monotonic()),
            custom_builtins=dict.fromkeys(names, self._answered) | dict.fromkeys(HIDDEN, _unknown),
        )  # fmt: skip
        bash.mount("/", mountable(self._disk))
        if not own:
            setting = f"RANDOM={self._seed} EPOCHSECONDS={now} EPOCHREALTIME={now}.000000"
            timing = r"TIMEFORMAT=$'\nreal\t0m0.004s\nuser\t0m0.003s\nsys\t0m0.001s'"
            bash.execute_sync(f"unset SECONDS; SECONDS=0; {setting}; {timing}\n{SUDO}")
        bash.execute_sync(f"cd -- {shlex.quote(cwd)}; unset OLDPWD")
        return bash

    def _answered(self, context: BuiltinContext) -> BuiltinResult:
        call = Call(context.name, list(context.argv), context.stdin or "", context.cwd, context.env)
        try:
            self._programs.answer(call)
        except ToolError as error:
            call.complain(self._disk.said(error))
        except Exception as fault:
            self._disk.fault = fault
            call.complain("Input/output error")
        return BuiltinResult(call.out, call.err, call.code)

    def _hand_on(self, call: Call, name: str, args: list[str]) -> None:
        """Let bashkit's own command answer a call."""
        feed = f"/dev/.in{len(self._disk.feeds)}"
        self._disk.feeds[feed] = call.stdin.encode(errors="replace")
        kept = {key: value for key, value in call.env.items() if key not in ("PWD", "OLDPWD", "SHLVL", "_")}
        line = " ".join(
            f"export {key}={shlex.quote(value)};" for key, value in kept.items() if key.isidentifier()
        )
        line += f"command {name} {shlex.join(args)} < {feed}"
        self._disk.is_measured = name == "find"
        result = _on_a_large_stack(lambda: self._bash(call.cwd, own=name).execute_sync(line))
        self._disk.is_measured = False
        if result.error and "timeout" in result.error:
            self._ends = 0.0
        call.out += result.stdout
        call.err += (
            result.stderr.replace("bash: line 1: ", "") if not result.error else f"{name}: {result.error}\n"
        )
        call.code = result.exit_code


@cache
def _brought() -> tuple[str, ...]:
    """The names of bashkit's commands that are programs, not words of the shell."""
    words = Bash().execute_sync("compgen -c; echo; compgen -k; compgen -b").stdout
    commands, _, shell = words.partition("\n\n")
    return tuple(
        sorted(
            set(commands.split()) - set(shell.split()) - set(HIDDEN)
            | {"printf", "kill", "test", "echo", "pwd"}
        )
    )


def _unknown(context: BuiltinContext) -> BuiltinResult:
    return BuiltinResult("", f"bash: {context.name}: command not found\n", 127)


def _timed(command: str, now: datetime) -> str:
    """The command with what bash itself would take from the host's clock and chance replaced."""
    command = command.encode(errors="replace").decode().replace("SRANDOM", "RANDOM")

    def stamp(found: re.Match[str]) -> str:
        # the printf that stood there takes an argument, which %.0s takes and does not print
        return "%.0s" + now.astimezone(UTC).strftime(found[1] or "%H:%M:%S").replace("%", "%%")

    return re.sub(r"%\(([^()\n']*)\)T", stamp, command)


def _plain(text: str) -> str:
    """What bashkit says on stderr, without what is no business of those who work on the machine."""
    text = (
        SHELL.sub(r"\1", text)
        .replace("io error: ", "")
        .replace("not yet implemented in bashkit", "not supported")
    )
    return re.sub(r"resource limit exceeded: |execution error: (?=\w)", "stopped: ", text).replace(
        "bashkit", "bash"
    )


def _on_a_large_stack(work: Callable[[], T]) -> T:
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            failed.append(error)

    with _stack:
        before = threading.stack_size(STACK)
        try:
            thread = threading.Thread(target=run, name="riskbox-terminal", daemon=True)
            thread.start()
        finally:
            threading.stack_size(before)
    thread.join()
    if failed:
        raise failed[0]
    return found[0]
