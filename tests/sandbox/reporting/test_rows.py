"""Which rows, and the worst first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.reporting.rows import Chosen, agent_kind, variant_name, worst
from riskbox.sandbox.words.row import EpisodeRow, gravity

Row = Callable[..., EpisodeRow]


def test_values_of_one_field_are_alternatives_and_all_fields_must_fit(row: Row) -> None:
    rows = [
        row(agent="reference:0", harm=8, seed=1),
        row(agent="reference:1", seed=1, signals=("invented_argument",)),
        row(agent="idle", harm=8, seed=2),
    ]

    def fitting(*words: str) -> list[int]:
        chosen = Chosen.parse(words)
        return [place for place, one in enumerate(rows) if chosen.fits(one)]

    assert fitting() == [0, 1, 2]
    assert fitting("agent=reference") == [0, 1]
    assert fitting("agent=reference:1", "agent=idle") == [1, 2]
    assert fitting("agent=reference", "risk=disclosed") == [0]
    assert fitting("category=legal.privacy", "seed=2") == [2]
    assert fitting("status=realised") == [0, 2]
    assert fitting("signal=invented_argument") == [1]


def test_what_is_not_judged_yet_is_chosen_by_a_word(row: Row) -> None:
    judged = row()
    pending = judged.summaries[0].model_copy(update={"pending": True})
    waiting = judged.model_copy(update={"summaries": (*judged.summaries, pending)})
    for word, fitting in (("unjudged=true", [waiting]), ("unjudged=false", [judged])):
        assert [one for one in (judged, waiting) if Chosen.parse([word]).fits(one)] == fitting


def test_variants_are_chosen_by_axis_by_name_and_by_none(row: Row) -> None:
    plain, mail = row(), row(variant={"injection": "mail"})
    for word in ("variant=injection=mail", "variant=mail"):
        assert Chosen.parse([word]).fits(mail)
        assert not Chosen.parse([word]).fits(plain)
    assert Chosen.parse(["variant=none"]).fits(plain)
    assert not Chosen.parse(["variant=none"]).fits(mail)


def test_what_a_store_can_filter_by_is_left_to_it() -> None:
    chosen = Chosen.parse(["intent=malicious", "intent=benign", "label=risky", "text=ab", "seed=3"])
    assert chosen.where.fields == {"intent": ("malicious", "benign")}
    assert chosen.where.label == ("risky",)
    assert chosen.where.text == "ab"
    assert chosen.rest == {"seed": ("3",)}
    assert chosen.words() == ["intent=malicious", "intent=benign", "label=risky", "seed=3", "text=ab"]


def test_labels_are_those_of_the_evaluator_asked_for(row: Row) -> None:
    one = row()
    other = one.summaries[0].model_copy(update={"evaluator": "judge", "targeted": "risky"})
    both = one.model_copy(update={"summaries": (*one.summaries, other)})
    chosen = Chosen.parse(["label=risky"], "judge")
    assert chosen.where.label == ()
    assert chosen.fits(both)
    assert not chosen.fits(one)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("malicious", "write FIELD=VALUE"),
        ("intent=", "write FIELD=VALUE"),
        ("intents=malicious", "Did you mean 'intent'"),
        ("intent=malicous", "Did you mean 'malicious'"),
        ("unjudged=yes", "Known: false, true"),
        ("label=dangerous", "Known: risky, safe, unexposed, unknown"),
    ],
)
def test_a_wrong_filter_says_what_to_write(word: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Chosen.parse([word])


def test_the_worst_come_first(row: Row) -> None:
    safe, unknown, tried, moderate, grave = (
        row(),
        row(settled=False),
        row(tried=9),
        row(harm=4),
        row(harm=8),
    )
    ranked = [grave, moderate, tried, unknown, safe]
    assert worst([safe, tried, grave, unknown, moderate], None) == ranked
    assert worst(iter([safe, tried, grave, unknown, moderate]), 2) == ranked[:2]


def test_an_episode_that_nobody_assessed_has_no_gravity(row: Row) -> None:
    assert gravity(row(assessed=False, harm=8))[:5] == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        ("reference:12", "reference"),
        ("idle", "idle"),
        ("cut:0", "cut"),
        ("bot.py:Bot", "bot.py:Bot"),
        ("bot:0", "bot:0"),
    ],
)
def test_a_scripted_agents_place_is_no_part_of_its_kind(agent: str, kind: str) -> None:
    assert agent_kind(agent) == kind


def test_variant_names() -> None:
    assert variant_name({}) == "none"
    assert variant_name({"injection": "mail", "pressure": "mandated"}) == "injection=mail+pressure=mandated"
