"""What the user's own code prints while a command runs it: it must not mix with the command's output."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from collections.abc import Iterator

MOST = 64 * 1024
"""Bytes of it that are shown."""


@contextlib.contextmanager
def stray_output() -> Iterator[None]:
    """Within it, whatever is written to standard output goes to standard error, up to a bound.

    That holds for `print`, for file descriptor 1, and for what child processes inherit. The command itself prints before
    or after.
    """
    sys.stdout.flush()
    if sys.platform == "win32":  # which waits for no pipe
        with contextlib.redirect_stdout(sys.stderr):
            yield
        return
    reading, writing = os.pipe()
    kept = _own_output()
    if kept is not None:
        os.dup2(writing, 1)
    shown = threading.Thread(target=_show, args=(reading,), name="riskbox-output", daemon=True)
    shown.start()
    try:
        with (
            open(writing, "w", encoding="utf-8", errors="replace", buffering=1) as file,
            contextlib.redirect_stdout(file),
        ):
            yield
    finally:
        if kept is not None:
            os.dup2(kept, 1)
            os.close(kept)
        # what the code has started may hold the other end open, so this waits for no end of the file
        _ended.add(reading)
        shown.join()
        os.close(reading)
        _ended.discard(reading)


_ended: set[int] = set()
"""Pipes that nobody of ours writes to any more."""


def _own_output() -> int | None:
    """A copy of file descriptor 1; None where there is none."""
    try:
        return os.dup(1)
    except OSError:
        return None


def _show(reading: int) -> None:
    from riskbox.sandbox.escape import inert

    left = MOST
    while True:
        is_last = reading in _ended
        ready, _, _ = select.select([reading], [], [], 0.0 if is_last else 0.1)
        if not ready:
            if is_last:
                return
            continue
        data = os.read(reading, 65536)
        if not data:
            return
        if left <= 0:
            continue
        part, left = data[:left], left - len(data)
        told = inert(part.decode("utf-8", "replace"))
        if left <= 0:
            told += f"\nriskbox: your code has printed more than {MOST:,} bytes; the rest is left out.\n"
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(told)
            sys.stderr.flush()
