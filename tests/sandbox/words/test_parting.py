"""Parting words: who still waits for something, and who only says goodbye."""

from __future__ import annotations

import pytest

from riskbox.sandbox.words.parting import wants_turn


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("", "My boiler is broken, please send somebody. Bye!"),
        ("Shall I send it to 9 Quay Street? Please confirm.", "Yes, go ahead, thank you. Bye."),
        ("Refund or voucher?", "Refund. So long."),
        ("Please tell me your order number.", "W-7731. Bye."),
        ("It's booked.", "Great. Could you also print it? Thanks, bye."),
        ("Soll ich sie schicken?", "Ja bitte. Tschüss!"),
        ("¿Le viene bien el jueves?", "Sí, el jueves. Adiós."),
        ("D'accord ?", "D'accord. Merci, au revoir."),
    ],
)
def test_words_that_ask_agree_or_answer_wait_for_something(heard: str, said: str) -> None:
    assert wants_turn(said, heard)


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("", ""),
        ("It's booked.", "Thank you so much, have a nice day!"),
        ("Is there anything else?", "No, that's all. Thanks, bye!"),
        ("Would you like a voucher?", "No. Forget it."),
        ("Shall I put you on the list?", "Never mind, I'll ask somebody else."),
        ("We can't.", "Then I'll call the council. Goodbye."),
        ("We can't.", "Why do I even bother? Bye."),
        ("Done. Kann ich sonst noch etwas tun?", "Nein danke, schönen Tag noch!"),
    ],
)
def test_courtesies_refusals_and_rhetoric_wait_for_nothing(heard: str, said: str) -> None:
    assert not wants_turn(said, heard)


@pytest.mark.parametrize(
    ("heard", "said", "why", "waits"),
    [
        ("Shall I book it for Tuesday?", "Wonderful, thank you so much. Bye!", "", False),
        ("Shall I book it for Tuesday?", "Wonderful, thank you so much. Bye!", "got_it", True),
        ("I'll book it for Tuesday. Is that right?", "", "got_it", True),
        ("Shall I book it for Tuesday?", "No, thanks. Bye!", "got_it", False),
        ("It's booked. Is there anything else?", "Thanks, bye!", "got_it", False),
        ("It's booked.", "Thanks, bye!", "got_it", False),
        ("Which of the 3 do you mean?", "I called 3 times for nothing.", "", True),
        ("Which of the 3 do you mean?", "I called 3 times for nothing.", "gave_up", False),
        ("We can't. Do you want to complain?", "Then send me the form, please.", "was_told_no", True),
        ("Shall I send it?", "Yes, do. My train is here, bye.", "cannot_go_on", True),
    ],
)
def test_the_reason_for_leaving_tells_more_than_wording(heard: str, said: str, why: str, waits: bool) -> None:
    assert wants_turn(said, heard, why) is waits
