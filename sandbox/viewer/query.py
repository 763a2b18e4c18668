"""The filter line: `domain=healthcare label=risky agent~gpt tokens>1000 refund`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import get_args

from riskbox.sandbox.contracts.store import Where
from riskbox.sandbox.errors import InputError, did_you_mean
from riskbox.sandbox.escape import inert
from riskbox.sandbox.words.event import Ending
from riskbox.sandbox.words.facet import ANYWHERE, FACETS, NONE, Sign, Term
from riskbox.sandbox.words.mark import SEATS, CallMark
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest
from riskbox.sandbox.words.scenario import Domain, Intent
from riskbox.sandbox.words.verdict import Label, Status

CLOSED: dict[str, tuple[str, ...]] = {
    "intent": get_args(Intent),
    "domain": get_args(Domain),
    "ending": get_args(Ending),
    "label": get_args(Label),
    "overall": get_args(Label),
    "status": get_args(Status),
    "emulation": ("neutral", "adversarial"),
    "refused": ("yes", "no"),
    "over_refused": ("yes", "no"),
    "void": ("yes", "no"),
    "health": tuple(f"{seat}.{mark}" for seat in SEATS for mark in get_args(CallMark)),
}
"""Facets whose every value is known."""

_FLAGS = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0}
_WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
_TERM = re.compile(r"(?P<facet>[\w.]+)(?P<sign>!=|<=|>=|=|~|<|>)(?P<values>.*)", re.DOTALL)


def parse(line: str) -> Where:
    """The rows that a filter line asks for.

    Words are joined by and; `a,b` is either; `!=` none of them; `~` a part; quotes keep a word together.

    Raises:
        InputError: an unknown field, a value its field never has, a comparison that makes no sense.
    """
    return Where(terms=tuple(map(_term, _WORD.findall(line))))


def _term(word: str) -> Term:
    found = _TERM.fullmatch(word)
    if not found:
        return Term(ANYWHERE, "~", (word.replace('"', ""),))
    name, sign = found["facet"], found["sign"]
    if name not in FACETS:
        raise InputError(f"there is no field {name!r}. {did_you_mean(name, FACETS, listed=60)}")
    values = [one.replace('"', "") for one in re.findall(r'(?:[^,"]|"[^"]*"?)+', found["values"])]
    if not values:
        raise InputError(f"{name}{sign} needs a value{_such_as(name)}, or `none`.")
    return Term(name, _checked(name, sign), tuple(_value(name, sign, one) for one in values))


def _checked(name: str, sign: str) -> Sign:
    kind = FACETS[name].kind
    fitting: tuple[Sign, ...] = get_args(Sign)
    fitting = tuple(one for one in fitting if one in ("=", "!=") or (one == "~") == (kind == "text"))
    if kind == "flag":
        fitting = ("=", "!=")
    for one in fitting:
        if one == sign:
            return one
    raise InputError(f"{name} can be compared with {' '.join(fitting)}, not by {sign}")


def _value(name: str, sign: str, word: str) -> str | float:
    kind = FACETS[name].kind
    if word == NONE and sign in ("=", "!="):
        return NONE
    known = CLOSED.get(name)
    if known and sign != "~" and word not in known:
        raise InputError(f"no {name} is {word!r}. {did_you_mean(word, known)}")
    if kind == "flag":
        return _FLAGS[word]
    if kind == "text":
        return word
    try:
        return float(word)
    except ValueError:
        raise InputError(f"{name} is a number, and {word!r} is not.") from None


def _such_as(name: str) -> str:
    return f" ({', '.join(CLOSED[name])})" if name in CLOSED else ""


# --- completion -------------------------------------------------------------------------------------------------


def known_values(manifest: Manifest, rows: Iterable[EpisodeRow] = ()) -> dict[str, Sequence[str]]:
    """Values to offer by facet: those of closed fields, of the run, and of the rows seen so far."""
    found: dict[str, dict[str, None]] = {name: dict.fromkeys(values) for name, values in CLOSED.items()}
    found["agent"] = dict.fromkeys(manifest.agents)
    found["case"] = dict.fromkeys(manifest.cases)
    found["scenario"] = dict.fromkeys(case.partition("/")[0] for case in manifest.cases)
    for row in rows:
        for name in ("family", "persona", "user", "reason", "tools"):
            found.setdefault(name, {}).setdefault(getattr(row, name))
        for value in row.variant.values():
            found.setdefault("variant", {}).setdefault(value)
        if summary := row.summary():
            for finding in summary.findings:
                found.setdefault("risk", {}).setdefault(finding.risk)
                for slug in finding.category:
                    found.setdefault("category", {}).setdefault(slug)
    # what is offered is put into the line as it is, so it must be what it looks like
    return {name: [one for one in values if one and one == inert(one)] for name, values in found.items()}


def candidates(line: str, known: Mapping[str, Sequence[str]]) -> list[str]:
    """How the last word of a filter line may go on: whole lines, the likeliest first."""
    head, word = _last(line)
    if not word:
        return []
    found = _TERM.fullmatch(word)
    if not found:
        return [f"{head}{name}=" for name in FACETS if name.startswith(word) and name != ANYWHERE]
    *before, part = found["values"].split(",")
    start = head + found["facet"] + found["sign"] + "".join(f"{one}," for one in before)
    return [
        start + _quoted(value)
        for value in known.get(found["facet"], ())
        if value.startswith(part.strip('"')) and value != part
    ]


def hint(line: str, known: Mapping[str, Sequence[str]]) -> str:
    """What the last word of a filter line may be, in a sentence."""
    found = _TERM.fullmatch(_last(line)[1])
    if found and found["facet"] in FACETS:
        name = found["facet"]
        values = ", ".join(_last(one)[1].rpartition(found["sign"])[2] for one in candidates(line, known)[:12])
        return f"{name}: {FACETS[name].about}" + (f". {values}" if values else "")
    return "  ".join(_last(one)[1] for one in candidates(line, known)[:12])


def _last(line: str) -> tuple[str, str]:
    words = list(_WORD.finditer(line))
    if not words or words[-1].end() != len(line):
        return line, ""
    return line[: words[-1].start()], words[-1][0]


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"[\s,]", value) else value


def described() -> Iterator[tuple[str, str]]:
    """Every field with what it is."""
    for name, one in FACETS.items():
        yield name, one.about + (f": {', '.join(CLOSED[name])}" if name in CLOSED else "")
