"""Machines on one machine: network namespaces of their own on one bridge, whose links are cut, slowed and healed."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import psutil
import pytest

PREFIX = "rbx"
NET = "198.18.213."
"""Addresses that are set aside for tests of networks."""


def ip(*words: str) -> str:
    """What `ip WORDS...` prints.

    Raises:
        OSError: it fails, or is not there.
    """
    return _said("ip", *words)


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Network:
    """Machines that reach each other over a bridge, which the test reaches as well."""

    def __init__(self) -> None:
        self.name = f"{PREFIX}{os.getpid()}"
        self.machines: list[str] = []

    def open(self) -> None:
        """Make the bridge; skips the test where that is not allowed here."""
        remove_orphans()
        try:
            ip("link", "add", self.name, "type", "bridge")
            ip("address", "add", f"{NET}254/24", "dev", self.name)
            ip("link", "set", self.name, "up")
            self.add("probe")
        except OSError as error:
            self.close()
            pytest.skip(f"no network namespaces on this machine: {error}")

    def add(self, machine: str) -> str:
        """One more machine; returns its address."""
        space = self._space(machine)
        ip("netns", "add", space)
        self.machines.append(machine)
        link, address = self._link(machine), self.address(machine)
        ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space)
        ip("link", "set", link, "master", self.name, "up")
        ip("-n", space, "address", "add", f"{address}/24", "dev", "eth0")
        for one in ("lo", "eth0"):
            ip("-n", space, "link", "set", one, "up")
        ip("-n", space, "route", "add", "default", "via", f"{NET}254")
        return address

    def address(self, machine: str) -> str:
        return f"{NET}{self.machines.index(machine) + 1}"

    def on(self, machine: str) -> list[str]:
        """The command that starts a command on a machine."""
        return ["ip", "netns", "exec", self._space(machine)]

    def cut(self, machine: str) -> None:
        """Pull its cable: what is sent is lost, and no connection is told."""
        ip("link", "set", self._link(machine), "down")

    def heal(self, machine: str) -> None:
        """Plug its cable in, and let it be as fast as before."""
        ip("link", "set", self._link(machine), "up")
        with contextlib.suppress(OSError):
            _said("tc", "qdisc", "del", "dev", self._link(machine), "root")

    def slow(self, machine: str) -> None:
        """What is sent to it comes 200 ms late or, where the kernel cannot do that, at 400 kbit a second."""
        words = ("tc", "qdisc", "add", "dev", self._link(machine), "root")
        try:
            _said(*words, "netem", "delay", "200ms")
        except OSError:
            _said(*words, "tbf", "rate", "400kbit", "burst", "16kb", "latency", "2s")

    def close(self) -> None:
        """End all that runs on the machines, and remove them and the bridge."""
        _remove(self.name)

    def _space(self, machine: str) -> str:
        return f"{self.name}-{machine}"

    def _link(self, machine: str) -> str:
        return f"{self.name}-{self.machines.index(machine)}"


def remove_orphans() -> None:
    """Remove what tests left that were killed."""
    with contextlib.suppress(OSError):
        for name in {one.name.split("-")[0] for one in Path("/run/netns").glob(f"{PREFIX}*-*")}:
            if not psutil.pid_exists(int(name.removeprefix(PREFIX))):
                _remove(name)


def _remove(name: str) -> None:
    for space in Path("/run/netns").glob(f"{name}-*"):
        with contextlib.suppress(OSError):
            for pid in ip("netns", "pids", space.name).split():
                with contextlib.suppress(psutil.NoSuchProcess):
                    psutil.Process(int(pid)).kill()
        with contextlib.suppress(OSError):
            ip("netns", "delete", space.name)
    # a namespace goes when its last process has gone, and its link with it, which would be too late for the next test
    for link in [*Path("/sys/class/net").glob(f"{name}-*"), Path(name)]:
        with contextlib.suppress(OSError):
            ip("link", "delete", link.name)
