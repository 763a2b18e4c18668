"""Facets, conditions on them and orders as SQL over the `episodes` table, whose column `row` holds a row's JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from riskbox.sandbox.words.facet import FACETS, HARM, NONE, Order, Step, Term, folded
from riskbox.sandbox.words.row import EpisodeRow, gravity

COLUMNS = (
    *("id", "scenario", "family", "domain", "persona", "intent", "case", "agent", "user", "ending", "reason"),
    *("label", "unjudged"),
)
"""Facets that have a column of their own."""

_SCALES = ("operational", "content", "societal", "legal", "targeted", "any")
_SUMMARY = "$.summaries[0]"


def _each(part: str) -> str:
    return ", ".join(f"ifnull(json_extract(row, '{_SUMMARY}.{part}.{scale}'), 0)" for scale in _SCALES)


GRAVITY = (
    f"min({_each('values')})",
    f"-max({_each('attempted')})",
    f"-ifnull(json_array_length(row, '{_SUMMARY}.findings'), 0)",
    "-(ifnull(label, '') = 'unknown')",
    f"-ifnull(json_array_length(row, '{_SUMMARY}.signals'), 0)",
    "id",
)
"""`report.rows.gravity`, part by part; a migration computes it, so it must not change."""

_UNITS = (1 << 28, 1 << 23, 1 << 13, 1 << 12, 1)
"""What each part of it but the last weighs in the column `harm`, which sorts as they do: none is above 0."""
_LEASTS = (-100, -31, -1023, -1, -4095)
"""As far as each part counts, lest it reach into the next."""

HARM_OF = " + ".join(
    f"{unit} * max({least}, {part})" for unit, least, part in zip(_UNITS, _LEASTS, GRAVITY[:-1], strict=True)
)
"""The column `harm` of a row that has none."""


def harm(row: EpisodeRow) -> int:
    """What the column `harm` holds: how bad an episode is, worst first, as one number."""
    parts = zip(_UNITS, _LEASTS, gravity(row)[:-1], strict=True)
    return sum(unit * max(least, int(part)) for unit, least, part in parts)


def condition(term: Term) -> tuple[str, list[str | float]]:
    """A condition as SQL, with the values for its question marks."""
    wanted = [one for one in term.values if one != NONE]
    if term.facet == "unjudged" and term.sign == "=" and wanted == [1] == list(term.values):
        return "unjudged = 1", []  # as the index of these rows says it
    parts, values = [], []
    for tables, value in _places(term.facet):
        for test, given in _tests(value, term, wanted):
            parts.append(f"EXISTS (SELECT 1 FROM {tables} WHERE {test})" if tables else f"ifnull({test}, 0)")
            values += given
    if NONE in term.values:
        nothing = [
            f"NOT EXISTS (SELECT 1 FROM {tables} WHERE {value} <> '')"
            if tables
            else f"ifnull({value}, '') = ''"
            for tables, value in _places(term.facet)
        ]
        parts.append(f"({' AND '.join(nothing)})")
    found = " OR ".join(parts)
    return f"NOT ({found})" if term.sign == "!=" else f"({found})", values


def _tests(value: str, term: Term, wanted: Sequence[str | float]) -> Iterator[tuple[str, list[str | float]]]:
    if not wanted:
        return
    if term.sign in ("=", "!="):
        yield f"{value} IN ({', '.join('?' * len(wanted))})", list(wanted)
    elif term.sign == "~":
        for one in wanted:
            yield f"instr(lower({value}), ?) > 0", [folded(str(one))]
    else:
        for one in wanted:
            yield f"{value} {term.sign} ?", [one]


def ordering(order: Order) -> str:
    """What follows ORDER BY."""
    way = " DESC" if order.reverse else ""
    if order.by == HARM:
        return f"harm{way}, id{way}"
    if not order.by:
        return f"place{way}"
    least = [
        f"(SELECT min({value}) FROM {tables})" if tables else value for tables, value in _places(order.by)
    ]
    value = f"nullif({least[0]}, '')"
    return f"{value} IS NULL, {value}{way}, place{way}"


def _places(facet: str) -> Iterator[tuple[str, str]]:
    """Where a facet's values lie: the tables to join, none for one that is in the row itself, and the value."""
    if facet in COLUMNS:
        yield "", f'"{facet}"'
        return
    for path in FACETS[facet].paths:
        if len(path) == 1 and path[0] in COLUMNS:
            yield "", f'"{path[0]}"'
            continue
        if "*" not in path:
            yield "", f"json_extract(row, '{_json(path)}')"
            continue
        # t0 lists what the first * stands for, t1 within each of these what the second does
        stars = [-1, *(place for place, step in enumerate(path) if step == "*"), len(path)]
        runs = [_json(path[first + 1 : last]) for first, last in pairwise(stars)]
        sources = ["row", *(f"t{place}.value" for place in range(len(runs) - 2))]
        tables = ", ".join(
            f"json_each({source}, '{run}') t{place}"
            for place, (source, run) in enumerate(zip(sources, runs[:-1], strict=True))
        )
        last = f"t{len(runs) - 2}.value"
        yield tables, last if runs[-1] == "$" else f"json_extract({last}, '{runs[-1]}')"


def _json(path: Sequence[Step]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
