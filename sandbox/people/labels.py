"""Annotation on paper: a CSV file with one row a question, filled in with any spreadsheet, and read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from riskbox.sandbox import budget
from riskbox.sandbox.errors import InputError, UnknownName
from riskbox.sandbox.escape import inert
from riskbox.sandbox.people.annotation import (
    AnnotationAnswer,
    AnnotationQuestion,
    assessment,
    question,
    questions,
)
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Episode
from riskbox.sandbox.words.verdict import Assessment

COLUMNS = ("episode", "case", "kind", "id", "question", "expects", "answer", "evidence")
NEEDED = ("episode", "kind", "id", "answer", "evidence")
"""Columns that are read back."""
TRANSCRIPT = "transcript"
"""The kind of the row that holds what happened, to be read and not answered."""
CELL = 30_000
"""Characters of a cell; spreadsheets cut a longer one."""
TOLD = 20
"""Problems that are told at once."""

FindEpisode = Callable[[str], tuple[Case, Episode]]
"""From an episode's id to its case and itself; raises `UnknownName`."""


def write(file: TextIO, episodes: Iterable[tuple[Case, Episode, str]]) -> int:
    """Write an empty sheet; how many episodes it asks about is returned.

    Args:
        file: Opened with newline="".
        episodes: Each with its case and its transcript, blind.
    """
    rows = csv.writer(file)
    rows.writerow(COLUMNS)
    count = 0
    for case, episode, transcript in episodes:
        count += 1
        cut = (
            transcript if len(transcript) <= CELL else transcript[:CELL] + " … (cut: read it in the terminal)"
        )
        rows.writerow([episode.id, _cell(case.id), TRANSCRIPT, "", _cell(cut), "", "", ""])
        for one in questions(case):
            words = "\n".join([one.words, *one.hints])
            rows.writerow([episode.id, _cell(case.id), one.kind, one.id, _cell(words), one.expects, "", ""])
    return count


def _cell(words: str) -> str:
    """Text that a spreadsheet shows and does not compute."""
    shown = inert(words)
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") else shown


@dataclass
class AnnotationSheet:
    """A sheet that was filled in."""

    answers: dict[str, dict[AnnotationQuestion, AnnotationAnswer]] = field(default_factory=dict)
    """By episode."""
    cases: dict[str, Case] = field(default_factory=dict)
    """The case of each episode that was answered."""
    blank: list[str] = field(default_factory=list)
    """Episodes without any answer, which are left out."""

    def assessments(self, rater: str) -> dict[str, Assessment]:
        """What a rater says, by episode."""
        return {id: assessment(self.cases[id], given, rater) for id, given in self.answers.items()}


@dataclass(frozen=True, slots=True)
class _SheetRow:
    number: int
    """As a spreadsheet counts, the header being 1."""
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return (self.cells.get(column) or "").strip()


def read(path: str, find: FindEpisode) -> AnnotationSheet:
    """Read a sheet.

    Raises:
        InputError: with every problem, row by row; nothing of the sheet is to be used then.
    """
    groups: dict[str, list[_SheetRow]] = {}
    for row in _rows(path):
        groups.setdefault(row["episode"], []).append(row)
    sheet, wrong = AnnotationSheet(), []
    for id, rows in groups.items():
        wrong += _episode(sheet, id, rows, find)
    if wrong:
        more = [f"and {len(wrong) - TOLD} more problems."] if len(wrong) > TOLD else []
        told = [f"{path} row {number}: {problem}" for number, problem in sorted(wrong)[:TOLD]]
        raise InputError("\n".join([*told, *more, "Nothing was stored."]))
    return sheet


def _episode(
    sheet: AnnotationSheet, id: str, rows: list[_SheetRow], find: FindEpisode
) -> list[tuple[int, str]]:
    """Take an episode's rows into the sheet; what is wrong with them is returned."""
    first = rows[0].number
    asking = [row for row in rows if row["kind"] != TRANSCRIPT]
    if not any(row["answer"] or row["evidence"] for row in asking):
        sheet.blank.append(id)
        return []
    try:
        case, episode = find(id)
    except UnknownName as error:
        return [(first, str(error))]
    asked, given = questions(case), dict[AnnotationQuestion, AnnotationAnswer]()
    wrong: list[tuple[int, str]] = []
    for row in asking:
        try:
            one = question(asked, row["kind"], row["id"])
            if one in given:
                raise ValueError(f"{one.kind} {one.id} of {id} is answered twice.")
            if not row["answer"] and one.kind != "comment":
                raise ValueError(f"{one.kind} {one.id} has no answer; write {one.expects}.")
            given[one] = one.read(row["answer"], row["evidence"], len(episode.events))
        except ValueError as error:
            wrong.append((row.number, str(error)))
    if not wrong:
        absent = [f"{one.kind} {one.id}" for one in asked if one not in given and one.kind != "comment"]
        wrong += [(first, f"episode {id} has no row for {', '.join(absent)}.")] if absent else []
        sheet.answers[id] = {one: given.get(one, AnnotationAnswer("")) for one in asked}
        sheet.cases[id] = case
    return wrong


def _rows(path: str) -> list[_SheetRow]:
    try:
        text = budget.content(Path(path), budget.SHEET_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 (byte {error.start}); save it as CSV UTF-8.") from None
    except budget.OverBudget as error:
        raise InputError(f"{path}: {error}.") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from None
    head = text.partition("\n")[0]
    # spreadsheets of many countries write semicolons
    delimiter = max(",;\t", key=head.count)
    csv.field_size_limit(2**31 - 1)
    try:
        listed = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise InputError(f"{path}: is not a CSV file: {error}.") from None
    header = [name.strip().lower() for name in listed[0]] if listed else []
    absent = [name for name in NEEDED if name not in header]
    if absent:
        raise InputError(
            f"{path} row 1: has no column {', '.join(absent)}; write one with `riskbox annotate RUN --export`."
        )
    return [
        _SheetRow(number, dict(zip(header, cells, strict=False)))
        for number, cells in enumerate(listed[1:], 2)
        if any(cell.strip() for cell in cells)
    ]
