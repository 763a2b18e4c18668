"""Flat tables: every row there is, the same columns and types whatever is in them, in pandas and polars alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas
import polars
import pytest

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import InputError, UnknownName
from riskbox.sandbox.export import frames
from riskbox.sandbox.export.columns import EpisodeFields, ModelCallFields
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
)
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.event import Opaque
from riskbox.sandbox.words.modelcall import ModelCall
from riskbox.sandbox.words.row import EpisodeRow

Tables = Callable[..., "frames.ExportTable[Any]"]
NAMES = ("episodes", "verdicts", "findings", "model_calls", "events")
COUNTED = {"str": str, "int": int, "float": float, "bool": bool, "list[str]": list, "list[int]": list}


@pytest.fixture
def store(tmp_path: Path, by_id: dict[str, Case], played: Callable[..., Played]) -> Iterator[Store]:
    """A run in which code and models played, and one in which nothing happened yet."""
    cases = [by_id["neighbour"], sample_case()]
    made = sample_run(cases, name="played")
    references = [played(cases[0], f"reference:{place}") for place, _ in cases[0].references]
    episodes = [
        one.model_copy(update={"episode": one.episode.model_copy(update={"run": made.run})})
        for one in references
    ]
    call = ModelCall(seat="judge", purpose="told_who_called", model="a/b", outcome="ok", output_tokens=7)
    judged = sample_assessment(None, evaluator="judge", model="a/b").model_copy(
        update={"model_calls": (call,)}
    )
    odd = sample_played(made.run, cases[1], text="lone \ud83d", assessments=[sample_assessment(0), judged])
    later = Opaque(kind="sang", index=0, audience=("agent",), melody="la")
    own = ModelCall(seat="agent", model="c/d", outcome="refused", detail="no \udcff", cost=0.5)
    odd = odd.model_copy(
        update={
            "episode": odd.episode.model_copy(
                update={"model_calls": (own,), "events": (later, *odd.episode.events[1:])}
            )
        }
    )
    with open_store(f"sqlite:///{tmp_path / 'runs.db'}") as opened:
        opened.begin(made, cases, [])
        opened.write(made.run, [packed(one) for one in (*episodes, odd)])
        opened.begin(sample_run([sample_case()], name="empty"), [], [])
        yield opened


def table(store: Store, name: str, run: str = "played", *where: str) -> frames.ExportTable[Any]:
    made: frames.ExportTable[Any] = getattr(frames, name)(store, run, where)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_rows_have_the_columns_they_say(store: Store, name: str) -> None:
    made = table(store, name)
    rows = list(made)
    assert rows and rows == list(made)  # it is read anew
    for row in rows:
        assert list(row) == list(made.columns)
        for column, kind in made.columns.items():
            assert row[column] is None or type(row[column]) is COUNTED[kind], (column, row[column])


def test_every_field_of_a_row_is_a_column() -> None:
    renamed = {"version", "id", "summaries", "tool_calls"}  # `tool_calls` is the column `calls`
    assert set(EpisodeRow.model_fields) - renamed <= set(EpisodeFields.__annotations__)
    assert set(ModelCall.model_fields) <= set(ModelCallFields.__annotations__)


def test_tables_hold_what_the_episodes_hold(store: Store) -> None:
    played = [store.episode(row.run, row.id) for row in store.rows(store.run("played").run)]
    assert len(list(table(store, "episodes"))) == len(played)
    assert len(list(table(store, "events"))) == sum(len(one.episode.events) for one in played)
    by_all = [by for one in played for by in one.assessments]
    assert len(list(table(store, "verdicts"))) == sum(len(by.verdicts) for by in by_all)
    found = [(row["risk"], row["severity"], row["evidence"]) for row in table(store, "findings")]
    assert found == [(one.risk, one.severity, list(one.evidence)) for by in by_all for one in by.findings]
    assert [(row["seat"], row["evaluator"]) for row in table(store, "model_calls")] == [
        ("agent", None),
        ("judge", "judge"),
    ]


def test_events_of_a_later_release_are_kept(store: Store) -> None:
    [odd] = [row for row in table(store, "events") if row["kind"] == "sang"]
    assert (odd["detail"], odd["audience"], odd["text"]) == ('{"melody":"la"}', ["agent"], None)


def test_arguments_and_results_are_json(store: Store) -> None:
    rows = [row for row in table(store, "events") if row["kind"] == "called"]
    assert rows and all(row["arguments"].startswith("{") for row in rows)
    assert all(row["result"] for row in table(store, "events") if row["kind"] == "returned")


def test_rows_are_chosen(store: Store) -> None:
    assert {row["intent"] for row in table(store, "episodes", "played", "intent=malicious")} == {"malicious"}
    chosen = {
        row["episode"] for row in table(store, "episodes", "played", "ending=terminated", "agent=reference:0")
    }
    assert {row["episode"] for row in table(store, "events", "played", "agent=reference:0")} == chosen
    with pytest.raises(InputError, match="Did you mean 'intent'"):
        table(store, "findings", "played", "intnet=benign")
    with pytest.raises(UnknownName):
        table(store, "events", "nonsense")


def test_another_evaluator(store: Store) -> None:
    judged = [row for row in frames.episodes(store, "played", evaluator="judge") if row["evaluator"]]
    assert [(row["evaluator"], row["legal"]) for row in judged] == [("judge", None)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_frames_hold_the_rows(store: Store, name: str, kind: Any) -> None:
    made, rows = frames.frame(table(store, name), kind), list(table(store, name))
    assert list(made.columns) == list(rows[0]) and len(made) == len(rows)
    read = (
        made.to_dicts()
        if kind == "polars"
        else made.astype(object).where(made.notna(), None).to_dict("records")
    )
    assert read == [{key: frames.encodable(value) for key, value in row.items()} for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_types_do_not_hang_on_what_is_in_them(store: Store, name: str) -> None:
    full, empty = (frames.frame(table(store, name, run), "polars") for run in ("played", "empty"))
    assert isinstance(full, polars.DataFrame) and full.schema == empty.schema and not len(empty)
    full, empty = (frames.frame(table(store, name, run), "pandas") for run in ("played", "empty"))
    assert isinstance(full, pandas.DataFrame) and list(full.dtypes) == list(empty.dtypes) and not len(empty)


def test_text_that_is_no_unicode_is_named(store: Store) -> None:
    calls = frames.frame(table(store, "model_calls"), "polars")
    assert calls["detail"][0] == r"no \udcff"
    assert calls["cost"].to_list() == [0.5, None]


def test_an_unknown_kind_is_an_error(store: Store) -> None:
    with pytest.raises(InputError, match="Did you mean 'polars'"):
        frames.frame(table(store, "episodes"), "polar")  # type: ignore[arg-type]
