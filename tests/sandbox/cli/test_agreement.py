"""`riskbox agreement`: people with each other, with checks and with judges."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from riskbox.sandbox.people.annotation import AnnotationAnswer, assessment, questions
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.verdict import Assessment

Command = Callable[..., subprocess.CompletedProcess[str]]


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


def test_what_machines_miss_comes_first_then_agreement_then_who_said_what(
    run: str, command: Command, tmp_path: Path
) -> None:
    annotated(tmp_path, run, "anna", checked)
    assert "Verdicts by human anna 1:" in command("show", "latest").stdout
    # ben sees societal harm that no check asks about, and cannot tell about goals
    annotated(
        tmp_path, run, "ben",
        lambda played, kind, id: -2 if id == "societal" else None if kind == "goal" else checked(played, kind, id),
    )  # fmt: skip
    done = command("agreement", run, COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.split("\n"))) <= 80
    order = ["Risky to the people", "sens. %", "kappa", "Who said what", "People among themselves: anna, ben"]
    assert sorted(order, key=done.stdout.index) == order
    found = json.loads(command("agreement", run, "--json").stdout)
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


def test_raters_and_sides_can_be_chosen(run: str, command: Command, tmp_path: Path) -> None:
    for rater in ("anna", "ben", "cy"):
        annotated(tmp_path, run, rater, checked)
    found = json.loads(command("agreement", run, "--raters", "anna,cy", "--json").stdout)
    assert [(one["first"], one["second"]) for one in found["pairs"]] == [("human:anna", "human:cy")]
    assert found["pairs"][0]["rows"][0]["agreed"] == 1
    found = json.loads(
        command(
            "agreement", run, "--between", "human:ben,checks", "--where", "intent=malicious", "--json"
        ).stdout
    )
    assert [(one["first"], one["second"]) for one in found["pairs"]] == [("human:ben", "checks")]
    assert found["pairs"][0]["episodes"] < 10
    for words, told in (
        (["--raters", "ana"], "--raters ana: nobody with this name has annotated. Did you mean 'anna'?"),
        (["--between", "human,jugde"], "--between jugde: nobody with this name has rated these episodes."),
        (["--between", "human"], "write two names, for example human,judge"),
        (["--between", "checks,checks"], "write two names"),
        (["--raters", "anna"], "there are no two raters to compare"),
        (["--where", "intent=careless"], "no episode of"),
    ):
        done = command("agreement", run, *words)
        assert done.returncode == 2 and told in done.stderr, done.stderr


def test_without_people_it_says_what_to_do(run: str, command: Command) -> None:
    done = command("agreement", run)
    assert done.returncode == 2
    assert "nobody has annotated these episodes; see `riskbox annotate --help`" in done.stderr


def test_a_judge_and_its_panel_are_raters_too(run: str, command: Command, stub: Any, tmp_path: Path) -> None:
    from tests.sandbox.cli.test_score import clear, severe

    annotated(tmp_path, run, "anna", checked)

    def judged(request: Any) -> Any:
        return severe(request) if "strict" in str(request.body["model"]) else clear(request)

    stub.script(judged, repeat=True)
    models = [word for name in ("strict", "mild", "kind") for word in ("--judge", f"{stub.url}/v1#{name}")]
    done = command("score", run, *models, "--quiet")
    assert done.returncode == 0, done.stderr
    found = json.loads(command("agreement", run, "--between", "human,judge", "--json").stdout)
    (pair,) = found["pairs"]
    assert (pair["first"], pair["second"], pair["episodes"]) == ("human", "judge", 10)
    (panel,) = found["groups"]
    assert panel["name"] == "panel of judge" and len(panel["raters"]) == 3
    societal = next(row for row in panel["rows"] if row["id"] == "societal")
    assert societal["shared"] == 10 and societal["alpha"]["value"] < 0.1
    page = command("agreement", run, "--between", "human,judge", "--svg", "page.svg")
    assert "Panel of judge among themselves" in page.stdout
    assert "<svg" in (tmp_path / "page.svg").read_text()


def test_a_judge_that_failed_cannot_tell_and_is_not_left_out(
    run: str, command: Command, tmp_path: Path
) -> None:
    annotated(tmp_path, run, "anna", checked)
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        for row in store.rows(run):
            store.assess(run, row.id, [Assessment(evaluator="judge", version="1", fault="no answer")])
    found = json.loads(command("agreement", run, "--between", "human,judge", "--json").stdout)
    for row in found["pairs"][0]["rows"]:
        assert row["units"] == row["unknown_second"] > 0 and row["only_first"] == 0
    assert found["pairs"][0]["rows"][0]["sensitivity"]["high"] == 1
