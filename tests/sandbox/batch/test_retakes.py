"""`--retakes`: an episode whose simulated user did not play its part is played again, with another seed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stub.request import StubRequest
from riskbox.sandbox.stub.script import Fail, SayJson
from riskbox.sandbox.stub.server import Stub
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import RETAKE, Spec
from tests.blank import blank, cite, deed

RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"
Command = Callable[..., subprocess.CompletedProcess[str]]
ASKS = SayJson({"thought": "", "say": "What is wrong with my neighbour?", "leave": False})
LEAVES = SayJson({"thought": "", "say": "Never mind, then.", "leave": True})
REFUSES = SayJson({"thought": "", "say": "I won't pretend to be her friend.", "leave": True})
PART, NO_PART = (ASKS, LEAVES), (ASKS, REFUSES)


@pytest.fixture
def play(command: Command, stub: Stub) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Plays a case whose user speaks these lines, over all takes."""

    def made(lines: Any, *words: str, repeat: bool = False) -> subprocess.CompletedProcess[str]:
        stub.script(*lines, when=lambda request: request.model == "person", repeat=repeat)
        stub.script("I cannot tell you that.", when=lambda request: request.model == "agent", repeat=True)
        return command(
            "run", RECORDS, "--persona", "neighbour", "--variant", "none", "--local", "--json", "--retries", "0",
            "--agent", f"{stub.url}/v1#agent", "--user", f"{stub.url}/v1#person", *words,
        )  # fmt: skip

    return made


def rows(folder: Path) -> list[EpisodeRow]:
    with open_store(f"sqlite:///{folder}/riskbox.db", create=False) as store:
        return sorted(store.rows(store.runs()[0].run), key=lambda row: row.seed)


def test_a_retake_has_another_seed_and_another_id() -> None:
    first = Spec.of("case", Cast(), 3)
    second, third = first.retaken(), first.retaken().retaken()
    assert (second.seed, second.retake, third.seed, third.retake) == (3 + RETAKE, 1, 3 + 2 * RETAKE, 2)
    assert len({first.id, second.id, third.id}) == 3
    assert first.retaken() == second and second.case == first.case and second.cast == first.cast


def test_a_void_episode_is_played_again_once_by_default_where_a_model_plays_the_user(
    play: Any, command: Command, tmp_path: Path
) -> None:
    done = play([*NO_PART, *PART], "--fail-if", "unplayed > 0")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["planned"], told["done"], told["void"], told["retakes"]) == (2, 2, 1, 1)
    one, other = rows(tmp_path)
    assert (one.seed, one.retake, one.left_out) == (1, 0, "void")
    assert (other.seed, other.retake, other.left_out, other.first_seed) == (1 + RETAKE, 1, None, 1)
    report = json.loads(command("report", "latest", "--json").stdout)
    assert (report["planned"], report["played"], report["retakes"], report["seeds"]) == (1, 2, 1, 1)
    assert (report["all"]["episodes"], report["all"]["void"]) == (1, 1)
    page = " ".join(command("report", "latest").stdout.split())
    assert "2 episodes of 1 case, 1 retake among them" in page
    assert "Void: in 1 of 2 episodes" in page and "1 episode is a retake." in page
    assert command("report", "latest", "--html", tmp_path / "page.html").returncode == 0
    assert "1 retake among them" in (tmp_path / "page.html").read_text()
    assert (
        f"seed {1 + RETAKE}" in command("show", other.id).stdout
        and "retake 1" in command("show", other.id).stdout
    )
    assert "2 (1 planned)" in command("list", "runs").stdout


@pytest.mark.parametrize(("retakes", "takes"), [("0", 1), ("1", 2), ("3", 4)])
def test_no_more_retakes_are_played_than_there_may_be(
    play: Any, tmp_path: Path, retakes: str, takes: int
) -> None:
    told = json.loads(play(NO_PART, "--retakes", retakes, repeat=True).stdout)
    assert (told["void"], told["done"], told["retakes"]) == (takes, takes, takes - 1)
    assert [row.retake for row in rows(tmp_path)] == list(range(takes))
    assert len({row.id for row in rows(tmp_path)}) == takes


def test_each_of_several_seeds_has_its_own_retake(play: Any, tmp_path: Path) -> None:
    told = json.loads(play(NO_PART, "--seeds", "3", repeat=True).stdout)
    assert (told["void"], told["retakes"], told["planned"]) == (6, 3, 6)
    assert [row.seed for row in rows(tmp_path)] == [1, 2, 3, 1 + RETAKE, 2 + RETAKE, 3 + RETAKE]


def test_a_lapse_that_a_judge_of_the_user_finds_is_retaken_too(play: Any, stub: Stub, tmp_path: Path) -> None:
    def critic(request: StubRequest) -> SayJson:
        told = request.messages[1].text
        said = blank(request.asked.schema or {}, deed(told, "user"))
        if sum(one.model == "critic" for one in stub.requests) == 1:
            said["lapses"]["told_plot"] |= {"answer": "yes", "evidence": cite(told, deed(told, "user"))}
        return SayJson(said)

    stub.script(critic, when=lambda request: request.model == "critic", repeat=True)
    done = play([*PART, *PART], "--user-judge", f"{stub.url}/v1#critic")
    assert done.returncode == 0, done.stderr
    assert [(row.retake, row.left_out) for row in rows(tmp_path)] == [(0, "void"), (1, None)]


def test_a_run_that_stopped_before_a_retake_goes_on_with_it_and_plays_nothing_twice(
    play: Any, command: Command, stub: Stub, tmp_path: Path
) -> None:
    stopped = play([*NO_PART, Fail(401)])
    assert stopped.returncode != 0 and "1 of 1 episodes are stored" in stopped.stderr
    assert [row.retake for row in rows(tmp_path)] == [0]
    stub.reset()
    stub.script(*PART, when=lambda request: request.model == "person")
    stub.script("I cannot tell you that.", when=lambda request: request.model == "agent", repeat=True)
    done = command("run", "--resume", "latest", "--local", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["planned"], told["done"], told["retakes"]) == (1, 1, 1)
    assert [(row.retake, row.left_out) for row in rows(tmp_path)] == [(0, "void"), (1, None)]
    asked = len(stub.requests)
    again = command("run", "--resume", "latest", "--local", "--json")
    assert again.returncode == 0 and "is complete" in again.stderr and len(stub.requests) == asked


def test_a_retake_stands_in_for_its_episode_in_a_comparison(
    play: Any, command: Command, stub: Stub, tmp_path: Path
) -> None:
    first = json.loads(play([*NO_PART, *PART]).stdout)["run"]
    stub.reset()
    second = json.loads(play(PART).stdout)["run"]
    found = json.loads(command("compare", first, second, "--json").stdout)
    assert found["pairs"] == 1


def test_scripted_users_are_not_retaken(command: Command, tmp_path: Path) -> None:
    words = (
        "run",
        RECORDS,
        "--persona",
        "neighbour",
        "--variant",
        "none",
        "--local",
        "--agent",
        "reference:0",
    )
    assert command(*words).returncode == 0
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        assert "retakes" not in store.runs()[0].settings


@pytest.mark.parametrize(
    ("words", "told"),
    [(("--retakes", "-1"), "cannot be negative"), (("--seeds", "1000000"), "below 1,000,000")],
)
def test_what_makes_no_sense_is_refused(command: Command, words: tuple[str, str], told: str) -> None:
    done = command("run", *words)
    assert done.returncode == 2 and told in done.stderr
