"""Measures what the stub server costs a request; prints, asserts nothing.

    python tests/benchmarks/stub.py [--requests 5000] [--in-flight 100]

The server is a process of its own, so that its CPU time can be told from the client's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from typing import Any

import aiohttp
import psutil

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": f"mail__tool_{place}",
            "description": "Sends a message to somebody.",
            "parameters": {
                "type": "object",
                "properties": {"to": {"type": "string"}, "body": {"type": "string"}},
                "required": ["to", "body"],
            },
        },
    }
    for place in range(10)
]
TURN = "Words that somebody says in the middle of a conversation. " * 4
HISTORY = [{"role": ("user", "assistant")[place % 2], "content": f"{place} {TURN}"} for place in range(21)]
BODIES: dict[str, dict[str, Any]] = {
    "one line": {"model": "stub", "messages": [{"role": "user", "content": "Hello."}]},
    "21 turns, 10 tools": {"model": "stub", "messages": HISTORY, "tools": TOOLS},
    "21 turns, 10 tools, streamed": {"model": "stub", "messages": HISTORY, "tools": TOOLS, "stream": True},
}


def main() -> None:
    """Start a server, measure each body, print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--in-flight", type=int, default=100)
    given = parser.parse_args()
    command = [sys.executable, "-m", "riskbox.sandbox.cli", "stub-server", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"] + "/v1/chat/completions"
            for name, body in BODIES.items():
                cpu, wall = asyncio.run(_measure(url, body, given.requests, given.in_flight, server.pid))
                print(
                    f"{name:<30} {cpu:.3f} ms of CPU a request, {given.requests / wall:,.0f} requests a second"
                )
        finally:
            server.terminate()


async def _measure(
    url: str, body: dict[str, Any], count: int, in_flight: int, pid: int
) -> tuple[float, float]:
    raw = json.dumps(body).encode()
    process = psutil.Process(pid)

    async def some(session: aiohttp.ClientSession, many: int) -> None:
        for _ in range(many):
            async with session.post(url, data=raw) as response:
                await response.read()
                assert response.status == 200

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=in_flight)) as session:
        await some(session, 50)
        cpu, wall = sum(process.cpu_times()[:2]), time.perf_counter()
        await asyncio.gather(*(some(session, count // in_flight) for _ in range(in_flight)))
        return (sum(process.cpu_times()[:2]) - cpu) / count * 1000, time.perf_counter() - wall


if __name__ == "__main__":
    main()
