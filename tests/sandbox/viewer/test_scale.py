"""A store of 100,000 episodes: only what is in view is read."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from riskbox.sandbox.contracts.store import Packed, Store, Where
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
)
from riskbox.sandbox.viewer.browse import BrowseScreen
from riskbox.sandbox.viewer.episodes import KEPT, PAGE
from riskbox.sandbox.words.facet import HARM, Order
from tests.sandbox.viewer.conftest import LARGE, Viewing, press, screen_text

MANY = 100_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, str]]:
    """A file with that many rows; their episodes are all the same."""
    case = sample_case()
    run = sample_run([case], seeds=MANY)
    with open_store(f"sqlite:///{tmp_path_factory.mktemp('large')}/runs.db") as store:
        store.begin(run, [case], [])
        kinds = [
            packed(sample_played(run.run, case, assessments=[sample_assessment(value)]))
            for value in (0, -3, -8)
        ]
        for start in range(0, MANY, 5_000):
            batch = [kinds[n % 3] for n in range(start, start + 5_000)]
            store.write(
                run.run,
                [
                    Packed(
                        one.row.model_copy(update={"id": secrets.token_hex(8), "seed": start + n}), one.blob
                    )
                    for n, one in enumerate(batch)
                ],
            )
        store.finish(run.run, "done")
        yield store, run.run


@pytest.mark.long
async def test_a_large_run_is_scrolled_without_being_read(viewing: Viewing, large: tuple[Store, str]) -> None:
    store, run = large
    async with viewing(run, other=store, size=LARGE) as (app, pilot):
        browse = app.screen
        assert isinstance(browse, BrowseScreen)
        assert len(browse.shown.ids) == MANY and len(browse.shown.known) <= 2 * PAGE
        assert f"1 of {MANY:,}" in screen_text(app) and "8 done" in screen_text(app)
        await press(app, pilot, "end")
        assert f"{MANY:,} of {MANY:,}" in screen_text(app) and len(browse.shown.known) <= 4 * PAGE
        last = store.ids(run, Where(), Order(HARM))[-1]
        assert last[:8] in screen_text(app).splitlines()[-3] and "…" not in screen_text(app).splitlines()[-3]
        for _ in range(200):
            await pilot.press("pageup")
        await press(app, pilot, "up")
        assert len(browse.shown.known) <= KEPT
        await press(app, pilot, "slash", *"verdict<=-8 seed<90", "enter")
        assert len(browse.shown.ids) == 30
