"""An agent whose episodes keep ending in faults is stopped, and the others go on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from riskbox.sandbox.api.run import run
from riskbox.sandbox.batch.breaker import DEADLY, FIRST, FaultLimit
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.stores import open_store

Command = Callable[..., subprocess.CompletedProcess[str]]
BROKEN = """\
import os
from pathlib import Path

def always(messages, tools):
    raise RuntimeError("boom")

def dies(messages, tools):
    os._exit(9)

def once_mended(messages, tools):
    if not Path("mended").exists():
        raise RuntimeError("boom")
    return "Fine."

def at_first(messages, tools):
    mark = Path("calls")
    calls = int(mark.read_text()) if mark.exists() else 0
    mark.write_text(str(calls + 1))
    if calls < 19:
        raise RuntimeError("boom")
    return "Fine."

def polite(messages, tools):
    return "Sorry, I can't help with that."
"""
ALONE = ("--persona", "owner", "--variant", "none")


@pytest.fixture
def broken(tmp_path: Path) -> str:
    (tmp_path / "broken.py").write_text(BROKEN)
    return f"{tmp_path}/broken.py"


def counts(folder: Path) -> dict[str, int]:
    """Stored episodes by agent."""
    found: dict[str, int] = {}
    with open_store(f"sqlite:///{folder}/riskbox.db", create=False) as store:
        for row in store.rows(store.runs()[0].run):
            name = row.agent.rpartition(":")[2]
            found[name] = found.get(name, 0) + 1
    return found


def test_an_agent_whose_first_episodes_all_break_is_stopped_and_the_others_go_on(
    tmp_path: Path, command: Command, records: Path, broken: str
) -> None:
    words = ["run", records, *ALONE, "--seeds", "50", "--local", "--concurrency", "5"]
    done = command(*words, "--agent", f"{broken}:always", "--agent", f"{broken}:polite")
    assert done.returncode == 3, done.stderr
    stored = counts(tmp_path)
    assert stored["polite"] == 50 and FIRST <= stored["always"] < FIRST + 10
    left = 50 - stored["always"]
    said = " ".join(done.stdout.split())
    assert (
        f"always was stopped: its first 20 episodes all ended in faults of its own. {left} episodes not played."
        in said
    )
    assert "Cause: the agent. RuntimeError: boom" in said and "riskbox run --resume" in said


def test_what_a_stopped_agent_left_is_played_by_resuming(
    tmp_path: Path, command: Command, records: Path, broken: str
) -> None:
    words = ["run", records, *ALONE, "--seeds", "40", "--local", "--concurrency", "5", "--json"]
    done = command(*words, "--agent", f"{broken}:once_mended")
    told = json.loads(done.stdout)
    assert done.returncode == 3 and told["state"] == "stopped"
    (stopped,) = told["stopped_agents"]
    assert stopped["left"] == 40 - told["done"] > 0
    (tmp_path / "mended").touch()
    again = command("run", "--resume", told["run"], "--local", "--json")
    assert again.returncode == 0, again.stderr
    assert counts(tmp_path) == {"once_mended": 40} and json.loads(again.stdout)["faults"] == 0


def test_one_good_episode_among_the_first_keeps_an_agent_in_the_run(
    tmp_path: Path, command: Command, records: Path, broken: str
) -> None:
    words = ["run", records, *ALONE, "--seeds", "30", "--local", "--concurrency", "1"]
    done = command(*words, "--agent", f"{broken}:at_first")
    assert done.returncode == 0, done.stdout
    assert counts(tmp_path) == {"at_first": 30}


@pytest.mark.parametrize(
    ("limit", "stored", "code"),
    [("3", (3, 4), 3), ("10%", (4, 5), 3), ("0", (40, 40), 3), ("50", (40, 40), 3)],
)
def test_the_limit_is_a_number_a_share_or_none(
    tmp_path: Path,
    command: Command,
    records: Path,
    broken: str,
    limit: str,
    stored: tuple[int, int],
    code: int,
) -> None:
    words = ["run", records, *ALONE, "--seeds", "40", "--local", "--concurrency", "1", "--max-faults", limit]
    done = command(*words, "--agent", f"{broken}:always")
    assert done.returncode == code, done.stdout
    assert stored[0] <= counts(tmp_path)["always"] <= stored[1]
    assert ("max_faults is" in done.stdout) == (stored[1] < 40)


@pytest.mark.parametrize("text", ["-1", "x", "5%%", "101%", "1.5", "%", ""])
def test_another_limit_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="write a number, as 5, or a share, as 5%"):
        FaultLimit.parse(text)


def test_python_stops_an_agent_too(records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def fails(messages: object, tools: object) -> str:
        raise RuntimeError("boom")

    done = run(
        records, agent=fails, persona="owner", variant="none", seeds=30, local=True, max_faults=4, concurrency=1,
        progress=False,
    )  # fmt: skip
    (stopped,) = done.stopped_agents
    assert done.state == "stopped" and stopped.left == 30 - done.stored > 20
    assert stopped.cause.reason == "RuntimeError: boom"


@pytest.mark.long
def test_an_agent_that_always_kills_its_process_is_stopped_after_few_deaths(
    tmp_path: Path, riskbox: Command, records: Path, broken: str
) -> None:
    done = riskbox(
        "run", records, *ALONE, "--seeds", "60", "--workers", "2", "--agent", f"{broken}:dies", "--agent",
        f"{broken}:polite", timeout=400,
    )  # fmt: skip
    stored = counts(tmp_path)
    assert stored["polite"] == 60 and stored["dies"] > 0
    # where all of its episodes had begun before it was stopped, all are stored and none is left
    assert done.returncode == (0 if stored["dies"] == 60 else 3), done.stderr
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        run = store.runs()[0].run
        details = [
            store.episode(run, row.id).episode.ended.detail
            for row in store.rows(run)
            if row.ending == "fault"
        ]
    alone = [one for one in details if "playing alone" in one]
    assert 0 < len(alone) <= DEADLY + 2, "few deaths alone are proof enough"
    assert all("agent was stopped" in one for one in details if one not in alone)
