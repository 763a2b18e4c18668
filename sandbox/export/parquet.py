"""Parquet: a row an episode, the columns of `frames.episodes`, typed."""

from __future__ import annotations

from itertools import islice
from typing import Any, BinaryIO

from riskbox.sandbox.errors import InputError, install_hint
from riskbox.sandbox.export.frames import encodable, episodes
from riskbox.sandbox.export.source import ExportSource

BATCH = 5000
"""Rows written at once: one row group."""


def write(source: ExportSource, out: BinaryIO) -> int:
    """Write the rows; how many is returned.

    Raises:
        InputError: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow.parquet import ParquetWriter
    except ImportError:
        raise InputError(f"export parquet: pyarrow is not installed. {install_hint('parquet')}") from None
    table = episodes(source.store, source.manifest.run, source.chosen.words(), source.chosen.evaluator)
    types = {
        "str": pyarrow.string(),
        "int": pyarrow.int64(),
        "float": pyarrow.float64(),
        "bool": pyarrow.bool_(),
        "list[str]": pyarrow.list_(pyarrow.string()),
    }
    schema: Any = pyarrow.schema([(name, types[kind]) for name, kind in table.columns.items()])
    many, rows = 0, iter(table)
    with ParquetWriter(out, schema, compression="zstd") as writer:
        while batch := list(islice(rows, BATCH)):
            plain = [{name: encodable(value) for name, value in row.items()} for row in batch]
            writer.write_table(pyarrow.Table.from_pylist(plain, schema))
            many += len(batch)
    return many
