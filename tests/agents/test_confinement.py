"""What a process: and an mcp: agent may use and see, and what outlives it: real processes, real kills."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from riskbox.agents import process
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.episode.playing import PreparedCases, make_participants, play_episode
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.processes.confinement import UNCONFINED, Confinement
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.event import AGENT_CRASHED
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.trajectory import Trajectory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="orphans and memory are kept on Linux")

CASE = next(
    one
    for one in cases([load(Path(__file__).parent.parent / "sandbox" / "cases" / "records.yaml")])
    if one.id.endswith("/owner")
)
Write = Callable[[str], str]

ANSWERS = """
for line in sys.stdin:
    if json.loads(line)["type"] == "turn":
        {deed}
        print(json.dumps({{"content": {answer}}}), flush=True)
"""
ORPHAN = """
import subprocess
child = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
between = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)"
orphan = subprocess.run([sys.executable, "-c", between], capture_output=True, text=True, start_new_session=True).stdout
"""
"""Starts a process in a session of its own whose parent has ended: nothing but an adoption finds it."""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a program and gives the command that runs it."""

    def one(code: str) -> str:
        path = tmp_path / "my agent.py"
        path.write_text("import json, os, sys, time\n" + textwrap.dedent(code))
        return shlex.join([sys.executable, str(path)])

    return one


def played(agent: str, confinement: Confinement = UNCONFINED) -> Played:
    spec = Spec.of(CASE.hash, Cast(agent=agent), 1)
    prepared = PreparedCases({CASE.hash: CASE}).of(CASE.hash)
    seats = make_participants(spec, CASE, None, confinement)
    return asyncio.run(play_episode("t", spec, prepared, seats, [], Timeouts(turn=30)))


def said(one: Played) -> list[str]:
    return [line.text for line in Trajectory(one.episode.events).said("agent")]


def gone(pid: int) -> bool:
    """Whether a process ends; one that was killed takes a moment."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


# --- what outlives it -------------------------------------------------------------------------------------------


def test_an_orphan_in_a_session_of_its_own_ends_with_the_episode(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE", 0.3)
    pid = tmp_path / "pid"
    command = write(
        f"{ORPHAN}\nopen({str(pid)!r}, 'w').write(orphan)\n" + ANSWERS.format(deed="pass", answer="'Hm.'")
    )
    assert played(f"process:{command}").episode.ended.ending == "terminated"
    assert gone(int(pid.read_text()))


DRIVER = """
import asyncio, sys
from riskbox.sandbox.processes.confinement import UNCONFINED, Confinement
from riskbox.agents.process import ChildProcess, words

async def main():
    child = await ChildProcess.started("agent", words("process", sys.argv[1]), Confinement(memory=2**30))
    await asyncio.sleep(600)

asyncio.run(main())
"""


def test_all_ends_when_riskbox_is_killed(write: Write, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = write(
        f"{ORPHAN}\nopen({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}} {{orphan}} .')\ntime.sleep(600)"
    )
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, command])
    try:
        while not (pids.exists() and pids.read_text().endswith(".")):
            assert driver.poll() is None
            time.sleep(0.02)
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    agent, keeper, orphan = map(int, pids.read_text().split()[:3])
    assert (gone(agent), gone(keeper), gone(orphan)) == (True, True, True)


def test_one_that_kills_its_keeper_ends_and_hangs_nobody(write: Write) -> None:
    one = played(f"process:{write('os.kill(os.getppid(), 9); time.sleep(60)')}")
    assert (one.episode.ended.ending, one.episode.ended.reason) == ("fault", AGENT_CRASHED)


def test_one_that_stops_its_keeper_hangs_nobody(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE", 0.3)
    pid = tmp_path / "pid"
    deed = f"open({str(pid)!r}, 'w').write(str(os.getpid())); os.kill(os.getppid(), 19)"
    assert said(played(f"process:{write(ANSWERS.format(deed=deed, answer=repr('Hm.')))}"))
    assert gone(int(pid.read_text()))


# --- memory -----------------------------------------------------------------------------------------------------

HOARD = "bytearray(b'x' * 2**20) * 400"
"""400 MB."""
IN_CHILD = f"""subprocess.run([sys.executable, "-c", "import time; kept = {HOARD}; time.sleep(60)"])"""


@pytest.mark.parametrize("deed", [f"kept = {HOARD}; time.sleep(60)", IN_CHILD], ids=["itself", "its child"])
def test_one_that_uses_too_much_memory_is_ended_and_what_it_did_is_kept(write: Write, deed: str) -> None:
    code = f"""
import subprocess
turns = 0
for line in sys.stdin:
    if json.loads(line)["type"] == "turn":
        turns += 1
        if turns == 2:
            {deed}
        print(json.dumps({{"content": f"Answer {{turns}}."}}), flush=True)
"""
    one = played(f"process:{write(code)}", Confinement(memory=200 * 2**20))
    ended = one.episode.ended
    assert (ended.ending, ended.reason) == ("fault", AGENT_CRASHED)
    assert "the agent's process used 0." in ended.detail
    assert "GB, more than --agent-memory 0.195, and was ended" in ended.detail
    assert said(one) == ["Answer 1."]


def test_many_that_stay_below_the_limit_play_on(write: Write) -> None:
    hoard = "bytearray(b'x' * 2**20) * 100"
    one = played(
        f"process:{write(f'kept = {hoard}' + ANSWERS.format(deed='time.sleep(0.2)', answer=repr('Hm.')))}",
        Confinement(memory=200 * 2**20),
    )
    assert one.episode.ended.ending == "terminated"


def test_pages_that_processes_share_count_once(write: Write) -> None:
    code = """
kept = bytearray(b'x' * 2**20) * 120
for _ in range(3):
    if not os.fork():
        time.sleep(60)
        os._exit(0)
time.sleep(1)
"""
    command = write(code + ANSWERS.format(deed="pass", answer="'Hm.'"))
    assert played(f"process:{command}", Confinement(memory=250 * 2**20)).episode.ended.ending == "terminated"


# --- the environment --------------------------------------------------------------------------------------------

TELLS = ANSWERS.format(deed="pass", answer="json.dumps(sorted(os.environ.items()))")


def seen(command: str, confinement: Confinement = UNCONFINED) -> dict[str, str]:
    return dict(json.loads(said(played(f"process:{command}", confinement))[0]))


def test_it_sees_what_it_needs_and_what_is_let_through(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "RISKBOX_STORE", "ANYTHING", "AGENT_KEY"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("LC_TIME", "C")
    command = write(TELLS)
    found = seen(command)
    assert found["LC_TIME"] == "C" and found["PATH"] == os.environ["PATH"]
    assert "secret" not in found.values()
    let = seen(command, Confinement.of(env=["AGENT_KEY", "MODE=a=b"]))
    assert (let["AGENT_KEY"], let["MODE"]) == ("secret", "a=b")
    assert [name for name, value in let.items() if value == "secret"] == ["AGENT_KEY"]


@pytest.mark.parametrize("wrong", ["", "=x", "A B"])
def test_a_wrong_name_is_told(wrong: str) -> None:
    with pytest.raises(InputError, match="agent_env: write NAME, or NAME=VALUE"):
        Confinement.of(env=[wrong])


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan")])
def test_a_wrong_limit_is_told(wrong: float) -> None:
    with pytest.raises(InputError, match="agent_memory must be above 0"):
        Confinement.of(memory=wrong)
