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
