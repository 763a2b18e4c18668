"""`riskbox annotate` and `riskbox agreement`, as people use them: on a terminal, with sheets."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.people.annotation import AnnotationAnswer, assessment, questions
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.verdict import Assessment
from tests.terminal import Terminal

Command = Callable[..., subprocess.CompletedProcess[str]]
Open = Callable[..., Terminal]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, records: Path) -> tuple[Path, str]:
    """A store with a run of the example by its reference agents: ten episodes."""
    folder = tmp_path_factory.mktemp("prepared")
    command = [sys.executable, "-m", "riskbox.sandbox.cli", "run", str(records), "--local", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder / "riskbox.db", str(json.loads(done.stdout)["run"])


@pytest.fixture
def run(prepared: tuple[Path, str], tmp_path: Path) -> str:
    """The run, in a store of the test's own."""
    shutil.copy(prepared[0], tmp_path)
    return prepared[1]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Open]:
    """Opens `riskbox WORDS...` on a terminal in the test's folder."""
    opened: list[Terminal] = []

    def one(*words: str | Path, **more: Any) -> Terminal:
        opened.append(Terminal(tmp_path, *words, **more))
        return opened[-1]

    yield one
    for each in opened:
        each.close()


def by_rater(folder: Path, run: str) -> dict[str, dict[str, Assessment]]:
    """What each rater said, by episode."""
    found: dict[str, dict[str, Assessment]] = {}
    with open_store(f"sqlite:///{folder}/riskbox.db") as store:
        for row in store.rows(run):
            for one in store.episode(run, row.id).assessments:
                if one.evaluator == "human":
                    found.setdefault(str(one.settings["rater"]), {})[row.id] = one
    return found


def annotated(
    folder: Path, run: str, rater: str, said: Callable[[Played, str, str], str | int | None]
) -> None:
    """Assess every episode as `said(played, kind, id)` answers."""
    with open_store(f"sqlite:///{folder}/riskbox.db") as store:
        for row in store.rows(run):
            played, case = store.episode(run, row.id), store.case(row.case_hash)
            given = {one: AnnotationAnswer(said(played, one.kind, one.id)) for one in questions(case)}
            store.assess(run, row.id, [assessment(case, given, rater)])


def checked(played: Played, kind: str, id: str) -> str | int | None:
    """What the checks hold, as a person would say it; no harm where they cannot tell."""
    (checks,) = [one for one in played.assessments if one.evaluator == "checks"]
    match kind:
        case "risk":
            return "happened" if any(one.id == id and one.value for one in checks.risks) else "no"
        case "goal":
            return "met" if any(one.id == id and one.value for one in checks.goals) else "unmet"
        case "dimension":
            verdict = checks.verdict(id)
            return (verdict.value if verdict else 0) or 0
    return ""


# --- at a terminal ----------------------------------------------------------------------------------------------


def test_a_person_annotates_blind_goes_back_skips_stops_and_goes_on(
    run: str, terminal: Open, tmp_path: Path
) -> None:
    screen = terminal("annotate", run, "--rater", "anna", "--where", "intent=malicious", "--seed", "5")
    screen.wait_for("episodes are left")
    screen.wait_for("played by someone who is not named")
    screen.wait_for("risk disclosed_to_stranger")
    screen.wait_for("does not count: Says only that a record exists.")
    screen.enter("maybe")
    screen.wait_for("write happened, attempted, no or cannot tell")
    screen.enter("happened 99")
    screen.wait_for("there is no event 99")
    screen.enter("h 2-3")
    screen.wait_for("0 none · -1 to -3 minor")
    screen.enter("/back")
    screen.wait_for("[happened #2 #3]")
    screen.enter("")
    for score in ("0", "?", "0", "3", "-7 2"):
        screen.enter(score)
    screen.wait_for("Anything to add?")
    screen.enter("It told a stranger.")
    screen.wait_for("Kept.")
    screen.wait_for("episode 2 of")
    screen.enter("/skip")
    screen.wait_for("episode 3 of")
    screen.enter("/quit")
    screen.wait_for("anna has annotated 1 of")
    assert screen.end() == 0
    for word in ("reference", "checks", "realised", "Verdicts", "▲"):
        assert word not in screen.text, word
    ((id, one),) = by_rater(tmp_path, run)["anna"].items()
    assert (one.targeted, one.notes, one.findings[0].evidence) == ("risky", ("It told a stranger.",), (2, 3))
    assert [v.value for v in one.verdicts] == [0, None, 0, -7, -8]

    screen = terminal("annotate", run, "--rater", "anna", "--where", "intent=malicious", "--seed", "5")
    screen.wait_for("risk disclosed_to_stranger")
    # the one that was skipped comes first now
    assert id not in screen.text
    screen.type("\x03")
    assert screen.end() == 130


def test_back_from_a_first_question_opens_the_episode_before_with_its_answers(
    run: str, riskbox: Command, tmp_path: Path
) -> None:
    typed = ["no", "0", "0", "0", "0", "first", "/back", "second", "/quit"]
    where = ("--where", "intent=malicious", "--where", "variant=none")
    done = riskbox("annotate", run, "--rater", "anna", *where, stdin="\n".join(typed) + "\n")
    assert done.returncode == 0, done.stderr
    assert "[first]" in done.stdout and "anna has annotated 1 of" in done.stdout
    (one,) = by_rater(tmp_path, run)["anna"].values()
    assert one.notes == ("second",)


def test_the_end_of_input_loses_only_the_episode_at_hand(run: str, riskbox: Command, tmp_path: Path) -> None:
    done = riskbox("annotate", run, "--rater", "anna", stdin="/help\n/hlep\n/full\n/show\n")
    assert done.returncode == 0, done.stderr
    assert "/hlep is no command. Did you mean '/help'?" in done.stdout
    assert f"anna has annotated 0 of 10 episodes.\n  riskbox annotate {run}" in done.stdout
    assert by_rater(tmp_path, run) == {}


def test_models_are_named_only_where_one_asks_for_it(run: str, riskbox: Command) -> None:
    done = riskbox("annotate", run, "--rater", "anna", "--unblind", stdin="")
    assert "played by reference:" in done.stdout and "Verdicts" not in done.stdout


# --- sheets -----------------------------------------------------------------------------------------------------


def test_a_sheet_goes_out_blind_and_two_raters_bring_it_back(
    run: str, riskbox: Command, tmp_path: Path
) -> None:
    done = riskbox("annotate", run, "--sample", "4", "--seed", "2", "--export", "labels.csv", "--json")
    assert json.loads(done.stdout) == {"run": run, "file": "labels.csv", "episodes": 4}
    text = (tmp_path / "labels.csv").read_text("utf-8-sig")
    assert "Dana Wu" in text and "reference" not in text and "risky" not in text
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    for row in rows:
        row["answer"] = {"risk": "no", "goal": "unmet", "dimension": "0", "comment": "fine"}.get(
            row["kind"], ""
        )
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    for rater in ("ben", "cy"):
        done = riskbox("annotate", run, "--rater", rater, "--import", "labels.csv")
        assert done.returncode == 0, done.stderr
        assert f"4 episodes annotated by {rater}." in done.stdout
    found = by_rater(tmp_path, run)
    assert {name: len(one) for name, one in found.items()} == {"ben": 4, "cy": 4}
    assert {one.label for one in found["ben"].values()} == {"safe"}
    # the same sample is done, and nothing is asked of ben any more
    done = riskbox("annotate", run, "--rater", "ben", "--sample", "4", "--seed", "2", "--json")
    assert json.loads(done.stdout.strip().split("\n")[-1])["left"] == 0
    done = riskbox("report", run, "--evaluator", "human", "--json")
    assert json.loads(done.stdout)["evaluator"] == "human"


def test_a_sheet_with_a_wrong_row_stores_nothing(run: str, riskbox: Command, tmp_path: Path) -> None:
    riskbox("annotate", run, "--sample", "1", "--export", "labels.csv")
    path = tmp_path / "labels.csv"
    path.write_text(
        path.read_text("utf-8-sig").replace("0 to -10, or cannot tell,,", '"0 to -10, or cannot tell",9,')
    )
    path.write_text(path.read_text().replace('"0 to -10, or cannot tell",,', '"0 to -10, or cannot tell",9,'))
    done = riskbox("annotate", run, "--rater", "ben", "--import", "labels.csv")
    assert done.returncode == 2
    assert "labels.csv row " in done.stderr and "write -9, or 0 for none" in done.stderr
    assert by_rater(tmp_path, run) == {}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--import", "none.csv"], "say whose answers these are: --rater NAME"),
        (["--rater", "a,b"], "a rater's name has"),
        (["--sample", "0"], "--sample must be at least 1"),
        (["--where", "intent=careless"], "fits intent=careless that people could assess"),
        (["--rater", "a", "--import", "none.csv"], "none.csv: cannot be read"),
        (["--export", "no/such/folder.csv"], "--export no/such/folder.csv: cannot be written"),
    ],
)
def test_wrong_words_are_told_what_to_write(run: str, riskbox: Command, words: list[str], told: str) -> None:
    done = riskbox("annotate", run, *words, RISKBOX_RATER="")
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr


# --- agreement --------------------------------------------------------------------------------------------------


def test_what_machines_miss_comes_first_then_agreement_then_who_said_what(
    run: str, riskbox: Command, tmp_path: Path
) -> None:
    annotated(tmp_path, run, "anna", checked)
    assert "Verdicts by human anna 1:" in riskbox("show", "latest").stdout
    # ben sees societal harm that no check asks about, and cannot tell about goals
    annotated(
        tmp_path, run, "ben",
        lambda played, kind, id: -2 if id == "societal" else None if kind == "goal" else checked(played, kind, id),
    )  # fmt: skip
    done = riskbox("agreement", run, COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.split("\n"))) <= 80
    order = ["Risky to the people", "sens. %", "kappa", "Who said what", "People among themselves: anna, ben"]
    assert sorted(order, key=done.stdout.index) == order
    found = json.loads(riskbox("agreement", run, "--json").stdout)
    assert found["raters"] == {"checks": 10, "human:anna": 10, "human:ben": 10, "human": 10}
    pairs = {(one["first"], one["second"]): one for one in found["pairs"]}
    assert set(pairs) == {("human:anna", "human:ben"), ("human", "checks")}
    people = {(row["kind"], row["id"]): row for row in pairs["human:anna", "human:ben"]["rows"]}
    assert people["risk", "all"]["kappa"]["value"] == 1
    assert people["goal", "all"]["unknown_second"] == people["goal", "all"]["units"] > 0
    assert people["dimension", "societal"]["agreed"] == 0
    machine = {(row["kind"], row["id"]): row for row in pairs["human", "checks"]["rows"]}
    # the people call every episode risky, since ben does
    assert machine["label", "risky"]["sensitivity"]["total"] == 10
    assert machine["dimension", "societal"]["unknown_second"] == 10
    assert machine["dimension", "societal"]["sensitivity"]["low"] == 0
    assert machine["dimension", "societal"]["sensitivity"]["high"] == 1
    (group,) = found["groups"]
    assert group["raters"] == ["human:anna", "human:ben"]


def test_raters_and_sides_can_be_chosen(run: str, riskbox: Command, tmp_path: Path) -> None:
    for rater in ("anna", "ben", "cy"):
        annotated(tmp_path, run, rater, checked)
    found = json.loads(riskbox("agreement", run, "--raters", "anna,cy", "--json").stdout)
    assert [(one["first"], one["second"]) for one in found["pairs"]] == [("human:anna", "human:cy")]
    assert found["pairs"][0]["rows"][0]["agreed"] == 1
    found = json.loads(
        riskbox(
            "agreement", run, "--between", "human:ben,checks", "--where", "intent=malicious", "--json"
        ).stdout
    )
    assert [(one["first"], one["second"]) for one in found["pairs"]] == [("human:ben", "checks")]
    assert found["pairs"][0]["episodes"] < 10
    for words, told in (
        (["--raters", "ana"], "--raters ana: nobody of that name has annotated. Did you mean 'anna'?"),
        (["--between", "human,jugde"], "--between jugde: nobody of that name has rated these episodes."),
        (["--between", "human"], "write two names, for instance human,judge"),
        (["--between", "checks,checks"], "write two names"),
        (["--raters", "anna"], "there is nobody to compare with whom"),
        (["--where", "intent=careless"], "no episode of"),
    ):
        done = riskbox("agreement", run, *words)
        assert done.returncode == 2 and told in done.stderr, done.stderr


def test_without_people_it_says_what_to_do(run: str, riskbox: Command) -> None:
    done = riskbox("agreement", run)
    assert done.returncode == 2
    assert "nobody has annotated these episodes; see `riskbox annotate --help`" in done.stderr


def test_a_judge_and_its_panel_are_raters_too(run: str, riskbox: Command, stub: Any, tmp_path: Path) -> None:
    from tests.sandbox.cli.test_score import clear, severe

    annotated(tmp_path, run, "anna", checked)

    def judged(request: Any) -> Any:
        return severe(request) if "strict" in str(request.body["model"]) else clear(request)

    stub.script(judged, repeat=True)
    models = [word for name in ("strict", "mild", "kind") for word in ("--judge", f"{stub.url}/v1#{name}")]
    done = riskbox("score", run, *models, "--quiet")
    assert done.returncode == 0, done.stderr
    found = json.loads(riskbox("agreement", run, "--between", "human,judge", "--json").stdout)
    (pair,) = found["pairs"]
    assert (pair["first"], pair["second"], pair["episodes"]) == ("human", "judge", 10)
    (panel,) = found["groups"]
    assert panel["name"] == "panel of judge" and len(panel["raters"]) == 3
    societal = next(row for row in panel["rows"] if row["id"] == "societal")
    assert societal["shared"] == 10 and societal["alpha"]["value"] < 0.1
    page = riskbox("agreement", run, "--between", "human,judge", "--svg", "page.svg")
    assert "Panel of judge among themselves" in page.stdout
    assert "<svg" in (tmp_path / "page.svg").read_text()


def test_a_judge_that_failed_cannot_tell_and_is_not_left_out(
    run: str, riskbox: Command, tmp_path: Path
) -> None:
    annotated(tmp_path, run, "anna", checked)
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        for row in store.rows(run):
            store.assess(run, row.id, [Assessment(evaluator="judge", version="1", fault="no answer")])
    found = json.loads(riskbox("agreement", run, "--between", "human,judge", "--json").stdout)
    for row in found["pairs"][0]["rows"]:
        assert row["units"] == row["unknown_second"] > 0 and row["only_first"] == 0
    assert found["pairs"][0]["rows"][0]["sensitivity"]["high"] == 1
