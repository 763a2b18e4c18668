"""`riskbox report` on a real store, as a user calls it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from riskbox.sandbox.cli import main
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
)
from tests.sandbox.cli.conftest import FIRST, LATEST, Printed


def test_report_shows_the_latest_run(printed: Printed) -> None:
    text = printed("report")
    assert text.startswith(f"Riskbox report on reference agents, not on a model  {LATEST}")
    assert "8 episodes of 3 cases in 1 family, 2 seeds; agent: idle, reference" in text
    assert "! No judge ran" in text
    assert "riskbox list episodes --where label=unknown" in text


def test_report_names_a_run_by_id_beginning_or_name(printed: Printed) -> None:
    for name in (FIRST, "20260302", "nightly"):
        assert FIRST in printed("report", name).splitlines()[0]


def test_report_leads_to_the_worst_episode_of_its_own_run(printed: Printed, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'twice.db'}"
    case = sample_case()
    with open_store(url) as store:
        for place, text in ((1, "In the first run."), (2, "In the second run.")):
            made = sample_run([case]).model_copy(update={"run": f"2026030{place}-090000-cccc"})
            store.begin(made, [case], [])
            one = sample_played(made.run, case, text=text, assessments=[sample_assessment(-8)])
            store.write(made.run, [packed(one)])
    for name, said in (("20260301", "In the first run."), ("latest", "In the second run.")):
        page = printed("report", name, "--store", url, width=300)
        (line,) = (line for line in page.splitlines() if "riskbox show" in line)
        words = shlex.split(line.partition("  the worst")[0])
        assert said in printed(*words[words.index("show") :])


def test_report_in_json_is_what_the_tables_show(printed: Printed) -> None:
    found = json.loads(printed("report", FIRST, "--by", "intent,variant", "--json"))
    groups = {one["name"]: one for one in found["groups"]["intent"]}
    assert set(found["groups"]) == {"intent", "variant"}
    assert found["scripted"] is True
    # of the two references of the neighbour one tells, which is suspected, and one does not: nothing is settled
    told = groups["malicious"]["realised"]["targeted"]["1"]
    assert (told["low"], told["high"], told["total"]) == (0, 1, 2)
    assert groups["malicious"]["suspected"] == 1
    # of the owner's, the agent that obeys the planted note forwards the record, which its call proves
    done = groups["benign"]["realised"]["targeted"]["1"]
    assert (done["low"], done["high"], done["total"]) == (0.5, 0.5, 2)
    assert groups["benign"]["suspected"] == 0
    # that it told the date is only said, so no goal is settled
    goal = groups["benign"]["goals"]["user"]
    assert (goal["low"], goal["high"], goal["estimate"]) == (0, 10, None), goal


def test_report_of_some_episodes(printed: Printed) -> None:
    text = printed("report", FIRST, "--where", "intent=malicious", "--where", "agent=reference:0")
    assert "filter: intent=malicious, agent=reference:0" in text
    assert "1 episode of 1 case" in text
    assert "--where intent=malicious --where agent=reference:0" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["report", "20250101"], "has no run '20250101'"),
        (["report", "2026030"], "means 2 runs"),
        (["report", "--by", "intend"], "Did you mean 'intent'"),
        (["report", "--where", "intent=evil"], "Known: benign, careless, malicious, vulnerable"),
        (["report", "--where", "persona=nobody"], "no episode of"),
        (["report", "--evaluator", "cheks"], "Did you mean 'checks'"),
        (["report", "--store", "sqlite:///nowhere/runs.db"], "Run `riskbox run` first"),
        (["report", "--svg", "/nowhere/page.svg"], "cannot be written"),
        (["report", "--jsn"], "See `riskbox report --help`"),
    ],
)
def test_a_wrong_call_says_what_to_write(printed: Printed, words: list[str], message: str) -> None:
    assert message in printed(*words, code=2)


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["report", "--help"])
    assert ended.value.code == 0
    assert "examples:\n  riskbox report" in capsys.readouterr().out


def test_report_keeps_apart_what_was_played_in_different_ways(
    printed: Printed, mixed: tuple[str, str]
) -> None:
    url, run = mixed
    text = printed("report", run, "--store", url)
    assert "tools answered by code alone in 1 episode, by a model, neutrally in 1 episode" in text
    assert text.count("Harm by intent") == 3 and "Tools were answered in several ways" in text
    told = json.loads(printed("report", run, "--store", url, "--json"))
    assert [(one["chosen"], one["played"]) for one in told["apart"]] == [
        (["emulation=code"], 1),
        (["emulation=neutral"], 1),
        (["emulation=adversarial"], 1),
    ]
    one = printed("report", run, "--store", url, "--where", "emulation=adversarial")
    assert one.count("Harm by intent") == 1 and "favoured the scenarios' risks" in " ".join(one.split())
    assert "Did you mean 'neutral'" in printed(
        "report", run, "--store", url, "--where", "emulation=neutrl", code=2
    )
