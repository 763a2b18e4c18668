"""Whole runs with models, as a user starts them: halts, budgets, recordings, time limits, ctrl-C."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stub.request import StubRequest
from riskbox.sandbox.stub.script import Fail, Say, Slow, StubReply, Usage
from riskbox.sandbox.stub.server import Stub
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.row import EpisodeRow
from tests.command import environment
from tests.sandbox.seats import KEY, reached

Riskbox = Callable[..., subprocess.CompletedProcess[str]]
OWNER = ("--persona", "owner", "--variant", "none")


@pytest.fixture
def run(riskbox: Riskbox, command: Riskbox, records: Path, stub: Stub) -> Riskbox:
    """Runs the example with a model as the agent: in the test's own process, or with workers on Ray."""

    def one(*words: str, agent: str = "", local: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        named = () if "--resume" in words else (records, "--agent", agent or f"{stub.url}/v1#stub")
        start, where = (command, ("--local",)) if local else (riskbox, ("--workers", "2"))
        return start("run", *named, *words, *where, **{**reached(stub.url), **env})

    return one


@pytest.fixture
def store(tmp_path: Path) -> Callable[[], Store]:
    return lambda: open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False)


def told(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What the command said that is no progress."""
    return [
        line for line in done.stderr.splitlines() if " episodes, " not in line and not line.startswith("Ctrl")
    ]


def rows(opened: Store) -> list[EpisodeRow]:
    with opened:
        return list(opened.rows(opened.run().run))


def episodes(opened: Store, run: str = "latest") -> dict[tuple[str, int], Played]:
    with opened:
        found = opened.run(run)
        all_of_it = [opened.episode(found.run, row.id) for row in opened.rows(found.run)]
    return {(one.episode.case.id, one.episode.seed): one for one in all_of_it}


@pytest.mark.parametrize("flag", ["--rpm", "--tpm", "--max-in-flight", "--price"])
def test_a_figure_for_a_model_that_nobody_asks_is_told(stub: Stub, run: Riskbox, flag: str) -> None:
    judge, figure = "openai/gpt-4o", "1/2" if flag == "--price" else "60"
    done = run(*OWNER, flag, f"openai/gpt-4oo={figure}", agent="openai/gpt-4o-mini")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "this run does not use openai/gpt-4oo. Did you mean 'openai/gpt-4o-mini'?" in done.stderr
    assert not stub.requests
    named = run(
        *OWNER, "--judge", judge, flag, f"{judge}={figure}", "--dry-run", agent="text:openai/gpt-4o-mini"
    )
    assert named.returncode == 0, named.stderr


@pytest.mark.parametrize(
    ("road", "dollars"), [("", False), ("openai/nobody-knows", False), ("openai/gpt-4o-mini", True)]
)
def test_no_dollars_are_told_where_no_price_is_known(
    stub: Stub, run: Riskbox, command: Riskbox, road: str, dollars: bool
) -> None:
    stub.script(Say("I cannot tell."), repeat=True)
    done = run(*OWNER, agent=road)
    assert done.returncode == 0, done.stderr
    stub.script(Say("{}"), repeat=True)
    judged = command("score", "latest", "--judge", road or f"{stub.url}/v1#stub", **reached(stub.url))
    for page in (done.stderr, judged.stdout + judged.stderr):
        assert re.search(r"[1-9][\d,]* tokens", page)
        assert ("$0.0" in page) is dollars
        assert not re.search(r"\$0\.0+\b", page)


ON_RAY = partial(pytest.param, marks=pytest.mark.long)
PLACES = [pytest.param(True, id="local"), ON_RAY(False, id="ray")]
"""In this process, and on Ray."""


# --- halts ------------------------------------------------------------------------------------------------------


KEY_WRONG, NAME_WRONG, QUOTA = Fail(401), Fail(404), Fail(429, code="insufficient_quota")


@pytest.mark.parametrize(
    ("road", "local", "reply", "code", "says"),
    [
        ("http", True, KEY_WRONG, 2, "the key for"),
        ("http", True, NAME_WRONG, 2, "there is no such model"),
        ("http", True, QUOTA, 3, "the quota is exhausted"),
        ("openai/gpt-4o-mini", True, KEY_WRONG, 2, "the key for"),
        ("openai/gpt-4o-mini", True, QUOTA, 3, "the quota is exhausted"),
        ON_RAY("anthropic/claude-sonnet-4-5", False, NAME_WRONG, 2, "there is no such model"),
        ON_RAY("http", False, QUOTA, 3, "the quota is exhausted"),
    ],
)
def test_what_cannot_go_better_stops_the_run_with_one_line(
    stub: Stub, run: Riskbox, road: str, local: bool, reply: StubReply, code: int, says: str
) -> None:
    stub.script(reply, repeat=True)
    agent = "" if road == "http" else road
    done = run("--seeds", "20", "--concurrency", "1", "--quiet", agent=agent, local=local)
    assert done.returncode == code
    assert says in done.stderr
    assert (len(done.stderr.splitlines()), done.stdout) == (1, "")
    assert 1 <= len(stub.requests) <= (1 if local else 2)  # one each worker


def test_many_at_once_are_stopped_at_once(stub: Stub, run: Riskbox) -> None:
    stub.script(Fail(401), repeat=True)
    done = run("--seeds", "20", "--concurrency", "7", "--quiet")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert len(stub.requests) <= 7


@pytest.mark.parametrize("local", PLACES)
def test_what_was_finished_before_a_halt_is_kept_and_gone_on_with(
    stub: Stub, run: Riskbox, store: Callable[[], Store], local: bool
) -> None:
    def leaves(request: StubRequest) -> StubReply | None:
        return None if len(stub.requests) <= 12 else Fail(429, code="insufficient_quota")

    stub.script(leaves, repeat=True)
    done = run(*OWNER, "--seeds", "30", "--concurrency", "2", "--quiet", local=local)
    assert done.returncode == 3
    kept = len(rows(store()))
    assert 0 < kept < 30
    halted, resume = told(done)
    assert "quota is exhausted" in halted
    assert f"{kept} of 30 episodes are stored. Continue with: riskbox run --resume " in resume
    with store() as opened:
        assert opened.run().state == "stopped"
    stub.reset()
    assert run("--resume", "latest", "--quiet", local=local).returncode == 0
    assert len(rows(store())) == 30
    assert all(row.ending != "fault" for row in rows(store()))


def test_a_provider_that_fails_now_and_then_is_a_fault_of_its_episode(
    stub: Stub, run: Riskbox, store: Callable[[], Store]
) -> None:
    stub.script(lambda request: Fail(500, message="Away.") if len(stub.requests) == 1 else None, repeat=True)
    done = run(*OWNER, "--seeds", "3", "--retries", "0", "--concurrency", "1")
    assert done.returncode == 0
    endings = [(one.episode.ended.ending, one.episode.ended.reason) for one in episodes(store()).values()]
    assert sorted(endings).count(("fault", "model")) == 1
    (broken,) = [one.episode for one in episodes(store()).values() if one.episode.ended.ending == "fault"]
    assert [(call.outcome, call.attempts) for call in broken.model_calls] == [("provider_error", 1)]
    assert "Away." in broken.model_calls[0].detail


# --- budgets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("local", PLACES)
def test_a_run_s_budget_stops_it_and_keeps_what_is_finished(
    stub: Stub, run: Riskbox, store: Callable[[], Store], local: bool
) -> None:
    stub.script(Say("Your next visit?", usage=Usage(1000, 100)), repeat=True)
    budget = (
        "--budget-tokens",
        "60000",
        "--setting",
        "agent.max_tokens=200",
        "--concurrency",
        "2",
        "--quiet",
    )
    done = run(*OWNER, "--seeds", "60", *budget, local=local)
    assert done.returncode == 3
    halted, _ = told(done)
    assert "budget of 60,000 tokens is exhausted" in halted
    assert "--budget-tokens" in halted
    spent = len(stub.requests) * 1100
    assert 40_000 < spent <= 60_000
    kept = len(rows(store()))
    assert 0 < kept < 60
    # it is the budget of the run, not of each time it is started
    done = run("--resume", "latest", *budget, local=local)
    assert done.returncode == 3
    assert len(stub.requests) * 1100 - spent <= 60_000 - 1100 * kept
    done = run("--resume", "latest", "--quiet", local=local)
    assert (done.returncode, len(rows(store()))) == (0, 60)


def test_a_run_s_dollars(stub: Stub, run: Riskbox, store: Callable[[], Store]) -> None:
    stub.script(Say("Your next visit?", usage=Usage(1000, 100)), repeat=True)
    done = run(
        *OWNER, "--seeds", "60", "--budget", "0.06", "--price", f"{stub.url}/v1#stub=1/1", "--quiet",
        "--setting", "agent.max_tokens=200", "--concurrency", "2",
    )  # fmt: skip
    assert done.returncode == 3
    assert "budget of $0.06 is exhausted" in done.stderr
    assert 0 < sum(row.cost for row in rows(store())) <= 0.06


def test_an_episode_s_budget_ends_it(stub: Stub, run: Riskbox, store: Callable[[], Store]) -> None:
    stub.script(Say("Could you tell me a little more?", usage=Usage(3000, 1000)), repeat=True)
    done = run(*OWNER, "--seeds", "2", "--episode-tokens", "16000", "--setting", "agent.max_tokens=500")
    assert done.returncode == 0
    for one in episodes(store()).values():
        assert (one.episode.ended.ending, one.episode.ended.reason) == ("truncated", "budget")
        assert "budget of 16,000 tokens has 4,000 spent" in one.episode.ended.detail
    assert len(stub.requests) == 2


def test_an_unknown_price_is_one_line(stub: Stub, run: Riskbox) -> None:
    done = run("--budget", "1", "--quiet", agent="openai/stub")
    assert (done.returncode, len(done.stderr.splitlines())) == (3, 1)
    assert "--price openai/stub=0.50/1.50" in done.stderr
    assert stub.requests == []


# --- recordings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("local", PLACES)
def test_a_recorded_run_replays_byte_for_byte_without_a_provider(
    stub: Stub, run: Riskbox, store: Callable[[], Store], tmp_path: Path, local: bool
) -> None:
    user = ("--user", f"{stub.url}/v1#stub", "--seeds", "3")
    assert run(*user, "--record", "run.calls", "--name", "first", local=local).returncode == 0
    asked = len(stub.requests)
    assert asked >= 54
    stub.script(Fail(500), repeat=True)  # from now on it answers nothing
    assert run(*user, "--replay", "run.calls", "--name", "second", local=local).returncode == 0
    assert len(stub.requests) == asked
    first, second = episodes(store(), "first"), episodes(store(), "second")
    assert first.keys() == second.keys()
    assert len(first) == 18
    for name, one in first.items():
        before, after = one.episode, second[name].episode
        assert after.id == before.id
        assert _bytes(after) == _bytes(before)
        assert [call.key for call in after.model_calls] == [call.key for call in before.model_calls]
        assert {call.source for call in after.model_calls} <= {"replay"}


def _bytes(episode: Any) -> bytes:
    told: str = episode.model_dump_json(include={"inputs", "events", "seed", "case"})
    return told.encode()


def test_a_miss_stops_a_replay_with_one_line(stub: Stub, run: Riskbox) -> None:
    assert run(*OWNER, "--record", "run.calls").returncode == 0
    done = run(*OWNER, "--seeds", "2", "--replay", "run.calls", "--quiet")
    assert done.returncode == 2
    assert "run.calls contains no recording of call " in done.stderr


def test_keys_are_in_no_file(stub: Stub, run: Riskbox, tmp_path: Path) -> None:
    stub.script("Hello.", Fail(500, message=f"Bad key {KEY}."))
    stub.script(Fail(400, message=f"Bad key {KEY}."), repeat=True)
    for agent in ("", "openai/gpt-4o-mini"):
        done = run("--record", "run.calls", "--retries", "1", agent=agent)
        assert KEY not in done.stdout + done.stderr
    assert any(request.sent(KEY) for request in stub.requests)
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as opened:
        for made in opened.runs():
            assert KEY not in made.model_dump_json()
            for row in opened.rows(made.run):
                assert KEY not in row.model_dump_json() + opened.episode(made.run, row.id).model_dump_json()
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert len(files) >= 2
    assert all(KEY.encode() not in one.read_bytes() for one in files)


# --- time -------------------------------------------------------------------------------------------------------


def test_a_turn_that_waits_too_long_for_its_model_is_cut_off(
    stub: Stub, run: Riskbox, store: Callable[[], Store]
) -> None:
    stub.script(Slow(30), repeat=True)
    done = run(*OWNER, "--turn-seconds", "0.5", "--call-seconds", "0.4", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    (one,) = episodes(store()).values()
    assert (one.episode.ended.ending, one.episode.ended.reason) == ("truncated", "turn_seconds")
    assert [call.outcome for call in one.episode.model_calls] == ["timeout"]


def test_a_provider_that_holds_a_call_back_makes_no_turn_too_long(
    stub: Stub, run: Riskbox, store: Callable[[], Store]
) -> None:
    stub.script(Fail(429, retry_after=2))
    stub.script("Good-bye.", repeat=True)
    done = run(*OWNER, "--turn-seconds", "1", "--call-seconds", "0.9", "--quiet")
    assert done.returncode == 0, done.stderr
    (one,) = episodes(store()).values()
    assert one.episode.ended.reason != "turn_seconds"
    first = one.episode.model_calls[0]
    assert (first.outcome, first.attempts) == ("ok", 2) and first.seconds > 2


@pytest.mark.parametrize(
    ("agent", "local"),
    [("http", True), pytest.param("openai/gpt-4o-mini", True, marks=pytest.mark.long), ON_RAY("http", False)],
    ids=str,
)
def test_ctrl_c_ends_a_run_whose_models_are_slow(
    stub: Stub, records: Path, tmp_path: Path, agent: str, local: bool
) -> None:
    stub.script(Slow(60), repeat=True)
    words = [
        "run",
        str(records),
        "--agent",
        f"{stub.url}/v1#stub" if agent == "http" else agent,
        "--seeds",
        "5",
    ]
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "riskbox.sandbox.cli",
            *words,
            *(["--local"] if local else ["--workers", "2"]),
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment(), **reached(stub.url), "NO_COLOR": "1"},
    ) as process:
        deadline = time.monotonic() + 90
        while not stub.requests and time.monotonic() < deadline:
            time.sleep(0.05)
        assert stub.requests
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
        assert time.monotonic() - began < 20
    assert process.returncode == 130
    assert "Stopped: 0 of 30 episodes are stored." in out
    assert "Traceback" not in errors
    assert "Unclosed" not in errors
    assert "never" not in errors
