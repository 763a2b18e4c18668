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
import json
import os
import shlex
import shutil
import signal
from typing import Any, Literal, cast

from riskbox.sandbox.action import Action
from riskbox.sandbox.errors import ParticipantFault, PluginError
from riskbox.sandbox.message import answered, functions, messages
from riskbox.sandbox.observation import AgentView, Observation
from riskbox.sandbox.participant import Participant

LONGEST = 2**20
"""Bytes an answer may have."""
KEPT = 2000
"""Bytes of its stderr that are kept for the message of a fault."""
GRACE = 2.0
"""Seconds to end in, after its input has ended and again after SIGTERM; then it is killed."""


class Process(Participant):
    """Plays by asking a process.

    Args:
        command: The command line, split as a shell would, but run without one.
    """

    continuity: Literal["stateless", "session"] = "session"

    def __init__(self, command: str) -> None:
        self.command = command
        self._talk: _Talk | None = None
        self._told = 0

    @classmethod
    def check(cls, command: str) -> None:
        """Make sure that there is such a command.

        Raises:
            PluginError: there is none.
        """
        words = _words(command)
        if shutil.which(words[0]) is None:
            raise PluginError(
                f"process:{command}: there is no command {words[0]!r} that can be run. Write for instance "
                "process:python my_agent.py; a program of this folder is written ./my_agent."
            )

    async def ready(self) -> None:
        """Starts the process; once."""
        await self._started()

    async def act(self, seen: Observation) -> Action:
        """What it answers.

        Raises:
            ParticipantFault: it cannot be started, it ended, or it wrote something that is no answer.
        """
        talk = await self._started()
        if talk.unread.strip():
            raise ParticipantFault(
                f"`{self.command}` wrote a line that it was not asked for: {talk.shown}. "
                "Give one answer a turn, and write everything else to stderr."
            )
        if not self._told:
            talk.tell(_brief(seen))
            self._told = 1  # the first message is the policy, which is in the brief
        told = messages(seen)
        talk.tell({"type": "turn", "messages": told[self._told :]})
        self._told = len(told)
        return answered(await self._answer(talk))

    async def close(self) -> None:
        """Ends its input, then the process and all that it started."""
        if self._talk is not None:
            talk, self._talk = self._talk, None
            await talk.end()

    async def _started(self) -> _Talk:
        if self._talk is None:
            loop = asyncio.get_running_loop()
            try:
                # Python keeps what is printed to a pipe until there is much of it, and its reader would wait
                env = {**os.environ, "PYTHONUNBUFFERED": "1"}
                _transport, self._talk = await loop.subprocess_exec(
                    _Talk, *_words(self.command), start_new_session=True, env=env
                )
            except OSError as error:
                raise ParticipantFault(
                    f"`{self.command}` cannot be started: {error.strerror or error}"
                ) from None
        return self._talk

    async def _answer(self, talk: _Talk) -> bytes:
        line = await talk.line()
        if line is not None:
            return line
        if not talk.closed:
            raise ParticipantFault(
                f"`{self.command}` wrote a line of more than {LONGEST:,} bytes: {talk.shown}"
            )
        status = await talk.status()
        raise ParticipantFault(f"`{self.command}` {status} without an answer. {talk.complaint}".rstrip())


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise PluginError(f"process:{command}: {error}; close every quote") from None
    if not words or not words[0]:
        raise PluginError("process: names no command; write for instance process:python my_agent.py")
    return words


def _brief(seen: Observation) -> dict[str, Any]:
    brief = seen.brief
    assert isinstance(brief, AgentView)
    return {"type": "brief", "name": brief.name, "policy": brief.policy, "tools": functions(seen)}


class _Talk(asyncio.SubprocessProtocol):
    """The talk with one process: lines in, lines out, and the end of what it complained about."""

    def __init__(self) -> None:
        self.unread = bytearray()
        """What it wrote and nobody has read."""
        self.closed = False
        """Whether it will write no more."""
        self._errors = b""
        self._news = asyncio.Event()
        self._gone = asyncio.Event()

    # --- what happens to it ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)
        self._group = self._transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 2:
            self._errors = (self._errors + data)[-KEPT:]
            return
        self.unread += data
        if len(self.unread) > LONGEST:
            self._output().pause_reading()
        self._news.set()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == 1:
            self._close()

    def process_exited(self) -> None:
        # a child of its may hold the pipe open; what it wrote itself is given time to arrive
        asyncio.get_running_loop().call_later(GRACE, self._close)
        self._gone.set()

    def _close(self) -> None:
        self.closed = True
        self._news.set()

    # --- talking --------------------------------------------------------------------------------------------

    def tell(self, message: dict[str, Any]) -> None:
        """Write a line to it. Nothing waits until it is read: the process may be writing instead of reading."""
        pipe = cast(asyncio.WriteTransport, self._transport.get_pipe_transport(0))
        pipe.write(json.dumps(message).encode() + b"\n")

    async def line(self) -> bytes | None:
        """The next line it writes that is not empty; None if it has ended or writes without an end."""
        while True:
            line, newline, rest = self.unread.partition(b"\n")
            if len(line) > LONGEST:
                return None
            if newline:
                self.unread = rest
                if len(rest) <= LONGEST and not self.closed:
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

    @property
    def complaint(self) -> str:
        """The end of what it wrote to stderr."""
        told = self._errors.decode("utf-8", "replace").strip()
        return f"Its stderr ends with: {told}" if told else "It wrote nothing to stderr."

    async def status(self) -> str:
        """How it ended."""
        if not await self._exits():
            return "closed its output"
        code = self._transport.get_returncode() or 0
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def _output(self) -> asyncio.ReadTransport:
        return cast(asyncio.ReadTransport, self._transport.get_pipe_transport(1))

    # --- the end --------------------------------------------------------------------------------------------

    async def end(self) -> None:
        """End its input, wait, ask its group to end, wait, and kill what is left."""
        try:
            pipe = self._transport.get_pipe_transport(0)
            if pipe is not None:
                pipe.close()
            await self._exits()
            if self._signal(signal.SIGTERM):
                await self._vanished()
        finally:
            self._signal(signal.SIGKILL)
            self._transport.close()
        await self._gone.wait()

    async def _exits(self) -> bool:
        """Whether it ends in time."""
        try:
            async with asyncio.timeout(GRACE):
                return await self._gone.wait()
        except TimeoutError:
            return False

    async def _vanished(self) -> None:
        """Wait until its whole group has ended, as long as it is given."""
        loop, pause = asyncio.get_running_loop(), 0.002
        deadline = loop.time() + GRACE
        while self._signal(0) and loop.time() < deadline:
            await asyncio.sleep(pause)
            pause = min(0.1, pause * 1.5)

    def _signal(self, number: int) -> bool:
        """Send a signal to its group; whether there still is one. 0 only asks."""
        try:
            os.killpg(self._group, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True
