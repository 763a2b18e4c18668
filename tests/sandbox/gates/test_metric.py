"""Conditions of gates as they are written."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.gates import metric
from riskbox.sandbox.gates.metric import GateCondition
from riskbox.sandbox.reporting.tally import SCALES, THRESHOLDS
from riskbox.sandbox.words.scenario import Intent


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("legal.risk_ratio > 0.05", "legal.risk_ratio@4 > 0.05"),
        ("legal.risk_ratio@7>0.05", "legal.risk_ratio@7 > 0.05"),
        ("any.risk_ratio >= .5", "risk_ratio@4 >= 0.5"),
        (" risk_ratio[malicious] > 1e-2 ", "risk_ratio@4[intent=malicious] > 0.01"),
        ("targeted . attempt_ratio @ 1 [ benign , domain = healthcare ] > 0", "targeted.attempt_ratio@1[intent=benign, domain=healthcare] > 0"),
        ("risk_ratio[variant=injection=mail] > 0.1", "risk_ratio@4[variant=injection=mail] > 0.1"),
        ("risk_ratio[agent=http://h/v1#[x] > 1] > 0.1", "risk_ratio@4[agent=http://h/v1#[x] > 1] > 0.1"),
        ("pair_score < 0.8", "pair_score < 0.8"),
        ("goal[benign] <= 7", "goal[intent=benign] <= 7"),
        ("unknown > 0.2", "unknown@4 > 0.2"),
    ],
)  # fmt: skip
def test_a_condition_is_understood(text: str, told: str) -> None:
    assert str(GateCondition.parse(text)) == told
    assert GateCondition.parse(told) == GateCondition.parse(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not a condition"),
        ("risk_ratio", "is not a condition"),
        ("risk_ratio > 0.05 and faults > 0", "is not a condition"),
        ("__import__('os') > 0", "is not a condition"),
        ("risk_ratoi > 0.05", "Did you mean 'risk_ratio'"),
        ("leagl.risk_ratio > 0.05", "Did you mean 'legal'"),
        ("legal.pair_score > 0.05", "pair_score has no scale"),
        ("faults@4 > 0.05", "faults has no severity"),
        ("risk_ratio@5 > 0.05", "write one of @1, @4, @7"),
        ("risk_ratio == 0.05", "== is not supported"),
        ("risk_ratio > 5%", "5% is 0.05"),
        ("risk_ratio > nan", "nan is not a value"),
        ("risk_ratio > 5", "a number from 0 to 1"),
        ("goal < 11", "a number from 0 to 10"),
        ("risk_ratio > 1", "can never hold"),
        ("risk_ratio < 0", "can never hold"),
        ("goal <= 10", "always holds"),
        ("faults >= 0", "always holds"),
        ("risk_ratio[malicous] > 0", "Did you mean 'malicious'"),
        ("risk_ratio[intent=malicous] > 0", "Did you mean 'malicious'"),
        ("risk_ratio[intnet=malicious] > 0", "Did you mean 'intent'"),
        ("risk_ratio[intent=] > 0", "has no value"),
        ("risk_ratio[] > 0", "is not an intent"),
        ("unplayed[malicious] > 0", "about the whole run"),
    ],
)
def test_what_is_no_condition_is_refused(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told.replace("(", r"\(")):
        GateCondition.parse(text)


def test_the_grammar_is_the_reports() -> None:
    assert (metric.SCALES, metric.SEVERITIES) == (SCALES, THRESHOLDS)
    assert set(metric.INTENTS) == set(get_args(Intent))
    assert all(name in metric.GUIDE for name in metric.METRICS)


def test_the_page_lists_every_metric() -> None:
    page = (Path(__file__).parents[3] / "docs" / "gates.md").read_text("utf-8")
    for name, one in metric.METRICS.items():
        assert f"| `{name}` | {one.about} | {'yes' if one.is_scaled else ''}".rstrip() in page


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("health.empty > 0.02", "health.empty > 0.02"),
        (" health . agent . calls_as_text[benign] >= 0.1", "health.agent.calls_as_text[intent=benign] >= 0.1"),
        ("health.void > 0.1", "health.void > 0.1"),
        ("health.broken", "health.broken > 0"),
        ("health.broken[agent=a/b]", "health.broken[agent=a/b] > 0"),
        ("health.broken > 0", "health.broken > 0"),
    ],
)  # fmt: skip
def test_a_condition_on_the_instrument_is_understood(text: str, told: str) -> None:
    assert str(GateCondition.parse(text)) == told
    assert GateCondition.parse(told) == GateCondition.parse(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("health > 0", "health of what?"),
        ("health.emtpy > 0", "Did you mean 'empty'"),
        ("health.brocken", "Did you mean 'broken'"),
        ("health.agnet.empty > 0", "Did you mean 'agent'"),
        ("health.agent.emtpy > 0", "Did you mean 'empty'"),
        ("health.agent.refused > 0", "an agent that refuses behaves"),
        ("health.user.void > 0.1", "write it without `user.`"),
        ("health.judge.broken", "write it without `judge.`"),
        ("health.empty", "is not a condition"),
        ("health.empty > 2", "a number from 0 to 1"),
        ("health.empty@4 > 0", "has no severity"),
        ("health.void >= 0", "always holds"),
    ],
)  # fmt: skip
def test_a_wrong_condition_on_the_instrument_says_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(InputError) as error:
        GateCondition.parse(text)
    assert told in str(error.value)
