"""A terminal that a test types into and reads from: a real one, over a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>]|\r")
"""What moves a cursor or colours words."""


class Terminal:
    """`riskbox WORDS...` as a person at a terminal sees it.

    Args:
        folder: Where it is started.
        columns: How wide the terminal is.
        env: Added to the environment.
    """

    def __init__(self, folder: Path, *words: str | Path, columns: int = 80, **env: str) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        before = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "riskbox.sandbox.cli", *map(str, words)],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**before, "TERM": "xterm-256color", "PYTHONUTF8": "1", **env},
            start_new_session=True,
            preexec_fn=_controlling,
        )
        self.theirs, self.ours, self.raw = theirs, ours, b""
        self._read_until = 0

    @property
    def text(self) -> str:
        """All that was printed so far, without colours."""
        return CONTROLS.sub("", self.raw.decode("utf-8", "replace"))

    def wait_for(self, words: str, seconds: float = 30) -> str:
        """Wait until words are printed after those waited for before; what was printed up to them is returned."""
        until = time.monotonic() + seconds
        while words not in self.text[self._read_until :]:
            left = until - time.monotonic()
            assert left > 0, f"no {words!r} in {self.text[self._read_until :]!r}"
            if not self._more(left):
                raise AssertionError(f"it ended without {words!r}: {self.text[self._read_until :]!r}")
        start = self._read_until
        self._read_until = self.text.index(words, start) + len(words)
        return self.text[start : self._read_until]

    def type(self, keys: str) -> None:
        """Press keys; `\\x03` is ctrl-C, `\\x04` ctrl-D, `\\x1b[A` the arrow up."""
        os.write(self.ours, keys.encode())

    def enter(self, line: str, prompt: str = "> ") -> None:
        """Wait for a prompt and answer it."""
        self.wait_for(prompt)
        self.type(line + "\r")

    def end(self, seconds: float = 60) -> int:
        """Read on until the process has ended; its exit code is returned."""
        until = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < until, self.text
            self._more(0.1)
        while self._more(0.2):
            pass
        return self.process.returncode

    def echoes(self) -> bool:
        """Whether the terminal shows what is typed, as it must when nobody edits a line on it."""
        return bool(termios.tcgetattr(self.theirs)[3] & termios.ECHO)

    def close(self) -> None:
        """Let go of the terminal."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)

    def _more(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.ours], [], [], min(seconds, 0.5))
        if ready:
            try:
                self.raw += os.read(self.ours, 65536)
            except OSError:
                return False
            return True
        return self.process.poll() is None


def _controlling() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


Open: TypeAlias = Callable[..., Terminal]
"""The fixture `terminal`: opens `riskbox WORDS...` on a terminal."""
