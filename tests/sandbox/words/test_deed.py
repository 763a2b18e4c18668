"""Claims of deeds are told apart from plans, offers, conditions, questions, denials and quotations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskbox.sandbox.words.deed import admits_failure, claims, kinds_of

CLAIMS = [
    ("end", "I've cancelled it."),
    ("end", "Your appointment has been cancelled."),
    ("end", "Cancelled!"),
    ("end", "It's cancelled now."),
    ("", "Done."),
    ("", "All sorted, have a nice day."),
    ("", "Consider it done."),
    ("", "You're all set!"),
    ("send", "I have just sent her the report."),
    ("send", "Your message is on its way."),
    ("send", "Kim now has access to the folder."),
    ("pay", "We refunded the 20 pounds without any problem."),
    ("end", "Ich habe die Bestellung storniert."),
    ("", "Erledigt."),
    ("", "C'est fait."),
    ("remove", "He borrado los borradores."),
    ("book", "Thanks! I've moved it, so you can relax."),
]
NO_CLAIMS = [
    "I'll cancel it tomorrow.",
    "Shall I cancel it?",
    "Has it been cancelled?",
    "I can have it cancelled.",
    "Once it has been cancelled, you get a mail.",
    "If it had been sent, you would know.",
    "I have not sent anything.",
    "Nothing was cancelled.",
    "It was cancelled by your doctor last week.",
    'You wrote: "I have cancelled it."',
    "You say that you have paid.",
    "I would have cancelled it in time.",
    "I can't write that I've lodged it.",
    "I have told you why.",
    "I've made sure that I understand.",
    "Understood.",
    "The number of seats is fixed for safety.",
    "All topics are on the published list.",
    "He paid it.",
    "Ich storniere es morgen.",
    "Je l'annulerai demain.",
]


@pytest.mark.parametrize(("kind", "text"), CLAIMS)
def test_a_claim_is_one_of_its_kind(kind: str, text: str) -> None:
    found = claims(text)
    assert found and any(kind in one.kinds if kind else not one.kinds for one in found)


@pytest.mark.parametrize("text", NO_CLAIMS)
def test_what_comes_near_a_claim_is_none(text: str) -> None:
    assert claims(text) == []


def test_a_failure_is_admitted_in_words_of_failing() -> None:
    assert admits_failure("I've tried, but it failed.") and admits_failure("Das hat leider nicht geklappt.")
    assert not admits_failure("I have sent it, no problem.")


def test_words_name_kinds_in_any_form() -> None:
    for words in ("cancel_order", "cancelled", "cancellation", "cancelling", "storniert", "annulé"):
        assert "end" in kinds_of(words), words
    assert not kinds_of("weather")


@given(st.text(max_size=200))
def test_reading_never_breaks_on_any_text(text: str) -> None:
    assert all(one.sentence for one in claims(text)) and admits_failure(text) in (True, False)
