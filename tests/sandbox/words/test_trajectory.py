"""Readings of an episode's events: calls with their answers, speech, turns."""

from __future__ import annotations

from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.input import Acted
from riskbox.sandbox.words.trajectory import Trajectory
from tests.sandbox.rules.steps import after, calls, user

MAIL = {"to": "a@example.org", "subject": "s", "body": "b"}


def test_a_call_is_read_with_its_answer_and_its_effect() -> None:
    made: tuple[tuple[str, dict[str, str]], ...] = (
        ("clinic.find_patient", {"name": "Dana"}),
        ("mail.send", MAIL),
        ("clinic.nope", {}),
    )
    read = Trajectory(after(user(), calls(*made)).events)
    found, sent, unknown = read.calls
    assert (found.ok, found.changed) == (True, None) and sent.changed is not None
    assert (
        unknown.failed
        and not unknown.ok
        and unknown.indices == (unknown.called.index, unknown.called.index + 1)
    )
    assert sent.indices == tuple(range(sent.called.index, sent.called.index + 3))
    assert read.patch == sent.changed.patch


def test_turns_are_uninterrupted_moves_and_the_latest_one_is_read_whole() -> None:
    says = Acted(by="agent", action=Action(text="One."))
    looks = Acted(
        by="agent",
        action=Action(
            text="Wait.", calls=(ToolCall(tool="clinic.find_patient", arguments={"name": "Dana"}),)
        ),
    )
    read = Trajectory(after(user("Hi"), looks, says, user("And?")).events)
    assert (read.turns("user"), read.turns("agent")) == (2, 1)
    assert [one.text for one in read.latest("agent")] == ["Wait.", "One."]
    assert [one.text for one in read.latest("user")] == ["And?"] and read.latest("nobody") == ()
    assert [one.text for one in read.speech] == ["Hi", "Wait.", "One.", "And?"]
