"""A run that is followed while another process writes it, in a file and in Redis."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing.samples import (
    packed,
    sample_case,
    sample_played,
    sample_run,
    sample_specs,
)
from riskbox.sandbox.viewer.browse import BrowseScreen
from tests.sandbox.stores.conftest import Server
from tests.sandbox.viewer.conftest import Viewing, press, screen_text, until


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.long), "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    """An empty store that several processes may use."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/runs.db"
        return
    server = Server(tmp_path)
    server.start()
    yield server.url
    server.stop()


async def test_a_run_is_followed_while_another_process_writes_it(
    viewing: Viewing, url: str, records: Path, tmp_path: Path
) -> None:
    with open_store(url) as store:
        command = [
            sys.executable,
            "-m",
            "riskbox.sandbox.cli",
            "run",
            str(records),
            "--local",
            "--seeds",
            "300",
        ]
        writer = subprocess.Popen(
            [*command, "--store", url], cwd=tmp_path, env=dict(os.environ), stdout=subprocess.DEVNULL
        )
        try:
            await until(lambda: bool(store.runs()), 60)
            run = store.run()
            async with viewing(run.run, other=store) as (app, pilot):
                browse = app.screen
                assert isinstance(browse, BrowseScreen)
                first = len(browse.shown.ids)
                await until(lambda: len(browse.shown.ids) == run.planned and not browse.is_live, 90)
                assert first < run.planned
                await pilot.pause()
                assert f"{run.planned:,} of {run.planned:,}" in screen_text(app) and "done" in screen_text(
                    app
                )
        finally:
            writer.wait(60)


async def test_the_cursor_stays_on_its_episode_and_a_later_attempt_is_read(
    viewing: Viewing, url: str
) -> None:
    case = sample_case()
    with open_store(url) as store, open_store(url) as writer:
        begun = sample_run([case], seeds=9)
        store.begin(begun, [case], sample_specs([case], seeds=9))
        one, two, three = (sample_played(begun.run, case, seed) for seed in range(3))
        store.write(begun.run, [packed(one), packed(two)])
        async with viewing(begun.run, other=store) as (app, pilot):
            browse = app.screen
            assert isinstance(browse, BrowseScreen) and "live" in screen_text(app)
            await press(app, pilot, "down")
            chosen = browse.shown.chosen
            again = sample_played(begun.run, case, 0, attempt=2, reason="agent_left")
            writer.write(begun.run, [packed(three), packed(again)])
            await until(lambda: len(browse.shown.ids) == 3)
            await pilot.pause()
            assert browse.shown.chosen == chosen
            await until(lambda: (row := browse.shown.row(one.episode.id)) is not None and row.attempt == 2)
            await press(app, pilot, "l")
            assert not browse.is_live and "live" not in screen_text(app).splitlines()[0]
            writer.finish(begun.run, "done")
            await press(app, pilot, "l")
            await until(lambda: not browse.is_live)
            assert "done" in screen_text(app).splitlines()[0]
