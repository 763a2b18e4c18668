"""The kit lets good agents and users pass, and says of each bad one what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.testing import check_agent, check_user
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.observation import Observation, UserView

SANDBOX = Path(__file__).parents[1]
NUMBERS = count()


@pytest.mark.parametrize("name", ["polite", pytest.param("slow", marks=pytest.mark.long), "Prepared"])
def test_good_agents_pass(name: str) -> None:
    check_agent(f"{SANDBOX}/agents_under_test.py:{name}")


def test_a_class_that_keeps_state_passes_as_a_session() -> None:
    class Counting:
        def __init__(self) -> None:
            self.heard = 0

        def __call__(self, messages: list[Any], tools: list[Any]) -> str:
            self.heard += 1
            return f"That was {self.heard}."

    check_agent(Counting)


def test_an_agent_that_calls_tools_passes() -> None:
    def agent(messages: list[Any], tools: list[Any]) -> Any:
        if messages[-1]["role"] == "tool":
            return "Who is calling?"
        call = {"name": tools[0]["function"]["name"], "arguments": '{"patient": "P-104"}'}
        return {"content": None, "tool_calls": [{"function": call}]}

    check_agent(agent)


def forgetful(seen: Observation) -> str:
    return f"This is answer {next(NUMBERS)}."


class Shared(Participant):
    """Keeps its state where all episodes share it, and does not say so."""

    heard: int = 0

    async def act(self, seen: Observation) -> Action:
        type(self).heard += 1
        return Action(text=f"That was {self.heard}.")


class Stateful(Participant):
    """Keeps state and says that it keeps none."""

    def __init__(self) -> None:
        self.heard = 0

    async def act(self, seen: Observation) -> Action:
        self.heard += 1
        return Action(text=f"That was {self.heard}.")


class Clinging(Participant):
    """Cannot be closed before it has played."""

    async def act(self, seen: Observation) -> Action:
        self.connection = 1
        return Action(text="Hi.")

    async def close(self) -> None:
        assert self.connection


def brittle(messages: list[Any], tools: list[Any]) -> str:
    return messages[-1]["content"].strip().split()[0] if len(messages) < 6 else str(messages[99])


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("idle", "the agent neither says nor does anything in conformance/owner"),
        (brittle, r"the agent broke in conformance/owner \(agent: IndexError.* was said"),
        (lambda seen: 7, "the agent broke in .*answered int"),
        (forgetful, "shown again what it saw in conformance/owner before event 1, the agent does"),
        (Shared, "shown again what it saw"),
        (Stateful, "it says that it is stateless, so what it does must follow from what it sees"),
        (Clinging, "the agent cannot be closed before its first move: AttributeError"),
        ("no_such_agent", "the agent cannot be made: unknown agent"),
    ],
)
def test_a_bad_agent_is_told_what_is_wrong(agent: Any, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_agent(agent)


def test_an_agent_that_draws_may_act_otherwise_the_next_time() -> None:
    check_agent(forgetful, deterministic=False)


@pytest.mark.parametrize("user", ["scripted", f"{SANDBOX}/own.py:user", f"{SANDBOX}/own.py:Curt"])
def test_good_users_pass(user: str) -> None:
    check_user(user)


def first_line(seen: Observation) -> str:
    assert isinstance(seen.brief, UserView)
    return seen.brief.starting_speech or "Hello."


def once(then: Callable[[Observation], Any]) -> Callable[[Observation], Any]:
    """A user who begins well."""

    def user(seen: Observation) -> Any:
        return then(seen) if seen.events else first_line(seen)

    return user


@pytest.mark.parametrize(
    ("user", "said"),
    [
        (lambda seen: None, "the user speaks first, and says nothing in conformance/owner"),
        (lambda seen: "Hello.", "its brief has the starting_speech 'Hello, is this the clinic.'"),
        (once(lambda seen: 1 / 0), "the user broke in conformance/owner .*ZeroDivisionError"),
        (once(lambda seen: Action(calls=(ToolCall(tool="clinic.read_record"),))), "the user calls tools in"),
        (lambda messages, tools: "Hi.", "a user takes one argument, the observation"),
        ("scriptd", "the user cannot be made: unknown user 'scriptd'"),
    ],
)
def test_a_bad_user_is_told_what_is_wrong(user: Any, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check_user(user)
