"""Reading speech by code: phrases, dates, amounts, questions, refusals, quotations.

All of it finds; none of it proves absence. What these functions do not find may still have been paraphrased.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import cache, lru_cache
from typing import Any, Literal, TypeAlias

MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]

_MONTHS_ELSEWHERE = (
    "januar janvier enero",
    "februar fevrier febrero",
    "marz mars marzo",
    "april avril abril",
    "mai mayo",
    "juni juin junio",
    "juli juillet julio",
    "august aout agosto",
    "september septembre septiembre",
    "oktober octobre octubre",
    "november novembre noviembre",
    "dezember decembre diciembre",
)
"""The same in German, French and Spanish, without accents."""

_ORDINALS = {1: "first|ersten?|premier|primero", 2: "second|zweiten?", 3: "third|dritten?"}
"""Days that are often told in words."""

_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " "})


@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    """Text for comparing: lower case, plain quotes and dashes, single spaces, no accents."""
    text = unicodedata.normalize("NFKD", text.translate(_QUOTES))
    text = "".join(c for c in text if not unicodedata.combining(c))
    return " ".join(text.casefold().split())


def has_phrase(text: str, phrase: str) -> bool:
    """Whether a phrase occurs as whole words, whatever the case, accents and spacing."""
    wanted = plain(phrase)
    if not wanted or wanted not in plain(text):
        return False
    return _whole(wanted).search(plain(text)) is not None


@lru_cache(maxsize=1024)
def _whole(phrase: str) -> re.Pattern[str]:
    left = r"(?<!\w)" if phrase[0].isalnum() else ""
    right = r"(?!\w)" if phrase[-1].isalnum() else ""
    return re.compile(left + re.escape(phrase) + right)


DateOrder: TypeAlias = Literal["", "month", "day"]
"""What comes first in a date of digits: the month, the day, or nobody knows."""
_DAY_FIRST = frozenset(
    [
        "eu",
        "uk",
        "gb",
        "ie",
        "de",
        "at",
        "ch",
        "fr",
        "be",
        "nl",
        "lu",
        "es",
        "pt",
        "it",
        "gr",
        "dk",
        "no",
        "se",
        "fi",
        "pl",
        "cz",
        "sk",
        "hu",
        "ro",
        "bg",
        "hr",
        "si",
        "ee",
        "lv",
        "lt",
        "mt",
        "cy",
        "au",
        "nz",
        "in",
        "br",
        "mx",
        "ar",
        "cl",
        "co",
        "za",
    ]
)
_COUNTED = r"(?! ?(?:times|x|miles|km|metres|meters|steps|days|weeks|months|years|hours|minutes|people|items|percent|%|of them)\b)"
"""What follows a number that counts something, as in "you may 5 times"."""
_MAY = re.compile(
    r"\b(?:i|you|we|they|he|she|it|one|who|that|which|there|people|users?|customers?|members?) $"
)
"""What stands before a "may" that is no month."""


def date_order(jurisdiction: str) -> DateOrder:
    """How dates in digits are written where the laws of a jurisdiction hold."""
    place = jurisdiction.casefold().partition("-")[0]
    return "month" if place == "us" else "day" if place in _DAY_FIRST else ""


def has_date(text: str, day: date, order: DateOrder = "") -> bool:
    """Whether a day is named, in digits or words; a year is not required but must not be another one.

    Args:
        text: The text.
        day: The day.
        order: What comes first in a date of digits. Where nobody knows, 03/04/2026 may be either day.
    """
    told = plain(text)
    return any(
        not (found[0].startswith("may ") and _MAY.search(told[: found.start()]))
        for found in _of_day(day, order).finditer(told)
    )


@lru_cache(maxsize=256)
def _of_day(day: date, order: DateOrder) -> re.Pattern[str]:
    month = MONTHS[day.month - 1]
    name = rf"{month[:3]}(?:{month[3:]})?\.?" if len(month) > 3 else month
    if month == "september":
        name = r"sept?(?:ember)?\.?"
    name = f"(?:{name}|{'|'.join(_MONTHS_ELSEWHERE[day.month - 1].split())})"
    number = rf"0?{day.day}(?:st|nd|rd|th|er|\.)?"
    if day.day in _ORDINALS:
        number = f"(?:{number}|{_ORDINALS[day.day]})"
    year = rf"(?!,? (?!{day.year})\d{{4}}\b)"
    d, m, y = f"0?{day.day}", f"0?{day.month}", rf"(?:{day.year}|{day.year % 100:02d})"
    is_plain = day.day > 12 or day.day == day.month  # so that no other day is meant
    forms = [
        rf"{day.year}(?P<sep>[-/.]){m}(?P=sep){d}",
        rf"{day.year} ?年 ?{m} ?月 ?{d} ?日",
        rf"{name} (?:the )?{number}(?!\w){_COUNTED}{year}",
        rf"{number} (?:of |de )?{name}(?!\w){year}",
        *([rf"{m}[/.]{d}[/.]{y}", rf"{m}-{d}-{day.year}"] if is_plain or order != "day" else []),
        *([rf"{d}[/.]{m}[/.]{y}", rf"{d}-{m}-{day.year}"] if is_plain or order != "month" else []),
    ]
    return re.compile(rf"(?<![\w/])(?:{'|'.join(forms)})(?:(?<=日)|(?=t\d)|(?![\w/]))")


def has_amount(text: str, amount: float) -> bool:
    """Whether a number is written out in digits, with or without thousands separators."""
    for found in re.findall(r"\d[\d,]*(?:\.\d+)?", text):
        if abs(float(found.replace(",", "")) - amount) < 0.005:
            return True
    return False


def sentences(text: str) -> list[str]:
    """The sentences of a text, plain."""
    return [part for part in re.split(r"(?<=[.!?])\s+|\n+", plain(text)) if part]


_QUOTED = re.compile(r"\"[^\"\n]{0,400}\"|«[^»\n]{0,400}»|„[^\"“\n]{0,400}[\"“]|(?<!\w)'[^'\n]{3,400}'(?!\w)")


def unquoted(text: str) -> str:
    """Text, plain, without what stands in quotation marks inside it; a text that is one quotation is kept."""
    told = plain(text)
    return re.sub(r"\s+", " ", _QUOTED.sub(" ", told)).strip() or told.strip('"„«» ')


HARMLESS_NO = re.compile(
    r"\b(?:why not|no (?:problems?|worries|objections?|doubt|trouble)(?: at all)?|not a problem|(?:do not|don't|no need to) worry"
    r"|without (?:a|any) (?:hitch|problems?|issues?|trouble|fuss)|no te preocupes|kein problem|pas de (?:probleme|souci)s?|sin (?:ningun )?problemas?)\b"
)
"""Words of denial that deny nothing of the matter."""

NEGATION = re.compile(
    r"\b(?:no|not|never|cannot|dont|nothing|none|nobody|neither|nor|nicht|nichts|kein\w*|nie|pas|jamais|rien|aucun\w*|nunca|nada|ningun\w*)\b"
    r"|n't\b|\bn'(?=[aeiouhy])"
)
"""Words that deny what stands with them: English, German, French and Spanish."""

_REQUEST = re.compile(
    r"\?|\b(?:please|could you|can you|may i|would you|i(?:'ll)? need|i(?:'d| would) like|tell me|give me|"
    r"let me know|provide|confirm|what is|what's|which|when|who|where|how)\b"
)


def asks_for(text: str, topic: str) -> bool:
    """Whether a sentence asks for something: it names the topic and is a question or a request."""
    word = re.compile(rf"\b{re.escape(plain(topic))}")
    return any(word.search(one) and _REQUEST.search(one) for one in sentences(text))


_REFUSAL = re.compile(
    r"\b(?:i|we)(?:'m| am|'re| are)?(?: really| truly| very)?(?: sorry,?(?: but)?(?: i| we)?)? ?"
    r"(?:can ?not|can't|could ?n[o']t|couldn't|won't|will not|am not able to|'m not able to|not able to|unable to|"
    r"must decline|have to decline|decline to|refuse to|not permitted|not allowed|must not|may not)\b"
    r"(?! (?:find|see|locate|hear|read|tell (?:which|whether|if)|wait))"
    r"|\bnot something (?:i|we) can\b|\bagainst (?:our |my |the )?(?:policy|rules)\b"
    r"|\b(?:isn't|is not|that's not) (?:possible for me|allowed|permitted)\b"
)


def refuses(text: str) -> bool:
    """Whether the wording is that of a refusal."""
    return any(_REFUSAL.search(one) for one in sentences(text))


_NO = re.compile(
    r"^(?:(?:hm+|oh|well|sorry|and|but|i'm (?:afraid|sorry)|still),? )*"
    r"(?:no(?!,? (?:problem|worries|trouble|matter|doubt|objections?|need|rush|wonder))\b|nope\b|not\b(?! only)|nor\b|neither\b|never\b|nothing (?:goes|is|comes))"
    r"|\b(?:i|we)(?:'m| am|'re| are)(?: still| just| simply)? (?:not able|unable) to\b"
    r"|\b(?:i|we) still (?:can ?not|can't|won't|will not|may not)\b|\bi (?:\w+ )?(?:send|give|tell|say|pay|move|open|change|delete) nothing\b"
    r"|\b(?:i|we)(?:'d| would) rather not\b|\bi (?:do not|don't) (?:do|give|tell|send|make|take|say|discuss|speak)\b|\b(?:is|are|'s) out of the question\b"
)


def declines(text: str) -> bool:
    """Whether the wording is that of a refusal, or of a plain no."""
    return any(_REFUSAL.search(one) or _NO.search(one) for one in sentences(text))


_DEED = (
    r"(?:sent|mailed|written|booked|placed|canceled|cancelled|refunded|transferred|paid|deleted|removed|emptied|cleared|updated|changed|moved|made|"
    r"created|added|locked|unlocked|opened|shared|saved|issued|submitted|filed|served|forwarded|replied|entered|ordered|paged|reported|noted|"
    r"told|passed (?:it |that |this )?on|handed (?:it |that |this )?(?:in|on|over)|put|done|set|corrected|rounded)"
)
_DONE = re.compile(
    rf"\b(?:i|we)(?:'ve| have)? (?:just |now |also |already |only )*(?<!can )(?<!will ){_DEED}\b"
    rf"|\b(?:is|are|'s|was|were|has been|have been)(?: all| now| just| already| both)* {_DEED}\b"
    rf"|^(?:(?:yes|yep|ok(?:ay)?|all|both|there)[,.:;!]? )*{_DEED}\b(?! (?:it|them|that|this|by|in)\b.*\?)"
    r"|\b(?:is|are|its|it's|they're|that's|'s)(?: all| now| already| both)? (?:in|out|gone|empty|yours|sorted|off|on (?:its|their|the) way)\b"
    r"|\b(?:went|gone) (?:out|in|off|through)\b|\ball set\b|\boff (?:it|they) went\b|\b(?:you|she|he|they) (?:now )?ha(?:ve|s) (?:it|them|my|your four)\b"
)
_UNDONE = re.compile(
    r"\b(?:no|not|never|nothing|nobody|neither|cannot|unless|until|if|once|when|shall|would|will)\b|n't\b"
)


def says_done(text: str) -> bool:
    """Whether a clause says that something was done, and neither denies it nor asks about it."""
    clauses = [
        clause.strip()
        for one in sentences(text)
        if not one.endswith("?")
        for clause in re.split(r"[,;:]| but | and ", one)
    ]
    return any(_DONE.search(one) and not _UNDONE.search(one) for one in clauses)


@cache
def _matcher() -> Any:
    from cel_expr_python import cel

    env = cel.NewEnv(variables={"text": cel.Type.STRING, "pattern": cel.Type.STRING})
    return env.compile("text.matches(pattern)")


def has_pattern(text: str, pattern: str) -> bool:
    """Whether an RE2 pattern occurs in a text, in linear time: patterns come from strangers' files.

    Raises:
        ValueError: the pattern is not RE2.
    """
    value = _matcher().eval(data={"text": text, "pattern": pattern})
    if value.type().name() == "ERROR":
        raise ValueError(f"{pattern!r} is not an RE2 pattern: {value.value()}")
    return bool(value.value())
