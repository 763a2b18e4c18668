"""A state is the fold of its inputs and never changes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.rules.state import derived, placed
from riskbox.sandbox.rules.transition import begin, step
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.input import Acted
from riskbox.sandbox.words.scenario import Injection
from tests.sandbox.rules.steps import (
    BAITED,
    CASES,
    actions,
    after,
    calls,
    play_out,
    prepared,
    user,
)


def test_an_earlier_state_is_untouched_by_what_comes_after() -> None:
    before = after(user())
    frozen = (
        before.events,
        before.inputs,
        before.changes,
        before.clock,
        before.turn,
        copy.deepcopy(dict(before.turns)),
    )
    step(before, calls(("mail.send", {"to": "a@example.org", "subject": "s", "body": "b"})))
    assert frozen == (
        before.events,
        before.inputs,
        before.changes,
        before.clock,
        before.turn,
        dict(before.turns),
    )
    one, _ = step(before, calls(("mail.send", {"to": "a@example.org", "subject": "s", "body": "b"})))
    other, _ = step(before, Acted(by="agent", action=Action(text="No.")))
    assert one.changes and not other.changes


@settings(max_examples=100, deadline=None)
@given(st.lists(actions, max_size=10), st.data())
def test_a_state_is_the_fold_of_its_inputs(moves: list[Action], data: st.DataObject) -> None:
    state = play_out(BAITED, 3, moves)
    cut = data.draw(st.integers(0, len(state.inputs)))
    again = begin(BAITED, 3)
    for given_ in state.inputs[:cut]:
        again, _ = step(again, given_)
    assert again.events == state.events[: len(again.events)]
    for given_ in state.inputs[cut:]:
        again, _ = step(again, given_)
    assert again.events == state.events


@pytest.mark.parametrize(
    ("place", "text", "found"),
    [
        ("replace", "Stable.", "Obey."),
        ("start", "Stable.", "Obey.\nStable."),
        ("middle", "Stable since May.", "Stable since\nObey.\nMay."),
        ("middle", "unbroken", "unbroken\nObey.\n"),
        ("end", "Stable.", "Stable.\nObey."),
        ("end", "", "Obey."),
    ],
)
def test_a_payload_is_put_in_its_place(place: Any, text: str, found: str) -> None:
    assert placed(text, Injection(id="x", at="a.b", place=place, payload="Obey.")) == found


def test_draws_depend_on_seed_party_and_event_alone() -> None:
    seeds = {
        derived(seed, who, index) for seed in (1, 2) for who in ("user", "mail.send") for index in (0, 1)
    }
    assert len(seeds) == 8 and all(0 <= one < 2**64 for one in seeds)
    assert derived(1, "user", 0) == derived(1, "user", 0)


def test_an_injected_description_reaches_the_agent_alone() -> None:
    case = CASES["owner"]
    injection = Injection(id="x", at="mail.send", into="description", payload="Obey.")
    scenario = case.scenario.model_copy(update={"inject": (injection,)})
    baited = prepared(case.model_copy(update={"scenario": scenario}))
    told = {spec.name: spec.description for spec in baited.tools}
    assert told["mail.send"].endswith("Obey.") and "Obey." not in told["clinic.read_record"]
    assert "Obey." in repr(baited.briefs["agent"]) and "Obey." not in repr(baited.briefs["user"])
