"""The small real model, served by `riskbox local-server` in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Served(NamedTuple):
    """A running server."""

    url: str
    """Where it listens."""
    model: str
    """The model's name for Riskbox."""
    process: subprocess.Popen[str]
    """The command."""


@contextmanager
def served(*words: str) -> Iterator[Served]:
    """Serve the small model on a free port; more options of the command may be given."""
    with subprocess.Popen(
        [sys.executable, "-m", "riskbox.sandbox.cli", "local-server", "--port", "0", "--json", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            line = process.stdout.readline()
            assert line, f"`make local-model` installs what this needs. {process.stderr.read()}"
            told = json.loads(line)
            yield Served(told["url"], told["model"], process)
        finally:
            process.kill()
