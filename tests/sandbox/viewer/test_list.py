"""The list of episodes: what is shown, filtered, sorted, searched and opened, by keys and by mouse."""

from __future__ import annotations

import pytest
from textual.widgets import Input, Static

from riskbox.sandbox.contracts.store import Store, Where
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing.samples import sample_case, sample_run, sample_specs
from riskbox.sandbox.viewer.browse import BrowseScreen
from riskbox.sandbox.viewer.episodes import Episodes
from riskbox.sandbox.viewer.keys import Help
from riskbox.sandbox.viewer.reading import EpisodeScreen
from riskbox.sandbox.viewer.transcript import TranscriptView
from riskbox.sandbox.words.event import Said
from riskbox.sandbox.words.facet import HARM, Order
from tests.sandbox.viewer.conftest import LARGE, SMALL, Made, Viewing, press, screen_text, settled


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_the_worst_episode_comes_first(
    viewing: Viewing, made: Made, store: Store, size: tuple[int, int]
) -> None:
    async with viewing(made.references, size=size) as (app, _):
        text = screen_text(app)
        rows = store.pick(made.references, store.ids(made.references, Where(), Order(HARM)))
        assert rows[0].summary().targeted == "risky"  # type: ignore[union-attr]
        lines = text.splitlines()
        first = next(n for n, line in enumerate(lines) if "episode" in line and "harm" in line)
        assert rows[0].id[:8] in lines[first + 1] and "8 done" in lines[first + 1]
        assert rows[-1].id[:8] in text
        assert (
            made.references in lines[0] and f"{len(rows)} of {len(rows)}" in lines[0] and "risky" in lines[0]
        )
        assert "filter" in lines[-1] and "? help" in lines[-1]
        assert all(len(line) <= size[0] for line in lines)
        assert ("health" in lines[first]) == (size == LARGE)


async def test_a_filter_is_typed_completed_and_taken_back(viewing: Viewing, made: Made, store: Store) -> None:
    async with viewing(made.references) as (app, pilot):
        everything = len(app.screen.query_one(Episodes).ids)
        await press(app, pilot, "slash", *"int")
        assert "intent=" in screen_text(app)
        await press(app, pilot, "right", *"mal", "right", "enter")
        assert app.screen.query_one("#filter", Input).value == "intent=malicious"
        fitting = store.count(made.references, Where(fields={"intent": ("malicious",)}))
        assert 0 < len(app.screen.query_one(Episodes).ids) == fitting < everything
        assert f"1 of {fitting}" in screen_text(app)
        await press(app, pilot, "slash", *" label=rsky", "enter")
        assert "no label is 'rsky'. Did you mean 'risky'?" in screen_text(app)
        assert len(app.screen.query_one(Episodes).ids) == fitting
        await press(app, pilot, "escape", "escape")
        assert len(app.screen.query_one(Episodes).ids) == everything
        await press(app, pilot, "slash", *"agent=nobody", "enter")
        assert "no episode matches" in screen_text(app)
        await press(app, pilot, "enter", "end", "n")  # nothing to open, nothing breaks


async def test_rows_are_sorted_by_a_chosen_field_and_by_a_click(
    viewing: Viewing, made: Made, store: Store
) -> None:
    async with viewing(made.references, size=LARGE) as (app, pilot):
        await press(app, pilot, "o", "down", "down", "down", "enter")  # harm, stored, id, case
        shown = app.screen.query_one(Episodes)
        assert shown.order == Order("case") and list(shown.ids) == store.ids(
            made.references, Where(), Order("case")
        )
        await press(app, pilot, "O")
        assert list(shown.ids) == store.ids(made.references, Where(), Order("case", True))
        head = shown.render_line(0).text
        await pilot.click(Episodes, offset=(head.index("seed"), 0))
        await settled(app, pilot)
        assert shown.order == Order("seed") and "seed▲" in shown.render_line(0).text
        await pilot.click(Episodes, offset=(head.index("seed"), 0))
        await settled(app, pilot)
        assert shown.order == Order("seed", True)


async def test_an_episode_is_opened_by_key_and_by_mouse(viewing: Viewing, made: Made) -> None:
    async with viewing(made.references) as (app, pilot):
        shown = app.screen.query_one(Episodes)
        await press(app, pilot, "down", "enter")
        assert isinstance(app.screen, EpisodeScreen) and shown.ids[1][:8] in screen_text(app)
        await press(app, pilot, "right_square_bracket")
        assert shown.ids[2][:8] in screen_text(app).splitlines()[0]
        await press(app, pilot, "escape")
        assert shown.cursor == 2
        await pilot.click(Episodes, offset=(5, 1))
        await pilot.click(Episodes, offset=(5, 1))
        await settled(app, pilot)
        assert isinstance(app.screen, EpisodeScreen) and shown.ids[0][:8] in screen_text(app)


async def test_transcripts_are_searched_and_the_place_is_shown(viewing: Viewing, made: Made) -> None:
    async with viewing(made.references) as (app, pilot):
        browse = app.screen
        assert isinstance(browse, BrowseScreen)
        everything = list(browse.shown.ids)
        await press(app, pilot, "s", *"PLEASE CALL 911", "enter")
        assert 0 < len(browse.shown.ids) < len(everything)
        assert f"{len(browse.shown.ids)} of {len(everything)} contain" in screen_text(app)
        await press(app, pilot, "enter")
        screen = app.screen
        assert isinstance(screen, EpisodeScreen) and screen.played is not None
        at = screen.played.episode.events[screen.query_one(TranscriptView).index]
        assert isinstance(at, Said) and "please call 911" in at.text
        assert "said, seen by" in screen_text(app)
        await press(app, pilot, "escape", "escape")
        assert list(browse.shown.ids) == everything and browse.sought == ""
        await press(app, pilot, "s", *"no such words", "enter")
        assert list(browse.shown.ids) == [] and f"0 of {len(everything)} contain" in screen_text(app)


async def test_a_search_stops_when_it_is_told_to(viewing: Viewing, made: Made) -> None:
    async with viewing(made.references) as (app, pilot):
        browse = app.screen
        assert isinstance(browse, BrowseScreen)
        browse.seek("visit")
        await pilot.pause()
        await press(app, pilot, "escape")
        browse.hits = []
        await press(app, pilot, "escape")
        assert not [one for one in app.workers if one.group == "seek"]
        assert len(browse.shown.ids) == browse.total


async def test_another_run_is_chosen(viewing: Viewing, made: Made) -> None:
    async with viewing(made.judged) as (app, pilot):
        await press(app, pilot, "r")
        assert made.references in screen_text(app) and "refs" in screen_text(app)
        await press(app, pilot, "down", "enter")
        assert made.references in screen_text(app).splitlines()[0]


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_help_lists_every_key_and_field(viewing: Viewing, made: Made, size: tuple[int, int]) -> None:
    async with viewing(made.references, size=size) as (app, pilot):
        await press(app, pilot, "question_mark")
        assert isinstance(app.screen, Help)
        for words in ("search the transcripts", "jump to the evidence", "over_refused", "dismissed"):
            page = app.screen.query_one("Page").text  # type: ignore[attr-defined]
            assert (words in page) == (words != "dismissed")
        await press(app, pilot, "escape")
        assert isinstance(app.screen, BrowseScreen)


async def test_a_run_without_episodes(viewing: Viewing, tmp_path: object) -> None:
    with open_store(f"sqlite:///{tmp_path}/empty.db") as empty:
        case = sample_case()
        begun = sample_run([case])
        empty.begin(begun, [case], sample_specs([case]))
        empty.finish(begun.run, "stopped")
        async with viewing(begun.run, other=empty) as (app, pilot):
            assert "no episode is stored yet" in screen_text(app) and "stopped" in screen_text(app)
            await press(app, pilot, "enter", "down", "pagedown", "end")
            await press(app, pilot, "v")
            assert "0 of 1 episode" in app.screen.query_one("#tables").text  # type: ignore[attr-defined]


async def test_a_store_that_fails_says_so(viewing: Viewing, made: Made) -> None:
    with open_store(made.url, create=False) as other:
        async with viewing(made.references, other=other) as (app, pilot):
            other.close()
            await press(app, pilot, "o", "down", "enter")
            assert "closed" in str(app.screen.query_one("#told", Static).render())
