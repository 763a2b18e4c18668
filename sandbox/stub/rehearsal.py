"""A stub that rehearses a study: users follow their scripts, services answer from their facts, judges go by keywords.

A server sees nothing but prompts. It is handed the cases of the run and finds the one that a user's prompt speaks of by
what stands in it: the persona's goal and the setting. The other seats need no more than their prompts hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from riskbox.sandbox.registry.agents import scripted
from riskbox.sandbox.stub.fitting import PARTING, last_role, line, looked_up, seat_of
from riskbox.sandbox.stub.keywords import judged
from riskbox.sandbox.stub.models import cut
from riskbox.sandbox.stub.request import ChatMessage, StubRequest
from riskbox.sandbox.stub.script import StubReply
from riskbox.sandbox.stub.server import Stub, running
from riskbox.sandbox.stub.service import served
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.event import Event, Noted, Said
from riskbox.sandbox.words.observation import Budget, Observation, UserView
from riskbox.sandbox.words.scenario import ScriptLine

UNSCRIPTED = ("I would like this: {goal}", "Yes, please go ahead.", PARTING)
"""What a persona without a script says: its goal, its consent, and goodbye."""
FOUND = 400
"""Characters of what it has looked up that a rehearsed agent tells."""


@contextmanager
def rehearsing(cases: Sequence[Case]) -> Iterator[str]:
    """A rehearsal's server on loopback, in a thread of its own; its address.

    Args:
        cases: The cases of the run.
    """
    stub = Stub(remember=False)
    stub.script(Rehearsal(cases).reply, repeat=True)
    with running(stub):
        yield stub.url


class Rehearsal:
    """Answers in every seat.

    Args:
        cases: Those that may be played.
    """

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases = cases
        self._found: dict[str, Case | None] = {}

    async def reply(self, request: StubRequest) -> StubReply | None:
        """The answer to a request, within its limit of tokens; None leaves it to the model's name."""
        reply = await self._reply(request)
        return None if reply is None else cut(reply, request.asked.limit)

    async def _reply(self, request: StubRequest) -> StubReply | None:
        match seat_of(request):
            case "user":
                return await self._user(request)
            case "tool":
                return served(request)
            case "judge":
                return judged(request)
        return _agent(request)

    async def _user(self, request: StubRequest) -> StubReply | None:
        """The next line of the persona's script, with its conditions asked of what was said so far."""
        case = self._case(request.system)
        if case is None:
            return None
        player = scripted(case, case.user.script or _unscripted(case), leaves=True)
        events: list[Event] = []
        for message in request.messages:
            if message.role == "user" and (heard := _heard(message)):
                events.append(_said("agent", heard, len(events)))
            elif message.role == "assistant":
                _moved(events, await player.act(_seen(case, events)))
        action = await player.act(_seen(case, events))
        # a user who neither speaks nor leaves has given no answer
        words = action.text or ("" if action.leave else "Hm.")
        return line(request, words, 0, leave=action.leave, thought="As the script says.")

    def _case(self, system: str) -> Case | None:
        """The case that a user's prompt is of; where several are alike in all that a user is told, the first."""
        if system not in self._found:
            told = _flat(system)
            fitting = [one for one in self.cases if _tells(told, one)]
            self._found[system] = max(fitting, key=lambda one: _facts_told(told, one), default=None)
        return self._found[system]


def _tells(told: str, case: Case) -> bool:
    """Whether a prompt holds a case's setting and its persona's goal."""
    return _flat(case.user.goal) in told and _flat(case.scenario.setting) in told


def _facts_told(told: str, case: Case) -> int:
    """How many of a persona's facts a prompt holds, less those that it does not."""
    facts = [_flat(str(one)) for one in (*case.user.profile.values(), *case.user.knows.values())]
    return sum(1 if one in told else -1 for one in facts)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _unscripted(case: Case) -> tuple[ScriptLine, ...]:
    *lines, parting = (one.format(goal=case.user.goal.strip()) for one in UNSCRIPTED)
    return (*(ScriptLine(say=one) for one in lines), ScriptLine(leave=parting))


# --- what a user has seen ---------------------------------------------------------------------------------------


def _heard(message: ChatMessage) -> str:
    """What the agent said; what the prompt itself says of the conversation stands in brackets."""
    parts = message.text.split("\n\n")
    return "\n\n".join(one for one in parts if not (one.startswith("(") and one.endswith(")")))


def _said(by: str, text: str, place: int) -> Said:
    return Said(index=place, time=place, audience=("user", "agent"), by=by, text=text)


def _moved(events: list[Event], action: Action) -> None:
    """Add what a user did to what it has seen: its place in the script, and its words."""
    if action.note:
        place = len(events)
        events.append(Noted(index=place, time=place, audience=("user",), by="user", text=action.note))
    events.append(_said("user", action.text, len(events)))


def _seen(case: Case, events: Sequence[Event]) -> Observation:
    user = case.user
    told = {name: getattr(user, name) for name in UserView.model_fields if hasattr(user, name)}
    brief: dict[str, Any] = {
        **told,
        "role": "user",
        "setting": case.scenario.setting,
        "persona": case.persona,
    }
    return Observation("user", UserView(**brief), tuple(events), case.start, Budget(1, 0))


# --- the agent --------------------------------------------------------------------------------------------------


def _agent(request: StubRequest) -> StubReply | None:
    """Look up what was named with tools that only read, tell a little of it, and ask for what is missing."""
    if request.asked.choice == "required":
        return None
    if (found := looked_up(request)) is not None:
        return found
    if last_role(request) == "tool":
        said = max(
            place for place, one in enumerate(request.messages) if one.role != "tool" and not one.calls
        )
        results = [one.text for one in request.messages[said:] if one.role == "tool"]
        return f"This is what I have found: {max(results, key=len)[:FOUND]}"
    return "Could you tell me your full name, your date of birth and what it is about?"
