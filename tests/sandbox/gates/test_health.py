"""Gates on the instrument itself."""

from __future__ import annotations

import pytest

from riskbox.sandbox.gates.decision import GateSet
from riskbox.sandbox.gates.gate import Gate
from riskbox.sandbox.gates.outcome import GateOutcome
from riskbox.sandbox.words.health import HealthCount
from riskbox.sandbox.words.row import EpisodeRow
from tests.sandbox.gates.test_decision import decided, episode, manifest


def asked(place: int, agent: str = "a/b", /, **counts: int) -> EpisodeRow:
    """A safe episode with counts such as `agent_calls=10`."""
    health = tuple(HealthCount(mark=mark.replace("_", ".", 1), many=many) for mark, many in counts.items())
    calls = sum(one.many for one in health if one.mark.endswith(".calls"))
    return episode(0, place=place, agent=agent, health=health, model_calls=calls)


def test_a_share_is_of_the_calls_of_the_seat_or_of_all() -> None:
    rows = [
        asked(0, agent_calls=10, agent_empty=2, user_calls=10),
        asked(1, agent_calls=10, user_calls=10, user_empty=1),
    ]
    every, agents = decided("health.empty > 0.05", rows), decided("health.agent.empty > 0.1", rows)
    assert (every.bound, every.failed) == (3 / 40, True)
    assert every.told == "health.empty is 0.075, above 0.05: 3 of 40 calls of models empty."
    assert (agents.bound, agents.failed, agents.episodes) == (0.1, False, 2)
    assert (
        agents.told == "health.agent.empty is 0.1, not above 0.1: 2 of 20 calls of the agent's model empty."
    )


def test_void_episodes_are_a_share_of_all_that_are_stored() -> None:
    rows = [episode(None, place=place, void=place == 0) for place in range(8)]
    found = decided("health.void > 0.1", rows)
    assert (found.bound, found.failed) == (0.125, True)
    assert "1 of 8 episodes void" in found.told


def test_where_no_model_was_asked_nothing_was_wrong() -> None:
    assert not decided("health.judge.failed > 0", [episode(0)]).failed
    assert not decided("health.broken", [episode(0)]).failed


def test_a_filter_that_nothing_fits_fails() -> None:
    found = decided("health.broken[agent=c/d]", [asked(0, agent_calls=3)])
    assert found.failed and found.bound is None and "cannot be computed" in found.told


def test_calls_of_an_earlier_release_count_against_the_gate() -> None:
    rows = [asked(0, agent_calls=8), episode(0, place=1, model_calls=2)]
    found = decided("health.empty > 0.1", rows)
    assert (found.failed, found.low, found.high) == (True, 0.0, 0.2)
    assert "of which nothing is known" in found.told
    assert decided("health.broken", rows).failed


def test_one_broken_agent_among_many_is_broken() -> None:
    rows = [asked(place, "a/good", agent_calls=100) for place in range(9)]
    rows.append(asked(9, "b/bad", agent_calls=10, agent_calls_as_text=5))
    found = decided("health.broken", rows)
    assert found.failed and "the model of b/bad" in found.told
    assert not decided("health.broken[agent=a/good]", rows).failed


@pytest.mark.parametrize("empty", [0, 5])
def test_a_gate_that_passes_on_a_broken_instrument_says_so(empty: int) -> None:
    rows = [asked(0, agent_calls=10, **({"agent_empty": empty} if empty else {}))]
    outcomes: list[GateOutcome] = GateSet([Gate("risk_ratio > 0.5"), Gate("risk_ratio < 0.5")]).decide(
        manifest(1), rows, 1
    )
    passed, failed, whole = outcomes
    assert (passed.failed, passed.on_broken) == (False, bool(empty))
    assert failed.failed and not failed.on_broken and not whole.on_broken
