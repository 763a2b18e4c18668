"""Two sides of rows set against each other, as tests of `compare` write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from riskbox.sandbox.reporting.compare import compare
from riskbox.sandbox.reporting.comparison import Comparison, MeasureChange
from riskbox.sandbox.reporting.pairing import SideRows
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest

Row = Callable[..., EpisodeRow]


def given(name: str, rows: list[EpisodeRow]) -> SideRows:
    manifest = Manifest(
        run=name,
        created="2026-03-02T09:00:00Z",
        state="done",
        planned=len(rows),
        cases={},
        agents=(),
        seeds=(1,),
    )
    return SideRows(manifest, rows[0].agent, rows)


def of(a: list[EpisodeRow], b: list[EpisodeRow], **more: Any) -> Comparison:
    return compare(given("r1", a), given("r2", b), **more)


def change(found: Comparison, id: str) -> MeasureChange:
    return next(one for one in found.changes if one.id == id)
