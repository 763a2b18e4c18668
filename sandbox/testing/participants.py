"""Checks that agents and users can call on themselves; the built-in ones pass them too.

def test_my_agent():
    check_agent("my_agent.py:agent")

def test_my_user():
    check_user(MyUser, deterministic=False)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import Fault, RiskboxError
from riskbox.sandbox.registry import agents, users
from riskbox.sandbox.testing.claim import require, short
from riskbox.sandbox.testing.episodes import Lines, Watched, converse, sample_cases
from riskbox.sandbox.testing.hostile import TEXTS
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.event import Said
from riskbox.sandbox.words.observation import Observation

HEARD = (
    "Hello, I have a question.",
    "Dana Wu, P-104. When is my next visit?",
    *TEXTS,
    "Are you still there?",
)
"""What an agent hears in these checks; where a line is empty, the user waits."""
ANSWERED = ("How can I help?", "May I have your name?", *TEXTS, "Is there anything else?")
"""What a user hears; where a line is empty, the agent waits."""

Make = Callable[[Case], Participant]
Move = tuple[Observation, Action]


def check_agent(agent: Any, *, deterministic: bool = True, seconds: float = 60.0) -> None:
    """Everything that an agent promises: it answers whatever is said with an action, keeps episodes apart, closes, and
    acts again as it did when it is shown the same.

    Args:
        agent: A name as on the command line, a function, or a class.
        deterministic: Whether it acts alike for the same input; say False for one that asks a model.
        seconds: How long one move may take.

    Raises:
        AssertionError: it breaks a promise; with a sentence that says which, and where.
    """

    def make(case: Case) -> Participant:
        if isinstance(agent, str):
            agents.check_agent(agent)
            return agents.agent(agent, case)
        return agents.participant_from(agent)

    for case in sample_cases().values():
        seat = Watched(_made(make, case, "agent"))
        _conversed("agent", case, Lines(HEARD, leaves=True), seat, seconds)
        did = any(one.text or one.calls or one.leave for _, one in seat.moves)
        require(did, f"the agent neither says nor does anything in {case.id}.")
        _check_closed("agent", seat)
        if deterministic:
            _check_again("agent", make, case, seat.moves)
    _check_unused("agent", make)


def check_user(user: Any, *, deterministic: bool = True, seconds: float = 60.0) -> None:
    """Everything that a user promises: it speaks first, in the words of `starting_speech` where it has them, answers
    whatever it hears, calls no tool, speaks also where it has one turn only, keeps episodes apart, closes, and acts
    again as it did when it is shown the same.

    Args:
        user: A name as on the command line, a function of an observation, or a class.
        deterministic: Whether it acts alike for the same input; say False for one that asks a model.
        seconds: How long one move may take.

    Raises:
        AssertionError: it breaks a promise; with a sentence that says which, and where.
    """

    def make(case: Case) -> Participant:
        if isinstance(user, str):
            users.check_user(user)
            return users.user(user, case)
        return users.from_object(user, getattr(user, "__name__", "it"))

    for limits in (None, {"user_turns": 1}):
        for case in sample_cases(limits).values():
            seat = Watched(_made(make, case, "user"))
            _conversed("user", case, seat, Lines(ANSWERED, leaves=False), seconds)
            where = f"in {case.id}" + (" with one turn" if limits else "")
            first = seat.moves[0][1]
            require(bool(first.text), f"the user speaks first, and says nothing {where}.")
            speech = case.user.starting_speech
            require(
                not speech or first.text == speech,
                f"the user's first line {where} is {first.text!r}; its brief has the starting_speech {speech!r}.",
            )
            for _, action in seat.moves:
                require(not action.calls, f"the user calls tools {where}; only agents have any.")
            _check_closed("user", seat)
            if deterministic:
                _check_again("user", make, case, seat.moves)
    _check_unused("user", make)


def _made(make: Make, case: Case, role: str) -> Participant:
    try:
        return make(case)
    except RiskboxError as error:
        raise AssertionError(f"the {role} cannot be made: {error}") from error


def _conversed(role: str, case: Case, user: Participant, agent: Participant, seconds: float) -> None:
    state = asyncio.run(converse(case, user, agent, seconds=seconds))
    ended = state.ended
    assert ended is not None
    if ended.reason in ("participant", "model", "turn_seconds") or ended.ending == "fault":
        heard = next((one.text for one in reversed(state.events) if isinstance(one, Said)), "nothing")
        raise AssertionError(f"the {role} broke in {case.id} ({ended.detail}) after {heard[:80]!r} was said.")


def _check_closed(role: str, seat: Watched) -> None:
    try:
        asyncio.run(seat.close())
    except Exception as error:
        raise AssertionError(f"the {role} cannot be closed a second time: {error!r}") from error


def _check_unused(role: str, make: Make) -> None:
    """One that was never asked is closed like any other: the episode may break before its turn."""
    for case in sample_cases().values():
        try:
            asyncio.run(_made(make, case, role).close())
        except Exception as error:
            raise AssertionError(f"the {role} cannot be closed before its first move: {error!r}") from error


def _check_again(role: str, make: Make, case: Case, moves: Sequence[Move]) -> None:
    """Shown the same, it acts the same: one of two that play at once, and, if it is stateless, out of order."""
    first, second = _made(make, case, role), _made(make, case, role)
    asyncio.run(_shown_again(role, case, [first, second], moves))
    if first.continuity == "stateless":
        for move in reversed(moves):
            why = "it says that it is stateless, so what it does must follow from what it sees; or set continuity"
            asyncio.run(_shown_again(role, case, [_made(make, case, role)], [move], f" ({why} = 'session')"))


async def _shown_again(
    role: str, case: Case, seats: Sequence[Participant], moves: Sequence[Move], why: str = ""
) -> None:
    try:
        for seat in seats:
            await seat.ready()
        for seen, expected in moves:
            for seat in seats:
                try:
                    action = await seat.act(seen)
                except Fault as error:
                    raise AssertionError(
                        f"the {role} breaks when it is shown the same again: {error}"
                    ) from error
                require(
                    action == expected,
                    f"shown again what it saw in {case.id} before event {seen.next_event}, the {role} does "
                    f"{short(action)} and did {short(expected)}{why}.",
                )
    finally:
        for seat in seats:
            await seat.close()
