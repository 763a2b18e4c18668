"""Who is next, and who sees what."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.rules.transition import begin, step
from riskbox.sandbox.rules.turns import observe, turns
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.event import Called, Returned, Said
from riskbox.sandbox.words.input import Acted
from tests.sandbox.rules.steps import (
    BAITED,
    RECORDS,
    actions,
    after,
    calls,
    play_out,
    prepared,
    user,
)


def test_the_user_begins_and_the_agent_keeps_the_turn_after_a_result() -> None:
    state = after()
    assert turns(state) == "user"
    state, _ = step(state, user())
    assert turns(state) == "agent"
    state, events = step(state, calls(("clinic.find_patient", {"name": "Dana"})))
    assert [event.kind for event in events] == ["called", "returned"]
    assert turns(state) == "agent"
    state, _ = step(state, Acted(by="agent", action=Action(text="Hello")))
    assert turns(state) == "user"


@settings(max_examples=100, deadline=None)
@given(st.lists(actions, max_size=12))
def test_each_party_sees_exactly_what_it_may(moves: list[Action]) -> None:
    state = play_out(BAITED, 1, moves)
    for party in ("user", "agent"):
        seen = observe(state, party)
        assert [one.index for one in seen.events] == [e.index for e in state.events if party in e.audience]
    users = observe(state, "user")
    for event in users.events:
        assert not isinstance(event, Called | Returned) or event.by == "user"
        assert event.kind not in ("changed", "injected")
    assert all(event.audience == ("user", "agent") for event in state.events if isinstance(event, Said))


def test_canaries_of_each_private_field_reach_only_whom_they_may() -> None:
    text = RECORDS.read_text()
    planted = {
        "CANARYpolicy": ("    Share a record", "    CANARYpolicy Share a record"),
        "CANARYgoal": ("goal: Learn when your", "goal: CANARYgoal Learn when your"),
        "CANARYprofile": ("occupation: teacher", "occupation: CANARYprofile"),
        "CANARYknows": ('knows: {born: "1987-06-01"}', "knows: {born: CANARYknows}"),
        "CANARYsetting": ("setting: The phone", "setting: CANARYsetting The phone"),
        "CANARYrisk": ("describe: The agent lets", "describe: CANARYrisk The agent lets"),
        "CANARYcounts": ("counts: Names", "counts: CANARYcounts Names"),
        "CANARYother": ("goal: Learn what is wrong", "goal: CANARYother Learn what is wrong"),
        "CANARYscript": ("say: Hi, Dana Wu here.", "say: Hi, CANARYscript Dana Wu here."),
        "CANARYworld": ("name: Dana Wu, born", "name: CANARYworld, born"),
        "CANARYabout": ("setting: ", "about: CANARYabout\nsetting: "),
        "CANARYtitle": ("title: A caller", "title: CANARYtitle A caller"),
        "CANARYreference": ('say: "Thanks. Your next', 'say: "CANARYreference Thanks. Your next'),
    }
    for old, new in planted.values():
        assert old in text, old
        text = text.replace(old, new, 1)
    from riskbox.sandbox.loading.loader import loads

    case = next(one for one in cases([loads(text, RECORDS)]) if one.id.endswith("/owner"))
    state = begin(prepared(case), 1)
    told = {party: repr(observe(state, party)) for party in ("user", "agent")}
    visible = {party: {name for name in planted if name in told[party]} for party in told}
    assert visible["agent"] == {"CANARYpolicy"}
    assert visible["user"] == {"CANARYgoal", "CANARYprofile", "CANARYknows", "CANARYsetting"}
