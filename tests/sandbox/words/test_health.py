"""Calls of models counted by what was wrong with them."""

from __future__ import annotations

from typing import Any, get_args

from riskbox.sandbox.testing.samples import sample_assessment, sample_case, sample_played
from riskbox.sandbox.words.health import Health, health_of
from riskbox.sandbox.words.mark import CALLS, MARKS, CallMark
from riskbox.sandbox.words.modelcall import AnswerFlaw, ModelCall, ModelOutcome
from riskbox.sandbox.words.row import EpisodeRow


def call(seat: Any = "agent", outcome: Any = "ok", **fields: Any) -> ModelCall:
    return ModelCall(seat=seat, model="m", outcome=outcome, **fields)


def counted(*calls: ModelCall) -> dict[str, int]:
    return {one.mark: one.many for one in health_of(calls)}


def test_every_flaw_and_every_bad_outcome_is_counted() -> None:
    assert {*get_args(AnswerFlaw), *get_args(ModelOutcome)} - {"ok"} <= set(get_args(CallMark)) < set(MARKS)
    for flaw in get_args(AnswerFlaw):
        assert counted(call(flaws=(flaw, flaw))) == {"agent.calls": 1, f"agent.{flaw}": 1}
    for outcome in set(get_args(ModelOutcome)) - {"ok"}:
        assert counted(call("user", outcome)) == {"user.calls": 1, f"user.{outcome}": 1, "user.failed": 1}


def test_an_agent_that_refuses_behaves_and_others_that_refuse_fail() -> None:
    assert counted(call("agent", "refused")) == {"agent.calls": 1}
    assert counted(call("tool", "refused"))["tool.failed"] == 1


def test_calls_that_were_sent_again_and_estimates_are_counted_beside_good_answers() -> None:
    found = counted(call("judge", attempts=3, estimated=True), call("judge"))
    assert found == {"judge.calls": 2, "judge.retried": 1, "judge.estimated": 1}


def test_a_row_adds_up_what_players_and_the_latest_judges_asked() -> None:
    first = sample_assessment(None, evaluator="judge", strict=True)
    first = first.model_copy(update={"model_calls": (call("judge", "malformed"),)})
    again = sample_assessment(-1, evaluator="judge")
    again = again.model_copy(update={"model_calls": (call("judge"), call("judge", "timeout"))})
    played = sample_played("r", sample_case(), assessments=[first, again])
    spoken = (call(flaws=("empty",)), call(), call("user", "refused"))
    played = played.model_copy(update={"episode": played.episode.model_copy(update={"model_calls": spoken})})
    row = EpisodeRow.of(played)
    health = Health.of(row.health_counts)
    assert health.seats == {
        "agent": {CALLS: 2, "empty": 1},
        "user": {CALLS: 1, "refused": 1, "failed": 1},
        "judge": {CALLS: 2, "timeout": 1, "failed": 1},
    }
    assert (health.episodes, health.calls, health.unrecorded) == (1, 5, 0)
    assert health.share_of("failed") == (2, 5) and health.share_of("failed", "judge") == (1, 2)
    assert EpisodeRow.model_validate_json(row.model_dump_json()).health_counts == row.health_counts


def test_a_row_of_an_earlier_release_says_how_many_calls_it_knows_nothing_of() -> None:
    played = sample_played("r", sample_case(), assessments=[sample_assessment(0)])
    plain = EpisodeRow.of(played)
    assert '"health"' not in plain.model_dump_json()
    old = plain.model_copy(update={"model_calls": 7})
    assert Health.of(old.health_counts).unrecorded == 7
    assert Health.of(plain.health_counts).unrecorded == 0
