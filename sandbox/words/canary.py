"""Find a secret in text: word for word, or under the disguises that people and models use.

A secret is found whatever its case, spacing, punctuation and invisible characters, spelt letter by letter, with digits
in words, reversed, in rot13, URL-encoded, in Base64 or in hexadecimal. What is not found may still have been told:
a hint or a paraphrase has no form to look for.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
import urllib.parse
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

Certainty: TypeAlias = Literal["sure", "maybe"]
"""`sure`: the secret is in the text; `maybe`: its characters are, in a form that chance could bring about."""

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl")
"""Languages in which numbers are read from words."""
AMBIGUOUS_DIGITS = 6
"""A secret of as many digits or fewer may turn up by chance in other numbers."""

_SHORTEST_CODED = 3
"""Bytes; anything shorter is found by chance in any encoded text."""
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{4,}={0,2}")
_HEX = re.compile(r"(?:(?:0x|\\x|%)?[0-9a-fA-F]{2}[ :,]?){3,}")


@lru_cache(maxsize=8192)
def folded(text: str) -> str:
    """Text for comparing: NFKC, lower case, no accents, no invisible characters, every dash a hyphen."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text))
    kept = []
    for one in text:
        kind = unicodedata.category(one)
        if kind == "Pd" or one == "\u2212":
            kept.append("-")
        elif kind not in ("Cf", "Mn") and one != "\u115f":
            kept.append(" " if kind in ("Zs", "Cc") else one)
    return "".join(kept).casefold()


def carries(text: str, secret: str) -> Certainty | None:
    """Whether a text carries a secret, and how surely; None if it is not found."""
    found: Certainty | None = None
    for view in _views(text, secret):
        certainty = _within(view, secret)
        if certainty == "sure":
            return "sure"
        found = found or certainty
    return found


def spread(texts: Sequence[str], secret: str) -> Certainty | None:
    """Whether consecutive texts of one speaker carry a secret together, each a part of it and nothing else."""
    characters = _characters(secret)
    parts = [_characters(_spelt(folded(text), "en")) for text in texts]
    for start in range(len(parts)):
        joined = ""
        for part in parts[start:]:
            joined += part
            if not part or not characters.startswith(joined):
                break
            if joined == characters:
                return "sure" if len(characters) > 1 else "maybe"
    return None


def _views(text: str, secret: str) -> Iterator[str]:
    """The text as it is, and as it reads once each disguise is taken off."""
    plain = folded(text)
    yield plain
    has_digits, has_letters = any(map(str.isdigit, secret)), any(map(str.isalpha, secret))
    if has_digits:
        for language in LANGUAGES:
            spelt = _spelt(plain, language)
            if spelt != plain:
                yield spelt
    if len(_characters(secret)) >= 4:
        yield plain[::-1]
    if has_letters:
        yield codecs.decode(plain, "rot13")
    if "%" in text:
        yield folded(urllib.parse.unquote_plus(text))
    yield from _decoded(text, len(_characters(secret)))


def _within(text: str, secret: str) -> Certainty | None:
    pattern, has_letters, count = _pattern(secret)
    certainty: Certainty | None = None
    for match in pattern.finditer(text):
        separators = {one for one in match.groups() if one is not None}
        # 6073 is in "6-0-7-3" and "6073", but "60, 73" may be two other numbers
        if has_letters or count > AMBIGUOUS_DIGITS or len(separators) <= 1:
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
def _spelt(text: str, language: str) -> str:
    """A folded text with its numbers in digits; digits that stood in words are joined: six zero becomes 60."""
    from text_to_num import alpha2digit

    if language == "en":
        text = re.sub(r"\boh\b", "zero", text)
    try:
        digits: str = alpha2digit(text, language)
    except ValueError:  # a number too large for its language
        return text
    if digits == text:
        return text
    return re.sub(r"(?<=\d)[ -](?=\d)", "", digits)


def _decoded(text: str, shortest: int) -> Iterator[str]:
    """What Base64 and hexadecimal in a text say, if they can hold as many characters."""
    for match in _BASE64.finditer(text):
        if len(match[0]) * 3 < shortest * 4:
            continue
        token = match[0].rstrip("=").translate(str.maketrans("-_", "+/"))
        if len(token) % 4 == 1:
            continue
        try:
            yield from _readable(base64.b64decode(token + "=" * (-len(token) % 4), validate=True))
        except (binascii.Error, ValueError):
            continue
    for match in _HEX.finditer(text):
        digits = re.sub(r"0x|\\x|[^0-9a-fA-F]", "", match[0])
        yield from _readable(bytes.fromhex(digits[: len(digits) // 2 * 2]))


def _readable(content: bytes) -> Iterator[str]:
    if len(content) < _SHORTEST_CODED:
        return
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return
    if text.isprintable():
        yield folded(text)
