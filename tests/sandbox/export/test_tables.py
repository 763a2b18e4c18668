"""CSV and Parquet: the rows of `frames.episodes`, read back by other readers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pyarrow.parquet
import pytest

from riskbox.sandbox.export import csv as table
from riskbox.sandbox.export import frames, parquet
from riskbox.sandbox.export.source import ExportSource

Sources = Callable[..., ExportSource]
PLAYED, HOSTILE = "20260302-090000-aaaa", "20260303-090000-bbbb"


def rows(source: ExportSource) -> list[dict[str, Any]]:
    evaluator = source.chosen.evaluator
    made = frames.episodes(source.store, source.manifest.run, source.chosen.words(), evaluator)
    return [{name: frames.encodable(value) for name, value in row.items()} for row in made]


def as_csv(source: ExportSource) -> bytes:
    out = io.BytesIO()
    assert table.write(source, out) == len(rows(source))
    assert not out.closed
    return out.getvalue()


def as_parquet(source: ExportSource) -> bytes:
    out = io.BytesIO()
    assert parquet.write(source, out) == len(rows(source))
    return out.getvalue()


@pytest.mark.parametrize("run", [PLAYED, HOSTILE])
def test_csv_is_read_back(source: Sources, run: str) -> None:
    read = list(csv.DictReader(io.StringIO(as_csv(source(run)).decode(), newline="")))
    assert len(read) == len(rows(source(run)))
    for one, row in zip(read, rows(source(run)), strict=True):
        assert list(one) == list(row)
        for name, value in row.items():
            cell = one[name]
            match value:
                case None:
                    assert cell == ""
                case bool():
                    assert cell == str(value).lower()
                case list():
                    assert cell == ";".join(value)
                case int() | float():
                    assert type(value)(cell) == value
                case str():
                    assert cell.removeprefix("'") == value.removeprefix("'")


def test_no_cell_is_a_formula(source: Sources) -> None:
    cells = [
        cell for row in csv.reader(io.StringIO(as_csv(source(HOSTILE)).decode(), newline="")) for cell in row
    ]
    assert any(cell.startswith("'=cmd") for cell in cells)
    for cell in cells:
        if cell.startswith(("=", "+", "-", "@", "\t", "\r")):
            float(cell)
    assert [table.cell(text) for text in ("'quoted", "-8", "plain", -8)] == ["''quoted", "'-8", "plain", "-8"]


@pytest.mark.parametrize("run", [PLAYED, HOSTILE])
def test_parquet_is_read_back(source: Sources, run: str) -> None:
    read = pyarrow.parquet.read_table(io.BytesIO(as_parquet(source(run))))
    assert read.to_pylist() == rows(source(run))


def test_columns_have_the_same_types_whatever_is_in_them(
    source: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    schemas = [
        pyarrow.parquet.read_schema(io.BytesIO(as_parquet(one)))
        for one in (source(PLAYED), source(PLAYED, "intent=malicious"), source(HOSTILE))
    ]
    assert schemas[0] == schemas[1] == schemas[2]
    assert (str(schemas[0].field("legal").type), str(schemas[0].field("refused").type)) == ("int64", "bool")


def test_many_rows_are_written_in_groups(source: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "BATCH", 2)
    file = pyarrow.parquet.ParquetFile(io.BytesIO(as_parquet(source(PLAYED))))
    assert file.num_row_groups == -(-len(rows(source(PLAYED))) // 2)
    assert file.read().to_pylist() == rows(source(PLAYED))


def test_another_evaluators_verdicts(source: Sources) -> None:
    read = pyarrow.parquet.read_table(io.BytesIO(as_parquet(source(HOSTILE, evaluator="judge")))).to_pylist()
    assert {(one["evaluator"], one["legal"]) for one in read} == {("judge", -1)}


def test_the_same_store_gives_the_same_bytes(source: Sources) -> None:
    for write in (as_csv, as_parquet):
        assert write(source(HOSTILE)) == write(source(HOSTILE))
