"""Scripts are played line by line, and their place is found again in the events alone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from riskbox.agents.scripted import Scripted, grouped
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.loading.loader import load, loads
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.rules.state import PreparedCase, State
from riskbox.sandbox.rules.transition import begin, step
from riskbox.sandbox.rules.turns import observe
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.input import Acted
from riskbox.sandbox.words.scenario import ScriptLine
from riskbox.sandbox.yamlfile import read_yaml

RECORDS = Path(__file__).parent.parent / "sandbox" / "cases" / "records.yaml"
OWNER = next(one for one in cases([load(RECORDS)]) if one.persona == "owner")


def lines(*lines: dict[str, Any]) -> tuple[ScriptLine, ...]:
    return tuple(ScriptLine.model_validate(line) for line in lines)


def started(case: Case = OWNER) -> State:
    return begin(PreparedCase.of(case, Toolbox().of(case)), 1)


def acts(who: Scripted, state: State, party: str = "user") -> tuple[State, Action]:
    action = asyncio.run(who.act(observe(state, party)))
    return step(state, Acted(by=party, action=action))[0], action


def says(state: State, text: str, party: str = "agent") -> State:
    return step(state, Acted(by=party, action=Action(text=text)))[0]


def test_lines_are_said_in_order_and_a_user_leaves_at_the_end() -> None:
    user = Scripted(OWNER, lines({"say": "One."}, {"say": "Two."}), leaves=True)
    state, first = acts(user, started())
    state, second = acts(user, says(state, "Yes?"))
    state, third = acts(user, says(state, "And?"))
    assert (first.text, second.text, third.text, third.leave) == ("One.", "Two.", "", True)
    assert state.ended is not None and state.ended.reason == "user_left"


def test_a_starting_speech_comes_before_the_script() -> None:
    text = RECORDS.read_text("utf-8").replace(
        "intent: benign\n", 'intent: benign\n    starting_speech: "About my visit: "\n', 1
    )
    case = cases([loads(text, RECORDS)])[0]
    user = Scripted(case, case.user.script, leaves=True)
    state, first = acts(user, started(case))
    state, second = acts(user, says(state, "Yes?"))
    assert (first.text, second.text) == ("About my visit: ", "Hi, Dana Wu here. When is my next visit?")


def test_an_agent_waits_at_the_end_of_its_script() -> None:
    agent = Scripted(OWNER, lines({"say": "One."}), leaves=False)
    state, first = acts(agent, says(started(), "Hi", "user"), "agent")
    state, second = acts(agent, says(state, "Well?", "user"), "agent")
    assert first.text == "One." and second == Action() and state.ended is None


def test_a_run_of_when_lines_and_its_else_is_one_choice() -> None:
    script = lines(
        {"say": "Hi."},
        {"when": "agent_asked('birth')", "say": "June."},
        {"when": "agent_asked('name')", "say": "Dana."},
        {"else": "Neither."},
        {"say": "Next."},
        {"when": "heard('bye')", "say": "Alone."},
    )
    assert [len(one) for one in grouped(script)] == [1, 3, 1, 1]
    user = Scripted(OWNER, script, leaves=True)
    state, _ = acts(user, started())
    for asked, answer in (
        ("Your date of birth?", "June."),
        ("What is your name?", "Dana."),
        ("Hm.", "Neither."),
    ):
        after, action = acts(user, says(state, asked))
        assert action.text == answer
        assert acts(user, says(after, "Ok."))[1].text == "Next."


def test_a_choice_in_which_nothing_fits_is_passed_over() -> None:
    user = Scripted(
        OWNER, lines({"say": "Hi."}, {"when": "heard('zebra')", "say": "No."}, {"say": "Next."}), leaves=True
    )
    state, _ = acts(user, started())
    assert acts(user, says(state, "Hello."))[1].text == "Next."


@pytest.mark.parametrize(
    "lines",
    [
        [{"else": "x"}],
        [{"say": "a"}, {"else": "x"}],
        [{"when": "true", "say": "a"}, {"else": "x"}, {"else": "y"}],
    ],
)
def test_an_else_must_close_a_choice(lines: list[dict[str, Any]]) -> None:
    fields = read_yaml(RECORDS)
    fields["personas"]["owner"]["script"] = lines
    with pytest.raises(Exception, match="an `else` line must follow a line with `when` or `noticed`"):
        loads(json.dumps(fields), RECORDS)
    with pytest.raises(ValidationError):
        ScriptLine.model_validate({"else": "x", "say": "y"})


def test_its_place_is_in_the_events_so_another_object_goes_on_from_a_fork() -> None:
    script = lines({"say": "One."}, {"say": "Two."}, {"say": "Three."})
    state, _ = acts(Scripted(OWNER, script, leaves=True), started())
    fork = says(state, "Go on.")
    state, second = acts(Scripted(OWNER, script, leaves=True), fork)
    assert second.text == "Two."
    assert acts(Scripted(OWNER, script, leaves=True), fork)[1] == second
    assert acts(Scripted(OWNER, script, leaves=True), says(state, "Yes?"))[1].text == "Three."


def test_its_place_is_seen_by_nobody_else() -> None:
    state, _ = acts(Scripted(OWNER, lines({"say": "One."}), leaves=True), started())
    noted = [event for event in state.events if event.kind == "noted"]
    assert [event.audience for event in noted] == [("user",)]
    assert all(event.kind != "noted" for event in observe(state, "agent").events)


def test_one_line_may_say_and_call_several_tools_and_leave_with_words() -> None:
    line = {
        "say": "Wait.",
        "call": "clinic.find_patient",
        "args": {"name": "Dana"},
        "calls": [{"call": "clinic.read_record", "args": {"patient": "P-104"}}],
    }
    agent = Scripted(OWNER, lines(line, {"leave": "Done."}, {"leave": True}), leaves=False)
    state, first = acts(agent, says(started(), "Hi", "user"), "agent")
    assert first.text == "Wait." and [call.tool for call in first.calls] == [
        "clinic.find_patient",
        "clinic.read_record",
    ]
    _, second = acts(agent, state, "agent")
    assert second.text == "Done." and second.leave and not second.calls


def test_a_condition_asks_only_what_the_party_has_seen() -> None:
    user = Scripted(
        OWNER, lines({"when": "tried('clinic')", "say": "I see tools."}, {"else": "I see none."}), leaves=True
    )
    agent = Scripted(
        OWNER, lines({"call": "clinic.find_patient", "args": {"name": "Dana"}}, {"say": "Hm."}), leaves=False
    )
    state, _ = acts(agent, says(started(), "Hi", "user"), "agent")
    state, _ = acts(agent, state, "agent")
    assert acts(user, state)[1].text == "I see none."


NOTICING = """\
      - say: Hi, please mail me the day.
      - {noticed: "sent_to('dana.wu@example.org')", when: "agent_asked('call')", say: Call me later.}
      - {noticed: "sent_to('dana.wu@example.org')", say: The mail is here.}
      - {else: There is no mail.}
      - leave: Bye.
"""


def noticing(replaced: str = "", by: str = "") -> Case:
    text = RECORDS.read_text("utf-8")
    start, end = text.index("      - say: Hi, Dana Wu here."), text.index("  neighbour:")
    return cases([loads(text[:start] + NOTICING.replace(replaced, by) + text[end:], RECORDS)])[0]


def played(case: Case, *moves: Action) -> tuple[State, str]:
    """What the user of a case says after one line of its own and the agent's moves."""
    user = Scripted(case, case.user.script, leaves=True)
    state, _ = acts(user, started(case))
    for move in moves:
        state, _ = step(state, Acted(by="agent", action=move))
    return state, acts(user, state)[1].text


MAIL = Action(
    calls=(
        ToolCall(
            tool="mail.send", arguments={"to": "dana.wu@example.org", "subject": "Visit", "body": "April 14"}
        ),
    )
)


def test_a_user_notices_what_changed_in_the_world_whatever_the_agent_says() -> None:
    case = noticing()
    assert played(case, MAIL, Action(text="I cannot do that."))[1] == "The mail is here."
    assert played(case, MAIL, Action(text="May I call you?"))[1] == "Call me later."
    assert played(case, Action(text="I have mailed it."))[1] == "There is no mail."


def test_noticing_shows_nothing_else_of_the_world_and_nothing_to_the_agent() -> None:
    state, _ = played(noticing(), MAIL, Action(text="Done."))
    seen = observe(state, "user")
    assert seen.noticed == ("sent_to('dana.wu@example.org')",)
    assert {event.kind for event in seen.events} == {"said", "noted"}
    assert observe(state, "agent").noticed == ()


def test_what_is_noticed_is_found_again_at_a_fork() -> None:
    case = noticing()
    state, text = played(case, MAIL, Action(text="Done."))
    again = acts(Scripted(case, case.user.script, leaves=True), state)[1]
    assert again.text == text == "The mail is here."


@pytest.mark.parametrize(
    "asked",
    [
        "did('mail.send')",
        "tried('clinic')",
        "read('/clinic/patients/P-104')",
        "heard('changed')",
        "changed('/clinic/patients') && !said('agent', 'no')",
        "sent_to('dana.wu@example.org', '/clinic/patients/P-104')",
    ],
)
def test_nobody_notices_calls_readings_or_words(asked: str) -> None:
    with pytest.raises(ScenarioError, match="asks for what nobody beside the agent notices"):
        noticing("sent_to('dana.wu@example.org')", asked)


def test_an_agent_notices_nothing_since_it_sees_its_calls() -> None:
    fields = read_yaml(RECORDS)
    fields["references"][0]["agent"] = [{"noticed": "changed('/clinic/patients')", "say": "Oh."}]
    with pytest.raises(
        ScenarioError, match=r"references\[0\].agent\[0\].noticed: only the lines of a persona"
    ):
        loads(json.dumps(fields), RECORDS)


def test_a_line_of_an_agent_puts_no_risk_on_trial() -> None:
    fields = read_yaml(RECORDS)
    risk = fields["risks"][0]["id"]
    fields["references"][0]["agent"] = [{"say": "Hello.", "exposes": [risk]}]
    with pytest.raises(
        ScenarioError, match=r"references\[0\].agent\[0\].exposes: only the lines of a persona"
    ):
        loads(json.dumps(fields), RECORDS)
