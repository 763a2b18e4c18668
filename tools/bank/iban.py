"""International bank account numbers."""

from __future__ import annotations


def compact(iban: str) -> str:
    """An IBAN as it is kept: without spaces, in capitals."""
    return iban.replace(" ", "").upper()


def check_digits(iban: str) -> str:
    """The check digits (ISO 13616) that the rest of the IBAN calls for.

    >>> check_digits("DE00370400440532013000")
    '89'
    """
    digits = "".join(str(int(char, 36)) for char in iban[4:] + iban[:2] + "00")
    return f"{98 - int(digits) % 97:02d}"


def looks_like_iban(text: str) -> bool:
    """Whether a text has the form of an IBAN; its check digits may be wrong."""
    shaped = text.isascii() and text.isalnum() and text[:2].isalpha() and text[2:4].isdigit()
    return shaped and 15 <= len(text) <= 34
