"""Participant actors under a keeper: limited in memory, with a part of the environment, and nothing that outlives them."""

from __future__ import annotations

import asyncio
import os
import secrets
import shlex
import sys
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from riskbox.sandbox.processes.confinement import Confinement
from riskbox.sandbox.processes.environment import ALLOWED, RAY, is_allowed

ASKING = 30.0
"""Seconds that another machine may take to say why a process was ended there."""
_START = """
python=$(tr "\\0" "\\n" </proc/$PPID/cmdline | sed -n "s/^--python_worker_command=\\([^ ]*\\).*/\\1/p")
[ -x "$python" ] || python=python3
options=$1; shift
[ "$1" = python ] && { shift; set -- "$python" "$@"; }
exec "$python" -P -c "from riskbox.sandbox.processes.keeper import main; main()" "$options" "$@"
"""
"""Runs a keeper with the Python of the machine's own raylet: nobody here knows where that machine has it."""


def report_file() -> str:
    """Where the keeper of a new process says that it used too much memory, on whichever machine that is."""
    return f"/tmp/riskbox-keeper-{secrets.token_hex(8)}"


def kept(confinement: Confinement, report: str, limit: int | None) -> dict[str, Any]:
    """Options of an actor whose process shall be kept; none where the system has no way to.

    Args:
        confinement: What it may use and see.
        report: Where its keeper reports.
        limit: The bytes of memory that it may use with all that it starts; None for no limit.
    """
    if sys.platform != "linux":
        return {}
    allowed = " ".join((*ALLOWED, *RAY, *confinement.names))
    options = f"allowed={allowed}" + ("" if limit is None else f"\nmemory={limit}\nreport={report}")
    python = ray.get_runtime_context().runtime_env.get("py_executable") or "python"
    words = shlex.join(["sh", "-c", _START, "riskbox-keeper", options])
    return {"runtime_env": {"py_executable": f"{words} {python}"}}


def confine(confinement: Confinement) -> None:
    """Take from this process's environment what the user's code shall not see, and set what it shall."""
    for name in list(os.environ):
        if not is_allowed(name, (*RAY, *confinement.names)):
            del os.environ[name]
    os.environ.update(confinement.values)


async def used_before_its_end(report: str, where: Any) -> int:
    """Bytes of memory that a process used which was ended for that; 0 if that was not why it ended.

    Args:
        report: Where its keeper reported.
        where: The answer of the actor to the question on which machine it is.
    """
    try:
        async with asyncio.timeout(ASKING):
            node = await where
            if node == ray.get_runtime_context().get_node_id():
                return _read(report)
            there = NodeAffinitySchedulingStrategy(node, soft=False)
            used: int = await _asked.options(scheduling_strategy=there).remote(report)
            return used
    except (ray.exceptions.RayError, TimeoutError):
        return 0  # it never ran, or its machine is gone


def _read(report: str) -> int:
    try:
        with open(report, encoding="utf-8") as file:
            used = int(file.read() or 0)
        os.unlink(report)
    except (OSError, ValueError):
        return 0
    return used


_asked: Any = ray.remote(num_cpus=0)(_read)
