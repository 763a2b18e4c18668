"""Results on the screen: nothing cropped, nothing hostile, plain where nobody sees colours."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from riskbox.sandbox.reporting.results import Results
from riskbox.sandbox.reporting.screen import save, screen
from riskbox.sandbox.reporting.tables import page, percent
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest

Row = Callable[..., EpisodeRow]


def manifest(**more: Any) -> Manifest:
    fields = {"run": "r1", "created": "2026-03-02T09:00:00Z", "state": "done", "planned": 4, "cases": {}}
    return Manifest(**{**fields, "agents": ("bot.py:Bot",), "seeds": (1,), **more})


def shown(results: Results, width: int = 80, encoding: str = "utf-8", **more: Any) -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = screen(file=stream, width=width)
    for part in page(results, width, **more):
        console.print(part)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


@pytest.fixture
def varied(row: Row) -> Results:
    """Twelve families, all intents, harm done and tried, unknowns, faults, signals, twins."""
    rows = []
    for place in range(48):
        family = f"family_{place % 12}"
        scenario = f"{family}_with_a_name_that_is_longer_than_any_column"
        rows += [
            row(family=family, scenario=scenario, seed=place, settled=place % 3 > 0, goal=place % 4 > 0),
            row(
                family=family,
                scenario=scenario,
                persona="neighbour",
                intent="malicious",
                twin="owner",
                seed=place,
                harm=8 if place % 5 == 0 else 0,
                tried=5 if place % 2 else 0,
                signals=("invented_argument",),
            ),
            row(
                family=family,
                scenario=scenario,
                intent="vulnerable",
                persona="greta",
                twin="owner",
                seed=place,
            ),
            row(family=family, intent="careless", ending="fault", reason="participant"),
        ]
    return Results.of(manifest(), rows, by=("intent", "scenario", "family"))


@pytest.mark.parametrize("width", [80, 100, 140, 200])
def test_nothing_is_wider_than_the_terminal_and_nothing_is_cropped(varied: Results, width: int) -> None:
    text = shown(varied, width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert "…" not in text
    for heading in ("harm done", "95% interval", "attempted", "assessed", "efficiency", "refused", "verdict"):
        assert heading in text
    # unknown is a third of the benign episodes, and malicious users did harm in 10 of 48
    assert "0–33%" in text
    assert "21%" in text


def test_coverage_stands_beside_the_rates(varied: Results) -> None:
    text = shown(varied)
    assert "32 of 48" in text
    assert "Faults: 48 of 192 episodes (48 participant)" in text
    assert "128 of 144" in text


def test_large_numbers_fit(varied: Results) -> None:
    numbers = varied.model_dump(mode="json")

    def grown(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: 23_456_789 if key in ("total", "assessed", "episodes", "scored") else grown(item)
                for key, item in value.items()
            }
        return [grown(item) for item in value] if isinstance(value, list) else value

    text = shown(Results.model_validate(grown(numbers)), 80)
    assert "23,456,789 of 23,456,789" in text
    assert "…" not in text
    assert max(map(cell_len, text.splitlines())) <= 80


def test_reference_agents_are_in_the_title_and_in_a_line(row: Row) -> None:
    text = shown(Results.of(manifest(), [row(agent="reference:0"), row(agent="reference:1", harm=8)]))
    assert text.startswith("Riskbox report on reference agents, not on a model")
    assert "scripts that prove the scenarios, and say nothing" in " ".join(text.split())


def test_an_agent_that_serves_nobody_is_the_first_thing_said(row: Row) -> None:
    lines = shown(Results.of(manifest(), [row(goal=False) for _ in range(5)])).splitlines()
    assert next(line for line in lines if line.startswith("!")).startswith(
        "! These episodes do not show a capable agent"
    )


def test_the_worst_episodes_and_where_to_look_end_the_page(row: Row) -> None:
    grave, tried = row(harm=8), row(tried=5)
    results = Results.of(manifest(), [row(), tried, grave])
    text = shown(results, commands=[(f"riskbox show {grave.id[:8]}", "read it")])
    words = " ".join(text.split())
    assert f"{grave.id[:8]} 8 done" in words
    assert f"{tried.id[:8]} 5 tried" in words
    assert "disclosed (blocked)" in text
    assert text.rstrip().endswith(f"riskbox show {grave.id[:8]}  read it")


def test_a_run_in_which_nothing_was_played(row: Row) -> None:
    assert "0 of 4 episodes" in shown(Results.of(manifest(), []))


@pytest.mark.parametrize("width", [80, 140])
def test_hostile_names_reach_no_terminal(row: Row, hostile: tuple[str, ...], width: int) -> None:
    rows = []
    for one in hostile:
        bad = row(
            family=one,
            scenario=one,
            persona=one,
            agent=one,
            reason=one,
            signals=(one,),
            harm=8,
            variant={one: one},
        )
        summary = bad.summaries[0]
        finding = summary.findings[0].model_copy(update={"risk": one, "category": (one,)})
        summary = summary.model_copy(update={"findings": (finding,), "version": one})
        fault = row(ending="fault", reason=one, intent=one).model_copy(update={"user": one})
        rows += [bad.model_copy(update={"summaries": (summary,)}), fault]
    results = Results.of(
        manifest(name=hostile[0]), rows, by=("intent", "family", "variant", "agent"), chosen=hostile
    )
    stream = io.StringIO()
    # not our screen, which would hide what was forgotten here
    console = Console(file=stream, width=width, markup=False, emoji=False, highlight=False)
    for part in page(results, width):
        console.print(part)
    text = stream.getvalue()
    for control in "\x1b\x9b\x07\x08\x00\x7f\u202e\u2066\u200b\ufeff\u2028\x85\x0b\U000e0049":
        assert control not in text
    assert "␛[2J" in text
    assert "[red]markup[/red]" in text
    assert ":skull:" in text
    assert max(map(cell_len, text.splitlines())) <= width


def test_the_screen_catches_what_was_forgotten() -> None:
    stream = io.StringIO()
    screen(file=stream, width=80).print(Text("\x1b[2J \u202e"), "[red]plain[/red]")
    assert stream.getvalue() == "␛[2J <U+202E> [red]plain[/red]\n"


def test_a_terminal_without_unicode_gets_what_it_can_show(varied: Results) -> None:
    text = shown(varied, encoding="ascii")
    assert "#" in text
    assert "█" not in text


def test_plain_text_has_no_spaces_at_line_ends(varied: Results) -> None:
    assert [line for line in shown(varied).splitlines() if line != line.rstrip()] == []


def test_a_picture_loads_nothing_from_elsewhere(varied: Results, tmp_path: Path) -> None:
    console = screen(svg="yes", file=io.StringIO(), width=100)
    for part in page(varied, 100):
        console.print(part)
    save(console, str(tmp_path / "page.svg"), "a title \x1b[2J <script>")
    picture = (tmp_path / "page.svg").read_text()
    assert "harm&#160;done" in picture
    assert "@font-face" not in picture
    assert "<script>" not in picture
    assert "\x1b" not in picture


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0%"),
        (0.0004, "<0.1%"),
        (0.004, "0.4%"),
        (0.03, "3%"),
        (0.5, "50%"),
        (0.9999, ">99%"),
        (1, "100%"),
    ],
)
def test_a_share_is_nothing_or_everything_only_if_it_is(share: float, text: str) -> None:
    assert percent(share) == text


def test_each_way_in_which_tools_were_answered_has_tables_of_its_own(row: Row) -> None:
    rows = [row(), row(tools="a/b", emulation="neutral", harm=8), row(tools="a/b", emulation="adversarial")]
    alone = shown(Results.of(manifest(), rows[1:2]))
    assert "tools answered by a model, neutrally in 1 episode; played by a/b" in alone
    parts = tuple(Results.of(manifest(), [one]) for one in rows)
    text = shown(Results.of(manifest(), rows).model_copy(update={"apart": parts}), 100)
    places = [
        text.index(f"Tools answered {way} in 1 episode ")
        for way in ("by code alone", "by a model, neutrally", "by a model that leans towards harm")
    ]
    assert places == sorted(places) and text.count("Harm by intent") == 3
    assert "tools answered" not in shown(Results.of(manifest(), rows[:1]))
