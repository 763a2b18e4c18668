"""Episodes that are being played, in the list and on their screen, through a real Redis server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from riskbox.sandbox.contracts.live import LiveFeed, News
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.reporting.screen import write_picture
from riskbox.sandbox.stores import open_feed, open_store
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
    sample_specs,
)
from riskbox.sandbox.viewer.browse import BrowseScreen
from riskbox.sandbox.viewer.reading import EpisodeScreen
from riskbox.sandbox.viewer.transcript import TranscriptView
from riskbox.sandbox.words.event import Event, Said
from riskbox.sandbox.words.playing import Playing
from riskbox.sandbox.words.run import Spec
from tests.sandbox.playing import playing
from tests.sandbox.stores.conftest import Server
from tests.sandbox.viewer.conftest import LARGE, SMALL, Viewing, press, screen_text, until
from tests.sandbox.viewer.test_pictures import KEPT, NEW, RUN, said

CASES = [sample_case(persona="owner"), sample_case(persona="neighbour")]
SPECS = sample_specs(CASES, seeds=2)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def played(server: Server) -> Iterator[Store]:
    """A run of which one episode is stored."""
    run = sample_run(CASES, seeds=2).model_copy(update={"run": RUN, "created": "2026-03-02T09:00:00+00:00"})
    with open_store(server.url) as store:
        store.begin(run, CASES, SPECS)
        store.write(RUN, [packed(sample_played(RUN, CASES[0], 0, assessments=[sample_assessment(0)]))])
        yield store


@pytest.fixture
def feed(server: Server) -> Iterator[LiveFeed]:
    feed = open_feed(server.url)
    yield feed
    feed.close()


def talk(first: int, last: int) -> list[Event]:
    """What user and agent say in turn; the agent's words try to be more than text."""
    both = ("agent", "user")
    return [
        Said(index=n, time=20 * n, audience=both, by=both[(n + 1) % 2], text=f"Line {n} [red]\x1b[31m\u202e.")
        for n in range(first, last)
    ]


def news(spec: Spec, events: list[Event], *, attempt: int = 1) -> News:
    case = next(one for one in CASES if one.hash == spec.case)
    turn = events[-1].index + 1 if events else 0
    return News(
        Playing(spec=spec, case=case.id, attempt=attempt, turn=turn, since=float(spec.seed), host="worker-7"),
        events,
    )


async def test_what_is_played_stands_above_what_is_stored_and_its_transcript_grows(
    viewing: Viewing, played: Store, feed: LiveFeed
) -> None:
    feed.publish(RUN, "w", [news(SPECS[2], talk(0, 2)), news(SPECS[3], [], attempt=2)])
    async with viewing(RUN, other=played) as (app, pilot):
        browse = app.screen
        assert isinstance(browse, BrowseScreen)
        await until(lambda: len(browse.shown.ids) == 3)
        await pilot.pause()
        lines = screen_text(app).splitlines()
        assert "▶ 2 playing" in lines[0] and "1 of 4" in lines[0]
        assert "▶ turn 2" in lines[3] and "neighbour" in lines[3] and SPECS[2].id[:8] in lines[3]
        assert "▶ turn 0" in lines[4]
        await press(app, pilot, "home", "enter")
        screen = app.screen
        assert isinstance(screen, EpisodeScreen)
        view = screen.query_one(TranscriptView)
        await until(lambda: "Line 1" in view.text)
        assert "▶ live" in screen_text(app) and "being played on worker-7" in view.text
        assert "\x1b" not in view.text and "\u202e" not in view.text and "[red]" in view.text
        # the cursor on the last event goes along; elsewhere it stays
        await press(app, pilot, "end")
        feed.publish(RUN, "w", [news(SPECS[2], talk(2, 4))])
        await until(lambda: "Line 3" in view.text)
        assert view.index == 3
        await press(app, pilot, "up", "enter")
        feed.publish(RUN, "w", [news(SPECS[2], talk(4, 5))])
        await until(lambda: "Line 4" in view.text)
        assert view.index == 2 and [one.index for one in view.items if one.full] == [2]
        # a later attempt begins anew
        feed.publish(RUN, "w2", [news(SPECS[2], talk(0, 1), attempt=2)])
        await until(lambda: "Line 4" not in view.text and "attempt 2" in screen_text(app))
        await press(app, pilot, "c", "3", "a", "1")
        done = sample_played(RUN, CASES[1], 0, attempt=2, assessments=[sample_assessment(-8)])
        played.write(RUN, [packed(done)])
        await until(lambda: "When do you open?" in view.text)
        await pilot.pause()
        assert "▶ live" not in screen_text(app) and screen.following is None
        await press(app, pilot, "escape")
        await until(lambda: browse.played == 1)
        # who looks at some of the episodes sees those
        await press(app, pilot, "slash", *"seed=0", "enter")
        await until(lambda: not browse.shown.playing)
        assert len(browse.shown.ids) == 2
        await press(app, pilot, "escape")
        await until(lambda: len(browse.shown.playing) == 1)
        played.finish(RUN, "stopped")
        await until(lambda: not browse.is_live and not browse.shown.playing)


async def test_who_reads_when_the_run_stops_is_told(viewing: Viewing, played: Store, feed: LiveFeed) -> None:
    feed.publish(RUN, "w", [news(SPECS[1], talk(0, 2))])
    async with viewing(RUN, SPECS[1].id, other=played) as (app, _):
        await until(lambda: "Line 1" in screen_text(app))
        played.finish(RUN, "stopped")
        await until(lambda: "The run stopped before this episode ended" in screen_text(app))


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=lambda size: "{}x{}".format(*size))
@pytest.mark.parametrize(("name", "keys"), [("playing", ["home"]), ("live", ["home", "enter"])])
async def test_a_screen_of_what_is_played_is_as_it_was(
    viewing: Viewing,
    played: Store,
    feed: LiveFeed,
    tmp_path: Path,
    name: str,
    keys: list[str],
    size: tuple[int, int],
) -> None:
    kept = KEPT / f"{name}-{size[0]}x{size[1]}.svg"
    drawn = kept if NEW else tmp_path / kept.name
    feed.publish(RUN, "w", [news(SPECS[2], talk(0, 4)), news(SPECS[3], talk(0, 1))])
    async with viewing(RUN, other=played, size=size) as (app, pilot):
        browse = app.screen
        assert isinstance(browse, BrowseScreen)
        await until(lambda: len(browse.shown.ids) == 3)
        await press(app, pilot, *keys)
        if name == "live":
            await until(lambda: "Line 3" in screen_text(app))
        write_picture(app.export_screenshot(title="riskbox view"), str(drawn))
    assert said(drawn) == said(kept)


@pytest.mark.long
async def test_a_run_in_another_process_is_watched_to_its_verdict(
    viewing: Viewing, server: Server, tmp_path: Path, records: Path
) -> None:
    folder = tmp_path / "player"
    folder.mkdir()
    words = (records, "--local", "--store", server.url, "--persona", "neighbour", "--variant", "none")
    with playing(folder, *words) as player, open_store(server.url) as store:
        feed = store.live()
        assert feed is not None
        await until(lambda: bool(store.runs() and feed.playing(store.run().run)), 60)
        async with viewing(store.run().run, other=store) as (app, pilot):
            browse = app.screen
            assert isinstance(browse, BrowseScreen)
            await until(lambda: bool(browse.shown.playing))
            await press(app, pilot, "home", "enter")
            view = app.screen.query_one(TranscriptView)
            await until(lambda: "treated for" in view.text)
            player.answer(1)
            await until(lambda: "Answer [bold]1[/]" in view.text)
            player.answer(2)
            await until(lambda: "▶ live" not in screen_text(app))
            assert "Answer [bold]2[/]" in view.text and "user_left" in view.text
        assert player.finish()[0] == 0
