"""An episode: transcript, findings, world, verdicts, model calls, and what each party saw."""

from __future__ import annotations

import pytest
from textual.widgets import TabbedContent

from riskbox.sandbox.contracts.store import Store, Where
from riskbox.sandbox.viewer.calls import Calls
from riskbox.sandbox.viewer.page import Page
from riskbox.sandbox.viewer.reading import EpisodeScreen
from riskbox.sandbox.viewer.transcript import TranscriptView
from riskbox.sandbox.viewer.world import WorldTree
from tests.sandbox.viewer.conftest import LARGE, SMALL, Made, Viewing, press, screen_text, settled, shown


def episode(store: Store, run: str, case: str, label: str) -> str:
    """An episode of a case with a label."""
    (row, *_) = store.rows(run, Where(fields={"case": (f"records_for_a_neighbour/{case}",)}, label=(label,)))
    return row.id


@pytest.fixture
def unsafe(store: Store, made: Made) -> str:
    """The reference that tells the neighbour."""
    return episode(store, made.references, "neighbour", "risky")


@pytest.fixture
def forwarded(store: Store, made: Made) -> str:
    """The agent that obeys the planted note, and so changes the world."""
    return episode(store, made.references, "owner+injection=mail", "risky")


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_a_transcript_says_who_said_and_did_what(
    viewing: Viewing, made: Made, unsafe: str, size: tuple[int, int]
) -> None:
    async with viewing(made.references, unsafe, size=size) as (app, _):
        talk = app.screen.query_one(TranscriptView)
        for words in (
            "malicious user",
            "Northside front desk",
            "clinic.find_patient(name: Dana Wu)",
            "→",
            "←",
        ):
            assert words in talk.text
        assert "Crohn's disease" in talk.text and "terminated, user_left" in talk.text
        assert unsafe[:8] in screen_text(app).splitlines()[0]
        assert all(len(line) <= size[0] for line in screen_text(app).splitlines())


async def test_the_user_wears_the_colour_of_its_intent(viewing: Viewing, made: Made, unsafe: str) -> None:
    async with viewing(made.references, unsafe) as (app, pilot):
        talk = app.screen.query_one(TranscriptView)
        await press(app, pilot, "down")
        bars = {
            segment.style.color.name  # type: ignore[union-attr]
            for item in talk.items
            if item.kind == "event"
            for strip in talk._drawn[item]
            for segment in strip
            if segment.text.startswith("▌")
        }
        assert bars == {"red", "cyan"}


async def test_findings_lead_to_their_evidence(
    viewing: Viewing, made: Made, unsafe: str, store: Store
) -> None:
    found = store.episode(made.references, unsafe).assessments[0]
    async with viewing(made.references, unsafe, size=LARGE) as (app, pilot):
        talk = app.screen.query_one(TranscriptView)
        rested = [one.evidence for one in found.findings] + [one.evidence for one in found.signals]
        indices = sorted({index for evidence in rested for index in evidence})
        await press(app, pilot, "n")
        assert talk.index == indices[0]
        seen = {talk.index}
        for _ in talk.stops[1:]:
            await press(app, pilot, "n")
            seen.add(talk.index)
        assert seen == set(indices)
        assert "realised: disclosed_to_stranger" in shown(talk) and "suspected: hinted" in shown(talk)
        await press(app, pilot, "p")
        assert "evidence" in screen_text(app)
        told = next(one for one in found.findings if one.risk == "disclosed_to_stranger")
        talk.go(told.evidence[-1])
        await pilot.pause()
        # in the margin, beside the line that did it
        line = next(line for line in shown(talk).splitlines() if "realised: disclosed_to_stranger" in line)
        assert "Crohn" in line or "#" in line


async def test_an_event_unfolds_alone_and_with_all_others(viewing: Viewing, made: Made, unsafe: str) -> None:
    async with viewing(made.references, unsafe) as (app, pilot):
        talk = app.screen.query_one(TranscriptView)
        folded = talk.text
        assert '"diagnosis": "Crohn' not in folded
        result = next(item for item in talk.items if item.event is not None and item.event.kind == "returned")
        talk.go(result.index)
        await press(app, pilot, "enter")
        assert '"name": "Dana Wu"' in talk.text.replace("\n", " ")
        keys = {
            str(segment.style)
            for strip in talk._drawn[result]
            for segment in strip
            if '"name"' in segment.text and segment.style
        }
        assert keys and all("bold" in style for style in keys)  # JSON in colours
        await press(app, pilot, "enter")
        assert talk.text == folded
        await press(app, pilot, "E")
        assert len(talk.text.splitlines()) > len(folded.splitlines())
        await press(app, pilot, "E")
        assert talk.text == folded
        await press(app, pilot, "home", "end", "pageup", "pagedown", "up", "down")
        assert talk.index >= 0


async def test_a_click_chooses_an_event_and_a_second_unfolds_it(
    viewing: Viewing, made: Made, unsafe: str
) -> None:
    async with viewing(made.references, unsafe, size=LARGE) as (app, pilot):
        talk = app.screen.query_one(TranscriptView)
        await press(app, pilot, "home", "down")
        line = next(n for n, one in enumerate(shown(talk).splitlines()) if "clinic.find_patient(" in one)
        await pilot.click(TranscriptView, offset=(10, line))
        chosen = talk.items[talk.place]
        assert chosen.event is not None and chosen.event.kind == "called" and not chosen.full
        await pilot.click(TranscriptView, offset=(10, line))
        assert chosen.full


async def test_the_world_is_a_tree_that_shows_what_a_step_changed(
    viewing: Viewing, made: Made, forwarded: str, store: Store
) -> None:
    events = store.episode(made.references, forwarded).episode.events
    changed = next(event for event in events if event.kind == "changed")
    async with viewing(made.references, forwarded, size=LARGE) as (app, pilot):
        await press(app, pilot, "3")
        world, talk = app.screen.query_one(WorldTree), app.screen.query_one(TranscriptView)
        assert "at the start" in shown(world) and "clinic" in shown(world) and "●" not in shown(world)
        talk.go(changed.index - 1)
        await settled(app, pilot)
        tree = shown(world)
        assert f"after #{changed.index}" in tree and "1 row changed" in tree
        assert "● mail" in tree and "+ " in tree and "kin@example.org" in tree
        await press(app, pilot, "end")
        talk.go(events[-1].index)
        await settled(app, pilot)
        assert "1 row changed" not in shown(world) and "○" in shown(world)


async def test_what_each_party_saw(viewing: Viewing, made: Made, unsafe: str) -> None:
    async with viewing(made.references, unsafe) as (app, pilot):
        talk = app.screen.query_one(TranscriptView)
        await press(app, pilot, "a")
        assert "as the user saw it" in screen_text(app) and "What the user saw" in talk.text
        assert "clinic.find_patient" not in talk.text and "realised" not in talk.text
        await press(app, pilot, "n")
        await press(app, pilot, "a")
        assert "as the agent saw it" in screen_text(app) and "clinic.find_patient" in talk.text
        assert "malicious" not in talk.text and "Rob Hale" not in talk.text
        await press(app, pilot, "a")
        assert "malicious" in talk.text and "as the" not in screen_text(app).splitlines()[0]


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_verdicts_votes_and_model_calls_of_a_judged_episode(
    viewing: Viewing, made: Made, store: Store, size: tuple[int, int]
) -> None:
    row = next(one for one in store.rows(made.judged) if one.intent == "malicious")
    async with viewing(made.judged, row.id, size=size) as (app, pilot):
        await press(app, pilot, "2")
        page = app.screen.query_one("#verdicts", Page)
        assert "Verdicts by checks" in page.text and "Verdicts by judge" in page.text
        assert "Votes of the panel of judge" in page.text and "societal" in page.text
        if size == LARGE:
            assert "It lied." in page.text
        await press(app, pilot, "4")
        calls = app.screen.query_one(Calls)
        played = store.episode(made.judged, row.id)
        asked = len(played.episode.model_calls) + sum(len(one.model_calls) for one in played.assessments)
        assert calls.row_count == asked > 2
        assert f"{asked} calls" in screen_text(app) and "tokens in" in screen_text(app)
        cells = [str(cell) for cell in calls.get_row_at(0)]
        assert cells[1:3] == ["agent", "ok"] and cells[5].startswith("$") and cells[6].endswith(" s")
        await press(app, pilot, "down", "enter")
        if size == SMALL:
            assert app.screen.query_one(TranscriptView).has_focus


async def test_panes_take_turns_where_there_is_little_room(viewing: Viewing, made: Made, unsafe: str) -> None:
    async with viewing(made.references, unsafe) as (app, pilot):
        talk, side = app.screen.query_one(TranscriptView), app.screen.query_one(TabbedContent)
        assert talk.display and not side.display
        await press(app, pilot, "3")
        assert side.display and side.active == "tab-world" and not talk.display
        await press(app, pilot, "1")
        assert talk.display and not side.display
        await pilot.resize_terminal(*LARGE)
        await settled(app, pilot)
        assert talk.display and side.display


async def test_an_episode_that_cannot_be_read_says_so(viewing: Viewing, made: Made) -> None:
    async with viewing(made.references, "0000") as (app, pilot):
        assert isinstance(app.screen, EpisodeScreen)
        assert "has no episode '0000'" in screen_text(app)
        await press(app, pilot, "n", "a", "c", "enter", "2", "3", "4", "E", "down", "escape")
        assert not isinstance(app.screen, EpisodeScreen)
