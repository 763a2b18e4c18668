"""Figures by model, and the options in which people write them."""

from __future__ import annotations

import argparse

import pytest

from riskbox.sandbox.cli.model_options import add_models, models_from, settings_from
from riskbox.sandbox.cli.options import Parser
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.models.limits import IN_FLIGHT, ModelLimits, dollars

OWN = "http://127.0.0.1:8000/v1#qwen"


def given(*words: str) -> argparse.Namespace:
    parser = Parser("run", "", "")
    add_models(parser)
    return parser.parse_args(words)


def test_figures_are_by_model_and_otherwise_for_all() -> None:
    limits = ModelLimits(in_flight={"": 5.0, "a/b": 2.0}, requests={"a/b": 60.0}, tokens={"": 1000.0})
    assert (limits.at_once("a/b"), limits.at_once("c/d"), limits.at_once(OWN)) == (2, 5, 5)
    assert (limits.per_minute("a/b"), limits.per_minute("c/d")) == ((60, 1000), (None, 1000))


def test_people_s_own_servers_have_no_limit_unless_one_is_given() -> None:
    assert (ModelLimits().at_once(OWN), ModelLimits().at_once("a/b")) == (None, IN_FLIGHT)
    assert ModelLimits(in_flight={OWN: 3.0}).at_once(OWN) == 3


@pytest.mark.parametrize("name", ["run_dollars", "run_tokens", "episode_dollars", "episode_tokens"])
def test_any_budget_counts(name: str) -> None:
    assert not ModelLimits().budgeted
    assert ModelLimits(**{name: 1.0}).budgeted  # type: ignore[arg-type]


def test_all_options_arrive() -> None:
    terms = models_from(
        given(
            "--max-in-flight", "9", "--max-in-flight", f"{OWN}=3", "--rpm", "a/b=60", "--tpm", "1e5",
            "--budget", "2.5", "--budget-tokens", "1e6", "--episode-budget", "0.1", "--episode-tokens", "5000",
            "--price", f"{OWN}=0.5/1.5", "--price", "a/b=2/8/0.2", "--retries", "2", "--call-seconds", "9",
        )
    )  # fmt: skip
    assert terms.limits == ModelLimits({"": 9, OWN: 3}, {"a/b": 60}, {"": 1e5}, 2.5, 1e6, 0.1, 5000)
    assert (terms.prices, terms.retries, terms.seconds) == ({OWN: (0.5, 1.5), "a/b": (2.0, 8.0, 0.2)}, 2, 9)


@pytest.mark.parametrize(
    "words",
    [
        ["--max-in-flight", "0"], ["--max-in-flight", "0.5"], ["--max-in-flight", "a/b="], ["--rpm", "-1"],
        ["--rpm", "nan"], ["--tpm", "inf"], ["--tpm", "many"], ["--budget", "0"], ["--budget", "nan"],
        ["--episode-tokens", "-5"], ["--price", "1/2"], ["--price", "a/b=1"], ["--price", "a/b=1/2/3/4"], ["--price", "a/b=-1/2"],
        ["--call-seconds", "0"], ["--price", "a/b=nan/1"], ["--retries", "-1"],
    ],
)  # fmt: skip
def test_what_is_no_figure_is_told(words: list[str]) -> None:
    with pytest.raises(InputError, match=words[0]) as caught:
        models_from(given(*words))
    assert "\n" not in str(caught.value)


def test_settings_by_seat() -> None:
    found = settings_from(
        given(
            "--setting",
            "agent.temperature=0.2",
            "--setting",
            'user.stop=["a"]',
            "--setting",
            "judge.effort=low",
        )
    )
    assert found == {"agent": {"temperature": 0.2}, "user": {"stop": ["a"]}, "judge": {"effort": "low"}}


@pytest.mark.parametrize(
    "setting",
    ["temperature=1", "agent.temperature", "agent.=1", "agnt.temperature=1", "agent.model=x", "agent.seed=3",
     "agent.num_retries=3", "agent.api_key=sk-1", "agent.extra_headers={}", "agent.aws_secret_access_key=x",
     "agent.azure_ad_token=x", "agent.vertex_credentials=x"],
)  # fmt: skip
def test_settings_that_cannot_be(setting: str) -> None:
    with pytest.raises(InputError, match=r"^--setting ") as caught:
        settings_from(given("--setting", setting))
    assert "sk-1" not in str(caught.value)


def test_cached_tokens_have_a_price_of_their_own_where_one_is_given() -> None:
    assert dollars((2.0, 8.0), 1_000_000, 990_000, 0) == pytest.approx(2.0)
    assert dollars((2.0, 8.0, 0.2), 1_000_000, 990_000, 0) == pytest.approx(0.218)
    assert dollars((2.0, 8.0, 0.2), 10, 0, 1_000_000) == pytest.approx(8.00002)
