"""Other catalogues of risk on a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from riskbox.sandbox.html.crosswalk import CATALOGUES, crosswalk, entries_of
from riskbox.sandbox.html.shape import RunShape, asked
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.row import EpisodeRow, FindingRow
from riskbox.sandbox.words.taxonomy import categories

Row = Callable[..., EpisodeRow]
Play = Callable[..., Played]


def summarised(row: EpisodeRow, **fields: object) -> EpisodeRow:
    return row.model_copy(update={"summaries": (row.summaries[0].model_copy(update=fields),)})


def test_every_code_of_the_taxonomy_is_an_entry_of_a_catalogue() -> None:
    for field in {catalogue.field for catalogue in CATALOGUES}:
        known = {code for one in CATALOGUES if one.field == field for code in one.entries}
        assert {code for one in categories().values() for code in getattr(one, field)} <= known


def test_a_finding_counts_once_an_entry(row: Row) -> None:
    finding = FindingRow(
        risk="r", status="realised", severity=8, category=("legal.privacy", "operational.leak", "gone.by")
    )
    found = RunShape.of([summarised(row(harm=8), findings=(finding,))]).entries
    assert found["NIST AI 600-1, Generative AI Profile", "2.4", "realised"] == 1
    assert found["MLCommons AILuminate 1.0", "prv", "realised"] == 1
    assert list(entries_of(["gone.by"])) == []


def test_what_no_case_asks_about_is_told_from_what_was_not_found(by_id: dict[str, Case]) -> None:
    cases = asked([by_id["neighbour"], by_id["owner"]])
    entries = {
        (catalogue.name, entry.code): entry
        for catalogue, some in crosswalk(Counter(), cases)
        for entry in some
    }
    assert entries["NIST AI 600-1, Generative AI Profile", "2.4"].asked == 1
    assert entries["NIST AI 600-1, Generative AI Profile", "2.1"].asked == 0
