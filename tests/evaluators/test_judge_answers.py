"""Judges that fail or answer in another form, and the form in which they are asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from riskbox.evaluators.judge import Judge
from riskbox.evaluators.rubric import prose
from riskbox.sandbox.contracts.model import Prompt, Reply
from riskbox.sandbox.episode.playing import assess
from riskbox.sandbox.errors import BudgetSpent, Halt, InputError, ModelFault
from riskbox.sandbox.registry.evaluators import evaluator
from riskbox.sandbox.words.verdict import Assessment

Make = Callable[..., Any]
READ = {"call": "clinic.read_record", "args": {"patient": "P-104"}}
NO = [{"say": "I can't help with that."}]


def risk(**fields: Any) -> dict[str, Any]:
    return {"id": "harm", "category": ["legal.privacy"], "severity": 8, "describe": "Harm.", **fields}


JUDGED = risk(judge={"counts": "Anything.", "not": "Nothing."})


def values(one: Assessment) -> dict[str, int | None]:
    return {verdict.dimension: verdict.value for verdict in one.verdicts}


# --- judges that fail -------------------------------------------------------------------------------------------


def test_citations_of_events_that_do_not_exist_are_dropped_and_noted(judged: Make) -> None:
    given = {"answer": "realised", "evidence": [1, 99, -1, 1, 10**30]}
    one, prompts, _ = judged({"risks.harm": given}, risks=[JUDGED])
    assert len(prompts) == 1 and one.risks[0].evidence == (1,)
    assert one.notes == ("stub/one#0: risks.harm cites events that do not exist: 99, -1, ...",)


@pytest.mark.parametrize(
    ("place", "bad", "good"),
    [
        ("risks.harm", {"answer": "realised", "evidence": [99]}, {"answer": "realised", "evidence": [1]}),
        ("risks.harm", {"answer": "blocked", "evidence": []}, {"answer": "no", "evidence": []}),
        ("dimensions.legal", {"score": -4, "categories": ["legal.privacy"]}, {"score": 0}),
        ("dimensions.legal", {"attempted": 4, "categories": ["legal.privacy"]}, {"score": 0}),
        ("dimensions.legal", {"score": -4, "evidence": [1]}, {"score": 0}),
        ("agent.refused", {"answer": "yes"}, {"answer": "no"}),
        ("dimensions.legal", {"score": -11}, {"score": -10, "evidence": [1], "categories": ["legal.privacy"]}),
        ("risks.harm", {"answer": "maybe"}, {"answer": "no"}),
    ],
)  # fmt: skip
def test_a_malformed_judgement_is_asked_for_once_more(
    judged: Make, answers: Make, place: str, bad: dict[str, Any], good: dict[str, Any]
) -> None:
    def script(prompt: Prompt, name: str) -> Any:
        return answers(**{place: bad if len(prompt.messages) == 2 else good})(prompt, name)

    one, (first, second), _ = judged(script=script, risks=[JUDGED])
    assert [*second.messages[:2]] == [*first.messages]
    assert [message["role"] for message in second.messages] == ["system", "user", "assistant", "user"]
    assert place in second.messages[3]["content"]
    assert one.fault == "" and len(one.model_calls) == 2

    one, prompts, _ = judged({place: bad}, risks=[JUDGED])
    assert len(prompts) == 2 and "twice" in one.fault and place in one.fault
    assert one.risks[0].value is None and "no judge answered" in one.risks[0].reason
    assert one.label == "unknown"


def test_an_answer_that_is_not_json_is_asked_for_once_more(judged: Make, answers: Make) -> None:
    def script(prompt: Prompt, name: str) -> Any:
        return answers()(prompt, name) if len(prompt.messages) > 2 else Reply("malformed", "Sure! {")

    one, prompts, _ = judged(script=script, risks=[JUDGED])
    assert "it is not JSON" in prompts[1].messages[3]["content"]
    assert one.risks[0].value is False


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (ModelFault("no answer within 60 s", "timeout"), "no answer within 60 s"),
        (BudgetSpent("the episode's budget is spent"), "budget"),
        (Reply("refused", "I cannot judge that."), "refused to judge"),
    ],
)
def test_a_judge_without_an_answer_is_a_fault_and_what_was_computed_stands(
    judged: Make, failure: Any, told: str
) -> None:
    read = risk(id="read", check="did('clinic.read_record')")
    one, prompts, _ = judged(script=lambda prompt, name: failure, risks=[JUDGED, read], agent=[READ, *NO])
    assert len(prompts) == 1 and told in one.fault and "stub/one#0" in one.fault
    assert [answer.value for answer in one.risks] == [None, True]
    assert values(one)["legal"] == -8 and values(one)["content"] is None
    assert told in one.verdict("content").reason and one.refused is True


def test_a_halt_passes_through(judged: Make) -> None:
    with pytest.raises(Halt, match="the key was refused"):
        judged(script=lambda prompt, name: Halt("the key was refused"), risks=[JUDGED])


def test_a_judge_must_be_named(case_with: Make, played: Make) -> None:
    with pytest.raises(InputError, match="--judge provider/model"):
        evaluator("judge")
    with pytest.raises(InputError, match="at least 1"):
        evaluator("judge", judges=("stub/one",), repeats=0)
    one = case_with(risks=[JUDGED])
    alone = asyncio.run(assess(one, played(one), [evaluator("judge", judges=("stub/one",))]))[0]
    assert "riskbox score RUN" in alone.fault


# --- the form ---------------------------------------------------------------------------------------------------


def test_evidence_comes_first_and_the_score_last(judged: Make) -> None:
    goals = [{"id": "kind", "judge": {"counts": "Was kind."}}]
    _, prompts, _ = judged(risks=[JUDGED], goals=goals)
    Draft202012Validator.check_schema(prompts[0].schema)
    for part in prompts[0].schema["properties"].values():
        for question in part["properties"].values():
            names = list(question["properties"])
            assert names[:2] == ["evidence", "reason"] and names[-1] in ("answer", "score")
            assert question["required"] == names and question["additionalProperties"] is False


def test_what_counts_and_what_does_not_is_asked(judged: Make) -> None:
    _, prompts, _ = judged(risks=[JUDGED])
    line = next(one for one in prompts[0].messages[1]["content"].splitlines() if "risks.harm" in one)
    assert json.loads(line) == {
        "answer_in": "risks.harm", "severity": 8, "what": "Harm.", "counts": "Anything.", "does_not_count": "Nothing.",
    }  # fmt: skip


def test_the_prompt_begins_alike_for_every_episode(judged: Make) -> None:
    _, (one,), _ = judged(risks=[JUDGED])
    _, (other,), _ = judged(persona="owner", goals=[{"id": "kind", "judge": {"counts": "Was kind."}}])
    assert one.messages[0] == other.messages[0] and one.messages[0]["role"] == "system"


def test_settings_name_the_judges_and_what_is_not_usual(bench: Make, answers: Make) -> None:
    models = bench(answers())
    plain = evaluator("judge", models, judges=("stub/one",), repeats=1, max_chars=200_000)
    assert plain.settings == {"judges": ["stub/one"]}
    told = evaluator("judge", models, judges=("a/b", "c/d"), repeats=3, settings={"temperature": 0.5})
    assert told.settings == {"judges": ["a/b", "c/d"], "repeats": 3, "settings": {"temperature": 0.5}}


def test_another_prompt_is_another_version() -> None:
    """Whoever changes a prompt raises `Judge.version` and writes the new digest here."""
    text = prose("judge") + prose("sheet")
    assert (Judge.version, blake2b(text.encode(), digest_size=6).hexdigest()) == ("2", "2019893933ba")
