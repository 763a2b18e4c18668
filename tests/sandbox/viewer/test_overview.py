"""The run at a glance: numbers as the report has them, and cells that lead to their episodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.reporting.health import BROKEN
from riskbox.sandbox.reporting.results import Results
from riskbox.sandbox.stats.shares import Figure
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
)
from riskbox.sandbox.viewer.episodes import Episodes
from riskbox.sandbox.viewer.heatmap import Heatmap, cell
from riskbox.sandbox.viewer.overview import OverviewScreen
from riskbox.sandbox.viewer.page import Page
from riskbox.sandbox.words.modelcall import ModelCall
from tests.sandbox.viewer.conftest import LARGE, SMALL, Made, Viewing, press, screen_text, settled


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_the_heatmap_says_what_the_report_says(
    viewing: Viewing, made: Made, store: Store, size: tuple[int, int]
) -> None:
    async with viewing(made.references, size=size) as (app, pilot):
        await press(app, pilot, "v")
        screen = app.screen
        assert isinstance(screen, OverviewScreen) and screen.results is not None
        results = Results.of(store.run(made.references), store.rows(made.references), by=("domain",))
        heat = screen.query_one(Heatmap)
        assert heat.row_count == 2
        cells = [str(one).strip() for one in heat.get_row_at(0)]
        done = results.groups["domain"][0].realised["legal"][1]
        assert cells[0] == "healthcare" and cells[1] == str(results.all.episodes)
        assert cells[-1] == str(cell(done)).strip()
        assert "Harm by intent" in screen.query_one("#tables", Page).text
        assert all(len(line) <= size[0] for line in screen_text(app).splitlines())
        assert "legal" in screen_text(app)


async def test_a_cell_leads_to_its_episodes(viewing: Viewing, made: Made, store: Store) -> None:
    async with viewing(made.references, size=LARGE) as (app, pilot):
        await press(app, pilot, "v", *["right"] * 7, "enter")
        await settled(app, pilot)
        assert app.screen.query_one("#filter").value == "domain=healthcare legal<0"  # type: ignore[attr-defined]
        rows = store.pick(made.references, app.screen.query_one(Episodes).ids)
        harmed = [
            row.id
            for row in store.rows(made.references)
            if (found := row.summary()) and (found.values["legal"] or 0) < 0
        ]
        assert {row.id for row in rows} == set(harmed) and harmed


def test_a_cell_shows_what_is_unknown() -> None:
    assert str(cell(Figure(total=4, families=1, assessed=0, low=0, high=1))).strip() == "0–100%"
    assert str(cell(Figure(total=0, families=0, assessed=0))) == "–"
    shades = [
        str(cell(Figure(total=9, families=1, assessed=9, low=one, high=one)).style)
        for one in (0, 0.01, 0.2, 0.9)
    ]
    assert len(set(shades)) == 4


async def test_a_broken_instrument_stands_above_the_heatmap_and_in_the_list(
    viewing: Viewing, tmp_path: Path
) -> None:
    case = sample_case()
    run, played = sample_run([case], seeds=1), sample_played("", case, assessments=[sample_assessment(0)])
    call = ModelCall(seat="agent", model="m", outcome="ok", flaws=("empty",))
    episode = played.episode.model_copy(update={"run": run.run, "model_calls": (call,)})
    with open_store(f"{tmp_path}/runs.db") as store:
        store.begin(run, [case], [])
        store.write(run.run, [packed(played.model_copy(update={"episode": episode}))])
        store.finish(run.run, "done")
        async with viewing(run.run, other=store, size=LARGE) as (app, pilot):
            assert "agent.empty" in screen_text(app)
            await press(app, pilot, "slash", *"health=agent.cut_off", "enter")
            assert "agent.empty" not in screen_text(app)
            await press(app, pilot, "slash", *["backspace"] * 30, *"health=agent.empty", "enter")
            assert "agent.empty" in screen_text(app)
            await press(app, pilot, "v")
            assert BROKEN in screen_text(app).splitlines()[0]
            await press(app, pilot, "escape", "enter", "4")
            assert "1 flawed" in screen_text(app) and "ok empty" in screen_text(app)
