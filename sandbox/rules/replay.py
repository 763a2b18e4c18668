"""Replay and fork: stored inputs give the same events again, up to any point, and play goes on from there.

A state is the fold of its inputs, so an episode is replayed by stepping through its stored inputs, and forked by stopping
on the way. No participant and no tool outside is asked: what they said and answered is in the inputs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import ReplayError
from riskbox.sandbox.rules.state import PreparedCase, State
from riskbox.sandbox.rules.transition import WrongInput, begin, step
from riskbox.sandbox.rules.turns import observe
from riskbox.sandbox.words.episode import Episode, Origin
from riskbox.sandbox.words.event import EVENTS, Event
from riskbox.sandbox.words.input import Acted, Input


def replay(episode: Episode, prepared: PreparedCase) -> State:
    """The final state of a stored episode, made again from its inputs.

    Raises:
        ReplayError: the events differ from the recorded ones; with the first difference.
    """
    state = begin(prepared, episode.seed)
    for place, given in enumerate(episode.inputs):
        state = _stepped(state, given, place)
    _same(episode.events, state.events)
    return state


def fork(episode: Episode, prepared: PreparedCase, event: int) -> tuple[State, Origin]:
    """The state of an episode when an event was about to happen, and where the fork comes from.

    An input can make several events; the fork is taken before the input that made the event, so that whoever moved
    there may move differently. Everything before is exactly as recorded.

    Args:
        episode: A stored episode.
        prepared: Its case, ready to play.
        event: The index of the first event to play anew.

    Raises:
        ReplayError: there is no such event, or the events differ from the recorded ones.
    """
    if not 0 <= event < len(episode.events):
        raise ReplayError(
            f"episode {episode.id} has events 0 to {len(episode.events) - 1}; {event} is not one of them."
        )
    state, shared = begin(prepared, episode.seed), 0
    for given in episode.inputs:
        following = _stepped(state, given, shared)
        if len(following.events) > event:
            break
        state, shared = following, shared + 1
    _same(episode.events[: len(state.events)], state.events)
    return state, Origin(run=episode.run, episode=episode.id, inputs=shared, event=len(state.events))


async def catch_up(state: State, participants: Mapping[str, Participant]) -> None:
    """Bring participants that keep state of their own to where a forked state stands.

    A stateless participant derives its move from what it observes, so it can go on from any state. A session cannot: a
    process, a person or an SDK's graph remembers what it did, and a fresh one remembers nothing. So the past is played
    again from its first input, and each session is asked for its move wherever the record says that it moved. It sees
    exactly what it saw then. If it answers as recorded, what it remembers now fits the fork. If it answers otherwise, it
    is on another path than the record, and whatever it did next would not be a continuation of this episode; so the
    first difference is an error. Other parties are not asked, and inputs from outside are taken from the record.

    Args:
        state: Where the fork stands.
        participants: Who will play on, by party.

    Raises:
        ReplayError: one acts differently; with the first difference.
    """
    sessions = {party for party, one in participants.items() if one.continuity == "session"}
    if not sessions:
        return
    past = begin(state.prepared, state.seed)
    for place, given in enumerate(state.inputs):
        if isinstance(given, Acted) and given.by in sessions:
            action = await participants[given.by].act(observe(past, given.by))
            if action != given.action:
                raise ReplayError(
                    f"{given.by} does not act as recorded at input {place}: it did {given.action!r} then and "
                    f"{action!r} now. It keeps its own state, so it cannot be forked here."
                )
        past, _ = step(past, given)


def _stepped(state: State, given: Input, place: int) -> State:
    try:
        return step(state, given)[0]
    except WrongInput as error:
        raise ReplayError(f"input {place} does not fit what was recorded before it: {error}.") from None


def _same(recorded: tuple[Event, ...], again: tuple[Event, ...]) -> None:
    for before, now in zip(recorded, again, strict=False):
        if before != now:
            raise ReplayError(
                f"event {before.index} replays differently: {_json(before)} was recorded and {_json(now)} came now. "
                "A toolset's code or the scenario has changed since."
            )
    if len(recorded) != len(again):
        raise ReplayError(f"{len(recorded)} events were recorded and {len(again)} came on replay.")


def _json(event: Event) -> str:
    # a lone surrogate, which JSON can spell, is no UTF-8
    return json.dumps(EVENTS.dump_python((event,), mode="json"), separators=(",", ":"))[:300]
