"""What `riskbox run` says and refuses about the agent's process."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from riskbox.sandbox import play
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.trajectory import Trajectory
from tests.conftest import Command

PROGRAM = """
import json, os, sys
for line in sys.stdin:
    if json.loads(line)["type"] == "turn":
        print(json.dumps({"content": os.environ.get("OPENAI_API_KEY", "none") + os.environ.get("MODE", "")}), flush=True)
"""


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return f"process:{shlex.join([sys.executable, str(path)])}"


def played(command: Command, records: Path, *words: str) -> str:
    done = command("run", records, "--variant", "none", "--persona", "owner", "--local", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_what_is_withheld_is_said_once_and_let_through(
    command: Command, records: Path, program: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "the cluster's")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "no secret")
    told = played(command, records, "--agent", program)
    line = "withheld from the agent's process: OPENAI_API_KEY; --agent-env NAME lets it through."
    assert told.count(line) == 1
    told = played(
        command,
        records,
        "--agent",
        program,
        "--agent-env",
        "OPENAI_API_KEY",
        "--agent-env",
        "MODE=s3cret",
        "--name",
        "let",
    )
    assert "withheld from" not in told and "s3cret" not in told
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        manifest = store.run("let")
    assert manifest.settings["confinement"] == {
        "isolation": "none",
        "env": ["OPENAI_API_KEY"],
        "set": ["MODE"],
    }
    assert "s3cret" not in manifest.model_dump_json() and "MODE=***" in manifest.command


def test_nothing_is_said_where_no_process_is_started(
    command: Command, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert "withheld from" not in played(command, records, "--agent", "reference:safe")


def test_a_limit_that_cannot_hold_is_refused(command: Command, records: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def agent(messages, tools):\n    return 'Hm.'\n")
    agent = f"{tmp_path / 'mine.py'}:agent"
    done = command("run", records, "--agent", agent, "--local", "--agent-memory", "0.5")
    assert done.returncode == 2
    assert "agent_memory limits a process of the agent's own, and with local everything plays" in done.stderr
    done = command("run", records, "--agent", agent, "--place", "agent=inline", "--agent-memory", "0.5")
    assert done.returncode == 2 and "place agent=inline" in done.stderr


def test_play_lets_through_what_it_is_told_to(
    program: str, records: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    store = f"sqlite:///{tmp_path}/played.db"
    texts = []
    for env in ((), ("OPENAI_API_KEY", "MODE=-x")):
        played = play(records, agent=program, persona="owner", agent_env=env, store=store)
        texts.append(Trajectory(played.episode.events).said("agent")[0].text)
    assert texts == ["none", "sk-secret-x"]
