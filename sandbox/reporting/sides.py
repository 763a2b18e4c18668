"""A comparison as tables for a terminal of any width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from riskbox.sandbox.reporting.comparison import (
    ChangeGroup,
    ComparedSide,
    Comparison,
    LabelFlip,
    MeasureChange,
    Unpaired,
    instrument,
)
from riskbox.sandbox.reporting.figures import bounds, many, score, signed
from riskbox.sandbox.reporting.screen import INTENTS, LABELS, QUIET, text
from riskbox.sandbox.reporting.tables import SHORT, headed, listed_commands, section
from riskbox.sandbox.words.verdict import Label

SHOWS = {"worse": "bold red", "better": "bold green", "more": "yellow", "less": "yellow", "unclear": QUIET}
"""The style of what a difference shows."""
LISTED = 20
"""Flips that are listed."""
MAIN = ("done.targeted.1", "done.targeted.4", "attempted.targeted.1", "goal.user")
"""What is shown by group."""
_ORDER: tuple[Label, ...] = ("safe", "unknown", "risky")


def page(found: Comparison, width: int, commands: Sequence[tuple[str, str]] = ()) -> Iterator[RenderableType]:
    """A comparison, from the two sides to where to look next.

    Args:
        found: What to show.
        width: How wide the terminal is.
        commands: Commands to look further, each with what it does.
    """
    yield from _head(found)
    if found.pairs:
        yield section("Differences, B minus A, in percentage points or points of 10")
        yield _changes(found.changes)
        for by, groups in found.groups.items():
            yield section(f"Differences by {by}")
            yield _groups(by, groups)
        yield section("Pairs by label: A down, B across")
        yield _labels(found)
        yield section("What changed, regressions first")
        yield from _flips(found.flips)
    if found.unpaired:
        yield section("Not compared")
        yield _unpaired(found.unpaired)
    if commands:
        yield section("Look further")
        yield listed_commands(commands, width)


def _head(found: Comparison) -> Iterator[RenderableType]:
    yield Text("Riskbox comparison", style="bold")
    yield _side("A", found.a)
    yield _side("B", found.b)
    if instrument(found):
        yield _health(found)
    yield text(
        f"{many(found.pairs, 'pair')} of the same case and seed, of {many(found.cases, 'case')} in "
        f"{many(found.families, 'family')}"
    )
    if found.chosen:
        yield text(f"filter: {', '.join(found.chosen)}")
    for note in found.notes:
        row = Table.grid(padding=(0, 1))
        row.add_row(Text("!", "bold yellow"), text(note))
        yield row


def _side(name: str, side: ComparedSide) -> Text:
    words = Text(f"{name}  ", "bold").append(text(side.agent, "cyan"))
    named = f" ({side.name})" if side.name else ""
    told = f", {many(side.episodes, 'episode')} of {side.run}{named}"
    return words.append(text(told, QUIET))


def _health(found: Comparison) -> Table:
    made = headed(("instrument", "f"), ("A", "r"), ("B", "r"))
    for what, *cells in instrument(found):
        made.add_row(
            text(what), *(Text(words, "bold red" if is_broken else "") for words, is_broken in cells)
        )
    return made


def _changes(changes: Sequence[MeasureChange]) -> Table:
    made = headed(
        ("", "f"),
        ("pairs", "r"),
        ("A", "r"),
        ("B", "r"),
        ("B minus A", "r"),
        ("95% interval", "r"),
        ("shows", "l"),
    )
    for one in changes:
        made.add_row(text(one.name), f"{one.difference.total:,}", *_cells(one))
    return made


def _cells(one: MeasureChange) -> tuple[Text, ...]:
    shown = bounds if one.top == 1 else score
    return (
        Text(shown(one.a)),
        Text(shown(one.b)),
        Text(signed(one.difference, one.top), "bold"),
        Text(signed(one.difference, one.top, of_interval=True)),
        Text(one.shows, SHOWS[one.shows]),
    )


def _groups(by: str, groups: Sequence[ChangeGroup]) -> Table:
    made = headed(
        (by, "f"),
        ("", "f"),
        ("A", "r"),
        ("B", "r"),
        ("B minus A", "r"),
        ("95% interval", "r"),
        ("shows", "l"),
    )
    for group in groups:
        for place, one in enumerate(change for change in group.changes if change.id in MAIN):
            name = text(group.name, INTENTS.get(group.name, "")) if not place else Text()
            made.add_row(name, text(one.name), *_cells(one))
    return made


def _labels(found: Comparison) -> Table:
    made = headed(("", "l"), *((label, "r") for label in _ORDER))
    for before in _ORDER:
        made.add_row(
            Text(before, LABELS[before]),
            *(
                Text(f"{found.labels[before][after]:,}", "" if before == after else _way(before, after))
                for after in _ORDER
            ),
        )
    return made


def _way(before: Label, after: Label) -> str:
    return "red" if _ORDER.index(after) > _ORDER.index(before) else "green"


def _flips(flips: Sequence[LabelFlip]) -> Iterator[RenderableType]:
    if not flips:
        yield Text("Nothing: every pair has the same label on both sides.")
        return
    made = headed(
        ("was", "l"), ("is", "l"), ("harm", "r"), ("A", "l"), ("B", "l"), ("case and findings", "f")
    )
    for one in flips[:LISTED]:
        case = text(one.case, INTENTS.get(one.intent, "")).append(f", seed {one.seed}", QUIET)
        risks = [*(f"+{risk}" for risk in one.found), *(f"-{risk}" for risk in one.gone)]
        made.add_row(
            Text(one.before, LABELS[one.before]),
            Text(one.after, LABELS[one.after]),
            f"{one.done[0]} → {one.done[1]}",
            text(one.a[:SHORT], "bold"),
            text(one.b[:SHORT], "bold"),
            case.append(text(f"\n{', '.join(risks)}" if risks else "", QUIET)),
        )
    yield made
    if len(flips) > LISTED:
        yield Text(f"and {len(flips) - LISTED:,} more (--json and --html have all)", QUIET)


def _unpaired(left: Sequence[Unpaired]) -> Table:
    made = headed(("side", "l"), ("episodes", "r"), ("why", "f"), ("for example", "l"))
    for one in left:
        made.add_row(one.side.upper(), f"{one.episodes:,}", one.text, text(one.examples[0][:SHORT], QUIET))
    return made
