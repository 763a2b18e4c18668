"""Whether the driver of a run lives: by the age of its last beat, and on its own machine by its process as well."""

from __future__ import annotations

import os
import platform
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from riskbox.sandbox.words.heartbeat import Heartbeat
from riskbox.sandbox.words.run import Manifest


def stamped(beat: Heartbeat, now: float) -> Heartbeat:
    """A heartbeat that beats now, by the store's clock and by this machine's."""
    return beat.model_copy(update={"at": now, "clock": time.monotonic()})


def is_living(beat: Heartbeat, now: float) -> bool:
    """Whether a driver lives.

    On the driver's own machine a process that is gone is dead at once, and a clock that somebody sets does no harm.

    Args:
        beat: Its last heartbeat.
        now: The time of the store's clock, in epoch seconds.
    """
    age = now - beat.at
    if beat.boot and beat.boot == boot():
        if not _runs(beat.pid, beat.born):
            return False
        age = time.monotonic() - beat.clock
    # a beat from the future is of a clock that was set back meanwhile: a living driver soon beats again
    return abs(age) <= beat.silence


def with_life(made: Manifest, beat: Heartbeat | None, now: float) -> Manifest:
    """A manifest whose state says `dead` where it should be running and its driver is not."""
    if made.state == "running" and beat is not None and not is_living(beat, now):
        return made.model_copy(update={"state": "dead"})
    return made


def who(beat: Heartbeat, now: float) -> str:
    """Who drives a run, since when, and when that was last heard of, as part of a sentence."""
    last = datetime.fromtimestamp(beat.at, UTC).isoformat(timespec="seconds")
    ago = f", {now - beat.at:.0f} s ago" if now >= beat.at else ""
    return f"process {beat.pid} on {beat.host} since {beat.started} (last heartbeat {last}{ago})"


@cache
def boot() -> str:
    """This start of this machine, and the numbering of processes that this process sees; empty where neither is known."""
    try:
        machine = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{machine} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def born(pid: int) -> str:
    """When a process of this machine began, in clock ticks since the machine did; empty where it is gone or unknown."""
    try:
        # the name stands in brackets and may hold any character
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode()


def host() -> str:
    """The name of this machine."""
    return platform.node() or "unknown"


def _runs(pid: int, since: str) -> bool:
    return born(pid) == since != ""
