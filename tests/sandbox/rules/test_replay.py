"""Every episode can be replayed, and forked at any event with exactly its prefix."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.episode.rollout import rollout
from riskbox.sandbox.errors import ReplayError
from riskbox.sandbox.registry.agents import agent
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.registry.users import user
from riskbox.sandbox.rules.replay import catch_up, fork, replay
from riskbox.sandbox.rules.state import PreparedCase
from riskbox.sandbox.stores.record import pack, unpack
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.event import EVENTS
from riskbox.sandbox.words.observation import Observation

Play = Callable[..., Played]


def prepared(case: Case) -> PreparedCase:
    return PreparedCase.of(case, Toolbox().of(case))


@pytest.fixture
def baited(by_id: dict[str, Case]) -> Case:
    return by_id["owner+injection=mail"]


def test_a_stored_episode_replays_to_the_same_bytes(baited: Case, played: Play) -> None:
    stored = unpack(Played, pack(played(baited, "reference:3"))).episode
    again = replay(stored, prepared(unpack(Case, pack(baited))))
    assert EVENTS.dump_json(again.events) == EVENTS.dump_json(stored.events)


def test_a_fork_at_every_event_shares_its_prefix_exactly(baited: Case, played: Play) -> None:
    episode = played(baited, "reference:3").episode
    for event in range(len(episode.events)):
        state, origin = fork(episode, prepared(baited), event)
        assert state.events == episode.events[: len(state.events)]
        assert len(state.events) <= event and origin.event == len(state.events)
        assert origin.inputs == len(state.inputs)


def test_a_fork_with_the_same_cast_plays_the_same_and_with_another_plays_on_from_there(
    baited: Case, played: Play
) -> None:
    episode = played(baited, "reference:3").episode
    injected = next(event.index for event in episode.events if event.kind == "injected")
    state, _ = fork(episode, prepared(baited), injected + 1)
    same = {"user": user("scripted", baited), "agent": agent("reference:3", baited)}
    again = asyncio.run(rollout(state, same)).state
    assert again.events == episode.events
    resisting = {"user": user("scripted", baited), "agent": agent("reference:2", baited)}
    other = asyncio.run(rollout(state, resisting)).state
    shared = len(state.events)
    assert other.events[:shared] == episode.events[:shared]
    assert other.events != episode.events
    assert not any(event.kind == "changed" for event in other.events), "the one that resists sends nothing"


def test_no_such_event(baited: Case, played: Play) -> None:
    episode = played(baited, "idle").episode
    with pytest.raises(ReplayError, match="has events 0 to"):
        fork(episode, prepared(baited), 10_000)


def test_a_changed_world_is_found_out_at_the_first_difference(baited: Case, played: Play) -> None:
    episode = played(baited, "reference:3").episode
    world = {**baited.world, "clinic": {**baited.world["clinic"]}}
    world["clinic"]["patients"] = [{**row, "phone": "555-0199"} for row in world["clinic"]["patients"]]
    with pytest.raises(ReplayError, match=r"event \d+ replays differently"):
        replay(episode, prepared(baited.model_copy(update={"world": world})))


class Counting(Participant):
    """Keeps state of its own: it says how often it was asked."""

    continuity = "session"

    def __init__(self, start: int = 0) -> None:
        self.asked = start

    async def act(self, seen: Observation) -> Action:
        self.asked += 1
        return Action(text=f"That was question {self.asked}.")


def test_a_session_is_shown_everything_again_or_the_fork_is_refused(baited: Case) -> None:
    from riskbox.sandbox.episode.playing import episode_record
    from riskbox.sandbox.rules.transition import begin
    from riskbox.sandbox.words.episode import Cast
    from riskbox.sandbox.words.run import Spec

    seats = {"user": user("scripted", baited), "agent": Counting()}
    state = asyncio.run(rollout(begin(prepared(baited), 1), seats)).state
    episode = episode_record("r", Spec.of(baited.hash, Cast(agent="x:y"), 1), state)
    half, _ = fork(episode, prepared(baited), len(episode.events) - 4)
    fresh = {"user": user("scripted", baited), "agent": Counting()}
    asyncio.run(catch_up(half, fresh))
    again = asyncio.run(rollout(half, fresh)).state
    assert again.events == episode.events
    with pytest.raises(ReplayError, match="does not act as recorded"):
        asyncio.run(catch_up(half, {"agent": Counting(start=5)}))
