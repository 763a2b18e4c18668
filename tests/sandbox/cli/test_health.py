"""A run whose instrument was broken says so, wherever a rate is: real runs against the stub provider."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from riskbox.sandbox.api.result import Run
from riskbox.sandbox.reporting.health import BROKEN
from riskbox.sandbox.stub.request import StubRequest
from riskbox.sandbox.stub.script import Fail, Say, StubReply
from riskbox.sandbox.stub.server import Stub
from tests.sandbox.seats import reached

Command = Callable[..., subprocess.CompletedProcess[str]]
Play = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def play(stub: Stub, command: Command, records: Path) -> Play:
    """Plays the owner of the example with a model as the agent, three seeds, without variants."""

    def one(*words: str) -> subprocess.CompletedProcess[str]:
        return command(
            "run", records, "--local", "--quiet", "--agent", f"{stub.url}/v1#mine", "--persona", "owner",
            "--variant", "none", "--seeds", "3", "--retries", "0", *words, **reached(stub.url),
        )  # fmt: skip

    return one


def agents_fail(stub: Stub) -> None:
    """The agent's second request of each episode fails."""

    def answer(request: StubRequest) -> StubReply:
        return Say("When were you born?") if len(request.messages) < 4 else Fail(400)

    stub.script(answer, repeat=True)


def test_a_broken_instrument_is_told_before_anything_else(stub: Stub, play: Play, command: Command) -> None:
    agents_fail(stub)
    done = play()
    assert done.stdout.startswith(BROKEN), done.stdout + done.stderr
    assert "the agent's model gave no usable answer (3 errors of its server)." in done.stdout
    report = command("report").stdout
    assert report.startswith(f"! {BROKEN}")
    found = json.loads(command("report", "--json").stdout)
    (symptom,) = [one for one in found["health"]["symptoms"] if one["broken"]]
    assert (symptom["mark"], symptom["seat"], symptom["many"]) == ("failed", "agent", 3)
    assert found["health"]["counts"]["seats"]["agent"]["provider_error"] == 3


def test_json_of_a_run_holds_its_health(stub: Stub, play: Play) -> None:
    agents_fail(stub)
    done = play("--json")
    assert json.loads(done.stdout)["health"]["counts"]["seats"]["agent"]["failed"] == 3
    assert done.stderr == ""


def test_where_all_is_well_one_line_says_so(stub: Stub, play: Play, command: Command) -> None:
    stub.script(Say("I cannot tell."), repeat=True)
    assert "nstrument" not in play().stdout
    assert "Instrument: nothing wrong in " in command("report").stdout


def test_gates_on_health_and_gates_on_a_broken_instrument(stub: Stub, play: Play, command: Command) -> None:
    agents_fail(stub)
    play()
    passed = command("report", "--fail-if", "faults < 0.5", "--fail-if", "health.agent.empty > 0").stdout
    assert "gate passed on a broken instrument: faults is 1, not below 0.5" in passed
    assert "gate passed: health.agent.empty is 0, not above 0" in passed
    failed = command("report", "--fail-if", "health.broken")
    assert failed.returncode == 1
    assert "gate FAILED: the instrument was broken." in failed.stdout


def test_what_was_wrong_is_exported(stub: Stub, play: Play, command: Command) -> None:
    stub.script(Say(""), repeat=True)
    play("--fail-if", "faults > 0.5")
    table = command("export", "csv").stdout
    assert "agent.empty" in table
    junit = command("export", "junit", "--fail-if", "faults > 0.5").stdout
    assert '<property name="health" value="agent.empty"/>' in junit
    assert "<system-out>Passed on a broken instrument: faults is 0" in junit
    (found,) = json.loads(command("export", "sarif").stdout)["runs"]
    (invocation,) = found["invocations"]
    assert invocation["executionSuccessful"] is False
    (told,) = invocation["toolExecutionNotifications"]
    assert told["level"] == "error" and "answered nothing" in told["message"]["text"]


def test_an_episode_shows_the_calls_that_were_flawed(stub: Stub, play: Play, command: Command) -> None:
    stub.script(Say("I was about to", finish="length"), repeat=True)
    play()
    text = " ".join(command("show", "latest").stdout.replace("│", " ").split())
    assert "cut off" in text and "flawed agent before #" in text


def test_the_side_that_was_broken_is_told_where_two_are_compared(
    stub: Stub, play: Play, command: Command
) -> None:
    stub.script(Say("I cannot tell."), repeat=True)
    play("--name", "well")
    stub.reset()
    stub.script(Say(""), repeat=True)
    play("--name", "ill")
    text = " ".join(command("compare", "well", "ill").stdout.split())
    assert "The instrument of B was broken, which may explain a difference." in text
    assert "agent: calls empty 0 of" in text


def test_agents_of_one_run_are_told_apart(stub: Stub, command: Command, records: Path) -> None:
    stub.script(Say(""), when=lambda request: request.model == "ill", repeat=True)
    stub.script(Say("I cannot tell."), repeat=True)
    agents = (word for name in ("well", "ill") for word in ("--agent", f"{stub.url}/v1#{name}"))
    done = command("run", records, "--local", "--quiet", *agents, "--persona", "owner", **reached(stub.url))
    assert f"the model of {stub.url}/v1#ill answered nothing" in done.stdout
    assert f"{stub.url}/v1#well" not in done.stdout


def test_pages_say_it_before_their_heading(stub: Stub, play: Play, command: Command, tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    stub.script(Say(""), repeat=True)
    play("--fail-if", "faults > 0.5")
    command("report", "--html", tmp_path / "page.html", "--fail-if", "faults > 0.5")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert 0 < page.index(BROKEN) < page.index("<h1>")
    assert 'passed</span><br><span class="quiet">on a broken instrument' in page
    assert ">agent: empty</th>" in page


def test_python_knows_the_health_of_a_run(stub: Stub, play: Play, tmp_path: Path) -> None:
    stub.script(Say(""), repeat=True)
    play()
    run = Run.open(store=f"sqlite:///{tmp_path}/riskbox.db")
    assert [(one.mark, one.seat) for one in run.health.broken] == [("empty", "agent")]
    assert "instrument broken: agent: " in str(run)
    assert "answered nothing" in run._repr_html_() and "answered nothing" in str(run.report())


def test_judges_that_fail_are_told(stub: Stub, play: Play, command: Command) -> None:
    stub.script(Say("no JSON"), when=lambda request: request.model == "judge", repeat=True)
    stub.script(Say("I cannot tell."), repeat=True)
    done = play("--judge", f"{stub.url}/v1#judge")
    assert "the judge's model gave no usable answer" in done.stdout and "in the wrong form)" in done.stdout
    assert "--judge" in done.stdout
    gate = command("report", "--fail-if", "health.judge.failed > 0.05")
    assert gate.returncode == 1 and "gate FAILED: health.judge.failed is 1, above 0.05" in gate.stdout


def test_scoring_tells_of_judges_that_failed(stub: Stub, play: Play, command: Command) -> None:
    stub.script(Say("no JSON"), when=lambda request: request.model == "judge", repeat=True)
    stub.script(Say("I cannot tell."), repeat=True)
    play()
    judged = command("score", "latest", "--quiet", "--judge", f"{stub.url}/v1#judge", **reached(stub.url))
    assert "the judge's model gave no usable answer" in judged.stdout + judged.stderr


def test_episodes_are_found_by_what_was_wrong(stub: Stub, play: Play, command: Command) -> None:
    agents_fail(stub)
    play()
    for word, many in (("failed", 3), ("agent.failed", 3), ("user.failed", 0), ("void", 0)):
        found = command("list", "episodes", "--where", f"health={word}", "--json").stdout
        assert len(json.loads(found)) == many, word
    assert "Did you mean 'failed'" in command("list", "episodes", "--where", "health=faild").stderr
