"""An episode is stored when it is played; judging it is a stage of its own, which goes on after whatever ended a run."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.batch.keeper import Keeper
from riskbox.sandbox.batch.launch import create, new_manifest
from riskbox.sandbox.batch.plan import CaseFilter, cases
from riskbox.sandbox.batch.plan import specs as plan
from riskbox.sandbox.batch.player import Player
from riskbox.sandbox.batch.pool import Worker, WorkerDied
from riskbox.sandbox.batch.runner import Runner
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.batch.work import Judging, Work
from riskbox.sandbox.errors import InputError, StoreError
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stores.spill import Whole
from riskbox.sandbox.stub.request import StubRequest
from riskbox.sandbox.stub.script import Fail, SayJson, Slow
from riskbox.sandbox.stub.server import Stub
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.row import EpisodeRow
from tests.blank import blank, cite, deed
from tests.command import environment
from tests.sandbox.batch.test_retakes import ASKS, LEAVES
from tests.sandbox.stores.conftest import Server

Command = Callable[..., subprocess.CompletedProcess[str]]
ON_RAY = partial(pytest.param, marks=pytest.mark.long)
PERSONAS = ("--persona", "owner", "--persona", "neighbour", "--variant", "none", "--seeds", "2")
PLANNED = 4


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.long)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty store of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/riskbox.db"
        return
    server = Server(tmp_path)
    server.start()
    yield server.url
    server.stop()


def judges(request: StubRequest) -> bool:
    return request.model == "judge"


def plays(request: StubRequest) -> bool:
    return request.model == "agent"


def speaks(request: StubRequest) -> bool:
    return request.model == "person"


def agent_answers(stub: Stub) -> None:
    stub.script("I cannot tell you that.", when=plays, repeat=True)


def judge_answers(stub: Stub) -> None:
    stub.script(lambda request: SayJson(blank(request.asked.schema or {})), when=judges, repeat=True)


def judge_hangs(stub: Stub) -> None:
    stub.script(Slow(120), when=judges, repeat=True)


def words(stub: Stub, records: Path, url: str) -> list[str]:
    return [
        "run", str(records), *PERSONAS, "--agent", f"{stub.url}/v1#agent", "--judge", f"{stub.url}/v1#judge", "--store", url
    ]  # fmt: skip


def rows(url: str) -> list[EpisodeRow]:
    with open_store(url, create=False) as store:
        runs = store.runs()
        return list(store.rows(runs[0].run)) if runs else []


def episodes(url: str) -> list[Played]:
    with open_store(url, create=False) as store:
        run = store.runs()[0].run
        return [store.episode(run, row.id) for row in store.rows(run)]


def rows_so_far(url: str) -> list[EpisodeRow]:
    try:
        return rows(url)
    except (InputError, StoreError):
        return []


def until(holds: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def asked(stub: Stub, which: Callable[[StubRequest], bool]) -> int:
    return sum(which(one) for one in stub.requests)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill -9"])
@pytest.mark.parametrize(
    "where", [pytest.param(("--local",), id="local"), ON_RAY(("--workers", "2"), id="ray")]
)
def test_whatever_ends_a_run_while_a_judge_hangs_it_goes_on_and_plays_nothing_twice(
    stub: Stub, riskbox: Command, records: Path, tmp_path: Path, url: str, how: signal.Signals, where: Any
) -> None:
    agent_answers(stub)
    judge_hangs(stub)
    command = [sys.executable, "-m", "riskbox.sandbox.cli", *words(stub, records, url), *where]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment(), "NO_COLOR": "1"},
        start_new_session=True,
    ) as process:
        until(lambda: len(rows_so_far(url)) == PLANNED and asked(stub, judges) > 0)
        if how == signal.SIGKILL:
            os.killpg(process.pid, how)
            process.communicate(timeout=60)
        else:
            process.send_signal(how)
            out, errors = process.communicate(timeout=60)
            assert process.returncode == 130, errors
            assert (
                f"Stopped: {PLANNED} of {PLANNED} episodes are stored, {PLANNED} of them not judged yet."
                in out
            )
            assert "Traceback" not in errors and "never" not in errors
    assert [row.unjudged for row in rows(url)] == [("judge",)] * PLANNED
    played = {one.episode.id: one.episode for one in episodes(url)}

    stub.reset()
    judge_answers(stub)
    done = riskbox("run", "--resume", "latest", "--store", url, *where)
    assert done.returncode == 0, done.stderr
    assert f"{PLANNED} episodes played before and still to be judged." in done.stderr
    assert asked(stub, plays) == 0 and asked(stub, judges) >= PLANNED
    after = episodes(url)
    assert {one.episode.id: one.episode for one in after} == played
    for one in after:
        assert [(made.evaluator, made.pending) for made in one.assessments] == [
            ("judge", False),
            ("checks", False),
        ]
        assert not one.assessments[0].fault and one.assessments[0].model_calls
    assert [row.unjudged for row in rows(url)] == [()] * PLANNED
    again = riskbox("run", "--resume", "latest", "--store", url, *where)
    assert again.returncode == 0 and "is complete" in again.stdout


@pytest.fixture
def db(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/riskbox.db"


@pytest.fixture
def halted(stub: Stub, command: Command, records: Path, db: str) -> subprocess.CompletedProcess[str]:
    """A run whose judge has no key that counts."""
    agent_answers(stub)
    stub.script(Fail(401), when=judges, repeat=True)
    return command(
        *words(stub, records, db), "--local", "--concurrency", "1", "--fail-if", "any.risk_ratio > 0.99"
    )


def test_a_judge_that_halts_the_run_leaves_what_was_played(
    stub: Stub, command: Command, halted: subprocess.CompletedProcess[str], db: str
) -> None:
    assert halted.returncode == 2
    assert "not judged yet. Continue with: riskbox run --resume" in halted.stderr
    before = rows(db)
    assert before and all(row.unjudged == ("judge",) for row in before)
    stub.reset()
    agent_answers(stub)
    judge_answers(stub)
    done = command("run", "--resume", "latest", "--local", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["unjudged"], told["done"]) == (0, PLANNED - len(before))
    after = rows(db)
    assert len(after) == PLANNED and not any(row.unjudged for row in after)


def test_what_is_not_judged_yet_is_told_everywhere_and_passes_no_gate(
    stub: Stub, command: Command, halted: subprocess.CompletedProcess[str], db: str
) -> None:
    many = len(rows(db))
    assert f"{many} of {PLANNED}, {many} not judged yet" in " ".join(command("list", "runs").stdout.split())
    page = command("report", "latest")
    assert f"Not judged yet: {many} of {many} episodes" in " ".join(page.stdout.split())
    assert "Not judged yet by" in command("show", rows(db)[0].id).stdout
    ids = sorted(row.id for row in rows(db))
    listed = json.loads(command("list", "episodes", "--where", "unjudged=true", "--json").stdout)
    assert sorted(one["id"] for one in listed) == ids
    exported = csv.DictReader(command("export", "csv").stdout.splitlines())
    assert [one["unjudged"] for one in exported] == ["judge"] * many
    gated = command("report", "latest", "--fail-if", "any.risk_ratio > 0.99", "--fail-if", "unplayed > 0.99")
    assert gated.returncode == 1
    checked = command("report", "latest", "--fail-if", "unassessed > 0.5", "--json")
    assert checked.returncode == 1


def test_a_comparison_tells_which_side_is_not_judged_yet(
    command: Command, halted: subprocess.CompletedProcess[str], records: Path, db: str, tmp_path: Path
) -> None:
    many, page = len(rows(db)), tmp_path / "compare.html"
    assert command("run", records, *PERSONAS, "--local", "--name", "other").returncode == 0
    with open_store(db, create=False) as store:
        (waiting,) = [one.run for one in store.runs() if one.name != "other"]
    note = f"Not judged yet: {many} of {many} episodes of B, so everything that only judge can settle is unknown in them."
    done = command("compare", "other", waiting, "--html", page)
    assert done.returncode == 0, done.stderr
    assert note in " ".join(done.stdout.split())
    assert note in " ".join(page.read_text().split())
    told = json.loads(command("compare", "other", waiting, "--json").stdout)
    assert (told["a"]["unjudged"], told["b"]["unjudged"]) == (0, many)
    (said,) = [one for one in told["notes"] if one.startswith("Not judged yet")]
    assert said.endswith(f"riskbox run --resume {waiting} judges them.")


def test_a_run_without_judges_writes_once(command: Command, records: Path, db: str) -> None:
    assert command("run", records, *PERSONAS, "--local").returncode == 0
    with open_store(db, create=False) as store:
        run = store.run().run
        assert store.cursor(run) == store.count(run), "no row was written twice"
        assert not any(row.unjudged for row in store.rows(run))


def test_what_a_judge_of_the_user_voids_is_retaken_after_a_resume(
    stub: Stub, command: Command, records: Path, db: str
) -> None:
    agent_answers(stub)
    stub.script(ASKS, LEAVES, when=speaks)
    stub.script(Fail(401), when=judges, repeat=True)
    given = [
        "run", records, "--persona", "neighbour", "--variant", "none", "--agent", f"{stub.url}/v1#agent", "--local",
        "--user", f"{stub.url}/v1#person", "--user-judge", f"{stub.url}/v1#judge", "--retakes", "1",
    ]  # fmt: skip
    assert command(*given).returncode == 2
    assert [row.unjudged for row in rows(db)] == [("user_judge",)]

    def critic(request: StubRequest) -> SayJson:
        told = request.messages[1].text
        said = blank(request.asked.schema or {}, deed(told, "user"))
        if asked(stub, judges) == 1:
            said["lapses"]["told_plot"] |= {"answer": "yes", "evidence": cite(told, deed(told, "user"))}
        return SayJson(said)

    stub.reset()
    agent_answers(stub)
    stub.script(ASKS, LEAVES, when=speaks)
    stub.script(critic, when=judges, repeat=True)
    done = command("run", "--resume", "latest", "--local", "--json")
    assert done.returncode == 0, done.stderr
    assert [(row.retake, row.left_out, row.unjudged) for row in rows(db)] == [(0, "void", ()), (1, None, ())]
    first = episodes(db)[0]
    checks = next(one for one in first.assessments if one.evaluator == "checks")
    assert {answer.why for answer in checks.risks} == {"void"}, "they know of the lapse"


def test_score_without_a_judge_finishes_what_the_run_began(
    stub: Stub, command: Command, halted: subprocess.CompletedProcess[str], db: str
) -> None:
    many = len(rows(db))
    stub.reset()
    judge_answers(stub)
    refused = command("score", "latest", "--repeats", "3")
    assert refused.returncode == 2 and "as it was planned" in " ".join(refused.stderr.split())
    done = command("score", "latest")
    assert done.returncode == 0, done.stderr
    after = rows(db)
    assert len(after) == many and not any(row.unjudged for row in after)
    assert all([one.evaluator for one in row.summaries] == ["judge", "checks"] for row in after)


@pytest.mark.parametrize(("deaths", "judged"), [(1, True), (2, True), (9, False)])
async def test_what_a_worker_was_judging_when_it_died_is_judged_by_another_or_stays_as_it_is(
    stub: Stub, records: Path, db: str, deaths: int, judged: bool
) -> None:
    judge_answers(stub)
    case = cases([load(records)], CaseFilter(personas=("owner",), variants=("none",)))[0]
    specs = plan([case], ["reference:safe"], range(3))
    settings = RunSettings(
        local=True,
        concurrency=2,
        evaluators=("judge", "checks"),
        judging={"judges": [f"{stub.url}/v1#judge"]},
    )
    left = iter(range(deaths))

    class Dying(Player):
        """A worker whose process dies when it is to judge, so many times."""

        async def add(self, work: Sequence[Work]) -> None:
            if any(isinstance(one, Judging) for one in work) and next(left, None) is not None:
                await self.stop()
                raise WorkerDied("killed")
            await super().add(work)

    async def start_worker(concurrency: int) -> Worker:
        return Dying("", {case.hash: case}, settings)

    with open_store(db) as store:
        manifest = new_manifest([case], specs, settings)
        create(store, manifest, [case], specs)
        keeper = Keeper(store, Whole(manifest, {case.hash: case}, specs), 0.0)
        runner = Runner(manifest.run, specs, {case.hash: case}, keeper, settings, start_worker)
        async with asyncio.timeout(60):
            assert await runner.play_all() == "done"
        found = list(store.rows(manifest.run))
    assert sorted(row.seed for row in found) == [0, 1, 2]
    assert all(row.ending != "fault" for row in found), "what was played stays what it was"
    assert [row.unjudged for row in found] == [() if judged else ("judge",)] * 3
    assert runner.progress.unjudged == (0 if judged else 3)
