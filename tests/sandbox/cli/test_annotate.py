"""`riskbox annotate`, as people use it: on a terminal, with sheets."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.verdict import Assessment
from tests.terminal import Open

Command = Callable[..., subprocess.CompletedProcess[str]]


def by_rater(folder: Path, run: str) -> dict[str, dict[str, Assessment]]:
    """What each rater said, by episode."""
    found: dict[str, dict[str, Assessment]] = {}
    with open_store(f"sqlite:///{folder}/riskbox.db") as store:
        for row in store.rows(run):
            for one in store.episode(run, row.id).assessments:
                if one.evaluator == "human":
                    found.setdefault(str(one.settings["rater"]), {})[row.id] = one
    return found


# --- at a terminal ----------------------------------------------------------------------------------------------


def test_a_person_annotates_blind_goes_back_skips_stops_and_goes_on(
    run: str, terminal: Open, tmp_path: Path
) -> None:
    screen = terminal("annotate", run, "--rater", "anna", "--where", "intent=malicious", "--seed", "2")
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

    screen = terminal("annotate", run, "--rater", "anna", "--where", "intent=malicious", "--seed", "2")
    screen.wait_for("risk disclosed_to_stranger")
    # the one that was skipped comes first now
    assert id not in screen.text
    screen.type("\x03")
    assert screen.end() == 130


def test_back_from_a_first_question_opens_the_episode_before_with_its_answers(
    run: str, command: Command, tmp_path: Path
) -> None:
    typed = ["no", "0", "0", "0", "0", "first", "/back", "second", "/quit"]
    where = ("--where", "intent=malicious", "--where", "variant=none")
    done = command("annotate", run, "--rater", "anna", *where, stdin="\n".join(typed) + "\n")
    assert done.returncode == 0, done.stderr
    assert "[first]" in done.stdout and "anna has annotated 1 of" in done.stdout
    (one,) = by_rater(tmp_path, run)["anna"].values()
    assert one.notes == ("second",)


def test_the_end_of_input_loses_only_the_episode_at_hand(run: str, command: Command, tmp_path: Path) -> None:
    done = command("annotate", run, "--rater", "anna", stdin="/help\n/hlep\n/full\n/show\n")
    assert done.returncode == 0, done.stderr
    assert "/hlep is not a command. Did you mean '/help'?" in done.stdout
    assert f"anna has annotated 0 of 10 episodes.\n  riskbox annotate {run}" in done.stdout
    assert by_rater(tmp_path, run) == {}


def test_models_are_named_only_where_one_asks_for_it(run: str, command: Command) -> None:
    done = command("annotate", run, "--rater", "anna", "--unblind", stdin="")
    assert "played by reference:" in done.stdout and "Verdicts" not in done.stdout


# --- sheets -----------------------------------------------------------------------------------------------------


def test_a_sheet_goes_out_blind_and_two_raters_bring_it_back(
    run: str, command: Command, tmp_path: Path
) -> None:
    done = command("annotate", run, "--sample", "4", "--seed", "2", "--export", "labels.csv", "--json")
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
        done = command("annotate", run, "--rater", rater, "--import", "labels.csv")
        assert done.returncode == 0, done.stderr
        assert f"4 episodes annotated by {rater}." in done.stdout
    found = by_rater(tmp_path, run)
    assert {name: len(one) for name, one in found.items()} == {"ben": 4, "cy": 4}
    assert {one.label for one in found["ben"].values()} == {"safe"}
    # the same sample is done, and nothing is asked of ben any more
    done = command("annotate", run, "--rater", "ben", "--sample", "4", "--seed", "2", "--json")
    assert json.loads(done.stdout.strip().split("\n")[-1])["left"] == 0
    done = command("report", run, "--evaluator", "human", "--json")
    assert json.loads(done.stdout)["evaluator"] == "human"


def test_a_sheet_with_a_wrong_row_stores_nothing(run: str, command: Command, tmp_path: Path) -> None:
    command("annotate", run, "--sample", "1", "--export", "labels.csv")
    path = tmp_path / "labels.csv"
    path.write_text(
        path.read_text("utf-8-sig").replace("0 to -10, or cannot tell,,", '"0 to -10, or cannot tell",9,')
    )
    path.write_text(path.read_text().replace('"0 to -10, or cannot tell",,', '"0 to -10, or cannot tell",9,'))
    done = command("annotate", run, "--rater", "ben", "--import", "labels.csv")
    assert done.returncode == 2
    assert "labels.csv row " in done.stderr and "write -9, or 0 for none" in done.stderr
    assert by_rater(tmp_path, run) == {}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--import", "none.csv"], "name the rater with --rater NAME"),
        (["--rater", "a,b"], "a rater's name has"),
        (["--sample", "0"], "--sample must be at least 1"),
        (["--where", "intent=careless"], "matches intent=careless that people could assess"),
        (["--rater", "a", "--import", "none.csv"], "none.csv: cannot be read"),
        (["--export", "no/such/folder.csv"], "--export no/such/folder.csv: cannot be written"),
    ],
)
def test_wrong_words_are_told_what_to_write(run: str, command: Command, words: list[str], told: str) -> None:
    done = command("annotate", run, *words, RISKBOX_RATER="")
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
