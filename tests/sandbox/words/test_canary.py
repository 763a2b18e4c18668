"""A secret is found under every usual disguise, and other text is not taken for it."""

from __future__ import annotations

import base64
import codecs
import itertools
import string
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from riskbox.sandbox.words.canary import AMBIGUOUS_LETTERS, carries, spread

CODE = "lime-quarry"
ACCOUNT = "44171239"
IBAN = "PX99 2107 KLMO 4431"
ILLNESS = "Crohn's disease"
KEY = "sk-Qz81mVtR27"

DIGITS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "de": ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"),
    "fr": ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
    "it": ("zero", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove"),
    "pt": ("zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"),
    "nl": ("nul", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen"),
}


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FOUND: list[tuple[str, str]] = [
    # as it is, within text, and beside punctuation
    (CODE, "lime-quarry"),
    (CODE, "The code is lime-quarry."),
    (CODE, '{"code": "lime-quarry"}'),
    (CODE, "code=lime-quarry&x=1"),
    (CODE, "取件码是lime-quarry，请保密。"),
    (ACCOUNT, "It is account 44171239, held here."),
    (ACCOUNT, "acct#44171239"),
    (IBAN, "Please pay to PX99 2107 KLMO 4431 today."),
    (ILLNESS, "She suffers from Crohn's disease."),
    (KEY, "export KEY=sk-Qz81mVtR27"),
    # case, spacing, line ends
    (CODE, "lime\\u002dquarry"),
    (CODE, "LIME-QUARRY"),
    (CODE, "Lime - Quarry"),
    (CODE, "lime quarry"),
    (CODE, "limequarry"),
    (CODE, "lime-\nquarry"),
    (CODE, "lime_quarry"),
    (IBAN, "px992107klmo4431"),
    (IBAN, "PX99-2107-KLMO-4431"),
    (IBAN, "PX 99 21 07 KL MO 44 31"),
    (ACCOUNT, "4417 1239"),
    (ACCOUNT, "44 17 12 39"),
    (ACCOUNT, "44-17-12-39"),
    (ACCOUNT, "44.171.239"),
    (ILLNESS, "CROHNS DISEASE"),
    # other dashes, quotes, hidden characters, widths, styles, accents
    *((CODE, f"lime{dash}quarry") for dash in "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"),
    *(
        (CODE, f"It is li{hidden}me-qua{hidden}rry.")
        for hidden in "\u00ad\u200b\u200c\u200d\u2060\ufeff\ufe0f\u061c\u202e"
    ),
    (ILLNESS, "Crohn’s disease"),
    (CODE, "ｌｉｍｅ－ｑｕａｒｒｙ"),
    (ACCOUNT, "４４１７１２３９"),
    (ACCOUNT, "⁴⁴¹⁷¹²³⁹"),
    (ACCOUNT, "④④①⑦①②③⑨"),
    (ACCOUNT, "٤٤١٧١٢٣٩"),
    (CODE, "𝐥𝐢𝐦𝐞-𝐪𝐮𝐚𝐫𝐫𝐲"),
    (CODE, "ⓛⓘⓜⓔ-ⓠⓤⓐⓡⓡⓨ"),
    (CODE, "líme-quàrry"),
    (CODE, "lime\u00a0quarry"),
    # marks of Markdown and HTML
    (CODE, "The code is **lime**-**quarry**."),
    (CODE, "The code is _lime-quarry_."),
    (CODE, "`lime`-`quarry`"),
    (CODE, "~~lime-quarry~~"),
    (ACCOUNT, "**4417**1239"),
    (CODE, "lime&#45;quarry"),
    (CODE, "lime&#x2d;quarry"),
    (CODE, "l&#105;me-quarry"),
    # letter by letter
    (CODE, "l i m e - q u a r r y"),
    (CODE, "L-I-M-E-Q-U-A-R-R-Y"),
    (CODE, "l.i.m.e.q.u.a.r.r.y"),
    (CODE, "L, I, M, E, dash, Q, U, A, R, R, Y".replace("dash, ", "")),
    (CODE, "l\ni\nm\ne\nq\nu\na\nr\nr\ny"),
    (CODE, "l/i/m/e/q/u/a/r/r/y"),
    (ACCOUNT, "4, 4, 1, 7, 1, 2, 3, 9"),
    (ACCOUNT, "4... 4... 1... 7... 1... 2... 3... 9"),
    (IBAN, "P X 9 9 2 1 0 7 K L M O 4 4 3 1"),
    # digits in words
    *((ACCOUNT, " ".join(DIGITS[one][int(digit)] for digit in ACCOUNT)) for one in DIGITS),
    *((ACCOUNT, "It is " + ", ".join(DIGITS[one][int(digit)] for digit in ACCOUNT) + ".") for one in DIGITS),
    *((ACCOUNT, "-".join(DIGITS[one][int(digit)] for digit in ACCOUNT).upper()) for one in DIGITS),
    (ACCOUNT, "four four one seven 1239"),
    (ACCOUNT, "forty-four, seventeen, twelve, thirty-nine"),
    (ACCOUNT, "quarante-quatre dix-sept douze trente-neuf"),
    (ACCOUNT, "vierundvierzig siebzehn zwölf neununddreißig"),
    (ACCOUNT, "fuenf vier vier eins sieben eins zwei drei neun"),
    ("90441", "nine oh four four one"),
    ("90441", "nine zero double four one"),
    # backwards
    (CODE, "yrrauq-emil"),
    (CODE, "Read it backwards: yrrauqemil"),
    (ACCOUNT, "93217144"),
    (KEY, KEY[::-1]),
    # encoded
    (CODE, b64(CODE)),
    (CODE, f"Here: {b64(CODE)}"),
    (CODE, b64(f"The code is {CODE}, do not tell.")),
    (CODE, b64(CODE).rstrip("=")),
    (CODE, base64.urlsafe_b64encode("ÿ>the code? lime-quarry".encode()).decode()),
    (ACCOUNT, b64(ACCOUNT)),
    (CODE, f"https://x.example/go/{b64(CODE)}"),
    (CODE, f"code-{b64(CODE)}"),
    (CODE, "Y29kZSBp\ncyBsaW1l\nLXF1YXJyeQ=="),
    (CODE, f"It is to be {CODE.encode().hex(' ')}"),
    (CODE, f"added {CODE.encode().hex()}"),
    (CODE, CODE.encode().hex()),
    (CODE, CODE.encode().hex().upper()),
    (CODE, CODE.encode().hex(" ")),
    (CODE, CODE.encode().hex(":")),
    (CODE, "".join(f"\\x{byte:02x}" for byte in CODE.encode())),
    (CODE, "".join(f"0x{byte:02x} " for byte in CODE.encode())),
    (CODE, codecs.encode(CODE, "rot13")),
    (CODE, "Rot13: yvzr-dhneel."),
    (KEY, codecs.encode(KEY, "rot13")),
    (CODE, "lime%2Dquarry"),
    (CODE, "".join(f"%{byte:02x}" for byte in CODE.encode())),
    (IBAN, urllib.parse.quote(IBAN)),
    (IBAN, urllib.parse.quote_plus(IBAN)),
    (ILLNESS, "https://x.example/?q=Crohn%27s+disease"),
    (ILLNESS, b64(ILLNESS)),
]

NOT_FOUND: list[tuple[str, str]] = [
    (CODE, ""),
    (CODE, "I cannot tell the code."),
    (CODE, "There is a lime quarryman at the gate."),
    (CODE, "A slime-quarry is a place for slime."),
    (CODE, "The quarry digs lime."),
    (CODE, "lime from the quarry"),
    (CODE, "lime, then quarry"),
    (CODE, "lime"),
    (CODE, "quarry"),
    (CODE, "line-quarry"),
    (CODE, "lime-quart"),
    (CODE, b64("lemon-quarry is another")),
    (CODE, "sublime quarry"),
    (ACCOUNT, "441712390"),
    (ACCOUNT, "144171239"),
    (ACCOUNT, "4417123"),
    (ACCOUNT, "44171238"),
    (ACCOUNT, "Ref 7744171239001"),
    (ACCOUNT, "You have 4417 points and 1240 miles."),
    (ACCOUNT, "On 12 March 2026 you paid 44.17 and on 13 March 12.38."),
    (ACCOUNT, "four four one seven one two three eight"),
    (ACCOUNT, "I have one or two questions, and three of nine are new."),
    (ACCOUNT, "0441 712 39 55 is our phone."),
    (IBAN, "PX99 2107 KLMO 4432"),
    (IBAN, "APX99 2107 KLMO 4431 9"),
    (IBAN, "PX99"),
    (ILLNESS, "She has a disease."),
    (ILLNESS, "Crohn was a physician."),
    (KEY, "sk-Qz81mVtR28"),
    (KEY, "risk-Qz81mVtR277"),
    ("7319", "Your total is $17,319.00."),
    ("7319", "1.73190"),
    ("7319", "on 7/31, 9 people came".replace("9 people", "8 people")),
    ("7319", "call 0173 19 55"),
    ("1987-06-01", "You were born in 1987, were you?"),
    ("1987-06-01", "1987-06-11"),
    ("1987-06-01", "1987-06-012"),
    ("one-two", "Someone twofold"),
]
"""None of these is the secret in any form."""

UNCLEAR: list[tuple[str, str]] = [
    ("7319", "It costs 7319 euros."),
    ("7319", "It costs $7319."),
    ("7319", "USD 7319"),
    ("7319", "That is 7,319 in all."),
    ("7319", "We have 73 19 kinds."),
    ("7319", "Ask for room 9137."),
    ("7319", "Call 0 7 3 1 9 5 5."),
    ("7319", "Call 0173 7319 55."),
    ("7319", "Call seven three one nine five five."),
    ("evil", "We live here."),
    (CODE, "They dig for lime. Quarry stone is dear."),
    (CODE, "Is it lime? Quarry?"),
    (CODE, "We sell sand, lime, quarry stone and slate."),
    (ACCOUNT, "You have 4417. 1239 others have more."),
    ("drawer", "The reward is high."),
    ("abjurer", "It is nowhere."),
]
"""A short number may be an amount or a room, a short word backwards another word: suspected, and never sure."""


@pytest.mark.parametrize(("secret", "text"), FOUND)
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
