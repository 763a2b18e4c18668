"""Lines that a person types: with history and editing at a terminal, and one by one from a pipe."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import termios
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from riskbox.sandbox.escape import inert

BLOCK = '"""'
"""A line that begins and ends words of several lines."""

Completions = Callable[[str], Sequence[str]]
"""From the line so far to what its last word may become."""


class Keyboard:
    """Standard input, of which a process has one.

    A line is waited for in a thread of its own, so that an agent which lives on the same loop goes on meanwhile, and
    so that ctrl-C need not wait for the line's end.
    """

    def __init__(self) -> None:
        self.completions: Completions = lambda _: ()
        self._asked: Future[str | None] | None = None
        self._before: list[Any] | None = None
        self._rest = b""
        self._prepared = False

    async def words(self, prompt: str) -> str | None:
        """A line, or the lines between two lines of three quotation marks; None at the end of input."""
        line = await self.line(prompt)
        if line is None or line.strip() != BLOCK:
            return line
        lines: list[str] = []
        while (line := await self.line("… ")) is not None and line.strip() != BLOCK:
            lines.append(line)
        return None if line is None else "\n".join(lines)

    async def line(self, prompt: str) -> str | None:
        """The next line without its end; None at the end of input."""
        if self._asked is None:
            self._asked = Future()
            self._asked.set_running_or_notify_cancel()
            self._before = _settings()
            threading.Thread(target=self._answer, args=(self._asked, prompt), daemon=True).start()
        try:
            line = await asyncio.wrap_future(self._asked)
        except asyncio.CancelledError:
            # a line that was asked for before an interruption is the next one, read by now or not
            # an editor has changed how keys are read, and may never get to undo it
            if self._before is not None:
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)
            raise
        except BaseException:
            self._asked = None
            raise
        self._asked = None
        return line

    def _answer(self, asked: Future[str | None], prompt: str) -> None:
        try:
            asked.set_result(self._typed(prompt))
        except Exception as error:
            asked.set_exception(error)

    def _typed(self, prompt: str) -> str | None:
        if sys.stdin is None:
            return None
        if sys.stdin.isatty() and sys.stdout.isatty():
            self._prepare()
            try:
                return input(prompt)
            except EOFError:
                return None
        print(prompt, end="", flush=True)
        line = self._piped()
        # nobody typed it on this screen, and whoever reads the output wants to see it
        print(inert(line or ""), flush=True)
        return line

    def _piped(self) -> str | None:
        """A line from a pipe or a file, read below Python's buffer: a thread that waits there holds a lock at exit."""
        try:
            source = sys.stdin.fileno()
        except (OSError, ValueError):  # not a file: a notebook, a test
            return sys.stdin.readline().rstrip("\n") or None
        while b"\n" not in self._rest:
            more = os.read(source, 65536)
            if not more:
                line, self._rest = self._rest, b""
                return _decoded(line) if line else None
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return _decoded(line)

    def _prepare(self) -> None:
        """History, editing, completion by tab, and pasting of several lines, where the platform has them."""
        if self._prepared:
            return
        self._prepared = True
        if isinstance(sys.stdin, io.TextIOWrapper):
            # keys that are no text must not end an episode
            sys.stdin.reconfigure(errors="replace")
        with suppress(ImportError):
            import readline

            readline.set_completer(self._complete)
            readline.set_completer_delims(" ")
            if "libedit" in (readline.__doc__ or ""):
                readline.parse_and_bind("bind ^I rl_complete")
            else:
                readline.parse_and_bind("tab: complete")
                readline.parse_and_bind("set enable-bracketed-paste on")

    def _complete(self, word: str, place: int) -> str | None:
        import readline

        fitting = [one for one in self.completions(readline.get_line_buffer()) if one.startswith(word)]
        return fitting[place] if place < len(fitting) else None


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r")


def _settings() -> list[Any] | None:
    """How the terminal reads keys; None where there is none."""
    try:
        return termios.tcgetattr(sys.stdin)
    except (termios.error, OSError, ValueError, TypeError):
        return None


KEYBOARD = Keyboard()
"""The keyboard of this process: what one episode left unread is the next one's."""
