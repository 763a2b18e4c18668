"""`riskbox stub-server` as a user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from riskbox.sandbox.stub.models import MODELS

Command = Callable[..., subprocess.CompletedProcess[str]]


@contextmanager
def started(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, running, and the first line it prints."""
    with subprocess.Popen(
        [sys.executable, "-m", "riskbox.sandbox.cli", "stub-server", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def test_it_answers_until_ctrl_c() -> None:
    with started("--port", "0") as (process, line):
        assert line.startswith("The stub listens at http://127.0.0.1:")
        url = line.split()[4]
        assert process.stdout is not None and process.stderr is not None
        shown = [process.stdout.readline() for _ in range(4)]
        assert f"  riskbox run --agent {url}/v1#stub\n" in shown
        assert any(f"OPENAI_API_BASE={url}/v1 " in line and "--agent openai/stub" in line for line in shown)
        sent = {"model": "stub-echo", "messages": [{"role": "user", "content": "Still there?"}]}
        with httpx.Client(verify=False) as client:
            got = client.post(f"{url}/v1/chat/completions", json=sent).json()
            assert got["choices"][0]["message"]["content"] == "Still there?"
            # the connection is open while it ends
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130
        assert process.stderr.read() == "riskbox: stopped.\n"


def test_for_programs_and_in_bad_weather() -> None:
    with started("--port", "0", "--json", "--fail-rate", "1", "--seed", "3", "--delay", "0.05") as (_, line):
        url = json.loads(line)["url"]
        statuses = set()
        with httpx.Client(verify=False, timeout=0.5) as client:
            for _ in range(12):
                sent = {"model": "stub", "messages": [{"role": "user", "content": "Hi."}]}
                try:
                    statuses.add(client.post(f"{url}/v1/chat/completions", json=sent).status_code)
                except httpx.ReadTimeout:
                    statuses.add(0)
        assert statuses == {429, 500, 0}


def test_a_port_in_use(command: Command) -> None:
    with started("--port", "0", "--json") as (_, line):
        port = json.loads(line)["url"].rpartition(":")[2]
        done = command("stub-server", "--port", port)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            f"riskbox: stub-server: port {port} of 127.0.0.1 is in use; choose another, or 0 for any free one.\n"
        )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--port", "70000"], "--port must be from 0 to 65535"),
        (["--port", "http"], "invalid int value: 'http'"),
        (["--delay", "-1"], "--delay must be 0 or more seconds"),
        (["--jitter", "nan"], "--jitter must be 0 or more seconds"),
        (["--fail-rate", "5"], "--fail-rate must be a share from 0 to 1"),
        (["--host", "no such host"], "cannot listen on no such host:8765"),
    ],
)
def test_wrong_options(command: Command, words: list[str], told: str) -> None:
    done = command("stub-server", *words)
    assert done.returncode == 2 and told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_help(command: Command) -> None:
    done = command("stub-server", "--help")
    assert done.returncode == 0 and "examples:\n  riskbox stub-server" in done.stdout
    told = " ".join(done.stdout.split())
    assert all(f"{name} {model.about}" in told for name, model in MODELS.items())
