"""MCP clients that break, hang, flood or never end: each is a fault or a limit that says so, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from riskbox.agents import process
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.words.event import AGENT_CRASHED, Called
from tests.agents.mcp_clients import (
    PLAIN,
    WriteClient,
    changed,
    ended,
    played,
    playing,
    said,
)

pytestmark = pytest.mark.usefixtures("leaves_nothing")

FAULTS = [
    ("sys.stderr.write('no model\\n'); sys.exit(3)", "{message}", "ended with exit code 3. Its stderr ends with: no model"),
    ("sys.stderr.write(os.environ['RISKBOX_MCP_TOKEN']); sys.exit(1)", "{message}", "stderr ends with: (the token)"),
    ("while True: print('x' * 10000)", "{message}", "wrote more than 4,194,304 bytes: xxx"),
    ("os.close(1); time.sleep(60)", "{message}", "closed its output"),
    ("os.kill(os.getpid(), 9)", "{message}", "was ended by SIGKILL"),
    ("sys.exit(3)", "", "ended with exit code 3 without an answer"),
    ("while True: sys.stdout.write('x' * 10000)", "", "wrote a line of more than 4,194,304 bytes"),
    ("print('not JSON')", "", "answered something that is not JSON"),
    ("print(os.environ['RISKBOX_MCP_TOKEN'])", "", "): (the token)"),
    (
        """print('{"tool_calls": [{"function": {"name": "clinic__read_record"}}]}')""",
        "",
        "answered with tool calls; it must call tools over MCP",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("code", "asked", "told"), FAULTS)
def test_what_goes_wrong_is_a_fault_that_says_so(
    write_client: WriteClient, code: str, asked: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE", 0.5)
    ending = ended(f"{write_client('import os, sys, time', code)} {asked}")
    assert (ending.ending, ending.reason) == ("fault", AGENT_CRASHED)
    assert told in ending.detail


def test_a_message_too_long_for_a_command_line_is_a_fault(write_client: WriteClient) -> None:
    case = changed(("Hi, Dana Wu here. When is my next visit?", "x" * 200_000))
    ending = ended(f"{write_client('print(1)')} {{message}}", case=case)
    assert ending.ending == "fault" and "cannot be started: Argument list too long" in ending.detail


@pytest.mark.parametrize("asked", ["{message}", pytest.param("", marks=pytest.mark.long)])
def test_one_that_takes_too_long_is_cut_off_with_all_it_started(
    write_client: WriteClient, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE", 0.5)
    command = write_client(
        PLAIN,
        """
        import signal, subprocess
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"])
        hello()
        call("clinic__read_record", patient="P-104")
        time.sleep(600)
    """,
    )
    one = played(f"{command} {asked}", patience=Timeouts(turn=3))
    assert (one.episode.ended.ending, one.episode.ended.reason) == ("truncated", "turn_seconds")
    assert any(isinstance(event, Called) for event in one.episode.events)


def test_one_that_leaves_a_child_behind_is_answered_all_the_same(
    write_client: WriteClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE", 0.5)
    command = write_client("""
        import subprocess, sys
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print("Here.")
    """)
    one = played(f"{command} {{message}}")
    assert (one.episode.ended.reason, set(said(one))) == ("user_left", {"Here."})


def test_a_stopped_episode_ends_its_agent(write_client: WriteClient, tmp_path: Path) -> None:
    note = tmp_path / "note"
    command = write_client(
        PLAIN,
        f"""
        hello()
        open({str(note)!r}, "w").close()
        time.sleep(600)
    """,
    )

    async def stopped() -> None:
        one = asyncio.create_task(playing(command))
        while not note.exists():
            await asyncio.sleep(0.01)
        one.cancel()
        assert isinstance((await asyncio.gather(one, return_exceptions=True))[0], asyncio.CancelledError)

    asyncio.run(stopped())


def test_calls_without_end_are_ended_by_the_scenarios_limit(write_client: WriteClient) -> None:
    command = write_client(
        PLAIN,
        """
        hello()
        while True:
            call("clinic__read_record", patient="P-104")
    """,
    )
    one = played(f"{command} {{message}}")
    assert (one.episode.ended.ending, one.episode.ended.reason) == ("truncated", "tool_calls")
