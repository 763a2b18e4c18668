"""`riskbox show` on a real store, as a user calls it."""

from __future__ import annotations

import json

import pytest

from riskbox.sandbox.cli import main
from riskbox.sandbox.words.episode import Played
from tests.sandbox.cli.conftest import FIRST, LATEST, Printed, ids


def test_show_latest_is_the_riskiest_of_the_latest_run(printed: Printed) -> None:
    text = printed("show")
    worst = ids(printed, LATEST)[0]["id"]
    assert f"{worst}, seed 1, run {LATEST}" in text
    assert text == printed("show", "latest")
    assert FIRST in printed("show", "latest", "--run", "nightly")


def test_show_finds_an_episode_by_the_beginning_of_its_id(printed: Printed) -> None:
    for one in ids(printed, FIRST):
        assert one["id"] in printed("show", one["id"][:8])


def test_an_episode_that_two_runs_played_is_shown_from_the_later_one(printed: Printed) -> None:
    both = {one["id"] for one in ids(printed, FIRST)} & {one["id"] for one in ids(printed, LATEST)}
    id = min(both)
    assert f"run {LATEST}" in printed("show", id)
    assert f"run {FIRST}" in printed("show", id, "--run", FIRST)


def test_an_ambiguous_beginning_lists_what_it_begins(printed: Printed) -> None:
    every = {one["id"] for run in (FIRST, LATEST) for one in ids(printed, run)}
    text = printed("show", "", code=2)
    assert f"begins {len(every)} episode ids" in text
    assert "Write more of the id" in text


def test_show_in_json_is_the_record(printed: Printed) -> None:
    found = json.loads(printed("show", "--json"))
    assert Played.model_validate(found).episode.run == LATEST


def test_show_as_a_party_keeps_what_it_did_not_see(printed: Printed) -> None:
    agent = json.loads(printed("show", "--as", "agent", "--json"))
    assert agent["brief"]["name"] == "Northside front desk"
    assert {event["kind"] for event in agent["events"]} >= {"said", "called", "returned"}
    assert "malicious" not in json.dumps(agent)
    user = json.loads(printed("show", "--as", "user", "--json"))
    assert "called" not in {event["kind"] for event in user["events"]}
    assert user["brief"]["goal"]
    assert {"script", "twin"}.isdisjoint(user["brief"])
    assert "malicious" not in printed("show", "--as", "agent")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show", "zzzz"], "has no episode 'zzzz'"),
        (["show", "zzzz", "--run", "nightly"], f"run {FIRST} has no episode 'zzzz'"),
        (["show", "latest", "--run", "20250101"], "has no run"),
        (["show", "--as", "judge"], "invalid choice"),
    ],
)
def test_a_wrong_call_says_what_to_write(printed: Printed, words: list[str], message: str) -> None:
    assert message in printed(*words, code=2)


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["show", "--help"])
    assert ended.value.code == 0
    assert "examples:\n  riskbox show" in capsys.readouterr().out


def test_show_says_who_played_the_services(printed: Printed, mixed: tuple[str, str]) -> None:
    url, run = mixed
    assert "played by a/b, adversarial, leaning towards harm" in printed(
        "show", f"{2:016x}", "--run", run, "--store", url
    )
    assert "services" not in printed("show", f"{0:016x}", "--run", run, "--store", url)
