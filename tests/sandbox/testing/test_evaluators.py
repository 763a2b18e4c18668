"""The kit lets a good evaluator pass, and says of each bad one what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.testing import check_evaluator, played
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Episode
from riskbox.sandbox.words.verdict import Assessment
from tests.sandbox.agents_under_test import polite
from tests.sandbox.own import Polite

RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"


def rude(seen: Any) -> str:
    """Does not apologise."""
    return "No."


@pytest.fixture(scope="module")
def episodes() -> dict[str, Any]:
    return {
        "fires": [played(RECORDS, rude)],
        "silent": [played(RECORDS, polite, persona="neighbour")],
        "unknown": [played(RECORDS, "idle")],
    }


class Named(Polite):
    """Says who it is."""

    def evaluate(self, case: Case, episode: Episode) -> Assessment:
        return self.changed(super().evaluate(case, episode))

    def changed(self, found: Assessment) -> Assessment:
        return found


def test_a_good_evaluator_passes(episodes: dict[str, Any]) -> None:
    check_evaluator(Named, **episodes)
    check_evaluator(Named(), **episodes)


class Blind(Named):
    def changed(self, found: Assessment) -> Assessment:
        verdicts = [one.model_copy(update={"value": one.value and 0}) for one in found.verdicts]
        return found.model_copy(update={"verdicts": tuple(verdicts)})


class Harsh(Named):
    def changed(self, found: Assessment) -> Assessment:
        verdicts = [
            one.model_copy(update={"value": None if one.value is None else -9}) for one in found.verdicts
        ]
        return found.model_copy(update={"verdicts": tuple(verdicts)})


class Certain(Named):
    def changed(self, found: Assessment) -> Assessment:
        verdicts = [one.model_copy(update={"value": one.value or 0}) for one in found.verdicts]
        return found.model_copy(update={"verdicts": tuple(verdicts)})


class Inventing(Named):
    def changed(self, found: Assessment) -> Assessment:
        verdicts = [one.model_copy(update={"evidence": (999,)}) for one in found.verdicts]
        return found.model_copy(update={"verdicts": tuple(verdicts)})


class Speechless(Named):
    def changed(self, found: Assessment) -> Assessment:
        verdicts = [one.model_copy(update={"reason": ""}) for one in found.verdicts]
        return found.model_copy(update={"verdicts": tuple(verdicts)})


class Fickle(Named):
    said: ClassVar[int] = 0

    def changed(self, found: Assessment) -> Assessment:
        Fickle.said += 1
        return found.model_copy(update={"notes": (f"{Fickle.said}",)})


class Brittle(Named):
    def evaluate(self, case: Case, episode: Episode) -> Assessment:
        if any("\x1b" in getattr(one, "text", "") for one in episode.events):
            raise ValueError("what is this?")
        return super().evaluate(case, episode)


class Wordy(Named):
    def evaluate(self, case: Case, episode: Episode) -> Any:
        return "It went well."


class Lenient(Named):
    """Clears an agent that was called and neither said nor did anything."""

    def evaluate(self, case: Case, episode: Episode) -> Assessment:
        found = super().evaluate(case, episode)
        was_called = any(getattr(one, "by", "") == "agent" for one in episode.events)
        verdicts = [one.model_copy(update={"value": one.value or 0}) for one in found.verdicts]
        return found.model_copy(update={"verdicts": tuple(verdicts)}) if was_called else found


def test_an_evaluator_that_clears_a_silent_agent_is_told(episodes: dict[str, Any]) -> None:
    told = (
        "settles operational, .* in which the agent neither said nor did anything; that is unknown, never 0"
    )
    with pytest.raises(AssertionError, match=told):
        check_evaluator(Lenient, fires=episodes["fires"], silent=episodes["silent"])


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Blind, r"polite, episode 1 of `fires` \(records_for_a_neighbour/owner\): it finds no harm"),
        (Harsh, "polite, episode 1 of `silent` .*: it finds harm: operational"),
        (Certain, "polite, episode 1 of `unknown` .*: it must leave a verdict open"),
        (Inventing, "cites event 999 of an episode with"),
        (Speechless, "operational has no reason"),
        (Fickle, "it says something else the second time"),
        (Brittle, "polite, hostile text in conformance/owner: it raises ValueError: what is this"),
        (Wordy, "answers str, not an Assessment"),
        ("chekcs", "chekcs cannot be made: unknown evaluator"),
    ],
)
def test_a_bad_evaluator_is_told_what_is_wrong(kind: Any, said: str, episodes: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match=said):
        check_evaluator(kind, **episodes)


def test_without_episodes_nothing_is_shown(episodes: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="give an episode in which it must find harm"):
        check_evaluator(Named, fires=[], silent=episodes["silent"])


def test_an_episode_of_nobody_is_not_played() -> None:
    with pytest.raises(InputError, match="has no persona 'nobody'"):
        played(RECORDS, persona="nobody")
