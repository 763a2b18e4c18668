"""Keeping a command from files, from the network, or from both, with bubblewrap (`bwrap`) on Linux."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from glob import glob

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.processes.confinement import Confinement

SCRATCH = "/dev/shm"
"""Where a command that may not write files has a folder of its own, in memory, that ends with it: its TMPDIR."""
ROOM = 2**30
"""Bytes of that folder where no limit of memory is given."""
_MACHINES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""By processor, how the kernel's filters name it, and the number of socket(2)."""
_IO_URING = 425
_FAMILIES = (2, 10, 16)
"""Families of sockets that a network namespace keeps apart: IPv4, IPv6, netlink. A socket that is a file would be a way out
to whoever listens there, and so would one to the host of a virtual machine."""


def check_isolation(confinement: Confinement) -> None:
    """Make sure that commands can be isolated on this machine as a confinement wants.

    Raises:
        InputError: they cannot.
    """
    wanted = confinement.isolation
    if wanted == "none":
        return
    told = ""
    if sys.platform != "linux":
        told = "it needs Linux"
    elif shutil.which("bwrap") is None:
        told = "there is no bwrap; install bubblewrap"
    elif "network" in _kept_from(wanted) and platform.machine() not in _MACHINES:
        told = f"it needs one of the processors {', '.join(_MACHINES)}"
    else:
        with isolated(["true"], confinement) as (words, fds):
            done = subprocess.run(words, pass_fds=fds, capture_output=True, text=True, errors="replace")
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"bwrap ended with exit code {done.returncode}"]
            told = f"this machine forbids it ({lines[-1]})"
    if told:
        raise InputError(
            f"run: agent_isolation {wanted} is not possible on this machine: {told}. Or leave it out, and run Riskbox in a "
            "container that reaches nothing that matters."
        )


@contextmanager
def isolated(words: Sequence[str], confinement: Confinement) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """A command line that runs another one isolated, and the file descriptors that it must inherit."""
    if confinement.isolation == "none":
        yield list(words), ()
        return
    kept_from = _kept_from(confinement.isolation)
    made = ["bwrap", "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--cap-drop", "ALL"]
    if "files" in kept_from:
        room = str(confinement.memory or ROOM)
        made += [
            "--ro-bind",
            "/",
            "/",
            "--dev",
            "/dev",
            "--size",
            room,
            "--tmpfs",
            SCRATCH,
            "--setenv",
            "TMPDIR",
            SCRATCH,
        ]
        for device in glob("/dev/nvidia*"):
            made += ["--dev-bind-try", device, device]
    else:
        made += ["--dev-bind", "/", "/"]
    made += ["--proc", "/proc"]
    if "network" not in kept_from:
        yield [*made, "--", *words], ()
        return
    reads, writes = os.pipe()
    try:
        os.write(writes, _filter())
        os.close(writes)
        yield [*made, "--unshare-net", "--seccomp", str(reads), "--", *words], (reads,)
    finally:
        os.close(reads)


def _kept_from(isolation: str) -> tuple[str, ...]:
    return ("files", "network") if isolation == "full" else (isolation,)


def _filter() -> bytes:
    """A program for the kernel that refuses sockets which a network namespace does not keep apart."""
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    machine, socket = _MACHINES[platform.machine()]
    refused = 0x00050000 | errno.EACCES
    rules = [
        (load, 0, 0, 4),  # the processor; 32-bit programs have other numbers, and are refused all calls
        (equal, 0, 10, machine),
        (load, 0, 0, 0),  # the number of the call
        (at_least, 8, 0, 0x40000000),
        (equal, 7, 0, _IO_URING),  # it opens sockets, past all filters
        (equal, 0, 5, socket),
        (load, 0, 0, 16),  # the family
        *((equal, 3 - place, 0, family) for place, family in enumerate(_FAMILIES)),
        (answer, 0, 0, refused),
        (answer, 0, 0, 0x7FFF0000),
        (answer, 0, 0, refused),
    ]
    return b"".join(struct.pack("=HBBI", *rule) for rule in rules)
