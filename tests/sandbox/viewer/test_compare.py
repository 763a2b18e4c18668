"""Two episodes side by side: which are offered, where they first differ, and what stands beside what."""

from __future__ import annotations

import pytest

from riskbox.sandbox.contracts.store import Store, Where
from riskbox.sandbox.viewer.compare import CompareScreen
from riskbox.sandbox.viewer.pairing import counterparts, parting
from riskbox.sandbox.viewer.transcript import TranscriptView
from tests.sandbox.viewer.conftest import LARGE, SMALL, Made, Viewing, press, screen_text
from tests.sandbox.viewer.test_episode import episode


@pytest.fixture
def unsafe(store: Store, made: Made) -> str:
    """The reference that tells the neighbour."""
    return episode(store, made.references, "neighbour", "risky")


def test_counterparts_are_sensible_and_the_telling_ones_come_first(
    store: Store, made: Made, unsafe: str
) -> None:
    (row,) = store.pick(made.references, [unsafe])
    found = counterparts(store, row)
    ways = [one.way for one in found]
    assert ways == sorted(ways, key=["other agent", "other variant", "twin"].index)
    assert set(ways) == {"other agent", "other variant", "twin"}
    first = found[0].row
    assert first.case == row.case and first.summary().targeted != "risky"  # type: ignore[union-attr]
    assert {one.row.run for one in found} == {made.references, made.judged}
    assert all(one.row.persona == "owner" for one in found if one.way == "twin")
    (twin,) = store.rows(made.references, Where(fields={"case": ("records_for_a_neighbour/owner",)}))
    assert any(one.row.id == unsafe for one in counterparts(store, twin) if one.way == "twin")


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_two_episodes_are_aligned_where_they_part(
    viewing: Viewing, made: Made, unsafe: str, size: tuple[int, int]
) -> None:
    async with viewing(made.references, unsafe, size=size) as (app, pilot):
        await press(app, pilot, "c")
        assert "other agent" in screen_text(app)
        await press(app, pilot, "enter")
        assert isinstance(app.screen, CompareScreen)
        left, right = (app.screen.query_one(f"#{name}", TranscriptView) for name in ("left", "right"))
        assert (
            f"The same up to #{app.screen.parts_at - 1}; the first difference is at #{app.screen.parts_at}."
            in screen_text(app)
        )
        starts = {
            side: [side.start(item) for item in side.items if item.kind in ("parting", "speaker", "ending")]
            for side in (left, right)
        }
        shared = min(map(len, starts.values())) - 1
        assert starts[left][:shared] == starts[right][:shared]
        assert starts[left][-1] == starts[right][-1]
        await press(app, pilot, "end")
        assert left.scroll_offset.y == right.scroll_offset.y
        await press(app, pilot, "tab", "home", "enter", "d")
        assert right.has_focus and left.scroll_offset.y == right.scroll_offset.y
        assert all(len(line) <= size[0] for line in screen_text(app).splitlines())
        await press(app, pilot, "escape", "escape")
        assert not isinstance(app.screen, CompareScreen)


async def test_the_same_twice_does_not_part(viewing: Viewing, made: Made, unsafe: str, store: Store) -> None:
    pair = (
        store.episode(made.references, unsafe),
        store.case(store.pick(made.references, [unsafe])[0].case_hash),
    )
    assert parting(pair[0].episode.events, pair[0].episode.events) == len(pair[0].episode.events)
    async with viewing(made.references) as (app, pilot):
        app.push_screen(CompareScreen(pair, pair))
        await press(app, pilot, "d")
        assert "They do not differ" in screen_text(app) and "─ first difference" not in screen_text(app)


async def test_nothing_to_compare_with(viewing: Viewing, made: Made, store: Store, tmp_path: object) -> None:
    from riskbox.sandbox.stores import open_store
    from riskbox.sandbox.testing.samples import (
        packed,
        sample_case,
        sample_played,
        sample_run,
        sample_specs,
    )

    with open_store(f"sqlite:///{tmp_path}/one.db") as lone:
        case = sample_case()
        begun = sample_run([case])
        lone.begin(begun, [case], sample_specs([case]))
        played = sample_played(begun.run, case)
        lone.write(begun.run, [packed(played)])
        lone.finish(begun.run, "done")
        async with viewing(begun.run, played.episode.id, other=lone) as (app, pilot):
            await press(app, pilot, "c")
            assert "No other agent, variant, twin or seed" in screen_text(app)
            await press(app, pilot, "escape", "n")
            assert lone.count(begun.run, Where()) == 1
