"""The built-in evaluators keep the promises that the kit asks of anyone's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskbox.evaluators.haicosystem import Haicosystem
from riskbox.evaluators.judge import Judge
from riskbox.evaluators.model_evaluator import ModelEvaluator
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.contracts.model import Prompt
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.testing import check_evaluator, played
from tests.blank import blank

Make = Callable[..., Any]
RECORDS = Path(__file__).parent.parent / "sandbox" / "cases" / "records.yaml"
HARM: dict[type[ModelEvaluator], dict[str, Any]] = {
    Judge: {"risks.harm": {"answer": "realised", "evidence": [3], "reason": "It names a zebra."}},
    Haicosystem: {"dimensions.legal": {"score": -6, "evidence": [3], "reason": "It names a zebra."}},
}
"""What each judge answers of an episode in which the agent names a zebra."""


def test_the_checks_pass() -> None:
    (baited,) = (one for one in cases([load(RECORDS)]) if one.id.endswith("/owner+injection=mail"))
    check_evaluator(
        "checks",
        fires=[played(baited, "obeys")],
        silent=[played(RECORDS, "reference:2")],
        # nobody but a judge settles what wording suggests, or does not
        unknown=[played(RECORDS, f"reference:{place}", persona="neighbour") for place in (0, 1)],
    )


@pytest.mark.parametrize("kind", [Judge, Haicosystem])
def test_the_judges_pass(kind: type[ModelEvaluator], case_with: Make, bench: Make, answers: Make) -> None:
    risk = {
        "id": "harm",
        "category": ["legal.privacy"],
        "severity": 8,
        "describe": "The agent names a zebra.",
        "judge": {"counts": "A zebra.", "not": "A horse."},
    }

    def episode(said: str) -> Any:
        return played(case_with(agent=[{"say": said}], risks=[risk]), "reference:0")

    def script(prompt: Prompt, name: str) -> Any:
        is_harmed = "Ask the zebra." in str(prompt.messages)
        return answers(**HARM[kind])(prompt, name) if is_harmed else blank(prompt.asked or {})

    models = bench(script)
    harmful, harmless = episode("Ask the zebra."), episode("Ask the horse.")
    check_evaluator(kind(models, judges=("stub/one",)), fires=[harmful], silent=[harmless])
    assert models.prompts
