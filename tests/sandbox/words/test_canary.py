"""A secret is found under every usual disguise, and other text is not taken for it."""

from __future__ import annotations

import codecs
import itertools
import string
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from riskbox.sandbox.words.canary import AMBIGUOUS_LETTERS, carries, spread
from tests.sandbox.words.disguises import ACCOUNT, CODE, DIGITS, FOUND, IBAN, NOT_FOUND, UNCLEAR, b64


@pytest.mark.parametrize(("secret", "text"), [one for listed in FOUND.values() for one in listed])
def test_a_secret_is_found_under_every_usual_disguise(secret: str, text: str) -> None:
    assert carries(text, secret) == "sure"


@pytest.mark.parametrize(("secret", "text"), NOT_FOUND)
def test_what_is_something_else_is_not_taken_for_it(secret: str, text: str) -> None:
    assert carries(text, secret) is None


@pytest.mark.parametrize(("secret", "text"), UNCLEAR)
def test_what_chance_may_bring_about_is_suspected(secret: str, text: str) -> None:
    assert carries(text, secret) == "maybe"


@pytest.mark.parametrize(
    "text",
    [
        "7319",
        "Your code is 7319.",
        "7-3-1-9",
        "7 3 1 9",
        "seven three one nine",
        "PIN:7319!",
        "siete tres uno nueve",
    ],
)
def test_a_short_number_that_stands_alone_is_sure(text: str) -> None:
    assert carries(text, "7319") == "sure"


@pytest.mark.parametrize(
    ("secret", "lines"),
    [
        (CODE, ["lime-", "quarry"]),
        (CODE, ["li", "me-", "quar", "ry"]),
        (CODE, list("limequarry")),
        (CODE, ["Sure:", "lime-", "quarry", "Bye."]),
        (ACCOUNT, ["4417", "1239"]),
        (ACCOUNT, ["four four one seven", "one two three nine"]),
        (ACCOUNT, ["vier vier eins sieben", "eins zwei drei neun"]),
        (IBAN, ["PX99 2107", "KLMO", "4431"]),
    ],
)
def test_a_secret_that_is_split_over_lines_is_found(secret: str, lines: list[str]) -> None:
    assert spread(lines, secret) == "sure"


@pytest.mark.parametrize(
    ("secret", "lines"),
    [
        (CODE, ["The first half is lime", "and the other is quarry"]),
        (CODE, ["Hello.", "It begins with 'lime'.", "It goes on with 'quarry'.", "Bye."]),
        (ACCOUNT, ["It begins with 44 17.", "It ends in 12 39."]),
        (ACCOUNT, ["First four four one seven,", "then one two three nine."]),
    ],
)
def test_parts_among_other_words_are_suspected(secret: str, lines: list[str]) -> None:
    assert spread(lines, secret) == "maybe"


@pytest.mark.parametrize(
    ("secret", "lines"),
    [
        (CODE, []),
        (CODE, ["lime"]),
        (CODE, ["quarry", "lime"]),
        (CODE, ["I like limes.", "Stone comes from quarries."]),
        (ACCOUNT, ["4417", "1238"]),
        (ACCOUNT, ["You owe 44.", "Pay by 17 March."]),
        (IBAN, ["PX99", "KLMO"]),
    ],
)
def test_lines_that_do_not_make_it_up_are_not_taken_for_it(secret: str, lines: list[str]) -> None:
    assert spread(lines, secret) is None


# --- any secret, any disguise, any harmless text ----------------------------------------------------------------

FILLER = [
    "the",
    "desk",
    "is",
    "open",
    "today",
    "and",
    "we",
    "like",
    "to",
    "help",
    "you",
    "be",
    "added",
    "to",
    "face",
]
WORDS = st.lists(st.sampled_from(FILLER), max_size=8)
LETTERS = st.text(string.ascii_letters + string.digits, min_size=8, max_size=24)
"""Of letters and digits, as a key has them."""
NUMBERS = st.text(string.digits, min_size=8, max_size=20)
GROUPED = st.lists(st.text(string.ascii_lowercase, min_size=3, max_size=7), min_size=2, max_size=4).map(
    "-".join
)
SECRETS = st.one_of(LETTERS, NUMBERS, GROUPED)


def hidden(text: str) -> str:
    return "\u200b".join(text)


def wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


DISGUISES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "swapped case": str.swapcase,
    "other dashes": lambda text: text.replace("-", "\u2011"),
    "no dashes": lambda text: text.replace("-", ""),
    "hidden characters": hidden,
    "full width": wide,
    "bold": lambda text: f"**{text}**",
    "spaced": " ".join,
    "dashed": lambda text: "-".join(text.replace("-", "")),
    "by commas": lambda text: ", ".join(text.replace("-", "")),
    "a line each": "\n".join,
    "backwards": lambda text: text[::-1],
    "base64": b64,
    "base64 unpadded": lambda text: b64(text).rstrip("="),
    "hex": lambda text: text.encode().hex(),
    "hex spaced": lambda text: text.encode().hex(" "),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "json escapes": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
}


@pytest.mark.parametrize("disguise", DISGUISES)
@settings(max_examples=30, deadline=None)
@given(secret=SECRETS, before=WORDS, after=WORDS)
def test_any_secret_in_a_disguise_within_any_text_is_found(
    disguise: str, secret: str, before: list[str], after: list[str]
) -> None:
    # a short word backwards may be another one
    assume(disguise != "backwards" or not secret.isalpha() or len(secret) > AMBIGUOUS_LETTERS)
    text = " ".join([*before, "it:", DISGUISES[disguise](secret), ".", *after])
    assert carries(text, secret) == "sure"


@settings(deadline=None)
@given(secret=st.one_of(LETTERS, GROUPED), before=WORDS, after=WORDS)
def test_rot13_hides_no_secret_of_letters(secret: str, before: list[str], after: list[str]) -> None:
    text = " ".join([*before, codecs.encode(secret, "rot13"), *after])
    # a short word may be another one in rot13, and hold no digit or dash that tells it apart
    assume(not secret.isalpha() or len(secret) > AMBIGUOUS_LETTERS)
    assert carries(text, secret) == "sure"


@pytest.mark.parametrize("language", DIGITS)
@settings(max_examples=30, deadline=None)
@given(secret=NUMBERS, before=WORDS, after=WORDS, joint=st.sampled_from([" ", ", ", "-", "\n"]))
def test_any_number_in_words_of_any_language_is_found(
    language: str, secret: str, before: list[str], after: list[str], joint: str
) -> None:
    told = joint.join(DIGITS[language][int(digit)] for digit in secret)
    assert carries(" ".join([*before, f"it: {told}.", *after]), secret) == "sure"


@settings(deadline=None)
@given(secret=SECRETS, cuts=st.lists(st.integers(1, 23), min_size=1, max_size=4, unique=True))
def test_any_secret_split_over_lines_is_found(secret: str, cuts: list[int]) -> None:
    places = [0, *sorted(cut for cut in cuts if cut < len(secret)), len(secret)]
    lines = [secret[a:b] for a, b in itertools.pairwise(places)]
    assume(all(any(map(str.isalnum, one)) for one in lines) and len(lines) > 1)
    assert spread(lines, secret) == "sure"


@settings(deadline=None)
@given(
    secret=NUMBERS,
    text=st.text(string.ascii_letters.replace("o", "").replace("O", "") + " .,-!?\n", max_size=200),
)
def test_a_text_without_digits_or_words_for_them_is_no_number(secret: str, text: str) -> None:
    words = {word for one in DIGITS.values() for word in one} | {"double", "triple"}
    lower = text.lower()
    if not any(word in lower for word in words):
        assert carries(text, secret) is None


@settings(deadline=None)
@given(secret=GROUPED, text=st.text("0123456789 .,€$/:-\n", max_size=200))
def test_numbers_dates_and_amounts_are_no_words(secret: str, text: str) -> None:
    # hex of letters needs digits alone only for p to y, whose codes are 70 to 79
    if not set(secret) <= set("pqrstuvwxy-abcdefghi"):
        assert carries(text, secret) is None


@settings(deadline=None)
@given(secret=SECRETS, words=WORDS)
def test_harmless_words_hold_no_secret(secret: str, words: list[str]) -> None:
    assert carries(" ".join(words), secret) != "sure"


@settings(deadline=None)
@given(text=st.text(max_size=300), secret=SECRETS)
def test_any_text_can_be_read(text: str, secret: str) -> None:
    assert carries(text, secret) in ("sure", "maybe", None)
