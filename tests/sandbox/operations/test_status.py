"""How a run is going, as another process sees it: figures of one that is played, one that is dead, one that has ended."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox import Status, status
from riskbox.sandbox.batch.model_tally import ModelTally
from riskbox.sandbox.cli.status import shown
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.reporting.screen import screen
from riskbox.sandbox.stub.request import StubRequest
from riskbox.sandbox.stub.script import Fail, StubReply
from riskbox.sandbox.stub.server import Stub
from riskbox.sandbox.words.modelcall import CallFigures
from tests.command import ENV
from tests.sandbox.playing import until
from tests.sandbox.seats import reached

Command = Callable[..., subprocess.CompletedProcess[str]]


class Held:
    """A run of six episodes with a model as its agent: the last waits until the test lets it answer."""

    def __init__(self, folder: Path, records: Path, stub: Stub) -> None:
        self.store, self.free, self.asked = f"sqlite:///{folder}/riskbox.db", False, 0
        stub.script(self.reply, repeat=True)
        words = [str(records), "--agent", f"{stub.url}/v1#stub", "--local", "--json", "--concurrency", "1"]
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "riskbox.sandbox.cli",
                "run",
                *words,
                "--price",
                f"{stub.url}/v1#stub=1/2",
            ],
            cwd=folder,
            env={**os.environ, **ENV, **reached(stub.url)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    async def reply(self, request: StubRequest) -> StubReply:
        self.asked += 1
        if self.asked == 1:
            return Fail(503)  # sent again
        if self.asked == 2:
            return Fail(400)  # a fault
        while self.asked > 8 and not self.free:
            await asyncio.sleep(0.02)
        return "I cannot help with that."

    def status(self) -> Status:
        return status(store=self.store)


@pytest.fixture
def held(tmp_path: Path, records: Path, stub: Stub) -> Iterator[Held]:
    one = Held(tmp_path, records, stub)
    until(lambda: one.asked > 8 or one.process.poll() is not None)
    assert one.process.poll() is None, one.process.communicate()
    yield one
    one.free = True
    one.process.kill()
    one.process.communicate()


def told(one: Status) -> str:
    """What people read."""
    console = screen()
    with console.capture() as caught:
        console.print(shown(one, " --store redis://host"), soft_wrap=True)
    return caught.get()


@pytest.mark.long
def test_a_run_that_is_played_tells_how_it_is_going_until_it_is_killed(held: Held, command: Command) -> None:
    until(lambda: held.status().done > 1)
    one = held.status()
    assert one.state == "running" and one.planned == 6 and one.left == one.planned - one.done > 0
    assert one.stored == one.done and one.seconds_left and one.rate > 0
    assert one.driver is not None and one.driver.living and one.driver.pid == held.process.pid
    assert [(kind.culprit, kind.count) for kind in one.kinds] == [("agent", 1)] and one.faults == 1
    assert one.causes[0].culprit == "agent" and one.causes[0].reason
    (model,) = one.models
    assert model.calls >= 3 and model.failed == 1 and model.retries >= 1 and model.tokens == one.tokens > 0
    assert model.cost == pytest.approx(one.cost) and one.cost > 0
    assert model.median is not None and model.slow is not None and 0 < model.median <= model.slow < 5
    assert one.health.symptoms
    page = told(one)
    assert f"process {held.process.pid}" in page and "half of its answers" in page and "attach" in page
    assert (
        "(the agent)" in page
        and "--stop --store redis://host" in page
        and any(line in page for line in one.health.lines)
    )

    held.process.kill()
    held.process.wait()
    dead = held.status()
    assert dead.state == "dead" and dead.driver is not None and not dead.driver.living
    assert dead.seconds_left is None and dead.models == one.models
    assert "is gone" in told(dead) and f"riskbox run --resume {dead.run} --store redis://host" in told(dead)
    by_command = command("status", "--json", "--follow")
    assert by_command.returncode == 0 and json.loads(by_command.stdout)["state"] == "dead"


@pytest.mark.long
def test_following_ends_with_the_run(held: Held, tmp_path: Path) -> None:
    following = subprocess.Popen(
        [sys.executable, "-m", "riskbox.sandbox.cli", "status", "--follow", "--json"],
        cwd=tmp_path,
        env={**os.environ, **ENV},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert following.stdout is not None
    assert json.loads(following.stdout.readline())["state"] == "running"
    held.free = True
    rest, _ = following.communicate(timeout=60)
    last = Status.model_validate_json(rest.splitlines()[-1])
    assert last.state == "done" and last.stored == 6 and not last.left and last.driver is None
    assert last.faults == 1 and [kind.count for kind in last.kinds] == [1] and sum(last.labels.values()) == 5
    assert f"riskbox report {last.run}" in told(last)


def test_a_store_or_a_run_that_is_missing_is_one_line(command: Command, tmp_path: Path) -> None:
    assert command("status").returncode == 2
    with pytest.raises(InputError):
        status("nothing", store=f"sqlite:///{tmp_path}/none.db")


@pytest.mark.parametrize("share, expected", [(0.5, 50), (0.95, 95), (1.0, 100)])
def test_quantiles_are_a_tenth_too_high_at_most(share: float, expected: float) -> None:
    tally = ModelTally()
    for seconds in range(1, 101):
        tally.add(CallFigures("m", "ok", float(seconds), 1, (1, 1), 0.0))
    found = tally.quantile(share)
    assert found is not None and expected <= found <= 1.1 * expected


def test_calls_that_asked_nobody_have_no_time() -> None:
    tally = ModelTally()
    tally.add(CallFigures("m", "ok", None, 1, (1, 1), 0.0))
    figures: dict[str, Any] = tally.told()
    assert figures["calls"] == 1 and figures["median"] is None
