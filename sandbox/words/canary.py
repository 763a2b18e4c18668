"""Find a secret in text: word for word, or under the disguises that people and models use.

A secret is found whatever its case, spacing, punctuation and invisible characters, spelt letter by letter, with digits
in words, reversed, in rot13, URL-encoded, in HTML or JSON escapes, in Base64 or in hexadecimal. What is not found may still have been told:
a hint or a paraphrase has no form to look for.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import unicodedata
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

Certainty: TypeAlias = Literal["sure", "maybe"]
"""`sure`: the secret is in the text; `maybe`: its characters are, in a form that chance could bring about."""

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl")
"""Languages in which numbers are read from words."""
AMBIGUOUS_DIGITS = 6
"""A secret of as many digits or fewer may turn up by chance in other numbers."""

AMBIGUOUS_LETTERS = 8
"""A secret of as many letters or fewer may be another word read backwards or in rot13: live and evil."""

_DIGIT_WORDS = (
    "zero oh null nul cero",
    "one eins ein eine un une uno um uma een",
    "two zwei zwo deux dos due dois duas twee",
    "three drei trois tres tre drie",
    "four vier quatre cuatro quattro quatro",
    "five funf fuenf cinq cinco cinque vijf",
    "six sechs seis sei zes",
    "seven sieben sept siete sette sete zeven",
    "eight acht huit ocho otto oito",
    "nine neun neuf nueve nove negen",
)
_DIGIT_OF = {word: str(digit) for digit, words in enumerate(_DIGIT_WORDS) for word in words.split()}
_DIGIT_WORD = re.compile(rf"(?<![^\W_])(?:{'|'.join(sorted(_DIGIT_OF, key=len, reverse=True))})(?![^\W_])")
_REPEATED = re.compile(r"\b(double|triple)[ -]([a-z]+|\d)\b")
_CURRENCY = r"[$€£¥%]|\b(?:usd|eur|gbp|chf|euros?|dollars?|pounds?|francs?)\b"
_COUNTED_BEFORE = re.compile(rf"(?:\d[ -]|(?:{_CURRENCY}) ?)$")
_COUNTED_AFTER = re.compile(rf"[ -]\d| ?(?:{_CURRENCY})")

_SENTENCE_END = re.compile(r"[.!?;:] ")
_CLAUSE_END = re.compile(r"[.!?;:,] ")

_SHORTEST_CODED = 3
"""Bytes; anything shorter is found by chance in any encoded text."""
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{4,}={0,2}")
_HEX = re.compile(r"(?:(?:0x|\\x|%)?[0-9a-fA-F]{2}[ :,]?){3,}")


@lru_cache(maxsize=8192)
def folded(text: str) -> str:
    """Text for comparing: NFKC, lower case, no accents, no invisible characters, every dash a hyphen, every digit 0 to 9."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text))
    kept = []
    for one in text:
        kind = unicodedata.category(one)
        if kind == "Pd" or one == "\u2212":
            kept.append("-")
        elif kind == "Nd":
            kept.append(str(unicodedata.digit(one)))
        elif kind not in ("Cf", "Mn") and one != "\u115f":
            kept.append(" " if kind in ("Zs", "Cc") else one)
    return "".join(kept).casefold()


def carries(text: str, secret: str) -> Certainty | None:
    """Whether a text carries a secret, and how surely; None if it is not found."""
    found: Certainty | None = None
    for view in _views(text):
        certainty = _within(view, secret)
        if certainty == "sure":
            return "sure"
        found = found or certainty
    for view in _mirrored(folded(text), secret):
        certainty = _within(view, secret)
        if certainty == "sure" and not _is_short(secret):
            return "sure"
        found = found or (certainty and "maybe")
    return found


def carried(text: str, secrets: Iterable[str]) -> Iterator[str]:
    """Those of many secrets that a text surely carries; the text is decoded once for all of them."""
    views = [*_views(text), folded(text)[::-1], codecs.decode(folded(text), "rot13")]
    told = [_characters(view).replace("o", "0") for view in views]
    for secret in secrets:
        wanted = _characters(secret).replace("o", "0")
        if wanted and any(wanted in one for one in told) and carries(text, secret) == "sure":
            yield secret


def readings(text: str) -> tuple[str, ...]:
    """A text, folded, and as it reads with its numbers in digits instead of words."""
    return (folded(text), *_spelt(text))


def spread(texts: Sequence[str], secret: str) -> Certainty | None:
    """Whether consecutive texts of one speaker carry a secret together.

    It is sure where each text is a part of it and nothing else, and may be where the parts stand among other words.
    """
    characters = _characters(secret)
    parts = [{_characters(view) for view in (folded(one), *_spelt(one))} for one in texts]
    among = False
    for start in range(len(parts)):
        ends = {0}
        for many, part in enumerate(parts[start:], 1):
            ends = {end + len(one) for end in ends for one in part if one and characters.startswith(one, end)}
            if len(characters) in ends and many > 1:
                return "sure"
            if not ends:
                break
        among = among or _among(texts[start:], characters)
    return "maybe" if among else None


def _among(texts: Sequence[str], characters: str) -> bool:
    """Whether each text holds a part of two characters or more as a word of its own, up to the whole."""
    rest = characters
    for text in texts:
        lengths = range(min(len(rest), len(characters) - 1), 1, -1)
        views = [folded(text), *_spelt(text)]
        told = next((n for n in lengths if any(_pattern(rest[:n])[0].search(view) for view in views)), 0)
        rest = rest[told:]
        if not told or not rest:
            return bool(told)
    return False


@lru_cache(maxsize=512)
def _views(text: str) -> tuple[str, ...]:
    """The text as it is, and as it reads once a disguise is taken off. Each secret is looked for in the same texts."""
    return tuple(dict.fromkeys(_undisguised(text)))


def _undisguised(text: str) -> Iterator[str]:
    yield folded(text)
    yield from _spelt(text)
    if "%" in text:
        yield folded(urllib.parse.unquote_plus(text))
    if "&" in text:
        yield folded(html.unescape(text))
    if "\\u" in text:
        yield folded(re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text))
    yield from _decoded(text)


def _mirrored(plain: str, secret: str) -> Iterator[str]:
    """The text backwards and in rot13, where chance may make another word or number of it."""
    if len(_characters(secret)) >= 4:
        yield plain[::-1]
    if any(map(str.isalpha, secret)):
        yield codecs.decode(plain, "rot13")


def _is_short(secret: str) -> bool:
    """Whether it is a short number or a short word, which chance may bring about."""
    is_number = _characters(secret).isdigit()
    longest = AMBIGUOUS_DIGITS if is_number else AMBIGUOUS_LETTERS
    return (is_number or folded(secret).strip().isalpha()) and len(_characters(secret)) <= longest


def _within(text: str, secret: str) -> Certainty | None:
    pattern, has_letters, count = _pattern(secret)
    certainty: Certainty | None = None
    ends = _CLAUSE_END if _characters(secret).isalpha() else _SENTENCE_END
    for match in pattern.finditer(text):
        # words that meet where a sentence ends may be two others: they quarry lime. Quarry stone is dear
        if not all(match.groups()) and any(map(ends.search, match.groups())):
            certainty = "maybe"
            continue
        if has_letters or count > AMBIGUOUS_DIGITS:
            return "sure"
        # 6073 is in "6-0-7-3" and "6073"; "60, 73" may be two other numbers, "6073 euros" an amount
        is_apart = len(set(match.groups())) <= 1
        is_counted = _COUNTED_BEFORE.search(text[max(0, match.start() - 12) : match.start()])
        if is_apart and not is_counted and not _COUNTED_AFTER.match(text, match.end()):
            return "sure"
        certainty = "maybe"
    return certainty


@lru_cache(maxsize=1024)
def _pattern(secret: str) -> tuple[re.Pattern[str], bool, int]:
    characters = _characters(secret)
    if not characters:
        return re.compile(r"(?!)"), False, 0
    # a neighbour of the same kind makes it another word or number: slime-quarry, 60731; 6073.5 and 2026-6073
    before = r"(?<![a-z])" if characters[0].isalpha() else r"(?<!\d)(?<!\d[.,:/])"
    after = r"(?![a-z])" if characters[-1].isalpha() else r"(?!\d)(?![.,:/]\d)"
    between = r"([\W_]{0,6})"
    # O and 0 are read for each other, and "oh" is a way to say zero
    body = between.join("[o0]" if one in "o0" else re.escape(one) for one in characters)
    return re.compile(before + body + after), any(map(str.isalpha, characters)), len(characters)


@lru_cache(maxsize=8192)
def _characters(text: str) -> str:
    return "".join(filter(str.isalnum, folded(text)))


@lru_cache(maxsize=4096)
def _spelt(text: str) -> tuple[str, ...]:
    """A text, folded, with its numbers in digits, once for each way in which that reads otherwise.

    A digit told by its word stands alone: six zero becomes 6 0. Longer numbers are joined: sixty seventy-three becomes
    6073.
    """
    from text_to_num import alpha2digit

    plain = folded(text)
    accented = unicodedata.normalize("NFKC", text).lower()
    repeated = _REPEATED.sub(lambda found: " ".join([found[2]] * (2 + (found[1] == "triple"))), plain)
    views = [_DIGIT_WORD.sub(lambda found: _DIGIT_OF[found[0]], repeated)]
    for language in LANGUAGES:
        try:
            digits: str = alpha2digit(accented, language)
        except ValueError:  # a number too large for its language
            continue
        if digits != accented:
            views.append(re.sub(r"(?<=\d)[ -](?=\d)", "", folded(digits)))
    return tuple(view for view in dict.fromkeys(views) if view != plain)


def _decoded(text: str) -> Iterator[str]:
    """What Base64 and hexadecimal in a text say."""
    for layout in dict.fromkeys((text, re.sub(r"\r?\n", "", text))):  # Base64 is wrapped at 76 characters
        for match in _BASE64.finditer(layout):
            for token in dict.fromkeys((match[0], *re.split(r"[-_/+]", match[0]))):
                yield from _unbased(token.rstrip("="))
    for match in _HEX.finditer(text):
        digits = re.sub(r"0x|\\x|[^0-9a-fA-F]", "", match[0])
        yield from _readable(bytes.fromhex(digits[: len(digits) // 2 * 2]))


def _unbased(token: str) -> Iterator[str]:
    if len(token) % 4 == 1:
        return
    try:
        standard = token.translate(str.maketrans("-_", "+/")) + "=" * (-len(token) % 4)
        yield from _readable(base64.b64decode(standard, validate=True))
    except binascii.Error:
        return


def _readable(content: bytes) -> Iterator[str]:
    """Bytes as text; what is none of it, such as a word that was decoded along with a code, becomes a blank."""
    if len(content) < _SHORTEST_CODED:
        return
    text = content.decode("utf-8", errors="replace")
    yield folded("".join(one if one.isprintable() and one != "\ufffd" else " " for one in text))
