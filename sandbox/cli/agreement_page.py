"""The page of `riskbox agreement`: what the second rater misses, then agreement beyond chance, then who said what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from riskbox.sandbox.escape import line
from riskbox.sandbox.people.agreement import (
    POOLED,
    Agreement,
    Coefficient,
    GroupAgreement,
    PairAgreement,
    RaterGroup,
    RaterPair,
)
from riskbox.sandbox.people.annotation import EVALUATOR as HUMAN
from riskbox.sandbox.reporting.screen import QUIET, text
from riskbox.sandbox.stats.shares import ENOUGH, Figure

T = TypeVar("T", PairAgreement, GroupAgreement)

WIDEST = 110
MOST = 12
"""Single risks and goals in a table, those with the least agreement first."""
BINS = (("0", 0, 0), ("1-3", -3, -1), ("4-6", -6, -4), ("7-8", -8, -7), ("9-10", -10, -9))
"""Scores as a confusion table shows them, by how grave they are."""

LEGEND = (
    "A ? means that a rater cannot tell. Sensitivity is the share of the first rater's harmful answers that the second "
    "also calls harmful. Specificity is the same for harmless answers. A rate is a range: answers that the second rater "
    "cannot tell count once as missed and once as found. Families weigh the same, and a 95% interval needs "
    f"{ENOUGH} of them. Agreement covers the answers that both raters can tell: alpha is Krippendorff's (nominal for yes "
    "or no, ordinal for scores), kappa is Cohen's, weighted by the square of the distance, r is Pearson's correlation "
    "and rho Spearman's. 1 is full agreement, and 0 is what chance gives. A dash means not defined: the raters share no "
    "answer, or the answers do not vary."
)


def page(found: Agreement, width: int) -> Iterator[RenderableType]:
    """The page, part by part."""
    width = min(width, WIDEST)
    rated = ", ".join(f"{_who(name)} {count}" for name, count in found.raters.items())
    yield text(f"Agreement in run {line(found.run)}", "bold")
    yield text(f"Episodes rated: {rated}", QUIET)
    # people and machines first: what is missed matters most
    for pair in sorted(found.pairs, key=lambda one: one.first.startswith("human:")):
        yield Text()
        yield from _pair(pair, width)
    for group in found.groups:
        yield Text()
        yield from _group(group)
    yield Padding(text(LEGEND, QUIET), (1, 0, 0, 0), expand=False)


# --- two raters -------------------------------------------------------------------------------------------------


def _pair(pair: RaterPair, width: int) -> Iterator[RenderableType]:
    first, second = _who(pair.first), _who(pair.second)
    alone = [
        f"{many} only by {name}"
        for many, name in ((pair.only_first, first), (pair.only_second, second))
        if many
    ]
    told = ", ".join([f"{_many(pair.episodes, 'episode')} rated by both", *alone])
    yield (
        text(first, "bold cyan").append(" and ", QUIET).append(second, "bold cyan").append(f"  {told}", QUIET)
    )
    if not pair.episodes:
        return
    label = pair.rows[0]
    if label.sensitivity is not None and label.sensitivity.total:
        yield _headline(label.sensitivity, first, second)
    yield Text()
    yield _missed(pair)
    yield Text()
    yield _agreed(pair)
    singles = _singles(pair.rows)
    if singles:
        yield Text()
        yield _each(singles)
    tables = [_confusion(row) for row in pair.rows if row.kind in ("label", "dimension") and row.units]
    if tables:
        yield Text()
        yield text(f"Who said what: rows {first}, columns {second}", "bold")
        yield from _side_by_side(tables, width)


def _side_by_side(tables: Sequence[Table], width: int) -> Iterator[RenderableType]:
    beside = 2 if width >= 80 else 1
    for at in range(0, len(tables), beside):
        grid = Table.grid(padding=(0, 3, 0, 0))
        grid.add_row(*tables[at : at + beside])
        yield Text()
        yield grid


def _headline(one: Figure, first: str, second: str) -> Text:
    caught, missed, unknown = _counts(one)
    words = text(f"Risky to {first}: {_many(one.total, 'episode')}. Of these {second} ")
    words.append(f"found {caught}", "green").append(", ")
    words.append(f"missed {missed}", "bold red" if missed else "green")
    return (words.append(f", could not tell {unknown}", "yellow") if unknown else words).append(".")


def _missed(pair: RaterPair) -> Table:
    table = _table("", "harm", "found", "missed", "?", "sens. %", "95%", "none", "spec. %", "95%")
    for row in pair.rows:
        if row.sensitivity is None or row.specificity is None or not row.units or not _is_whole(row):
            continue
        caught, missed, unknown = _counts(row.sensitivity)
        table.add_row(
            _name(row),
            str(row.sensitivity.total),
            str(caught),
            Text(str(missed), "bold red" if missed else ""),
            Text(str(unknown), "yellow" if unknown else ""),
            *_rate(row.sensitivity),
            str(row.specificity.total),
            *_rate(row.specificity),
        )
    return table


def _each(rows: Sequence[PairAgreement]) -> Table:
    """Single risks and goals, the least agreement first."""
    table = _table("least agreed on", "both", "?", "equal", "missed", "alarms", "kappa")
    for row in rows:
        said = {(first, second): many for first, second, many in row.confusion}
        missed, alarms = said.get(("yes", "no"), 0), said.get(("no", "yes"), 0)
        table.add_row(
            _name(row),
            str(row.units),
            _unknown(row),
            _share(row.agreed),
            Text(str(missed), "bold red" if missed and row.kind == "risk" else ""),
            str(alarms),
            _value(row.kappa),
        )
    return table


def _counts(one: Figure) -> tuple[int, int, int]:
    """How many were found, missed, and cannot be told."""
    low, high = one.pooled or (0.0, 0.0)
    found, possible = round(low * one.total), round(high * one.total)
    return found, one.total - possible, possible - found


def _agreed(pair: RaterPair) -> Table:
    table = _table("", "both", "?", "equal", "alpha", "95%", "kappa", "weighted", "r", "rho")
    for row in pair.rows:
        if _is_whole(row):
            table.add_row(
                _name(row),
                str(row.units),
                _unknown(row),
                _share(row.agreed),
                _value(row.alpha),
                _interval(row.alpha),
                *(_value(one) for one in (row.kappa, row.kappa_weighted, row.pearson, row.spearman)),
            )
    return table


def _confusion(row: PairAgreement) -> Table:
    names = [name for name, _, _ in BINS] if row.kind == "dimension" else ["no", "yes"]
    cells: Counter[tuple[str, str]] = Counter()
    for first, second, many in row.confusion:
        cells[_bin(first), _bin(second)] += many
    names += ["?"] if any("?" in key for key in cells) else []
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(_name(row), width=11)
    for name in names:
        table.add_column(name, justify="right")
    for at, first in enumerate(names):
        counts = [cells[first, second] for second in names]
        table.add_row(
            Text(first),
            *(
                Text(str(many) if many else "·", _shade(first, names[place], place - at, many))
                for place, many in enumerate(counts)
            ),
        )
    return table


def _bin(value: str) -> str:
    if value in ("yes", "no"):
        return value
    if value == "unknown":
        return "?"
    return next(name for name, low, high in BINS if low <= int(value) <= high)


def _shade(row: str, column: str, apart: int, many: int) -> str:
    if not many:
        return QUIET
    if apart == 0:
        return "green"
    return "yellow" if abs(apart) == 1 or "?" in (row, column) else "bold red"


# --- several raters ---------------------------------------------------------------------------------------------


def _group(one: RaterGroup) -> Iterator[RenderableType]:
    names = ", ".join(map(_who, one.raters))
    yield text(line(one.name[:1].upper() + one.name[1:]), "bold cyan").append(
        f" among themselves: {names}", QUIET
    )
    yield Text()
    table = _table("", "asked", "by several", "answers", "?", "alpha", "95%", "by distance")
    for row in one.rows:
        if _is_whole(row):
            known = (_value(row.alpha), _interval(row.alpha), _value(row.alpha_interval))
            table.add_row(*_answers(row), *known)
    yield table
    singles = _singles(one.rows)
    if singles:
        each = _table("least agreed on", "asked", "by several", "answers", "?", "alpha")
        for row in singles:
            each.add_row(*_answers(row), _value(row.alpha))
        yield Text()
        yield each


def _answers(row: GroupAgreement) -> tuple[RenderableType, ...]:
    unknown = Text(str(row.unknown), "yellow" if row.unknown else "")
    return _name(row), str(row.units), str(row.shared), str(row.ratings), unknown


# --- parts ------------------------------------------------------------------------------------------------------


def _is_whole(row: PairAgreement | GroupAgreement) -> bool:
    return row.kind in ("label", "dimension") or row.id == POOLED


def _singles(rows: Sequence[T]) -> list[T]:
    """Single risks and goals that were shared more than once and not always alike, those with the least agreement first."""
    torn = [row for row in rows if not _is_whole(row) and _agreement(row) < 1]
    return sorted(torn, key=lambda row: (_agreement(row), row.id))[:MOST]


def _agreement(row: PairAgreement | GroupAgreement) -> float:
    if isinstance(row, PairAgreement):
        return 1.0 if row.agreed is None or row.known < 2 else row.agreed
    return 1.0 if row.alpha.value is None or row.shared < 2 else row.alpha.value


def _who(name: str) -> str:
    """A rater as the page calls it."""
    return "the people" if name == HUMAN else line(name.removeprefix(f"{HUMAN}:"))


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left", overflow="fold", no_wrap=place > 0)
    return table


def _name(row: PairAgreement | GroupAgreement) -> Text:
    if row.kind == "label":
        return Text("any harm", "bold")
    if row.id == POOLED:
        return Text(f"all {row.kind}s", "bold")
    return text(line(row.id))


def _rate(one: Figure) -> tuple[str, str]:
    """A rate as bounds, and its interval."""
    if one.low is None or one.high is None:
        return "–", ""
    low, high = f"{100 * one.low:.0f}", f"{100 * one.high:.0f}"
    interval = f"{100 * one.interval[0]:.0f}–{100 * one.interval[1]:.0f}" if one.interval else ""
    return (high if low == high else f"{low}–{high}"), interval


def _unknown(row: PairAgreement) -> Text:
    many = row.unknown_first + row.unknown_second + row.unknown_both
    return Text(str(many), "yellow" if many else "")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _value(one: Coefficient) -> str:
    return "–" if one.value is None else f"{one.value:.2f}"


def _interval(one: Coefficient) -> str:
    return f"{one.interval[0]:.2f}–{one.interval[1]:.2f}" if one.interval else ""


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
