# ruff: noqa: A005  # imports are absolute, so it shadows nothing
"""Secrets in what is stored, logged and shown: known shapes, and the values of this process's own environment.

What an agent and a user say, and the world they live in, are the subject of a measurement: nothing in them is changed by
shape, since a scenario's own secrets look like real ones. The values of this process's environment are no part of any
scenario, and are taken out everywhere (`without_own`). Names, command lines, errors and logs lose known shapes as well
(`redact`).

A name that holds a secret is stored without it (`stored_name`). What it was is kept in this process's memory alone
(`revealed`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from riskbox.sandbox.errors import PluginError

HIDDEN = "***"
"""What stands in the place of a secret."""
SHORTEST = 9
"""Characters of the shortest value of the environment that is taken for a secret."""

_WORDS = "api[_-]?key|access[_-]?key|private[_-]?key|token|secret|password|passwd|passphrase|credentials?"
_VALUE = r"""("[^"]*"|'[^']*'|[^\s"'&,;]+)"""
# a value that is a variable of the environment, or hidden already, stays
_NOT_YET = r"(?!\$\{|\*\*\*)"
_FLAG = re.compile(rf"(?i)--?[\w-]{{0,40}}(?:{_WORDS})")
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), HIDDEN.join(around))
    for pattern, around in (
        (
            r"(?s)-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)",
            ("", ""),
        ),
        (rf"(://[^:/@\s]{{0,200}}:){_NOT_YET}[^@\s]{{1,1000}}@", (r"\1", "@")),
        (rf"(?i)([?&](?:[\w.-]{{0,40}}[_.-])?(?:{_WORDS}|key|sig|signature|auth)=){_NOT_YET}[^&\s#'\"]+", (r"\1", "")),
        (rf"(?i)(authorization['\"]?\s{{0,9}}[:=]\s{{0,9}}['\"]?(?:(?:bearer|basic|token)\s+)?){_NOT_YET}(?!(?:bearer|basic|token)\s)[^\s'\",]+", (r"\1", "")),
        (rf"(?i)(\bbearer\s+){_NOT_YET}[\w.~+/-]{{16,}}=*", (r"\1", "")),
        (rf"(?i)((?<![\w-])--?[\w-]{{0,40}}(?:{_WORDS})(?:=|\s+)){_NOT_YET}(?!-){_VALUE}", (r"\1", "")),
        (rf"(?i)((?<![\w-])[\w-]{{0,40}}(?:{_WORDS})(?:[_-]?key)?(?:[_-]?\d{{1,3}})?=){_NOT_YET}{_VALUE}", (r"\1", "")),
        (rf"(?i)(\bx-api-key['\"]?\s{{0,9}}:\s{{0,9}}['\"]?){_NOT_YET}[^\s'\",]+", (r"\1", "")),
        (r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*", ("", "")),
        (r"(?<![\w-])(?:sk|pk|rk)[-_][\w-]{16,}", ("", "")),
        (r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", ("", "")),
        (r"\b(?:gh[opsur]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|hf_\w{20,})", ("", "")),
        (r"\bxox[a-z]-[\w-]{10,}", ("", "")),
        (r"\bAIza[\w-]{35}", ("", "")),
    )
)  # fmt: skip
_PARTS = {
    *("KEY", "KEYS", "APIKEY", "TOKEN", "SECRET", "SECRETS", "PASSWORD", "PASSWD", "PASS", "PWD", "PASSPHRASE"),
    *("PAT", "CREDENTIAL", "CREDENTIALS", "AUTHORIZATION"),
}  # fmt: skip
_NO_SECRETS = {"PWD", "OLDPWD"}
_LOGIN = re.compile(r"://[^:/@\s]*:(?!\$\{|\*\*\*)([^@\s]+)@")
_MARKS = re.compile(
    r"(?i)://|-----|bearer|authorization|key|token|secret|pass|credential|eyJ|sk[-_]|pk[-_]|rk[-_]|A[KS]IA|gh\w_|glpat|hf_|xox|AIza|[?&]"
)

_known: set[str] = set()
_names: dict[str, str] = {}


def known(values: Iterable[str]) -> None:
    """Take more values for secrets of this process; those that are too short would be found in anything, and are not."""
    _known.update(one for one in values if len(one) >= SHORTEST)


def redact(text: str) -> str:
    """A text of ours (a name, a command line, an error, a log line) without secrets."""
    text = without_own(text)
    if not _MARKS.search(text):
        return text
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text


def redacted_words(words: Sequence[str]) -> tuple[str, ...]:
    """A command line in words without secrets, also where a flag and its secret are two words."""
    found, after_flag = [], False
    for word in words:
        hides = after_flag and not word.startswith(("-", "${"))
        found.append(HIDDEN if hides else redact(word))
        after_flag = _FLAG.fullmatch(word) is not None
    return tuple(found)


def without_own(text: str) -> str:
    """A text without the secrets of this process."""
    for one in _own():
        if one in text:
            text = text.replace(one, HIDDEN)
    return text


def without_own_json(text: str) -> str:
    """The same for JSON, in whose texts some characters are escaped."""
    for one in _own():
        for written in {one, json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1]}:
            if written in text:
                text = text.replace(written, HIDDEN)
    return text


def _own() -> Sequence[str]:
    """The secrets of this process, the longest first, since one may hold another."""
    # each record asks, and reading the environment takes longer than writing a record
    raw: Mapping[Any, Any] = getattr(os.environ, "_data", os.environ)
    if raw != _read.environment or len(_known) != _read.known:
        found = sorted({*_known, *_in_environment(os.environ)}, key=len, reverse=True)
        _read.found, _read.known, _read.environment = found, len(_known), dict(raw)
    return _read.found


class _Read:
    """What was found the last time, and in what; `_known` only grows."""

    environment: Mapping[Any, Any] = {}
    known = -1
    found: Sequence[str] = ()


_read = _Read()


def _in_environment(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        if len(value) < SHORTEST:
            continue
        if is_secret(name):
            if not (value.isdigit() or (value.startswith("/") and os.path.exists(value))):
                yield value
        elif "://" in value:
            yield from (one for one in _LOGIN.findall(value) if len(one) >= SHORTEST)


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Whether a variable's name says that its value is a secret."""
    return name not in _NO_SECRETS and not _PARTS.isdisjoint(name.upper().split("_"))


# --- names ------------------------------------------------------------------------------------------------------


def stored_name(name: str) -> str:
    """The name of an agent as it is stored: without secrets. This process remembers it, and takes them for its own."""
    stored = redact(name)
    if stored != name:
        _names[stored] = name
        known(_secrets_in(name))
    return stored


def _secrets_in(name: str) -> Iterator[str]:
    """What the shapes find in a name."""
    for shape, instead in _SHAPES:
        for found in shape.finditer(name):
            before, _, after = found.expand(instead).partition(HIDDEN)
            yield found[0].removeprefix(before).removesuffix(after).strip("'\"")


def revealed(name: str) -> str:
    """The name of which `stored_name` made this one, in this process or in one that `reveal` told; else the name itself."""
    return _names.get(name, name)


def reveal(names: Mapping[str, str]) -> None:
    """Learn names that another process remembers, by what is stored of them."""
    for whole in names.values():
        stored_name(whole)


def is_hidden(name: str) -> bool:
    """Whether a stored name held a secret that this process does not know."""
    return HIDDEN in name and name not in _names


# --- variables --------------------------------------------------------------------------------------------------

_VARIABLE = re.compile(r"(\$?)\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def is_variable(text: str) -> bool:
    """Whether a text is one `${NAME}` and nothing else."""
    return (found := _VARIABLE.fullmatch(text)) is not None and not found[1]


def expanded(text: str, where: str) -> str:
    """A text with each `${NAME}` replaced by that variable of the environment; `$${NAME}` stays as `${NAME}`.

    Args:
        text: The text.
        where: Where it stands, for the error.

    Raises:
        PluginError: there is no such variable.
    """

    def value(found: re.Match[str]) -> str:
        if found[1]:
            return f"${{{found[2]}}}"
        if found[2] not in os.environ:
            raise PluginError(
                f"{where}: there is no environment variable {found[2]}. Set it, or write $${{{found[2]}}} for the text."
            )
        return os.environ[found[2]]

    return _VARIABLE.sub(value, text)
