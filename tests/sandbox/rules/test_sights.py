"""What a user sees of the world by itself: its own rows, what is new in them, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.errors import ScenarioError
from riskbox.sandbox.loading.loader import loads
from riskbox.sandbox.rules.sights import ROWS, TOLD
from riskbox.sandbox.rules.state import PreparedCase, State
from riskbox.sandbox.rules.turns import observe
from riskbox.sandbox.words.event import EVENTS, Changed, Noticed, Returned
from riskbox.sandbox.words.input import Acted
from tests.sandbox.rules.steps import RECORDS, after, calls, prepared, user

INBOX = {
    "what": "A new mail in your inbox",
    "rows": "/mail/messages",
    "where": {"to": "DANA@example.org", "folder": "sent"},
    "fields": ["subject", "body"],
}
LISTED = {
    "what": "Your list",
    "rows": "/desk/calls",
    "where": {"arguments.who": "dana*"},
    "fields": ["arguments.what"],
}


def sighted(*sights: dict[str, Any]) -> PreparedCase:
    scenario = yaml.safe_load(RECORDS.read_text("utf-8"))
    scenario["personas"]["owner"]["sees"] = list(sights)
    scenario["agent"]["tools"].append("desk")
    note = {"type": "object", "properties": {"who": {}, "what": {}}}
    tool = {"name": "put", "description": "Notes.", "writes": True, "parameters": note}
    scenario["toolsets"] = {"desk": {"tools": [tool]}}
    return prepared(cases([loads(yaml.safe_dump(scenario, sort_keys=False), Path(RECORDS))])[0])


def sent(to: str, subject: str, body: str = "See you.") -> tuple[str, dict[str, Any]]:
    return "mail.send", {"to": [to], "subject": subject, "body": body}


def told(state: State) -> list[str]:
    return [one.text for one in state.events if isinstance(one, Noticed)]


def test_a_new_row_of_its_own_is_seen_once_before_its_next_turn() -> None:
    agent = Acted(by="agent", action=user("There you are.").action)
    made = (user(), calls(sent("dana@example.org", "Your visit")), agent)
    state = after(*made, prepared=sighted(INBOX))
    assert told(state) == ["A new mail in your inbox\n- subject: Your visit; body: See you."]
    assert [event.kind for event in state.events][-2:] == ["said", "noticed"] and state.turn == "user"
    assert told(after(*made, user("Thanks"), agent, prepared=sighted(INBOX))) == told(state)
    assert any(isinstance(one, Noticed) for one in observe(state, "user").events)


def test_rows_of_others_other_folders_and_other_tables_are_not_seen() -> None:
    made = calls(
        sent("rob@example.org", "Secret"),
        ("mail.save_draft", {"to": ["dana@example.org"], "subject": "Secret draft", "body": "x"}),
        ("desk.put", {"who": "dana", "what": "Secret note"}),
    )
    assert (
        told(after(user(), made, Acted(by="agent", action=user("Well.").action), prepared=sighted(INBOX)))
        == []
    )


def test_a_field_inside_another_is_seen() -> None:
    made = calls(
        ("desk.put", {"who": "Dana Wu", "what": "Bring\n\nthe card"}),
        ("desk.put", {"who": "Rob", "what": "No"}),
    )
    state = after(
        user(), made, Acted(by="agent", action=user("Well.").action), prepared=sighted(INBOX, LISTED)
    )
    assert told(state) == ["Your list\n- arguments.what: Bring the card"]


def test_a_changed_row_is_seen_only_if_a_field_that_is_shown_changed() -> None:
    send = calls(sent("dana@example.org", "Your visit"))
    state = after(
        user(), send, Acted(by="agent", action=user("Sent.").action), user("Hm."), prepared=sighted(INBOX)
    )
    (id,) = (
        one["path"].rpartition("/")[2] for e in state.events if isinstance(e, Changed) for one in e.patch[:1]
    )
    moved = calls(("mail.label", {"messages": [id], "add": ["done"]}))
    labels = {**INBOX, "fields": ["labels"]}
    for sight, seen in ((INBOX, 1), (labels, 2)):
        state = after(
            user(), send, Acted(by="agent", action=user("Sent.").action), user("Hm."), moved,
            Acted(by="agent", action=user("Done.").action), prepared=sighted(sight),
        )  # fmt: skip
        assert [event.error for event in state.events if isinstance(event, Returned)] == [None, None]
        assert len(told(state)) == seen


def test_what_is_seen_is_bounded_and_says_what_it_leaves_out() -> None:
    many = calls(*(sent("dana@example.org", f"Mail {place}", "long " * 1000) for place in range(ROWS + 3)))
    (text,) = told(
        after(user(), many, Acted(by="agent", action=user("Well.").action), prepared=sighted(INBOX))
    )
    assert len(text) < TOLD + 50 and "more characters" in text and text.endswith("- and 3 more")
    assert text.count("subject: Mail") == ROWS


def test_nothing_is_seen_by_anybody_else_or_without_sights() -> None:
    made = (
        user(),
        calls(sent("dana@example.org", "zq-canary")),
        Acted(by="agent", action=user("Well.").action),
    )
    state = after(*made, prepared=sighted(INBOX))
    assert not any(isinstance(one, Noticed) for one in observe(state, "agent").events)
    assert "zq-canary" not in str(observe(after(*made, prepared=sighted()), "user"))
    assert all(one.audience == ("user",) for one in state.events if isinstance(one, Noticed))
    assert "zq-canary" in str(observe(state, "user"))
    # of its own row, too, only the fields that it names
    assert "See you" not in str(
        observe(after(*made, prepared=sighted({**INBOX, "fields": ["subject"]})), "user")
    )


def test_whoever_has_left_sees_nothing_more() -> None:
    left = Acted(by="user", action=user("Yes, send it. Bye.", leave=True).action, turn_after=True)
    state = after(left, calls(sent("dana@example.org", "x")), Acted(by="agent", action=user("Sent.").action),
                  prepared=sighted(INBOX))  # fmt: skip
    assert state.ended and told(state) == []


def test_what_was_seen_is_read_back_from_a_record() -> None:
    well = Acted(by="agent", action=user("Well.").action)
    state = after(user(), calls(sent("dana@example.org", "x")), well, prepared=sighted(INBOX))
    again = EVENTS.validate_json(EVENTS.dump_json(state.events))
    assert again == state.events and isinstance(again[-1], Noticed)


@pytest.mark.parametrize(
    ("change", "at", "said"),
    [
        ({"rows": "/mial/messages"}, "sees[0].rows", "Did you mean 'mail'?"),
        ({"rows": "/mail/mesages"}, "sees[0].rows", "Did you mean 'messages'?"),
        ({"fields": ["subjct"]}, "sees[0].fields[0]", "has no field 'subjct'. Did you mean 'subject'?"),
        ({"fields": ["subject.words"]}, "sees[0].fields[0]", "'subject' holds a single value"),
        ({"where": {"too": "x"}}, "sees[0].where.too", "has no field 'too'. Did you mean 'to'?"),
        ({"fields": []}, "sees[0].fields", "needs at least 1 item(s)"),
        ({"rows": "mail.messages"}, "sees[0].rows", "/mail/messages"),
    ],
)
def test_names_are_checked_on_loading(change: dict[str, Any], at: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        sighted({**INBOX, **change})
    (problem,) = map(str, caught.value.problems)
    assert f"personas.owner.{at}" in problem and said in problem
