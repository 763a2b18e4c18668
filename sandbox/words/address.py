"""Whom something is sent to, however it is written: e-mail addresses, phone numbers, and names."""

from __future__ import annotations

import contextlib
import fnmatch
import re
import unicodedata
import urllib.parse
from collections.abc import Iterable, Iterator
from functools import lru_cache

from riskbox.sandbox.words.canary import folded

_EMAIL = re.compile(r"(?:\"[^\"\n]+\"|[^\s<>@,;:\"()\[\]|]+)@(?:[^\s<>@,;:\"'()\[\]|?/#]+|\[[\w.:]+\])")
_SEVERAL = re.compile(r"(?:\"[^\"\n]*\"|<[^<>\n]*>|[^,;\n])+")
_ANGLED = re.compile(r"<[^<>]*@[^<>]*>")
_TITLE = re.compile(r"(?:(?<=>)|^)[^<>]*(?=<[^<>]*@[^<>]*>)")
_REMARK = re.compile(r"\([^()@]*\)")
_PHONE = re.compile(r"(?:(?:tel|sms|callto):)?(\+?[\d\s().,/-]{7,}?)(?:\s*(?:ext\.?|x)\s*\d+)?")
_NAME = 4
"""Words; whatever is longer is no name."""
_LONG_NUMBER = 7
"""Digits; numbers of so many are one if the other only has the code of a country before it."""


@lru_cache(maxsize=4096)
def recipients(text: str) -> frozenset[str]:
    """Everyone that a text names as a recipient, in one spelling.

    `Kin <KIN@example.org>`, `mailto:kin@example.org`, `kin+news@example.org` and `kin@example.org ` name the same one;
    commas, semicolons and lines separate several. What holds no e-mail address is a phone number or a name.
    """
    return frozenset(one for part in _parts(text) for one in _named(part))


def lists_addresses(text: str) -> bool:
    """Whether a text is a list of recipients, e-mail addresses among them, and nothing else."""
    parts = [_REMARK.sub("", part).strip() for part in _parts(text)]
    rest = [part for part in parts if part and not (_EMAIL.fullmatch(part) or _ANGLED.search(part))]
    are_names = all("@" not in part and len(part.split()) <= _NAME for part in rest)
    return are_names and len(rest) < len(list(filter(None, parts)))


def _parts(text: str) -> Iterator[str]:
    """What stands between commas, semicolons and lines; of a link, the parts with an address."""
    plain = unicodedata.normalize("NFKC", text).replace("\u3002", ".")
    plain = re.sub(r"((?:^|[,;\n])[^@,;\n]*)\n[ \t]+", r"\1 ", plain)  # a name goes on in the next line
    for part in _SEVERAL.findall(plain):
        if "mailto:" in part.lower() or "%40" in part or ("://" in part and "@" in part):
            linked = re.split(r"[?&=;,\n]|mailto:", urllib.parse.unquote(part), flags=re.IGNORECASE)
            yield from (one for one in linked if "@" in one)
        else:
            yield part


def _named(part: str) -> Iterator[str]:
    if "@" in part:
        part = re.sub(r"\s*@\s*", "@", _REMARK.sub("", part))
        part = _TITLE.sub("", part)  # the name before an address may look like another one
        if found := _EMAIL.findall(part):
            yield from map(_address, found)
            return
    plain = " ".join(folded(part).split())
    phone = _PHONE.fullmatch(plain)
    number = "".join(filter(str.isdigit, phone[1])) if phone else plain
    if number:
        yield number.removeprefix("00") if phone else number


def _address(text: str) -> str:
    """One e-mail address: what follows a + in the name is a label of the same mailbox, and accents are another mailbox."""
    name, _, domain = text.rpartition("@")
    name = _visible(name).strip("'").casefold()
    domain = _visible(domain).strip("'.").casefold()
    if not domain.isascii():
        with contextlib.suppress(UnicodeError):  # no name of a host, so it is compared as it is
            domain = domain.encode("idna").decode()
    label = name.find("+")
    return f"{name[:label] if label > 0 else name}@{domain}"


def _visible(text: str) -> str:
    return "".join(one for one in text if unicodedata.category(one) not in ("Cf", "Cc"))


def is_meant(names: Iterable[str], who: str) -> bool:
    """Whether a recipient is among those that `who` describes.

    Args:
        names: All that the recipient is known by, as `recipients` spells it.
        who: Recipients separated by commas, `*` standing for any text. With `!` before them: anybody else.
    """
    named = [_wanted(part) for part in who.removeprefix("!").split(",")]
    is_named = any(_is_one(name, one) for name in names for one in named)
    return is_named != who.startswith("!")


def _is_one(name: str, wanted: str) -> bool:
    if fnmatch.fnmatchcase(name, wanted):
        return True
    short, long = sorted((name.lstrip("0"), wanted.lstrip("0")), key=len)
    return len(short) >= _LONG_NUMBER and (short + long).isdigit() and long.endswith(short)


@lru_cache(maxsize=1024)
def _wanted(part: str) -> str:
    return next(iter(recipients(part)), "")
