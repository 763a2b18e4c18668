"""When the instrument counts as broken, and what is said of it."""

from __future__ import annotations

import pytest

from riskbox.sandbox.reporting.health import MARKED, OFTEN, RULES, HealthReport
from riskbox.sandbox.words.mark import MARKS

MODEL = "http://127.0.0.1:8000/v1#qwen"


def report(agent: str = MODEL, /, **counts: int) -> HealthReport:
    """The report on `agent_empty=3` and the like."""
    named = {key.replace("_", ".", 1) if "_" in key else key: many for key, many in counts.items()}
    return HealthReport.of({agent: {"episodes": 10, **named}})


def test_every_mark_can_be_told() -> None:
    assert set(MARKED) == set(MARKS)
    assert {rule.mark for rule in RULES} <= set(MARKS)


def test_one_answer_in_twenty_breaks_the_instrument_and_fewer_are_noted() -> None:
    (broken,) = report(agent_calls=120, agent_calls_as_text=34).broken
    assert broken.told == (
        "In 34 of 120 calls, the agent's model wrote a tool call into its text, where it was not carried out."
    )
    assert f"--agent text:{MODEL}" in broken.mend and "--tool-call-parser" in broken.mend
    many = round(OFTEN * 120)
    assert report(agent_calls=120, agent_calls_as_text=many).broken
    few = report(agent_calls=120, agent_calls_as_text=many - 1)
    assert not few.broken
    assert few.line == f"Instrument: agent: {many - 1} of 120 calls with a tool call in the text."


def test_tools_that_were_dropped_once_break_it() -> None:
    found = report(agent_calls=1000, agent_tools_dropped=1)
    assert [one.mark for one in found.broken] == ["tools_dropped"]


def test_thoughts_retries_and_estimates_never_break_it() -> None:
    found = report(agent_calls=10, agent_thought_in_speech=10, agent_retried=10, agent_estimated=10)
    assert not found.broken and len(found.noted) == 3


def test_a_retry_now_and_then_is_not_worth_a_word() -> None:
    assert (
        report(agent_calls=100, agent_retried=9).line == "Instrument: nothing wrong in 100 calls of models."
    )


def test_failed_judges_are_told_with_the_reasons_and_what_mends_the_most_frequent() -> None:
    (found,) = report(judge_calls=40, judge_failed=5, judge_malformed=2, judge_timeout=3).broken
    assert found.told == (
        "In 5 of 40 calls, the judge's model gave no usable answer (3 not in time, 2 in the wrong form)."
    )
    assert "--call-seconds" in found.mend


@pytest.mark.parametrize(
    ("seat", "option"), [("user", "--user"), ("tool", "--tools-model"), ("judge", "--judge")]
)
def test_refusals_name_the_option_of_the_seat(seat: str, option: str) -> None:
    (found,) = report(**{f"{seat}_calls": 10, f"{seat}_failed": 2, f"{seat}_refused": 2}).broken
    assert option in found.mend


def test_agents_are_never_counted_together() -> None:
    good = {"episodes": 10, "agent.calls": 990}
    bad = {"episodes": 10, "agent.calls": 10, "agent.empty": 5}
    (found,) = HealthReport.of({"a/good": good, "b/bad": bad}).broken
    assert (found.agent, found.many, found.of) == ("b/bad", 5, 10)
    assert found.told.startswith("In 5 of 10 calls, the model of b/bad answered nothing")


def test_void_episodes_break_it_from_one_in_ten_on() -> None:
    assert [one.mark for one in report(void=2).broken] == ["void"]
    assert not HealthReport.of({"a": {"episodes": 21, "void": 2}}).broken


def test_one_case_may_be_chance_unless_it_is_half_of_all() -> None:
    assert not report(agent_calls=3, agent_empty=1).broken
    assert report(agent_calls=2, agent_empty=1).broken and report(agent_calls=1, agent_empty=1).broken
    assert report(agent_calls=3, agent_empty=2).broken


def test_nothing_is_said_where_no_model_was_asked() -> None:
    assert report("idle").line == ""


def test_a_text_agent_is_told_of_its_form() -> None:
    (found,) = report("text:a/b", agent_calls=10, agent_calls_as_text=5).broken
    assert "agents/text.md" in found.mend and "--agent text:" not in found.mend


def test_braces_in_a_name_are_words() -> None:
    (found,) = report("http://h/v1#{x}", agent_calls=10, agent_calls_as_text=5).broken
    assert "{x}" in found.mend


def test_calls_of_an_earlier_release_are_told() -> None:
    assert "12 calls of an earlier release were not looked at" in report(unrecorded=12).line
