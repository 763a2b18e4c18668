"""Agents, users and evaluators of one's own are played by file, by module and by entry point."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from riskbox.sandbox.batch import launch
from riskbox.sandbox.batch.plan import CaseFilter, cases, specs
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.errors import InputError, PluginError
from riskbox.sandbox.gym.env import SandboxEnv
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.registry.evaluators import evaluator_class
from riskbox.sandbox.registry.plugins import installed
from riskbox.sandbox.registry.users import check_user_name
from riskbox.sandbox.stores import open_store
from tests.sandbox.packages import install

SANDBOX = Path(__file__).parents[1]
Command = Callable[..., CompletedProcess[str]]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path with `mine.py`, which an installed distribution offers, too."""
    shutil.copy(SANDBOX / "own.py", tmp_path / "mine.py")
    shutil.copy(SANDBOX / "agents_under_test.py", tmp_path / "bots.py")
    groups = {
        "riskbox.agents": {"acme-desk": "bots:polite"},
        "riskbox.users": {"acme-caller": "mine:user"},
        "riskbox.evaluators": {"acme-manners": "mine:Polite"},
    }
    install(tmp_path, groups)
    monkeypatch.syspath_prepend(str(tmp_path))
    installed.cache_clear()
    yield tmp_path
    installed.cache_clear()
    for name in ("mine", "bots"):
        sys.modules.pop(name, None)


def played(command: Command, records: Path, folder: Path, *words: str) -> list[dict[str, Any]]:
    """The stored episodes of a run with these options."""
    given = ("run", records, "--variant", "none", "--local", "--json", *words)
    done = command(*given)
    assert done.returncode == 0, done.stderr
    with open_store(f"sqlite:///{folder}/riskbox.db") as store:
        rows = list(store.rows(json.loads(done.stdout)["run"]))
        return [store.episode(row.run, row.id).model_dump(mode="json") for row in rows]


@pytest.mark.parametrize("name", ["mine.py:user", "mine:user", "acme-caller"])
def test_a_user_of_ones_own_plays(name: str, own: Path, records: Path, command: Command) -> None:
    found = played(command, records, own, "--agent", "bots.py:polite", "--user", name)
    assert {one["episode"]["case"]["persona"] for one in found} == {"owner", "neighbour"}
    for one in found:
        episode = one["episode"]
        said = [event["text"] for event in episode["events"] if event["kind"] == "said"]
        assert said[0].startswith("I want to: ") and episode["events"][-1]["reason"] == "user_left"
        assert episode["cast"]["user"] == name and set(episode["cast"]["code"]) == {"agent", "user"}
        lapses = {lapse["kind"] for lapse in episode["fidelity"]}
        assert "goal_leaked" in lapses, "one's own user is watched as a model is"


@pytest.mark.parametrize("name", ["mine.py:Polite", "mine:Polite", "acme-manners"])
def test_an_evaluator_of_ones_own_assesses(name: str, own: Path, records: Path, command: Command) -> None:
    found = played(command, records, own, "--agent", "idle", "--evaluator", name)
    for one in found:
        checks, mine = one["assessments"]
        assert (mine["evaluator"], mine["version"], checks["evaluator"]) == ("polite", "1", "checks")
        assert set(mine["settings"]) == {"code"} and {v["value"] for v in mine["verdicts"]} == {None}
    report = command("report", "--evaluator", name, "--json")
    assert json.loads(report.stdout)["evaluator"] == "polite", report.stderr
    assert command("export", "csv", "--evaluator", name).returncode == 0
    gate = command("report", "--evaluator", name, "--fail-if", "unknown > 0")
    assert gate.returncode in (1, 2), "a gate reads it by the same name"


def test_an_agent_is_named_by_entry_point(own: Path, records: Path, command: Command) -> None:
    found = played(command, records, own, "--agent", "acme-desk")
    assert {one["episode"]["cast"]["agent"] for one in found} == {"acme-desk"}
    assert all(set(one["episode"]["cast"]["code"]) == {"agent"} for one in found)


def test_stored_episodes_are_scored_by_ones_own(own: Path, records: Path, command: Command) -> None:
    played(command, records, own, "--agent", "bots.py:polite")
    first = json.loads(command("score", "--evaluator", "mine.py:Polite", "--json").stdout)
    again = json.loads(command("score", "--evaluator", "mine.py:Polite", "--json").stdout)
    assert (first["scored"], first["safe"], again["scored"], again["skipped"]) == (2, 2, 0, 2)
    (own / "mine.py").write_text((own / "mine.py").read_text() + "\n# changed\n")
    changed = json.loads(command("score", "--evaluator", "mine.py:Polite", "--json").stdout)
    assert changed["scored"] == 2 and changed["settings"] != first["settings"]
    with open_store(f"sqlite:///{own}/riskbox.db") as store:
        summaries = next(store.rows(store.run("latest").run)).summaries
    assert [one.evaluator for one in summaries] == ["checks", "polite", "polite"]
    refused = command("score", "--evaluator", "mine.py:Polite", "--judge", "openai/gpt-5")
    assert refused.returncode == 2 and "does not use a model" in refused.stderr


def test_the_code_of_a_user_is_part_of_an_episode_and_a_resume_refuses_another(
    own: Path, records: Path
) -> None:
    name = f"{own}/mine.py:user"
    made = cases([load(records)], CaseFilter(variants=("none",)))
    before = specs(made, ["idle"], [1], name)
    settings = RunSettings(local=True)
    with open_store(f"sqlite:///{own}/runs.db") as store:
        begun = launch.new_manifest(made, before, settings)
        launch.create(store, begun, made, before)
        assert [one.id for one in launch.remaining(store, begun.run)[1]] == [one.id for one in before]
        (own / "mine.py").write_text((own / "mine.py").read_text() + "\n# changed\n")
        after = specs(made, ["idle"], [1], name)
        assert not {one.id for one in before} & {one.id for one in after}
        with pytest.raises(InputError, match=r"the code of .*mine.py:user has changed since the run began"):
            launch.remaining(store, begun.run)


def test_a_resume_refuses_another_code_of_an_evaluator(own: Path, records: Path) -> None:
    name = f"{own}/mine.py:Polite"
    made = cases([load(records)], CaseFilter(variants=("none",)))
    begun = launch.new_manifest(made, specs(made, ["idle"], [1]), RunSettings(evaluators=(name, "checks")))
    assert launch.assessed_as_before(RunSettings(), begun).evaluators == (name, "checks")
    (own / "mine.py").write_text((own / "mine.py").read_text() + "\n# changed\n")
    with pytest.raises(InputError, match=r"the code of .*mine.py:Polite has changed .* riskbox score"):
        launch.assessed_as_before(RunSettings(), begun)


@pytest.mark.long
def test_a_user_of_ones_own_plays_in_an_actor_of_its_own(own: Path, records: Path, ray_cluster: None) -> None:
    made = cases([load(records)], CaseFilter(variants=("none",)))
    listed = specs(made, ["idle"], [1], f"{own}/mine.py:Curt")
    for settings in (RunSettings(workers=1), RunSettings(workers=1, places={"user": "inline"})):
        with open_store(f"sqlite:///{own}/runs.db") as store:
            begun = launch.new_manifest(made, listed, settings)
            launch.create(store, begun, made, listed)
            _, progress = asyncio.run(launch.execute(store, begun.run, made, listed, settings))
            assert (progress.done, progress.faults) == (2, 0)
            assert {row.reason for row in store.rows(begun.run)} == {"user_left"}


def test_a_user_of_ones_own_plays_with_a_person_and_in_gymnasium(
    own: Path, records: Path, command: Command
) -> None:
    done = command("play", records, "--as", "agent", "--user", "mine.py:Curt", "--json", stdin="Hi.\n")
    assert json.loads(done.stdout.splitlines()[-1])["reason"] == "user_left", done.stderr
    env = SandboxEnv(records, user=f"{own}/mine.py:Curt")
    _, info = env.reset(seed=1)
    texts = [one["text"] for one in info["events"] if one["kind"] == "said"]
    assert texts == ["Well?"]
    assert env.episode().cast.code.keys() == {"agent", "user"}
    env.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--user", "mine.py:usr"], "Did you mean 'user'"),
        (["--user", "acme-callr"], "Did you mean 'acme-caller'"),
        (["--user", "mine.py:chatting"], "a user takes one argument, the observation"),
        (["--user", "idle"], "unknown user 'idle'"),
        (["--agent", "acme-dsk"], "Did you mean 'acme-desk'"),
        (["--agent", "scripted"], "a script plays users"),
        (["--evaluator", "mine.py:Polit"], "Did you mean 'Polite'"),
        (["--evaluator", "acme-maners"], "Did you mean 'acme-manners'"),
        (["--evaluator", "chekcs"], "Did you mean 'checks'"),
        (
            ["--evaluator", "mine.py:Curt"],
            "Curt is the class Curt, not an evaluator. An evaluator is a class that",
        ),
        (["--evaluator", "mine.py:Impostor"], "give it another name"),
        (["--evaluator", "mine.py:Asking"], "mine.py:Asking asks a model; name one with --judge MODEL"),
        (["--evaluator", "judge"], "judge asks a model; name one with --judge MODEL"),
    ],
)
def test_a_miss_says_what_to_write(
    words: list[str], said: str, own: Path, records: Path, command: Command
) -> None:
    done = command("run", records, "--local", *words)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1
    assert not (own / "riskbox.db").exists()


def test_an_installed_one_that_does_not_load_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"gone": "no_such_module_here:Gone"}
    install(tmp_path, {"riskbox.users": gone, "riskbox.evaluators": gone})
    monkeypatch.syspath_prepend(str(tmp_path))
    installed.cache_clear()
    with pytest.raises(PluginError, match="the installed user 'gone' cannot be loaded: No module named"):
        check_user_name("gone")
    with pytest.raises(PluginError, match="the installed evaluator 'gone' cannot be loaded: No module named"):
        evaluator_class("gone")
    installed.cache_clear()


@pytest.mark.parametrize(
    ("what", "name"), [("agents", "acme-desk"), ("users", "acme-caller"), ("evaluators", "acme-manners")]
)
def test_lists_show_what_is_installed(what: str, name: str, own: Path, command: Command) -> None:
    listed = {one[what[:-1]]: one for one in json.loads(command("list", what, "--json").stdout)}
    assert listed[name]["from"] == "acme" and {one["from"] for one in listed.values()} == {"acme", "riskbox"}
    assert name in command("list", what).stdout
