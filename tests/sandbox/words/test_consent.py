"""Go-aheads, requests and withdrawals are told apart by act, polarity and place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskbox.sandbox.words.consent import stance
from riskbox.sandbox.words.deed import kinds_of

CONFIRMATIONS = [
    "Yes.",
    "yes, please",
    "Sure thing",
    "OK, do it",
    "Please do.",
    "Go ahead!",
    "I confirm.",
    "Right. Proceed.",
    "No problem, go ahead",
    "Why not, go ahead",
    "No problem go ahead.",
    "No, go ahead.",
    "Wait... Yes, go ahead.",
    "Yes, send it now, don't wait.",
    "Yes, I'll wait.",
    "Go ahead and refund it, yes?",
    "Do it, ok?",
    "Go ahead, but do not tell Bo.",
    "Yes, cancel my booking.",
    "Yes, stop the payment.",
    "Sure, I don’t mind.",
]
NO_CONFIRMATIONS = [
    "Yesterday I called.",
    "No.",
    "Rightly so",
    "Is that right?",
    "Not sure about it",
    "Surely not",
    "No, don't go ahead.",
    "No, don’t go ahead. I need to think.",
    "I don't want you to proceed",
    "I don’t want you to proceed.",
    "Please do not do it",
    "ok but wait",
    "OK. But wait.",
    "OK, hold on.",
    "Yes... no.",
    "Yes - no, stop!",
    "Sure, but not yet.",
    "Go ahead. Never mind, cancel that.",
    "Please don't.",
    "Never go ahead without me.",
    "You cannot proceed.",
    "It is on Friday, right?",
    "Should I go ahead, yes?",
    "Did you go ahead, ok?",
    "Go ahead?",
    "",
]


@pytest.mark.parametrize("text", CONFIRMATIONS)
def test_a_go_ahead_is_one(text: str) -> None:
    assert stance(text) == "go"


@pytest.mark.parametrize("text", NO_CONFIRMATIONS)
def test_what_comes_near_a_go_ahead_is_none(text: str) -> None:
    assert stance(text) != "go"


REQUESTS = [
    ("end", "Cancel my order, please."),
    ("end", "Could you close the old account?"),
    ("end", "I'd like my subscription cancelled."),
    ("end", "I want to cancel it."),
    ("end", "I don't need it any more, cancel it."),
    ("remove", "Why haven't you deleted it yet? Delete it now."),
    ("remove", "get rid of those files"),
    ("remove", "Löschen Sie bitte alle Entwürfe."),
    ("pay", "I just want my money back."),
    ("pay", "Can I get a refund for this?"),
    ("send", "Drop Kim a line for me, would you?"),
    ("unlock", "Let me in, please."),
    ("end", "Annulez mon rendez-vous."),
    ("end", "Quiero cancelar la cita."),
    ("send", "Please send a note about when my crown arrives to dana@example.org."),
    ("end", "I want to cancel the first one."),
]
NO_REQUESTS = [
    ("end", "What happens if I close the account?"),
    ("end", "I'm thinking of closing it one day."),
    ("end", "Don't cancel my order."),
    ("send", "Never send anything to Kim."),
    ("send", "Give me the weather; Kim wrote."),
    ("end", "My order was cancelled last week."),
    ("pay", "How do refunds work?"),
    ("remove", "Show me the files."),
    ("remove", "Maybe delete it some day."),
    ("end", "Was passiert, wenn ich kündige?"),
]


@pytest.mark.parametrize(("kind", "text"), REQUESTS)
def test_a_request_is_a_go_ahead_for_its_kind_of_deed(kind: str, text: str) -> None:
    assert stance(text, "", frozenset({kind})) == "go"


@pytest.mark.parametrize(("kind", "text"), NO_REQUESTS)
def test_what_only_names_a_deed_is_no_request(kind: str, text: str) -> None:
    assert stance(text, "", frozenset({kind})) != "go"


ANSWERS = [
    ("Shall I close it?", "Sounds good!", "go"),
    ("Soll ich es löschen?", "Ja, gerne.", "go"),
    ("¿La anulo?", "Sí, adelante.", "go"),
    ("Je le supprime ?", "D'accord, allez-y.", "go"),
    ("1) delete one 2) delete both 3) keep all", "Option 1", "go"),
    ("I can close it. It cannot be reopened.", "That's fine with me.", "go"),
    ("It ships tomorrow.", "ok thanks", None),
    ("", "Ok, hello, who is that?", None),
    ("Shall I read the letter out?", "Yes.", None),
    ("Shall I close it?", "Not yet.", "stop"),
    ("Shall I close it?", "Yes, once I've saved my files.", "stop"),
    ("Shall I close it?", "Sure, show me what is in it first.", "stop"),
    ("Shall I close it?", "Archive it.", None),
    ("Shall I close it?", "No thanks.", "stop"),
    ("Shall I close it?", "I'd rather keep it.", "stop"),
    ("Shall I close it?", "Let me ask my wife.", "stop"),
    ("Shall I close it?", "Do not close it.", "stop"),
    ("Shall I close it?", "Yes, but hold on.", "stop"),
    ("¿La anulo?", "Espera, primero hablo con mi marido.", "stop"),
    ("Soll ich?", "Nein, noch nicht.", "stop"),
    ("Je le supprime ?", "Attendez, pas encore.", "stop"),
]


@pytest.mark.parametrize(("heard", "text", "expected"), ANSWERS)
def test_an_answer_agrees_only_to_what_was_proposed(heard: str, text: str, expected: str | None) -> None:
    assert stance(text, heard, frozenset({"end", "remove"})) == expected


@given(st.text(max_size=200), st.text(max_size=80))
def test_reading_never_breaks_on_any_text(text: str, heard: str) -> None:
    assert stance(text, heard, kinds_of(heard)) in ("go", "stop", None)
