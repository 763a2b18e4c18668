"""What a command shows while it works and has nothing to print yet."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 10.0
"""Seconds of silence before a line is printed where there is no terminal."""


@contextmanager
def working(on: str, *, quiet: bool = False) -> Iterator[None]:
    """Within it, standard error shows a spinner and a sentence; outside a terminal the sentence alone, once it takes long.

    Args:
        on: What is being done, as a sentence without its full stop.
        quiet: Whether to show nothing.
    """
    if quiet:
        yield
    elif sys.stderr.isatty():
        from rich.console import Console

        with Console(stderr=True).status(f"{on} ..."):
            yield
    else:
        line = threading.Timer(PATIENCE, print, (f"{on} ...",), {"file": sys.stderr, "flush": True})
        line.daemon = True
        line.start()
        try:
            yield
        finally:
            line.cancel()
