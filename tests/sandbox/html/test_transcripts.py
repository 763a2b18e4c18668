"""Episodes for a page."""

from __future__ import annotations

from collections.abc import Callable

from riskbox.sandbox.html.transcripts import LONGEST, transcript
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.lapse import Lapse
from riskbox.sandbox.words.row import EpisodeRow

Row = Callable[..., EpisodeRow]
Play = Callable[..., Played]


def test_a_line_of_ten_million_characters_is_cut_and_says_so(by_id: dict[str, Case], played: Play) -> None:
    one = played(by_id["neighbour"], "reference:0")
    events = tuple(
        event.model_copy(update={"text": "x" * 10_000_000}) if event.kind == "said" else event
        for event in one.episode.events
    )
    made = transcript(
        one.model_copy(update={"episode": one.episode.model_copy(update={"events": events})}),
        by_id["neighbour"],
    )
    words = [
        "".join(text for text, _ in row.pieces)
        for turn in made.turns
        for shown in turn.events
        for row in shown.folded
    ]
    assert max(map(len, words)) < LONGEST + 100
    assert any("more characters" in text for text in words)


def test_lapses_of_a_simulated_user_are_among_the_facts(by_id: dict[str, Case], played: Play) -> None:
    one = played(by_id["owner"], "reference:2")
    lapse = Lapse(kind="goal_leaked", evidence=(1,), reason="It read its goal aloud.")
    made = transcript(
        one.model_copy(update={"episode": one.episode.model_copy(update={"fidelity": (lapse,)})}),
        by_id["owner"],
    )
    assert ("Lapse of the user", "goal leaked: It read its goal aloud. (#1)") in made.facts
