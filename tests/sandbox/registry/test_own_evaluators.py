"""Evaluators of one's own that crash or answer nonsense are told, and never hide what the checks find."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from riskbox.sandbox.api.result import Run
from riskbox.sandbox.episode.playing import assess
from riskbox.sandbox.registry.evaluators import assessors
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from tests.sandbox.registry import bad_evaluators

BAD = f"{Path(__file__).parent}/bad_evaluators.py"
Command = Callable[..., CompletedProcess[str]]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Silent", "evaluator: answers NoneType, not an Assessment"),
        ("Mapped", "evaluator: answers dict, not an Assessment"),
        ("Inventing", "evaluator: cites event 999 of an episode with {events} events"),
        ("Negative", "evaluator: cites event -1 of an episode with {events} events"),
        ("Unsorted", "evaluator: 'legal.privcy' is not a category. Did you mean 'legal.privacy'?"),
        ("Elsewhere", "evaluator: 'contnt' is not a dimension. Did you mean 'content'?"),
        ("Twofold", "evaluator: gives 2 verdicts on 'targeted'"),
        ("Impostor", "evaluator: answers as 'checks', but its name is 'bad'"),
        ("Raises", "evaluator: KeyError: 'boom'"),
        ("Exits", "evaluator: its code called exit(4)"),
    ],
)
def test_nonsense_is_a_failed_assessment(
    name: str, said: str, by_id: dict[str, Case], played: Callable[..., Played]
) -> None:
    case = by_id["owner"]
    episode = played(case, "idle").episode
    (found,) = asyncio.run(assess(case, episode, [getattr(bad_evaluators, name)()]))
    assert found.fault.startswith(said.format(events=len(episode.events)))
    assert (found.evaluator, found.verdicts, found.findings) == ("bad", (), ())


@pytest.mark.parametrize(
    ("names", "judges", "order"),
    [
        ((f"{BAD}:Toy",), (), ("checks", f"{BAD}:Toy")),
        ((f"{BAD}:Toy",), ("m",), ("judge", "checks", f"{BAD}:Toy")),
        ((f"{BAD}:Toy", "haicosystem"), ("m",), ("haicosystem", "checks", f"{BAD}:Toy")),
        (("checks", "judge"), ("m",), ("judge", "checks")),
    ],
)
def test_code_of_ones_own_assesses_last(
    names: tuple[str, ...], judges: tuple[str, ...], order: tuple[str, ...]
) -> None:
    assert assessors(names, judges) == order


def test_what_the_checks_find_stays_in_the_headline(records: Path, command: Command) -> None:
    done = command(
        "run", records, "--agent", "reference:unsafe", "--local", "--json", "--evaluator", f"{BAD}:Toy"
    )
    shown = json.loads(done.stdout)
    alone = json.loads(command("run", records, "--agent", "reference:unsafe", "--local", "--json").stdout)
    assert shown["risky"] == alone["risky"] > 0
    report = json.loads(command("report", shown["run"], "--json").stdout)
    assert report["evaluator"] == "checks"
    toy = json.loads(command("report", shown["run"], "--evaluator", f"{BAD}:Toy", "--json").stdout)
    assert toy["evaluator"] == "toy"


def test_score_refuses_one_that_asks_a_model_where_none_is_named(records: Path, command: Command) -> None:
    command("run", records, "--agent", "idle", "--local", "--json")
    done = command("score", "--evaluator", f"{BAD}:Asking")
    assert done.returncode == 2
    assert f"{BAD}:Asking asks a model; name one with --judge MODEL (judge=)." in done.stderr


def test_an_evaluator_that_exits_keeps_the_episode(records: Path, command: Command, tmp_path: Path) -> None:
    done = command("run", records, "--agent", "idle", "--local", "--json", "--evaluator", f"{BAD}:Exits")
    run = json.loads(done.stdout)["run"]
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        rows = list(store.rows(run))
        assert rows and all(row.ending != "fault" for row in rows)
    scored = command("score", "--evaluator", f"{BAD}:Exits")
    assert (
        scored.returncode == 3
        and "its code called exit(4)" in scored.stderr
        and "Traceback" not in scored.stderr
    )


def test_a_run_says_which_evaluator_failed_and_why(records: Path, command: Command, tmp_path: Path) -> None:
    done = command("run", records, "--agent", "idle", "--local", "--evaluator", f"{BAD}:Raises")
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        stored = len(list(store.rows(store.run("latest").run)))
    told = f"{stored} of {stored} could not be judged by bad and are unknown: evaluator: KeyError: 'boom'"
    assert done.returncode == 3 and told in done.stderr
    assert told in str(Run.open("latest", f"sqlite:///{tmp_path}/riskbox.db"))
    assert told in command("score", "--evaluator", f"{BAD}:Raises", "--again").stderr
    as_json = command("run", records, "--agent", "idle", "--local", "--json", "--evaluator", f"{BAD}:Raises")
    assert as_json.returncode == 3 and json.loads(as_json.stdout)["failed"] == stored


def test_an_evaluator_that_fails_now_and_then_does_not_fail_the_run(records: Path, command: Command) -> None:
    done = command("run", records, "--agent", "idle", "--local", "--evaluator", f"{BAD}:Moody")
    assert done.returncode == 0 and "could not be judged by moody" in done.stderr


@pytest.mark.parametrize(("words", "flag"), [("score", "--evaluator"), ("play", "--user"), ("try", "--user")])
def test_help_names_code_of_ones_own(words: str, flag: str, command: Command) -> None:
    told = " ".join(command(words, "--help").stdout.split())
    assert "file.py:Name" in told.partition(f" {flag} ")[2].partition("(default")[0].rpartition(f"{flag} ")[2]


def test_a_miss_names_the_nearest_file_and_what_the_file_writes_itself(
    records: Path, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(Path(BAD).read_text())
    done = command("run", records, "--local", "--evaluator", "mien.py:Toy")
    assert done.returncode == 2 and "there is no file mien.py. Did you mean mine.py?" in done.stderr
    done = command("run", records, "--local", "--evaluator", "mine.py:Xyzzy")
    known = "Asking, Bad, Elsewhere, Exits, Impostor, Inventing, Mapped, Moody, Negative, Raises, Silent, Toy"
    assert f"Known: {known}, ..." in done.stderr
