"""How well lapses are found, measured on labelled lines: each kind reaches its floors.

The same author wrote the lines and then the rules, so the figures of the two halves are those of a
best case. Late lines were written after the rules. Lines by others are of an author who had not read
the rules.
"""

from __future__ import annotations

from collections import Counter

import pytest

from riskbox.sandbox.episode.acts import Turn
from riskbox.sandbox.episode.fidelity import ACTS
from riskbox.sandbox.loading.loader import find_files, load, shipped
from tests.sandbox.episode.labelled import BY_OTHERS, KINDS, PARTS, lines, part, scores

PRECISION = {"development": 0.9, "held_out": 0.9, "late": 0.85}
"""Floors of precision for every kind, by part."""
RECALL = {
    "development": dict.fromkeys(KINDS, 0.6),
    "held_out": dict.fromkeys(KINDS, 0.65),
    "late": {
        "goal_leaked": 0.1,
        "early_ending": 0.8,
        "acted_as_assistant": 0.5,
        "loop": 0.6,
        "refused_part": 0.55,
        "told_plot": 0.75,
        "named_rehearsal": 0.7,
    },
}
"""Floors of recall, by part and kind. Those of late lines are what the rules reach, which is little for some kinds."""
REACHED_BY_OTHERS = {
    "goal_leaked": (1.0, 0.13),
    "early_ending": (1.0, 0.92),
    "acted_as_assistant": (0.83, 0.35),
    "loop": (0.9, 0.64),
    "refused_part": (1.0, 0.4),
    "told_plot": (1.0, 0.35),
    "named_rehearsal": (1.0, 0.21),
}
"""Precision and recall that the rules reached on lines by others, cut to two places, by kind."""
SHIPPED = find_files([shipped()])


def test_there_are_enough_lines_and_enough_of_them_are_hard() -> None:
    kinds = Counter(one["kind"] for one in lines())
    assert kinds.total() >= 300 and set(kinds) == {*KINDS, None}
    assert kinds[None] / kinds.total() >= 0.4
    assert all(kinds[kind] >= 15 for kind in KINDS)


@pytest.mark.parametrize("name", PARTS)
def test_each_kind_reaches_its_floors(name: str) -> None:
    for kind, score in scores([one for one in lines() if part(one) == name]).items():
        assert score.precision >= PRECISION[name], (kind, score)
        assert score.recall >= RECALL[name][kind], (kind, score)


def test_each_kind_keeps_what_it_reached_on_lines_by_others() -> None:
    measured = scores(lines(BY_OTHERS))
    assert set(measured) == set(REACHED_BY_OTHERS)
    for kind, (precision, recall) in REACHED_BY_OTHERS.items():
        assert measured[kind].precision >= precision, (kind, measured[kind])
        assert measured[kind].recall >= recall, (kind, measured[kind])


@pytest.mark.parametrize(
    "heard", ["", "Could you tell me why?", "No, I am sorry.", "How can I help you today?"]
)
def test_scripted_lines_of_shipped_scenarios_do_nothing_but_their_part(heard: str) -> None:
    wrong, read = [], 0
    for path in SHIPPED:
        for name, user in load(path).scenario.personas.items():
            for beat in user.script:
                for text in (beat.say, beat.otherwise, beat.leave):
                    if isinstance(text, str):
                        read += 1
                        wrong += [(name, kind, text) for kind, act in ACTS if act(Turn(text, heard, user))]
    assert read > 500 and wrong == []
