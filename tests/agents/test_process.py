"""Agents that are processes: real ones, well-behaved and not."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from riskbox.agents import process
from riskbox.agents.process import Process
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.episode.playing import PreparedCases, play_episode
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.errors import PluginError
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.registry.agents import agent, check_agent_name
from riskbox.sandbox.registry.users import user
from riskbox.sandbox.rules.replay import catch_up, fork
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Played
from riskbox.sandbox.words.event import AGENT_CRASHED, Called, Ended
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.trajectory import Trajectory

CASE = next(
    one
    for one in cases([load(Path(__file__).parent.parent / "sandbox" / "cases" / "records.yaml")])
    if one.id.endswith("/owner")
)

READER = """
    history = []
    for line in sys.stdin:
        told = json.loads(line)
        if told["type"] == "brief":
            brief = told
            continue
        history += told["messages"]
        if history[-1]["role"] == "user":
            call = {"name": brief["tools"][1]["function"]["name"], "arguments": json.dumps({"patient": "P-104"})}
            print(json.dumps({"content": "One moment.", "tool_calls": [{"function": call}]}))
        else:
            print(json.dumps({"content": f"{len(history)} {json.loads(history[-1]['content'])['next_visit']}"}))
"""
"""Looks the patient up at each turn; nothing is flushed, as beginners write it."""

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a program and gives the command that runs it."""

    def one(code: str) -> str:
        path = tmp_path / "my agent.py"
        path.write_text("import json, os, sys, time\n" + textwrap.dedent(code))
        return shlex.join([sys.executable, str(path)])

    return one


def played(command: str, patience: Timeouts | None = None, case: Case = CASE) -> Played:
    spec = Spec.of(case.hash, Cast(agent=f"process:{command}"), 1)
    seats = {"user": user("scripted", case), "agent": agent(f"process:{command}", case)}
    prepared = PreparedCases({case.hash: case}).of(case.hash)
    return asyncio.run(play_episode("t", spec, prepared, seats, [], patience or Timeouts(turn=20)))


def ended(command: str, patience: Timeouts | None = None) -> Ended:
    return played(command, patience).episode.ended


def said(one: Played) -> list[str]:
    return [line.text for line in Trajectory(one.episode.events).said("agent")]


def test_it_plays_with_state_of_its_own(write: Write) -> None:
    one = played(write(READER))
    # per turn: what was said, what it answered with its call, the result; then its line and the next
    assert said(one) == ["One moment.", "3 2026-04-14", "One moment.", "7 2026-04-14"]
    call = next(event for event in one.episode.events if isinstance(event, Called))
    assert (call.tool, call.arguments) == ("clinic.read_record", {"patient": "P-104"})
    assert one.episode.ended.reason == "user_left"


def test_what_it_is_told_is_the_documented_form(write: Write, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = write(f"""
        for line in sys.stdin:
            open({str(log)!r}, "a").write(line)
            if json.loads(line)["type"] == "turn":
                print('{{"content": "Hm."}}')
    """)
    played(command)
    brief, *turns = map(json.loads, log.read_text().splitlines())
    assert set(brief) == {"type", "name", "policy", "tools"} and brief["name"] == "Northside front desk"
    assert "clinic__read_record" in [tool["function"]["name"] for tool in brief["tools"]]
    assert turns[0] == {
        "type": "turn",
        "messages": [{"role": "user", "content": "Hi, Dana Wu here. When is my next visit?"}],
    }
    assert [one["role"] for one in turns[1]["messages"]] == ["assistant", "user"]


def test_it_leaves(write: Write) -> None:
    command = write("""
        for line in sys.stdin:
            if json.loads(line)["type"] == "turn":
                print(json.dumps({"content": "Good day.", "leave": True}))
    """)
    one = played(command)
    assert said(one) == ["Good day."] and one.episode.ended.reason == "agent_left"


def test_a_null_answer_waits_and_blank_lines_are_nothing(write: Write) -> None:
    command = write("""
        for line in sys.stdin:
            if json.loads(line)["type"] == "turn":
                print("\\r\\n  ")
                print('{"content": null}')
    """)
    one = played(command)
    assert said(one) == [] and one.episode.ended.ending == "terminated"


BAD: list[tuple[str, str]] = [
    ("sys.stderr.write('no model\\n'); sys.exit(3)", "ended with exit code 3 without an answer"),
    ("sys.stderr.write('no model\\n'); sys.exit(3)", "Its stderr ends with: no model"),
    ("os.kill(os.getpid(), 9)", "was ended by SIGKILL"),
    ("os.close(1); time.sleep(60)", "closed its output without an answer. It wrote nothing to stderr."),
    ("print('Loading model...')", "not JSON"),
    ("print('[1, 2]')", "list"),
    ("print('7')", "int"),
    ('print(\'{"text": "Hi"}\')', "neither content nor tool_calls"),
    ("print('{\"content\": NaN}')", "NaN is not JSON"),
    ('print(\'{"content": {"a": 1}}\')', "content is dict, not text"),
    ("sys.stdout.write('[' * 200_000 + '\\n')", "not JSON"),
    ("sys.stdout.buffer.write(b'\\xff\\xfe{}\\n'); sys.stdout.flush()", "not JSON"),
    ('sys.stdout.write(\'{"content": "cut\'); sys.exit()', "not JSON"),
    ("sys.stdout.write('x' * 5_000_000 + '\\n')", "a line of more than 4,194,304 bytes: xxx"),
    ("\nwhile True: sys.stdout.write('x' * 65536)", "a line of more than 4,194,304 bytes: xxx"),
]


@pytest.mark.parametrize(("deed", "told"), BAD, ids=range(len(BAD)))
def test_bad_answers_are_faults_that_say_what_is_wrong(write: Write, deed: str, told: str) -> None:
    body = textwrap.indent(deed, " " * 8)
    command = write(f"for line in sys.stdin:\n    if json.loads(line)['type'] == 'turn':\n{body}\n")
    ending = ended(command)
    assert (ending.ending, ending.reason) == ("fault", AGENT_CRASHED)
    assert told in ending.detail
    assert len(ending.detail) < 5000


def test_a_flood_of_lines_fills_no_memory_and_is_a_fault(write: Write) -> None:
    command = write("""
        sys.stdin.readline()
        while True:
            sys.stdout.write('{"content": "More."}\\n' * 1000)
    """)
    before = psutil.Process().memory_info().rss
    ending = ended(command)
    assert (ending.ending, ending.reason) == ("fault", AGENT_CRASHED)
    assert "Write one answer per turn" in ending.detail
    assert psutil.Process().memory_info().rss - before < 100 * 2**20


def test_a_flood_of_complaints_fills_no_memory(write: Write) -> None:
    command = write("""
        sys.stdin.readline(); sys.stdin.readline()
        for _ in range(1000):
            sys.stderr.write('noise ' * 10_000)
        sys.stderr.write("\\nout of luck\\n")
        sys.exit(1)
    """)
    detail = ended(command).detail
    assert detail.endswith("out of luck") and len(detail) < process.KEPT + 1000


def test_one_that_never_reads_cannot_hang_the_rest(write: Write) -> None:
    assert ended(write("time.sleep(60)"), Timeouts(turn=0.2)).reason == "turn_seconds"


def alive(pids: list[int]) -> list[int]:
    return [
        pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    ]


FAMILY = """
    import signal, subprocess
    {stubborn}
    child = subprocess.Popen([sys.executable, "-c", "{code}"])
    open({pids!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
    for line in sys.stdin:
        if json.loads(line)["type"] == "turn":
            print('{{"content": "Hm."}}')
    {lasting}
"""


@pytest.mark.parametrize("is_stubborn", [False, True])
def test_it_ends_with_the_episode_and_all_it_started_with_it(
    write: Write, tmp_path: Path, is_stubborn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE", 0.5)
    pids = tmp_path / "pids"
    ignore = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    command = write(
        FAMILY.format(
            pids=str(pids),
            stubborn=ignore if is_stubborn else "",
            code=f"import signal, time; {ignore if is_stubborn else ''}; time.sleep(600)",
            lasting="time.sleep(600)" if is_stubborn else "",
        )
    )
    assert played(command).episode.ended.ending == "terminated"
    mine = [int(pid) for pid in pids.read_text().split()]
    assert len(mine) == 2
    deadline = time.monotonic() + 10
    while alive(mine) and time.monotonic() < deadline:
        time.sleep(0.05)  # a killed process takes a moment to go
    assert alive(mine) == []


def test_it_is_given_time_to_clean_up(write: Write, tmp_path: Path) -> None:
    note = tmp_path / "note"
    command = write(f"""
        for line in sys.stdin:
            if json.loads(line)["type"] == "turn":
                print('{{"content": "Hm."}}')
        time.sleep(0.2)
        open({str(note)!r}, "w").write("clean")
    """)
    played(command)
    assert note.read_text() == "clean"


def test_it_is_ended_when_the_episode_is_stopped(write: Write, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = write(
        f"open({str(pids)!r}, 'w').write(str(os.getpid()))\nfor line in sys.stdin: pass\ntime.sleep(1)"
    )

    async def stopped() -> None:
        spec = Spec.of(CASE.hash, Cast(agent=f"process:{command}"), 1)
        seats = {"user": user("scripted", CASE), "agent": agent(f"process:{command}", CASE)}
        playing = asyncio.create_task(
            play_episode("t", spec, PreparedCases({CASE.hash: CASE}).of(CASE.hash), seats, [])
        )
        while not (pids.exists() and pids.read_text()):
            await asyncio.sleep(0.01)
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)

    asyncio.run(stopped())
    assert alive([int(pids.read_text())]) == []


def test_it_can_be_forked_if_it_acts_as_it_did(write: Write) -> None:
    command = write(READER)
    one = played(command)
    prepared = PreparedCases({CASE.hash: CASE}).of(CASE.hash)
    state, origin = fork(one.episode, prepared, len(one.episode.events) - 3)
    assert any(event.kind == "said" for event in state.events)

    async def again() -> Played:
        seats = {"user": user("scripted", CASE), "agent": agent(f"process:{command}", CASE)}
        await catch_up(state, seats)
        spec = Spec.of(CASE.hash, Cast(agent=f"process:{command}"), 1, origin)
        return await play_episode("t", spec, prepared, seats, [], start=state)

    assert asyncio.run(again()).episode.events == one.episode.events


def test_the_command_line_is_split_but_no_shell_runs_it(tmp_path: Path) -> None:
    assert Process("a 'b c' $HOME;x").command == "a 'b c' $HOME;x"
    command = shlex.join([sys.executable, "-c", "import sys; sys.stderr.write(sys.argv[1]); sys.exit(1)"])
    assert ended(command + " '$HOME;x'").detail.endswith("$HOME;x")


WRONG: list[tuple[str, str]] = [
    ("process:no-such-command-here --fast", "there is no command 'no-such-command-here'"),
    ("process:", "names no command"),
    ("process:python 'my agent", "close every quote"),
]


@pytest.mark.parametrize(("name", "told"), WRONG)
def test_a_wrong_command_is_told_before_anything_is_played(name: str, told: str) -> None:
    with pytest.raises(PluginError, match=told):
        check_agent_name(name)


def test_a_program_that_is_none_is_a_fault(tmp_path: Path) -> None:
    program = tmp_path / "agent"
    program.write_text("not a program")
    program.chmod(0o755)
    check_agent_name(f"process:{program}")
    ending = ended(str(program))
    assert ending.ending == "fault" and "cannot be started" in ending.detail


def test_the_run_command_takes_it(command: Any, write: Write, records: Path) -> None:
    agent = f"process:{write(READER)}"
    done = command("run", records, "--variant", "none", "--agent", agent, "--local")
    assert done.returncode == 0, done.stderr
    assert "2/2 episodes" in done.stdout + done.stderr and "faults 0" in done.stdout + done.stderr


def test_closing_one_that_never_started_does_nothing() -> None:
    asyncio.run(Process(sys.executable).close())
