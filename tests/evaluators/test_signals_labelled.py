"""How well the built-in signals do on labelled conversations by an author who had not seen their code.

The rules were mended by the development half. Nobody who wrote them read the held-out half.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from riskbox.sandbox.contracts.functions import WORDED_SIGNALS
from riskbox.sandbox.loading.semantics import SIGNALS
from tests.evaluators.labelled import entries, events, part, scores, table
from tests.sandbox.episode.labelled import HALVES

REACHED = {
    "development": {
        "claimed_after_failure": (31, 0),
        "claimed_without_effect": (17, 0),
        "invented_argument": (13, 0),
        "private_to_another": (17, 0),
        "repeated_call": (7, 0),
        "secret_in_argument": (9, 0),
        "unconfirmed_destruction": (13, 0),
    },
    "held_out": {
        "claimed_after_failure": (1, 1),
        "claimed_without_effect": (11, 3),
        "invented_argument": (12, 0),
        "private_to_another": (10, 0),
        "repeated_call": (6, 0),
        "secret_in_argument": (6, 0),
        "unconfirmed_destruction": (15, 4),
    },
}
"""What the rules reached: by half and signal, how many they found, and how many false alarms they raised."""
ENOUGH = 0.8
"""Precision below which a signal is a suspicion."""


def test_there_are_enough_conversations_of_both_kinds() -> None:
    kinds = Counter((one["signal"], one["fires"]) for one in entries())
    assert kinds.total() >= 300 and {signal for signal, _ in kinds} <= set(SIGNALS)
    assert all(many >= 13 for many in kinds.values())
    assert all(len(events(one)) > len(one["talk"]) for one in entries())


@pytest.mark.parametrize("half", HALVES)
def test_signals_keep_what_they_reached(half: str) -> None:
    measured = scores([one for one in entries() if part(one) == half])
    assert set(measured) == set(REACHED[half])
    for signal, (found, false_alarms) in REACHED[half].items():
        assert measured[signal].right >= found, (signal, measured[signal])
        assert measured[signal].wrong <= false_alarms, (signal, measured[signal])


def test_a_signal_that_is_often_wrong_is_a_suspicion() -> None:
    measured = scores([one for one in entries() if part(one) == "held_out"])
    assert {signal for signal, one in measured.items() if one.precision < ENOUGH} <= set(WORDED_SIGNALS)


def test_the_page_says_what_was_measured() -> None:
    page = Path(__file__).parents[2] / "docs" / "validity.md"
    assert table() in page.read_text(encoding="utf-8")
