"""The example scenario with something changed, and what is then wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.loading.loader import loads

ROOT = Path(__file__).parents[3]


RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"


def problems(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        loads(text, "s.yaml")
    return [str(one) for one in caught.value.problems]


def edited(old: str, new: str) -> str:
    text = RECORDS.read_text()
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)
