"""Ray nodes as processes of their own, each started as `ray start` starts one on a machine, and killed as a machine dies."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from tests.command import environment

TOKEN = "0123456789abcdef" * 4
BIN = Path(sys.executable).parent
ENV = {
    **environment(), "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN, "RAY_USAGE_STATS_ENABLED": "0", "NO_COLOR": "1",
    "COLUMNS": "120",
}  # fmt: skip
"""What nodes and those who join them are told: all share a token, as docs/cluster.md says."""
ATTEMPTS = 4
"""How often a node is started: `ray start` gives up after 30 seconds, which a busy machine may take."""


class Nodes:
    """A cluster whose nodes come and go.

    Args:
        port: The port of its head.
        folder: Where its nodes write their logs.
        host: The address of its head.
        env: The environment of its nodes.
    """

    def __init__(
        self, port: int, folder: Path, *, host: str = "127.0.0.1", env: Mapping[str, str] = ENV
    ) -> None:
        self.address, self.port, self.folder, self.host, self.env = (
            f"{host}:{port}", port, folder, host, env,
        )  # fmt: skip
        self.nodes: list[subprocess.Popen[bytes]] = []

    def start(
        self, cpus: int = 1, *, host: str = "", env: Mapping[str, str] = {}, within: Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        """Start one more node, the head first, and wait until it is up.

        Args:
            cpus: How many cores it says that it has.
            host: Its address; that of the head by default.
            env: What its environment has besides that of all nodes.
            within: A command that it is started by, such as `ip netns exec NAME`.
        """
        head = ["--head", f"--port={self.port}", "--include-dashboard=false"]
        words = [*([f"--address={self.address}"] if self.nodes else head), f"--num-cpus={cpus}", "--block"]
        command = [
            *within, str(BIN / "ray"), "start", *words, f"--node-ip-address={host or self.host}",
            "--object-store-memory=100000000",
        ]  # fmt: skip
        file = self.folder / f"node{len(self.nodes)}.log"
        for _ in range(ATTEMPTS):
            with file.open("w") as log:
                node = subprocess.Popen(
                    command, env={**self.env, **env}, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
                )  # fmt: skip
            self.nodes.append(node)
            while node.poll() is None:
                if "Ray runtime started" in file.read_text():
                    return node
                time.sleep(0.2)
            self.nodes.remove(node)
        raise AssertionError(file.read_text()[-3000:])

    def kill(self, node: subprocess.Popen[bytes]) -> None:
        """Kill -9 of all that runs on a node."""
        if node.poll() is None:
            for one in [*psutil.Process(node.pid).children(recursive=True), psutil.Process(node.pid)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
        node.wait()

    def running(self, node: subprocess.Popen[bytes], title: str) -> list[psutil.Process]:
        """The processes of a node that bear this title."""
        found = []
        for one in psutil.Process(node.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                found += [one] if any(title in word for word in one.cmdline()) else []
        return found

    def close(self) -> None:
        """Kill all nodes, the head last."""
        for node in reversed(self.nodes):
            self.kill(node)


def until(holds: Callable[[], object], seconds: float = 90) -> None:
    """Wait until a function says yes."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.1)
