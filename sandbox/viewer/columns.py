"""The columns of the episode list, and which of them there is room for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rich.text import Text

from riskbox.sandbox.reporting.health import wrong_in
from riskbox.sandbox.reporting.rows import ended, short
from riskbox.sandbox.reporting.screen import INTENTS, QUIET, harm, text
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.facet import HARM
from riskbox.sandbox.words.playing import Playing
from riskbox.sandbox.words.row import EpisodeRow

PLAYS = "▶"
"""The mark of what is being played."""


@dataclass(frozen=True, slots=True)
class EpisodeColumn:
    """One column."""

    heading: str
    """What stands above it."""
    by: str
    """What a click on its heading sorts by."""
    width: int
    """Its least width in characters."""
    rank: int
    """The lower, the narrower a terminal still shows it."""
    cell: Callable[[EpisodeRow], Text]
    """What it shows of a row."""
    side: Literal["left", "right"] = "left"
    """Where its cells are aligned."""
    grows: bool = False
    """Whether it takes room that is left over."""


def _findings(row: EpisodeRow) -> Text:
    summary = row.summary()
    found = dict.fromkeys(one.risk for one in summary.findings) if summary else ()
    return text(", ".join(found), QUIET)


def _verdict(dimension: str) -> Callable[[EpisodeRow], Text]:
    def cell(row: EpisodeRow) -> Text:
        summary = row.summary()
        value = summary.values.get(dimension) if summary else None
        if value is None:
            return Text("?", "yellow")
        return Text(str(value), "bold red" if value else "green")

    return cell


def _number(name: str, form: str = ",") -> Callable[[EpisodeRow], Text]:
    return lambda row: Text(format(getattr(row, name), form))


def _ended(row: EpisodeRow) -> Text:
    style = {"terminated": QUIET, "truncated": "yellow", "fault": "bold red"}.get(row.ending, "")
    return text(ended(row), style)


def _health(row: EpisodeRow) -> Text:
    """Lapses of the user, and what was wrong with calls of models."""
    calls = (one for one in wrong_in(row) if "." in one)
    return text(", ".join((*row.all_lapses, *calls)), "yellow")


COLUMNS = (
    EpisodeColumn("episode", "id", 8, 3, lambda row: text(row.id[:8], "bold")),
    EpisodeColumn("harm", HARM, 12, 0, harm),
    EpisodeColumn("case", "case", 24, 1, lambda row: text(row.case, INTENTS.get(row.intent, "")), grows=True),
    EpisodeColumn("agent", "agent", 15, 2, lambda row: text(short(row.agent))),
    EpisodeColumn("seed", "seed", 5, 6, _number("seed", "d"), "right"),
    EpisodeColumn("ended", "reason", 14, 4, _ended),
    EpisodeColumn("found", "", 20, 5, _findings, grows=True),
    EpisodeColumn("op", "operational", 3, 9, _verdict("operational"), "right"),
    EpisodeColumn("con", "content", 3, 9, _verdict("content"), "right"),
    EpisodeColumn("soc", "societal", 3, 9, _verdict("societal"), "right"),
    EpisodeColumn("leg", "legal", 3, 9, _verdict("legal"), "right"),
    EpisodeColumn("user", "user", 12, 10, lambda row: text(short(row.user))),
    EpisodeColumn("domain", "domain", 14, 7, lambda row: text(row.domain.replace("_", " "), QUIET)),
    EpisodeColumn("calls", "calls", 5, 8, _number("tool_calls"), "right"),
    EpisodeColumn("tokens", "tokens", 8, 8, _number("tokens"), "right"),
    EpisodeColumn("cost", "cost", 8, 8, lambda row: Text(f"${row.cost:.4f}" if row.cost else ""), "right"),
    EpisodeColumn("s", "seconds", 6, 11, _number("seconds", ".1f"), "right"),
    EpisodeColumn("health", "health", 12, 12, _health, grows=True),
)
"""In the order they are shown."""


@dataclass(frozen=True, slots=True)
class PlayingRow:
    """An episode that is being played, as a row of the list."""

    playing: Playing
    """The episode."""
    case: Case
    """Its case."""

    def cell(self, heading: str) -> Text:
        """What a column shows of it; most have nothing to show yet."""
        one, case = self.playing, self.case
        again = f", attempt {one.attempt}" if one.attempt > 1 else ""
        found = {
            "episode": (one.id[:8], "bold"),
            "harm": (f"{PLAYS} turn {one.turn}", "bold green"),
            "case": (one.case, INTENTS.get(case.user.intent, "")),
            "agent": (short(one.spec.cast.agent), ""),
            "seed": (str(one.spec.seed), ""),
            "ended": (f"playing{again}", "green"),
            "user": (short(one.spec.cast.user), ""),
            "domain": (case.scenario.domain.replace("_", " "), QUIET),
        }
        return text(*found.get(heading, ("", "")))


@dataclass(frozen=True, slots=True)
class FittedColumn:
    """A column with its place on the screen."""

    column: EpisodeColumn
    """The column."""
    start: int
    """Its first character on the screen."""
    width: int
    """How many characters it takes."""


def fitted(width: int) -> list[FittedColumn]:
    """The columns for a list so wide; each is followed by one space."""
    chosen: set[str] = set()
    room = width - 1
    for column in sorted(COLUMNS, key=lambda one: one.rank):
        if room < column.width + 1:
            break
        chosen.add(column.heading)
        room -= column.width + 1
    shown = [one for one in COLUMNS if one.heading in chosen]
    growing = sum(one.grows for one in shown) or 1
    found, start = [], 1
    for column in shown:
        size = column.width + (room // growing if column.grows else 0)
        found.append(FittedColumn(column, start, size))
        start += size + 1
    return found
