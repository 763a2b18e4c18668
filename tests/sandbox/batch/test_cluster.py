"""Ray on this machine: how it starts, how it fails to, and who may reach it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.command import ENV, environment
from tests.conftest import Command


@pytest.fixture
def short(tmp_path: Path) -> Iterator[Path]:
    """A folder for Ray's files whose path is short enough for sockets, and unique enough to find its processes by."""
    folder = Path("/tmp") / f"rb{os.getpid()}{time.time_ns() % 10**6}"
    folder.mkdir()
    yield folder
    assert left_running(folder) == []
    subprocess.run(["rm", "-rf", folder], check=True)


def left_running(folder: Path) -> list[str]:
    """The names of the processes whose command line has that folder."""
    found = []
    for one in psutil.process_iter(["name", "cmdline"]):
        if one.pid != os.getpid() and any(str(folder) in word for word in one.info["cmdline"] or ()):
            found.append(str(one.info["name"]))
    return found


def processes(folder: Path, name: str) -> list[psutil.Process]:
    return [
        one
        for one in psutil.process_iter(["name", "cmdline"])
        if one.info["name"] == name and any(str(folder) in word for word in one.info["cmdline"] or ())
    ]


@pytest.mark.cluster
def test_ray_that_does_not_start_is_one_sentence_and_leaves_no_process(
    riskbox: Command, records: Path, short: Path
) -> None:
    done = riskbox(
        "run", records, "--agent", "idle", "--quiet",
        RAY_TMPDIR=str(short), RAY_gcs_storage="nonsense", timeout=300,
    )  # fmt: skip
    first, last = [line for line in done.stderr.splitlines() if line.startswith("riskbox:")]
    assert done.returncode == 3 and "Traceback" not in done.stderr + done.stdout
    assert first.startswith("riskbox: Ray did not start: ") and first.endswith("Trying once more.")
    assert last.startswith("riskbox: Ray did not start on this machine, tried 2 times: ") and "--local" in last  # fmt: skip
    assert left_running(short) == []


@pytest.mark.cluster
def test_a_slow_start_is_tried_once_more_and_the_run_is_played(
    tmp_path: Path, records: Path, short: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "riskbox.sandbox.cli",
        "run",
        str(records),
        "--agent",
        "idle",
        "--workers",
        "1",
    ]
    run = subprocess.Popen(
        command, cwd=tmp_path, env={**environment(), **ENV, "RAY_TMPDIR": str(short)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (seen := processes(short, "raylet")) and time.monotonic() < deadline:
        time.sleep(0.02)
    [stopped] = seen
    stopped.send_signal(signal.SIGSTOP)  # a raylet that gets no processor time for longer than Ray waits
    out, err = run.communicate(timeout=300)
    assert run.returncode == 0, err
    assert "Ray did not start: " in err and "Trying once more." in err and "Traceback" not in err
    assert "6/6 episodes" in out + err
    assert not stopped.is_running() and left_running(short) == []


@pytest.mark.long
def test_a_cluster_of_this_machine_listens_on_loopback_and_wants_its_own_token(
    tmp_path: Path, short: Path
) -> None:
    script = """
import json, os, psutil, ray
from riskbox.sandbox.batch.actors import cluster
with cluster.cluster(None):
    @ray.remote
    def there(): return os.environ.get("RAY_AUTH_TOKEN"), os.environ.get("RAY_AUTH_MODE")
    token = ray.get(there.remote())
    me = psutil.Process()
    heard = sorted({c.laddr.ip for p in [me, *me.children(recursive=True)] for c in p.net_connections("inet") if c.status == "LISTEN"})
after = {name: os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_MODE", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER")}
print(json.dumps([token, heard, after]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=200,
        env={**environment(), **ENV, "RAY_TMPDIR": str(short), "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (token, mode), heard, after = json.loads(done.stdout)
    assert len(token) == 64 and mode == "token"
    assert heard and set(heard) <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
    assert set(after.values()) == {None}, "what comes later in this process is as it was"
    assert not (tmp_path / ".ray").exists(), "no token is left that would change the user's own clusters"
