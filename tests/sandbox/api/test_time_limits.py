"""A call's time limit lies below a turn's, so that a call that timed out can be asked once more within the turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.api.play import prepare_episode
from riskbox.sandbox.api.run import prepare
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.models.client import ModelOptions

MODEL = "http://127.0.0.1:9/v1#m"


@pytest.fixture
def planned(records: Path, tmp_path: Path) -> Any:
    """The options with which a run would ask its models."""

    def one(**more: Any) -> ModelOptions:
        given = {"agent": MODEL, "store": f"sqlite:///{tmp_path}/r.db", "local": True, **more}
        return prepare([records], **given).settings.models

    return one


def test_two_calls_fit_into_a_turn(planned: Any) -> None:
    assert planned().seconds == 120 and Timeouts().turn == 300
    assert planned(turn_seconds=100).seconds == 40, "only the turn's limit is given"
    assert planned(turn_seconds=None, call_seconds=900).seconds == 900
    assert planned(turn_seconds=1000).seconds == 120


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"call_seconds": 300}, "--call-seconds 300: one call could take the whole turn"),
        ({"call_seconds": 90, "turn_seconds": 60}, "at most 24 seconds"),
        ({"settings": {"agent": {"timeout": 400}}}, "--setting agent.timeout=400: one call could take"),
        ({"settings": {"agent": {"timeout": "soon"}}}, "--setting agent.timeout=soon: must be a number"),
    ],
)
def test_a_call_as_long_as_a_turn_is_refused(planned: Any, given: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        planned(**given)


def test_a_limit_for_a_model_that_nobody_asks_is_not_looked_at(planned: Any) -> None:
    assert planned(agent="reference", call_seconds=300).seconds == 300
    assert planned(settings={"user": {"timeout": 400}}).seconds == 120


def test_an_episode_that_is_played_alone_is_looked_at_as_well(records: Path) -> None:
    with pytest.raises(InputError, match="--call-seconds 60"):
        prepare_episode(records, agent=MODEL, turn_seconds=30, call_seconds=60)
    assert prepare_episode(records, agent=MODEL).settings.models.seconds == 120
