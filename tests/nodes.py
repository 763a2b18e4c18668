"""Ray nodes as processes of their own, each started as `ray start` starts one on a machine, and killed as a machine dies."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

BIN = Path(sys.executable).parent
ENV = {**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "NO_COLOR": "1"}


class Nodes:
    """A cluster on loopback, whose nodes come and go.

    Args:
        port: The port of its head.
        folder: Where its nodes write their logs.
    """

    def __init__(self, port: int, folder: Path) -> None:
        self.address, self.port, self.folder = f"127.0.0.1:{port}", port, folder
        self.nodes: list[subprocess.Popen[bytes]] = []

    def start(self, cpus: int = 1) -> subprocess.Popen[bytes]:
        """Start one more node, the head first, and wait until the cluster knows it."""
        head = ["--head", f"--port={self.port}", "--include-dashboard=false"]
        words = [*([f"--address={self.address}"] if self.nodes else head), f"--num-cpus={cpus}", "--block"]
        command = [
            str(BIN / "ray"), "start", *words, "--node-ip-address=127.0.0.1", "--object-store-memory=100000000",
        ]  # fmt: skip
        with (self.folder / f"node{len(self.nodes)}.log").open("w") as log:
            node = subprocess.Popen(
                command, env=ENV, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self.nodes.append(node)
        alive = sum(one.poll() is None for one in self.nodes)
        code = (
            "import ray, sys, time\n"
            "for _ in range(120):\n"
            "    try:\n"
            f"        ray.init(address={self.address!r}, log_to_driver=False, logging_level='ERROR')\n"
            f"        if sum(n['Alive'] for n in ray.nodes()) >= {alive}: sys.exit(0)\n"
            "    except ConnectionError: pass\n"
            "    ray.shutdown(); time.sleep(0.5)\n"
            "sys.exit(1)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], env=ENV, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0 and node.poll() is None, done.stderr[-2000:]
        return node

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


def until(holds: object, seconds: float = 90) -> None:
    """Wait until a function says yes."""
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.1)
