"""`riskbox list` on a real store, as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from riskbox.sandbox.cli import main
from tests.sandbox.cli.conftest import FIRST, LATEST, Printed, ids


def test_list_runs(printed: Printed) -> None:
    lines = printed("list").splitlines()
    assert [line.split()[0] for line in lines[2:]] == [LATEST, FIRST]
    assert "5 of 5" in lines[3]
    assert [
        one["run"] for one in json.loads(printed("list", "runs", "--where", "name=nightly", "--json"))
    ] == [FIRST]


def test_list_episodes_worst_first(printed: Printed) -> None:
    found = ids(printed, FIRST)
    done = [min(value or 0 for value in one["summaries"][0]["values"].values()) for one in found]
    assert done == sorted(done)
    assert done[0] == -8
    assert found[0]["id"][:8] in printed("list", "episodes", "--run", FIRST).splitlines()[3]


def test_list_episodes_that_fit(printed: Printed) -> None:
    found = json.loads(printed("list", "episodes", "--where", "agent=idle", "--where", "seed=2", "--json"))
    assert [(one["agent"], one["seed"]) for one in found] == [("idle", 2)] * 3
    risky = json.loads(printed("list", "episodes", "--where", "label=risky", "--run", FIRST, "--json"))
    assert all(one["summaries"][0]["targeted"] == "risky" for one in risky)
    assert 0 < len(risky) < 5
    assert (
        json.loads(printed("list", "episodes", "--where", "label=safe", "--where", "agent=obeys", "--json"))
        == []
    )


def test_list_is_cut_and_says_so(printed: Printed) -> None:
    text = printed("list", "episodes", "--limit", "3")
    assert "8 episodes of run" in text
    assert "and 5 more (--limit 0 for all)" in text
    assert "more" not in printed("list", "episodes", "--limit", "0")
    assert len(json.loads(printed("list", "episodes", "--limit", "2", "--json"))) == 2


def test_list_scenarios(printed: Printed, records: Path) -> None:
    text = printed("list", "scenarios", str(records))
    for part in (
        "records_for_a_neighbour",
        "healthcare, family records_access",
        "owner (benign)",
        "injection=mail",
    ):
        assert part in text
    [one] = json.loads(printed("list", "scenarios", str(records), "--where", "personas=malicious", "--json"))
    assert one["personas"] == {"owner": "benign", "neighbour": "malicious"}
    assert one["cases"] == 6
    assert (
        json.loads(printed("list", "scenarios", str(records), "--where", "domain=education", "--json")) == []
    )


@pytest.mark.parametrize("width", [80, pytest.param(140, marks=pytest.mark.long)])
def test_shipped_scenarios_fit_the_terminal(printed: Printed, width: int) -> None:
    text = printed("list", "scenarios", width=width)
    assert "(malicious)" in text
    assert max(map(len, text.splitlines())) <= width


def test_list_tools(printed: Printed) -> None:
    mail = printed("list", "tools", "mail", width=140)
    assert "mail.send" in mail
    assert "bank." not in mail
    destructive = json.loads(
        printed("list", "tools", "--where", "action=destructive", "--where", "toolset=mail", "--json")
    )
    assert "mail.send" in {one["tool"] for one in destructive}
    assert all(one["writes"] for one in destructive)
    one = printed("list", "tools", "mail.send")
    assert "mail.send  destructive, writes" in one
    assert '"additionalProperties": false' in one
    assert json.loads(printed("list", "tools", "mail.send", "--json"))["parameters"]["required"]


def test_list_categories(printed: Printed) -> None:
    assert len(json.loads(printed("list", "categories", "--json"))) == 53
    legal = json.loads(printed("list", "categories", "--where", "dimension=legal", "--json"))
    assert {one["dimension"] for one in legal} == {"legal"}
    assert len(json.loads(printed("list", "categories", "--where", "owasp=LLM01", "--json"))) == 1
    assert "AILuminate prv; NIST AI 600-1 2.4; Aegis S9" in " ".join(
        printed("list", "categories", width=80).split()
    )
    wide = printed("list", "categories", width=160)
    assert "NIST AI 600-1" in wide.splitlines()[0] + wide.splitlines()[1]
    assert "2.4" in next(line for line in wide.splitlines() if line.startswith("legal.privacy "))
    nist = json.loads(printed("list", "categories", "--where", "nist=2.4", "--json"))
    assert "legal.privacy" in {one["slug"] for one in nist}


def test_list_evaluators(printed: Printed) -> None:
    assert "checks" in printed("list", "evaluators")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["list", "episods"], "Did you mean 'episodes'"),
        (["list", "episodes", "--where", "lable=risky"], "Did you mean 'label'"),
        (["list", "tools", "mial"], "Did you mean 'mail'"),
        (["list", "tools", "mail.sned"], "Did you mean 'mail.send'"),
        (["list", "scenarios", "nowhere/"], "there is no such file or folder"),
        (["list", "runs", "something"], "takes no names"),
        (["list", "--limit", "-1"], "0 lists all"),
        (["list", "categories", "--where", "dim=legal"], "Known: aegis"),
    ],
)
def test_a_wrong_call_says_what_to_write(printed: Printed, words: list[str], message: str) -> None:
    assert message in printed(*words, code=2)


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["list", "--help"])
    assert ended.value.code == 0
    assert "examples:\n  riskbox list" in capsys.readouterr().out
