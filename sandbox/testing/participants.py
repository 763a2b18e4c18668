"""Checks that agents and users can call on themselves; the built-in ones pass them too.

def test_my_agent():
    check_agent("my_agent.py:agent")

def test_my_user():
    check_user(MyUser, deterministic=False)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from riskbox.sandbox.contracts.model import Models, ModelSession
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import Fault, RiskboxError
from riskbox.sandbox.models.client import Clients
from riskbox.sandbox.registry import agents, users
from riskbox.sandbox.testing.claim import require, short
from riskbox.sandbox.testing.episodes import SEED, Lines, Watched, converse, sample_cases
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

Move = tuple[Observation, Action]

_REGISTRY: dict[str, tuple[Callable[[str], None], Callable[..., Participant], Callable[..., Participant]]] = {
    "agent": (agents.check_agent_name, agents.agent, agents.made_from),
    "user": (users.check_user_name, users.user, users.from_object),
}
"""By role: what checks a name, what makes the participant of a name, and what makes one from an object."""


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

    async def check(subject: _Subject) -> None:
        for case in sample_cases().values():
            seat = Watched(subject.made(case))
            await subject.converse(case, Lines(HEARD, leaves=True), seat, seconds)
            did = any(one.text or one.calls or one.leave for _, one in seat.moves)
            require(did, f"the agent neither says nor does anything in {case.id}.")
            await subject.check_moves(case, seat, deterministic=deterministic)
        await subject.check_unused()

    asyncio.run(_with_models("agent", agent, check))


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

    async def check(subject: _Subject) -> None:
        for limits in (None, {"user_turns": 1}):
            for case in sample_cases(limits).values():
                seat = Watched(subject.made(case))
                await subject.converse(case, seat, Lines(ANSWERED, leaves=False), seconds)
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
                await subject.check_moves(case, seat, deterministic=deterministic)
        await subject.check_unused()

    asyncio.run(_with_models("user", user, check))


async def _with_models(role: str, thing: Any, check: Callable[[_Subject], Awaitable[None]]) -> None:
    models = Clients()
    try:
        await check(_Subject(role, thing, models))
    finally:
        await models.close()


@dataclass(frozen=True)
class _Subject:
    """The agent or user that is checked; each episode has one of its own."""

    role: str
    thing: Any
    """A name, a function, or a class."""
    models: Models
    """Where it finds the model that it may be."""

    def made(self, case: Case) -> Participant:
        check, of_name, from_object = _REGISTRY[self.role]
        try:
            if isinstance(self.thing, str):
                check(self.thing)
                return of_name(self.thing, case, ModelSession(self.models, SEED))
            return from_object(self.thing, getattr(self.thing, "__name__", "it"))
        except RiskboxError as error:
            raise AssertionError(f"the {self.role} cannot be made: {error}") from error

    async def converse(self, case: Case, user: Participant, agent: Participant, seconds: float) -> None:
        state = await converse(case, user, agent, seconds=seconds)
        ended = state.ended
        assert ended is not None
        if ended.reason in ("participant", "model", "turn_seconds") or ended.ending == "fault":
            heard = next((one.text for one in reversed(state.events) if isinstance(one, Said)), "nothing")
            raise AssertionError(
                f"the {self.role} broke in {case.id} ({ended.detail}) after {heard[:80]!r} was said."
            )

    async def check_moves(self, case: Case, seat: Watched, *, deterministic: bool) -> None:
        """After an episode: it is closed a second time, and acts again as it did."""
        try:
            await seat.close()
        except Exception as error:
            raise AssertionError(f"the {self.role} cannot be closed a second time: {error!r}") from error
        if deterministic:
            await self._check_again(case, seat.moves)

    async def check_unused(self) -> None:
        """One that was never asked is closed like any other: the episode may break before its turn."""
        for case in sample_cases().values():
            try:
                await self.made(case).close()
            except Exception as error:
                raise AssertionError(
                    f"the {self.role} cannot be closed before its first move: {error!r}"
                ) from error

    async def _check_again(self, case: Case, moves: Sequence[Move]) -> None:
        """Shown the same, it acts the same: one of two that play at once, and, if it is stateless, out of order."""
        first, second = self.made(case), self.made(case)
        await _shown_again(self.role, case, [first, second], moves)
        if first.continuity == "stateless":
            why = "it says that it is stateless, so what it does must follow from what it sees; or set continuity"
            for move in reversed(moves):
                await _shown_again(self.role, case, [self.made(case)], [move], f" ({why} = 'session')")


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
