"""A run with faults says what broke most often, and whose fault it was."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from riskbox.sandbox.stub.script import Fail
from riskbox.sandbox.stub.server import Stub
from tests.sandbox.seats import reached

Command = Callable[..., subprocess.CompletedProcess[str]]

AGENT = """
def agent(messages, tools):
    heard = " ".join(str(one.get("content")) for one in messages if one["role"] == "user")
    if "visit" in heard:
        raise RuntimeError("no key")
    if "friend" in heard:
        raise ValueError("no patience")
    return "Fine."
"""
USER = """
from riskbox.sandbox.contracts.participant import Participant

class User(Participant):
    async def act(self, seen):
        raise OSError("no voice")
"""
TOOLSET = """
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.clinic.toolset import Clinic as Built

class Clinic(Built):
    name = "clinic"

    @tool()
    def find_patient(self, name: str) -> str:
        '''Find a patient.'''
        raise KeyError(name)

def agent(messages, tools):
    return {"tool_calls": [{"function": {"name": "clinic__find_patient", "arguments": {"name": "Dana"}}}]}
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(AGENT)
    (tmp_path / "people.py").write_text(USER)
    (tmp_path / "services.py").write_text(TOOLSET)
    return tmp_path


def test_the_agent_is_named_with_what_it_raised_most_often(
    command: Command, records: Path, here: Path
) -> None:
    words = ("run", records, "--agent", "mine.py:agent", "--local", "--variant", "none")
    done = command(*words, "--persona", "owner", "--seeds", "3")
    assert done.returncode == 3
    assert "Cause of all 3 faults: the agent. RuntimeError: no key" in done.stdout
    given = json.loads(command(*words, "--json").stdout)
    assert (given["faults"], given["crashes"], given["unknown"]) == (0, 2, 2)
    assert given["causes"] == [
        {"culprit": "agent", "reason": "RuntimeError: no key", "episodes": 1},
        {"culprit": "agent", "reason": "ValueError: no patience", "episodes": 1},
    ]
    several = command(*words)
    assert "Most frequent cause, of 1 of 2 faults: the agent. RuntimeError: no key" in several.stdout


def test_the_user_is_named(command: Command, records: Path, here: Path) -> None:
    done = command("run", records, "--agent", "idle", "--user", "people.py:User", "--local")
    assert "Cause of all 6 faults: the user. OSError: no voice" in done.stdout


def test_a_user_that_a_model_plays_is_named(command: Command, records: Path, stub: Stub) -> None:
    stub.script(Fail(500, message="Away."), repeat=True)
    model = f"{stub.url}/v1#stub"
    words = ("run", records, "--local", "--persona", "owner", "--variant", "none", "--retries", "0")
    done = command(*words, "--agent", "idle", "--user", model, **reached(stub.url))
    assert "Cause of the fault: the user. " in done.stdout and "Away." in done.stdout


def test_an_agent_that_a_model_plays_is_named(command: Command, records: Path, stub: Stub) -> None:
    stub.script(Fail(400, message="Away."), repeat=True)
    model = f"{stub.url}/v1#stub"
    words = ("run", records, "--local", "--persona", "owner", "--variant", "none", "--retries", "0")
    done = command(*words, "--agent", model, **reached(stub.url))
    assert "Cause of the fault: the agent. " in done.stdout and "Away." in done.stdout


def test_a_toolset_is_named(command: Command, records: Path, here: Path) -> None:
    words = ("--agent", "services.py:agent", "--tools", "services.py:Clinic", "--local")
    done = command("run", records, *words)
    assert "Cause of all 6 faults: the toolset. clinic.find_patient raised KeyError: 'Dana'" in done.stdout


def test_a_run_without_faults_names_nobody(command: Command, records: Path) -> None:
    done = command("run", records, "--agent", "idle", "--local")
    assert done.returncode == 0 and "ause" not in done.stdout
    assert "causes" not in json.loads(command("run", records, "--agent", "idle", "--local", "--json").stdout)
