"""An agent that is a process of its own, in any language: it reads lines of JSON and answers with lines of JSON.

Each episode starts one. It is told once who it is, and is then asked for each of its moves:

    reads   {"type": "brief", "name": "...", "policy": "...", "tools": [...]}
    reads   {"type": "turn", "messages": [...]}
    writes  {"content": "...", "tool_calls": [...], "leave": false}

`messages` are the chat messages that are new since the last turn, its own among them as they were recorded: put
together they are the whole conversation. It ends when its input does.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from riskbox.sandbox.contracts.message import answered, functions, messages
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import ParticipantFault, PluginError
from riskbox.sandbox.processes import keeper
from riskbox.sandbox.processes.confinement import UNCONFINED, Confinement
from riskbox.sandbox.processes.isolation import isolated
from riskbox.sandbox.processes.watch import WATCH
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.observation import AgentView, Observation
from riskbox.sandbox.words.secrets import expanded, redact
from riskbox.sandbox.words.size import WIRE

KEPT = 2000
"""Bytes of its stderr that are kept for error messages."""
GRACE = 2.0
"""Seconds it has to exit after its input ends, and again after SIGTERM, before it is killed."""


class Process(Participant):
    """Plays by asking a process.

    Args:
        command: The command line, split as a shell would, but run without one.
        confinement: What the process may use and see.
    """

    continuity: Literal["stateless", "session"] = "session"

    def __init__(self, command: str, confinement: Confinement = UNCONFINED) -> None:
        self.command, self.confinement = command, confinement
        self._child: ChildProcess | None = None
        self._told = 0

    @classmethod
    def check(cls, command: str) -> None:
        """Check that the command exists.

        Raises:
            PluginError: it does not.
        """
        check_command("process", command)

    async def ready(self) -> None:
        """Start the process, once."""
        await self._started()

    async def act(self, seen: Observation) -> Action:
        """Ask the process for the next move.

        Raises:
            ParticipantFault: it cannot be started, it exited, or its answer cannot be read.
        """
        child = await self._started()
        if not self._told:
            child.tell(_brief(seen))
            self._told = 1  # the first message is the policy, which is in the brief
        told = messages(seen)
        new, self._told = told[self._told :], len(told)
        return answered(await child.ask({"type": "turn", "messages": new}))

    async def close(self) -> None:
        """End its input, then the process and everything that it started."""
        if self._child is not None:
            child, self._child = self._child, None
            await child.end()

    async def _started(self) -> ChildProcess:
        if self._child is None:
            self._child = await ChildProcess.started(
                self.command, words("process", self.command), self.confinement
            )
        return self._child


def check_command(adapter: str, command: str) -> None:
    """Check that a command can be run.

    Raises:
        PluginError: it cannot.
    """
    program = words(adapter, command)[0]
    if shutil.which(program) is None:
        raise PluginError(
            f"{adapter}:{redact(command)}: there is no command {program!r} that can be run. Write for example "
            f"{adapter}:python my_agent.py; for a program in this folder, write ./my_agent."
        )


def words(adapter: str, command: str) -> list[str]:
    """A command line, split as a shell would; each `${NAME}` is then replaced by that variable of the environment.

    Raises:
        PluginError: there is nothing in it, a quote is left open, or there is no such variable.
    """
    try:
        found = shlex.split(command)
    except ValueError as error:
        raise PluginError(f"{adapter}:{redact(command)}: {error}; close every quote") from None
    if not found or not found[0]:
        raise PluginError(f"{adapter}: names no command; write for example {adapter}:python my_agent.py")
    return [expanded(one, adapter) for one in found]


def _brief(seen: Observation) -> dict[str, Any]:
    brief = seen.brief
    assert isinstance(brief, AgentView)
    return {"type": "brief", "name": brief.name, "policy": brief.policy, "tools": functions(seen)}


class ChildProcess(asyncio.SubprocessProtocol):
    """A process that reads and writes lines, and the end of its stderr.

    It is a child of a keeper, which is a child of ours: see `processes/keeper.py`.

    Args:
        command: Its name in error messages.
        control: The socket on which its keeper tells what becomes of it.
    """

    def __init__(self, command: str, control: socket.socket) -> None:
        self.command, self._control = redact(command), control
        self.unread = bytearray()
        """What it wrote and nobody has read yet."""
        self.closed = False
        """Whether it has closed its output."""
        self._errors = b""
        self._errors_end = asyncio.Event()
        self._news = asyncio.Event()
        self._exited = asyncio.Event()
        self._alone = asyncio.Event()
        self._gone = asyncio.Event()
        self._code: int | None = None
        self._excess = ""
        self._heard = b""
        self._begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @classmethod
    async def started(
        cls,
        command: str,
        words: Sequence[str],
        confinement: Confinement = UNCONFINED,
        env: Mapping[str, str] | None = None,
        stdin: int = asyncio.subprocess.PIPE,
    ) -> ChildProcess:
        """Start a process in a session of its own.

        Args:
            command: Its name in error messages.
            words: The command line.
            confinement: What it may use and see.
            env: Variables that it sees besides.
            stdin: Its input, as asyncio takes it.

        Raises:
            ParticipantFault: it cannot be started.
        """
        # Python keeps what is printed to a pipe until there is much of it, and its reader would wait
        given = {**confinement.environment(), **(env or {}), "PYTHONUNBUFFERED": "1"}
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        options = f"control={theirs.fileno()}\nparent={os.getpid()}"
        if confinement.isolation != "none" and shutil.which("bwrap") is None:
            ours.close()
            theirs.close()
            raise ParticipantFault(f"`{command}` cannot be isolated: there is no bwrap; install bubblewrap")
        try:
            with theirs, isolated(words, confinement) as (isolating, fds):
                kept = [sys.executable, *keeper.COMMAND, options, *isolating]
                _transport, child = await loop.subprocess_exec(
                    lambda: cls(command, ours),
                    *kept,
                    stdin=stdin,
                    start_new_session=True,
                    env=given,
                    pass_fds=(theirs.fileno(), *fds),
                )
        except OSError as error:
            ours.close()
            raise ParticipantFault(f"`{command}` cannot be started: {error.strerror or error}") from None
        ours.setblocking(False)
        loop.add_reader(ours, child._hear)
        try:
            failed = await child._begun
        except asyncio.CancelledError:
            await child.end()
            raise
        if failed:
            await child.end()
            raise ParticipantFault(f"`{command}` cannot be started: {failed}")
        if confinement.memory is not None:
            limit = confinement.memory

            def exceeded(used: int) -> None:
                child._excess = confinement.exceeded(used)

            WATCH.add(child._keeper, limit, exceeded)
        return child

    # --- what happens to it ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self._keeper = self._transport.get_pid()

    def _hear(self) -> None:
        """What its keeper tells."""
        try:
            told = self._control.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            told = b""
        if not told:
            self._unhear()
            return
        *lines, self._heard = (self._heard + told).split(b"\n")
        for line in lines:
            word, _, number = line.decode().partition(" ")
            if word == "started":
                self._settle("")
            elif word == "failed":
                self._settle(os.strerror(int(number)))
            elif word == "exited":
                self._code = int(number)
                self._exits()
            elif word == "alone":
                self._alone.set()

    def _unhear(self) -> None:
        if self._control.fileno() != -1:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()

    def _settle(self, failed: str) -> None:
        if not self._begun.done():
            self._begun.set_result(failed)

    def _exits(self) -> None:
        # a child of its may hold the pipe open; what it wrote itself is given time to arrive
        asyncio.get_running_loop().call_later(GRACE, self._close)
        self._exited.set()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 2:
            self._errors = (self._errors + data)[-KEPT:]
            return
        self.unread += data
        if len(self.unread) > WIRE:
            self._output().pause_reading()
        self._news.set()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == 1:
            self._close()
        elif fd == 2:
            self._errors_end.set()

    def process_exited(self) -> None:
        self._settle("its keeper was ended")
        if not self._exited.is_set():  # somebody killed the keeper, and the kernel its child
            self._code = self._transport.get_returncode() or 0
            self._exits()
        self._alone.set()
        self._gone.set()

    def _close(self) -> None:
        self.closed = True
        self._news.set()

    # --- lines ----------------------------------------------------------------------------------------------

    def tell(self, message: dict[str, Any]) -> None:
        """Write a line to it. Nothing waits until it is read: the process may be writing instead of reading."""
        pipe = cast(asyncio.WriteTransport, self._transport.get_pipe_transport(0))
        pipe.write(json.dumps(message).encode() + b"\n")

    async def ask(self, message: dict[str, Any]) -> bytes:
        """Write a line to it, and read the line that answers.

        Raises:
            ParticipantFault: it exited, or its answer is too long.
        """
        if b"\n" in self.unread.lstrip():
            raise ParticipantFault(
                f"`{self.command}` wrote a line without being asked: {self.shown}. "
                "Write one answer per turn, and everything else to stderr."
            )
        self.tell(message)
        line = await self.line()
        if line is not None:
            return line
        if not self.closed:
            raise ParticipantFault(f"`{self.command}` wrote a line of more than {WIRE:,} bytes: {self.shown}")
        status = await self.status()
        raise ParticipantFault(
            f"`{self.command}` {status} without an answer. {await self.complaint()}".rstrip()
        )

    async def all(self) -> bytes:
        """All that it writes until it exits, for a process that is asked nothing.

        Raises:
            ParticipantFault: it failed, or wrote too much.
        """
        while not self.closed:
            if len(self.unread) > WIRE:
                raise ParticipantFault(f"`{self.command}` wrote more than {WIRE:,} bytes: {self.shown}")
            self._news.clear()
            await self._news.wait()
        status = await self.status()
        if self._code != 0:
            raise ParticipantFault(f"`{self.command}` {status}. {await self.complaint()}")
        return bytes(self.unread)

    async def line(self) -> bytes | None:
        """The next line that is not empty; None if it has exited, or if the line is too long."""
        while True:
            line, newline, rest = self.unread.partition(b"\n")
            if len(line) > WIRE:
                return None
            if newline:
                self.unread = rest
                if len(rest) <= WIRE and not self.closed:
                    self._output().resume_reading()
                if line.strip():
                    return bytes(line)
            elif self.closed:
                self.unread = bytearray()
                return bytes(line) if line.strip() else None
            else:
                self._news.clear()
                await self._news.wait()

    @property
    def shown(self) -> str:
        """The beginning of what it wrote."""
        return self.unread[:200].decode("utf-8", "replace")

    async def complaint(self) -> str:
        """The end of what it wrote to stderr, which may arrive after its exit."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await self._errors_end.wait()
        told = self._errors.decode("utf-8", "replace").strip()
        return f"Its stderr ends with: {told}" if told else "It wrote nothing to stderr."

    async def status(self) -> str:
        """How it ended."""
        if not await _set_within(self._exited):
            return "closed its output"
        if self._excess:
            return f"was ended: {self._excess}"
        code = self._code or 0
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def _output(self) -> asyncio.ReadTransport:
        return cast(asyncio.ReadTransport, self._transport.get_pipe_transport(1))

    # --- the end --------------------------------------------------------------------------------------------

    async def end(self) -> None:
        """End its input, wait, send SIGTERM to it and all that it started, wait, and kill what is left."""
        try:
            pipe = self._transport.get_pipe_transport(0)
            if pipe is not None:
                pipe.close()
            await _set_within(self._exited)
            if not self._alone.is_set() and self._control.fileno() != -1:
                with contextlib.suppress(OSError):
                    self._control.send(b"T")
                await _set_within(self._alone)
        finally:
            WATCH.remove(self._keeper)
            self._unhear()  # upon which the keeper kills what is left, and ends
            if not await asyncio.shield(_set_within(self._gone)):  # its child stopped it
                keeper.kill(self._keeper)
                self._transport.kill()
                await self._gone.wait()
            self._transport.close()


async def _set_within(event: asyncio.Event) -> bool:
    """Whether something happens in time."""
    try:
        async with asyncio.timeout(GRACE):
            return await event.wait()
    except TimeoutError:
        return False
