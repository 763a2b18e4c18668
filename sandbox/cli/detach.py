"""`riskbox run --detach`: the run is played by a process of its own, which needs no terminal."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from riskbox.sandbox.cli.options import same_store
from riskbox.sandbox.errors import InputError

VARIABLE = "RISKBOX_DETACHED"
"""Tells the process that plays: the file descriptor on which it says that the run has begun, and its log."""


@dataclass(frozen=True)
class Detached:
    """What the process knows that plays a run on its own."""

    pipe: int
    """Where it says that the run has begun."""
    log: str
    """The file of its output."""

    def tell(self, run: str) -> None:
        """Say that the run has begun, once."""
        with contextlib.suppress(OSError):  # whoever waited for it may be gone
            os.write(self.pipe, run.encode())
        os.close(self.pipe)


def begun() -> Detached | None:
    """What this process was told if it plays a run on its own; None if it does not."""
    pipe, _, log = os.environ.pop(VARIABLE, "").partition(" ")
    if not pipe:
        return None
    os.set_inheritable(int(pipe), False)
    # its session has no terminal; a hangup that is sent to all processes is not meant for it
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return Detached(int(pipe), log)


def start(given: argparse.Namespace, argv: Sequence[str]) -> int:
    """Start the process, and return once the run has begun; what keeps it from that is told as `riskbox run` tells it.

    Raises:
        InputError: it cannot be done, or cannot be done here.
    """
    if given.dry_run:
        raise InputError("run: --dry-run plays nothing, so it cannot be combined with --detach.")
    if sys.platform == "win32":
        raise InputError("run: --detach needs Linux or macOS. Play in a second window instead.")
    log = _log()
    ours, theirs = os.pipe()
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "riskbox.sandbox.cli", "run", *argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, VARIABLE: f"{theirs} {log}"},
            pass_fds=(theirs,),
            start_new_session=True,
        )
    os.close(theirs)
    try:
        with os.fdopen(ours, "rb") as told:
            run = told.read().decode()
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        raise
    if not run:
        code = child.wait()
        print(log.read_text("utf-8", "replace"), end="", file=sys.stderr if code else sys.stdout)
        log.unlink()
        return code if code >= 0 else 3
    child.returncode = 0  # it goes on; nobody waits for it here
    if given.json:
        print(json.dumps({"run": run, "process": child.pid, "log": str(log)}))
        return 0
    where = same_store(given.store)
    print(f"Run {run} is played by process {child.pid}. It goes on when this terminal is closed.")
    print(f"  riskbox attach {run}{where}    shows its progress")
    print(f"  riskbox attach {run} --stop{where}    stops it")
    print(f"  log: {log}")
    return 0


def _log() -> Path:
    """A new file in the user's state folder."""
    state = os.environ.get("XDG_STATE_HOME", "")
    folder = (Path(state) if os.path.isabs(state) else Path.home() / ".local" / "state") / "riskbox" / "runs"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = folder / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}.log"
        log.touch(mode=0o600)
    except OSError as error:
        raise InputError(
            f"run: cannot write the log of a detached run: {error}. Set XDG_STATE_HOME to a folder of yours."
        ) from None
    return log
