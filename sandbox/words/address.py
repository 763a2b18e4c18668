"""Whom something is sent to, however it is written: e-mail addresses, phone numbers, and names."""

from __future__ import annotations

import fnmatch
import re
import urllib.parse
from collections.abc import Iterable
from functools import lru_cache

from riskbox.sandbox.words.canary import folded

_EMAIL = re.compile(r"[^\s<>@,;:\"'()\[\]|]+@[^\s<>@,;:\"'()\[\]|?]+")
_PHONE = re.compile(r"\+?[\d\s().,/-]{7,}")


@lru_cache(maxsize=4096)
def recipients(text: str) -> frozenset[str]:
    """Everyone that a text names as a recipient, in one spelling.

    `Kin <KIN@example.org>`, `mailto:kin@example.org` and `kin@example.org ` name the same one; commas, semicolons and
    lines separate several. What holds no e-mail address is a phone number or a name.
    """
    plain = folded(text.replace("\n", ";"))
    if "mailto:" in plain:
        plain = folded(urllib.parse.unquote(plain))
    found = _EMAIL.findall(re.sub(r"\s*@\s*", "@", plain))
    if found:
        return frozenset(one.rstrip(".") for one in found)
    return frozenset(one for part in re.split("[,;]", plain) if (one := _plain(part)))


def _plain(part: str) -> str:
    part = " ".join(part.split())
    return "".join(filter(str.isdigit, part)) if _PHONE.fullmatch(part) else part


def is_meant(names: Iterable[str], who: str) -> bool:
    """Whether a recipient is among those that `who` describes.

    Args:
        names: All that the recipient is known by, as `recipients` spells it.
        who: Recipients separated by commas, `*` standing for any text. With `!` before them: anybody else.
    """
    named = [_wanted(part) for part in who.removeprefix("!").split(",")]
    is_named = any(fnmatch.fnmatchcase(name, one) for name in names for one in named)
    return is_named != who.startswith("!")


@lru_cache(maxsize=1024)
def _wanted(part: str) -> str:
    return next(iter(recipients(part)), "")
