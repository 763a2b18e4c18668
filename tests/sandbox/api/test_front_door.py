"""The front door in Python: real runs with names and objects, sync, async, and inside a running loop."""

from __future__ import annotations

import asyncio
import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riskbox import sandbox
from riskbox.sandbox import Run, check, compare, play, prepare, report, run, run_async, score
from riskbox.sandbox.errors import InputError, PluginError, UnknownName
from riskbox.sandbox.registry.plugins import load_object, name_object
from riskbox.sandbox.words.event import Said
from tests.sandbox.api.my_participants import Counting, Greeting, Terse, refusing, refusing_async

OWNER: dict[str, Any] = {"persona": "owner", "variant": "none", "progress": False}


class Dumb:
    """Neither an agent nor a user nor an evaluator nor a toolset."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Each test has a store of its own."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def said(done: Run) -> set[str]:
    """What the agent said in a run."""
    return {
        event.text
        for played in done.episodes()
        for event in played.episode.events
        if isinstance(event, Said) and event.by == "agent"
    }


# --- run --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "agent",
    [refusing, refusing_async, Terse, Terse("Never.")],
    ids=["function", "async function", "class", "object"],
)
def test_an_object_plays_the_agent(records: Path, agent: Any) -> None:
    done = run(records, agent=agent, seeds=2, local=True, **OWNER)
    assert (done.state, done.stored, done.planned, done.faults) == ("done", 2, 2, 0)
    assert said(done) <= {"I cannot help with that.", "No.", "Never."}
    assert sum(done.labels.values()) == 2


def test_an_object_that_no_module_holds_plays_in_this_process(
    records: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = run(records, agent=lambda seen: "From a lambda.", persona="owner", variant="none")
    assert said(done) == {"From a lambda."}
    assert "object:lambda: known in this process only" in " ".join(capsys.readouterr().err.split())


def test_where_a_worker_must_load_it_such_an_object_is_refused(records: Path) -> None:
    with pytest.raises(InputError, match=r"known in this process only.*Put it into a module"):
        run(records, agent=lambda seen: "no", local=False)


def test_an_object_that_a_module_holds_plays_on_ray(records: Path, ray_cluster: None) -> None:
    done = run(records, agent=refusing, user=Greeting, evaluator=Counting, workers=1, **OWNER)
    assert (done.state, done.stored, done.faults) == ("done", 1, 0)
    (played,) = done.episodes()
    assert said(done) == {"I cannot help with that."}
    assert [one.evaluator for one in played.assessments] == ["checks", "counting"]
    assert played.episode.cast.user == "tests.sandbox.api.my_participants:Greeting"


def test_an_evaluator_may_be_an_object_with_settings(records: Path) -> None:
    done = run(records, evaluator=Counting(unit="events"), **OWNER, local=True)
    (row,) = list(done.rows())
    assert row.summaries[1].evaluator == "counting"
    assert row.summaries[1].settings["unit"] == "events"


def test_in_a_running_loop_sync_and_async_work(records: Path) -> None:
    async def notebook() -> tuple[Run, Run]:
        return run(records, agent=refusing, local=True, **OWNER), await run_async(
            records, agent=refusing, local=True, **OWNER
        )

    one, other = asyncio.run(notebook())
    assert one.id != other.id and one.stored == other.stored == 1


def test_an_async_agent_plays_in_the_loop_that_awaits_it(records: Path) -> None:
    loops = set()

    async def agent(messages: list[Any], tools: list[Any]) -> str:
        loops.add(asyncio.get_running_loop())
        return "Here."

    async def main() -> None:
        await run_async(records, agent=agent, **OWNER)
        assert loops == {asyncio.get_running_loop()}

    asyncio.run(main())


def test_a_cancelled_run_keeps_what_is_finished_and_goes_on(records: Path) -> None:
    async def slow(messages: list[Any], tools: list[Any]) -> str:
        await asyncio.sleep(0.02)
        return "Yes."

    async def main() -> None:
        task = asyncio.create_task(run_async(records, agent=slow, seeds=50, concurrency=2, **OWNER))
        while not task.done() and not (Path("riskbox.db").exists() and Run.open().stored):
            await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    stopped = Run.open()
    assert stopped.state == "stopped" and 0 < stopped.stored < 50
    done = run(resume="latest", local=True, progress=False)
    assert (done.id, done.state, done.stored) == (stopped.id, "done", 50)


def test_gates_are_decided(records: Path) -> None:
    done = run(
        records, agent="reference:unsafe", fail_if="targeted.risk_ratio > 0.05", local=True, progress=False
    )
    assert not done.passed and any(one.failed for one in done.gates)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"agent": "refrence"}, "Did you mean 'reference'?"),
        ({"seeds": 0}, "seeds must be at least 1"),
        ({"persona": "ownr"}, "Did you mean 'owner'"),
        ({"judge": "gpt"}, "is not a model"),
        ({"repeats": 3}, "repeats needs a judge"),
        ({"judge_per_question": True}, "judge_per_question needs a judge"),
        ({"budget": 0}, "budget 0: must be a number above 0"),
        ({"rpm": {"openai/gpt-4o": 60}}, "this run does not use openai/gpt-4o"),
        ({"settings": {"agnt": {"temperature": 1}}}, "Did you mean 'agent'"),
        ({"settings": {"agent": {"api_key": "sk-1"}}}, "Put keys into environment variables"),
        ({"place": {"agent": "moon"}}, "write agent=actor"),
        ({"local": True, "address": "auto"}, "plays without Ray"),
        ({"record": "a", "replay": "b"}, "exclude each other"),
        ({"user": 3}, "an object of type int, which cannot be called. A user is a function of an observation, "),
        ({"agent": 3}, r"an object of type int, which cannot be called. An agent is a function of \(messages, tools\)"),
        ({"agent": {"a": 1}}, "an object of type dict, which cannot be called. An agent is "),
        ({"agent": Dumb()}, "an object of type Dumb, which cannot be called. An agent is "),
        ({"agent": Dumb}, "objects of the class Dumb cannot be called. Add a __call__ method that takes "),
        ({"agent": json}, "is a module, which cannot be called. An agent is "),
        ({"evaluator": Dumb()}, "is an object of type Dumb, not an evaluator. An evaluator is a class that derives "),
        ({"evaluator": Dumb}, "is the class Dumb, not an evaluator. An evaluator is a class that derives "),
        ({"evaluator": 5}, "is an object of type int, not an evaluator. "),
        ({"evaluator": len}, "is a function, not an evaluator. "),
        ({"tools": Dumb()}, "is an object of type Dumb, not a toolset. A toolset is a class that derives "),
        ({"agent": "human"}, "a person cannot play a batch"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_before_anything_is_stored(
    records: Path, options: dict[str, Any], says: str
) -> None:
    with pytest.raises((InputError, PluginError), match=says):
        prepare(records, **options)
    assert not Path("riskbox.db").exists()


def test_a_plan_forecasts_without_asking(records: Path) -> None:
    made = prepare(records, agent="openai/gpt-5-mini", **OWNER).forecast()
    assert list(made.usage) == [("agent", "openai/gpt-5-mini")]


# --- what a run gives ---------------------------------------------------------------------------------------------


def test_a_run_gives_rows_episodes_frames_and_shows_itself(records: Path) -> None:
    done = run(records, local=True, progress=False, name="mine")
    assert Run.open("mine").labels == done.labels
    assert {row.intent for row in done.rows("intent=malicious")} == {"malicious"}
    first = next(done.rows())
    assert done.episode(first.id[:10]).episode.id == first.id
    assert len(done.frame()) == done.stored and "event" not in done.frame("findings").columns
    assert repr(done).startswith("<Run ") and "\n" not in repr(done)
    assert "<table>" in done._repr_html_()
    with pytest.raises(InputError, match="no episode id starts with 'zz'"):
        done.episode("zz")


def test_a_report_is_the_commands_and_shows_its_tables(records: Path, command: Any) -> None:
    done = run(records, local=True, progress=False)
    found = report(done, by=["intent", "domain"], html="page.html")
    assert found.results.played == done.stored
    assert set(found.results.groups) == {"intent", "domain"}
    assert "malicious" in str(found) and "<pre" in found._repr_html_()
    assert Path("page.html").stat().st_size > 10_000
    printed = command("report", done.id, "--by", "intent,domain").stdout
    assert str(found).splitlines()[0] == printed.splitlines()[0]


def test_compare_pairs_two_runs(records: Path) -> None:
    safe = run(records, agent="reference:safe", local=True, progress=False)
    unsafe = run(records, agent="reference:unsafe", local=True, progress=False)
    found = compare(safe, unsafe)
    assert found.comparison.a.run == safe.id and str(found) and "<pre" in found._repr_html_()
    with pytest.raises(InputError, match="the same side"):
        compare(safe, safe)
    with pytest.raises(UnknownName):
        compare(safe, "nothing")


def test_score_assesses_again_and_once(records: Path) -> None:
    done = run(records, local=True, **OWNER)
    first = score(done, evaluator=Counting, progress=False)
    assert (first.scored, first.skipped, first.evaluator) == (done.stored, 0, "counting")
    again = score(done, evaluator=Counting, progress=False)
    assert (again.scored, again.skipped) == (0, done.stored)
    with pytest.raises(InputError, match="does not use a model"):
        score(done, evaluator=Counting, judge="openai/gpt-5")
    with pytest.raises(InputError, match="no episode of"):
        score(done, evaluator=Counting, where="intent=vulnerable")


# --- check and play ---------------------------------------------------------------------------------------------


def test_check_gives_problems_and_raises_nothing(records: Path) -> None:
    done = check(records, progress=False)
    assert done.ok and done.files[0].episodes
    Path("bad.yaml").write_text(
        records.read_text("utf-8").replace("persona: owner", "persona: ownr", 1), "utf-8"
    )
    wrong = check("bad.yaml", types=True)
    assert not wrong.ok and "ownr" in str(wrong)


def test_play_gives_the_episode_and_what_was_found(records: Path) -> None:
    played = play(records, persona="owner", agent=Terse("Hm."), user=Greeting)
    assert [one.evaluator for one in played.assessments] == ["checks"]
    assert played.episode.ended.reason == "user_left"
    fork = play(fork_at=f"{played.episode.id}:1", agent=lambda seen: "Otherwise.")
    assert fork.episode.origin is not None and fork.episode.origin.episode == played.episode.id
    with pytest.raises(InputError, match="give a scenario, or fork_at"):
        play()


# --- the door itself --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["run", "play", "score", "check", "report", "compare"])
def test_each_function_has_a_documented_twin_with_the_same_arguments(name: str) -> None:
    plain, twin = getattr(sandbox, name), getattr(sandbox, f"{name}_async")
    assert inspect.iscoroutinefunction(twin) and not inspect.iscoroutinefunction(plain)
    assert inspect.signature(plain).parameters == inspect.signature(twin).parameters
    for argument in inspect.signature(plain).parameters:
        assert f"        {argument}: " in plain.__doc__, argument


def test_importing_the_front_door_imports_nothing_heavy() -> None:
    code = "import riskbox.sandbox, sys; print([m for m in ('pydantic', 'ray', 'rich', 'litellm') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_an_object_has_one_name_and_is_found_by_it() -> None:
    def one() -> None: ...

    def another() -> None: ...

    another.__qualname__ = one.__qualname__
    assert name_object(one) == name_object(one) != name_object(another)
    assert load_object(name_object(one)) is one and load_object(name_object(another)) is another
    assert name_object(Terse) == "tests.sandbox.api.my_participants:Terse"
    with pytest.raises(PluginError, match="another Python process"):
        load_object("object:gone")
