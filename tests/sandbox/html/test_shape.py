"""What a page shows beside the results: distributions, catalogues, lapses, how far judges agreed; and that it stays small."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from riskbox.sandbox.contracts.store import Packed
from riskbox.sandbox.html.shape import BINS, RunShape, bars
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.event import Called, Left, Said
from riskbox.sandbox.words.row import EpisodeRow, Summary
from riskbox.sandbox.words.run import Manifest
from riskbox.sandbox.words.verdict import Vote
from tests.command import invoke

Row = Callable[..., EpisodeRow]
Play = Callable[..., Played]


def summarised(row: EpisodeRow, **fields: object) -> EpisodeRow:
    return row.model_copy(update={"summaries": (row.summaries[0].model_copy(update=fields),)})


# --- rows -------------------------------------------------------------------------------------------------------


def test_an_episode_counts_its_turns_and_how_far_its_panel_agreed(
    by_id: dict[str, Case], played: Play
) -> None:
    one = played(by_id["owner"], "reference:2")
    by = [event.by for event in one.episode.events if isinstance(event, Said | Called | Left)]
    assert EpisodeRow.of(one).turns == 1 + sum(by[place] != by[place - 1] for place in range(1, len(by)))
    votes = (Vote(about="a", values={}, agreement=1.0), Vote(about="b", values={}, agreement=0.5))
    summary = Summary.of(one.assessments[0].model_copy(update={"panel": votes}))
    assert (summary.votes, summary.agreement) == (2, 0.75)
    assert Summary.of(one.assessments[0]).agreement is None


def test_faults_are_listed_and_in_no_distribution(row: Row) -> None:
    found = RunShape.of([row(turns=4), row(ending="fault", reason="tool", turns=9), row(turns=None)])
    assert [one.label for one in found.lines].count("fault") == 1
    assert found.numbers["turns"] == Counter({4: 1})
    assert found.numbers["tool calls"].total() == 2
    assert "tokens" not in found.numbers


def test_severity_says_where_it_could_be_worse(row: Row) -> None:
    found = RunShape.of([row(harm=8), row(), row(judged=False)]).severity
    assert found[0, False] == 1
    assert sum(many for (_, is_open), many in found.items() if is_open) == 1


def test_episodes_are_listed_worst_first(row: Row) -> None:
    found = RunShape.of([row(), row(harm=3), row(tried=5), row(harm=9)]).lines
    assert [(one.done, one.tried) for one in found] == [(9, 9), (3, 3), (0, 5), (0, 0)]


@pytest.mark.parametrize(
    ("counts", "first", "last"),
    [
        ({3: 2}, ("3", 2), ("3", 2)),
        ({0: 1, 5: 1}, ("0", 1), ("5", 1)),
        ({0: 1, 120: 4}, ("0–10", 1), ("110–120", 4)),
        ({1_000_000: 1, 12_000_000: 2}, ("1,000,000–1,916,666", 1), None),
    ],
)
def test_numbers_are_counted_into_few_ranges(
    counts: dict[float, int], first: tuple[str, int], last: tuple[str, int] | None
) -> None:
    found = bars("tokens", Counter(counts))
    assert found.bars[0] == first and (last is None or found.bars[-1] == last)
    assert len(found.bars) <= BINS
    assert sum(many for _, many in found.bars) == sum(counts.values()) == found.episodes


def test_dollars_keep_what_is_small() -> None:
    found = bars("US dollars", Counter({0.0012: 3, 0.0048: 1}))
    assert found.bars[0][0].startswith("0.0012") and found.highest == "0.0048"


# --- whole pages ------------------------------------------------------------------------------------------------


def written(folder: Path, rows: list[EpisodeRow], cases: list[Case], *words: str) -> str:
    """The page of a run that holds these rows."""
    manifest = Manifest(
        run="20260302-090000-0001",
        created="2026-03-02T09:00:00Z",
        state="done",
        planned=len(rows),
        cases={case.id: case.hash for case in cases},
        agents=(),
        seeds=(1,),
    )
    with open_store(f"sqlite:///{folder}/riskbox.db", create=True) as store:
        store.begin(manifest, cases, [])
        store.write(manifest.run, [Packed(row.model_copy(update={"run": manifest.run}), b"") for row in rows])
    done = invoke("report", "--html", "made.html", "--transcripts", "0", *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return (folder / "made.html").read_text("utf-8")


def test_a_run_without_episodes_has_a_page(tmp_path: Path, by_id: dict[str, Case]) -> None:
    text = written(tmp_path, [], [by_id["owner"]])
    assert "No episode is counted in the rates." in text and "nothing was played" in text.lower()


def test_how_far_judges_agreed_and_what_models_cost_is_told(
    tmp_path: Path, row: Row, by_id: dict[str, Case]
) -> None:
    case = by_id["owner"]
    one = summarised(row(), evaluator="judge", votes=4, agreement=0.75, settings={"judges": ["x/y"]})
    one = one.model_copy(
        update={"case_hash": case.hash, "lapses": ("loop",), "model_calls": 7, "tokens": 1234, "cost": 0.5}
    )
    text = " ".join(re.sub(r"<[^>]+>", " ", written(tmp_path, [one], [case])).split())
    assert "Panels of judges answered 4 questions in 1 episode; 75% of the judges" in text
    assert "lapse: loop 1" in text
    assert "7 model calls, 1,234 tokens and 0.50 US dollars" in text
    assert "No intervals: an interval needs 10 families, and there is 1 family" in text


@pytest.mark.long
def test_ten_thousand_episodes_make_a_page_of_a_few_megabytes(
    tmp_path: Path, row: Row, by_id: dict[str, Case]
) -> None:
    cases = list(by_id.values())
    rows = [
        row(
            family=f"f{place % 40}",
            scenario=f"s{place % 400}",
            seed=place,
            harm=place % 11,
            agent=f"agent {place % 3}",
            turns=place % 13,
        ).model_copy(update={"case_hash": cases[place % len(cases)].hash})
        for place in range(10_500)
    ]
    text = written(tmp_path, rows, cases)
    assert len(text.encode()) < 4_000_000
    assert text.count('<tr><th scope="row">') > 10_400
    assert "The worst 10,000 of 10,500 episodes." in text
